"""`mapservice geocode`: where an address lies, how that was found, and how far off it may be."""

import argparse
import json
import sys

from ingest.gazetteer import Gazetteer, GazetteerData, GroupArea, HousePoint, Landmark, WardArea
from ingest.geocode import Located, locate
from layers.gazetteer import Surroundings, surroundings
from mapservice.settings import HttpSettings
from mapservice.staff_commands import make_ready
from postgis.engine import open_database
from postgis.settings import DatabaseSettings

_LONGEST = 500


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to `mapservice`."""
    summary = "Locate an address of a ward: point, method, expected error, parts."
    parser = commands.add_parser("geocode", help=summary, description=summary)
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("--ward", metavar="CODE", help="the ward it is in (default: MAPSERVICE_WARD)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_geocode)


def _geocode(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    ward = options.ward or http.ward
    if len(options.address) > _LONGEST:
        return _refuse(f"an address of more than {_LONGEST} letters")
    with open_database(store) as database:
        make_ready(database)
        with database.owner.connect() as connection:
            around = surroundings(connection, ward)
    if around is None:
        return _refuse(f"no ward {ward!r} with an outline is known")
    located = locate(gazetteer(around), options.address)
    if located is None:
        return _refuse("nothing is known of this address")
    found = answer(located)
    if options.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{located.lon:.6f} {located.lat:.6f} ± {located.expected_error_m:.0f} m ({located.basis})\n")
    return 0


def gazetteer(around: Surroundings) -> Gazetteer:
    """The geocoder's data from what the register knows."""
    return Gazetteer(
        GazetteerData(
            WardArea(around.code, around.name, around.outline),
            around.streets,
            [
                HousePoint(point.number or "", point.street or "", point.lon, point.lat, point.method, point.accuracy_m)
                for point in around.houses
            ],
            [
                Landmark(point.name or "", point.lon, point.lat, point.accuracy_m or 0.0, point.method)
                for point in around.landmarks
            ],
            [GroupArea(*group) for group in around.groups],
            around.ward_names,
            around.street_names,
        )
    )


def answer(located: Located) -> dict[str, object]:
    """The result on the wire."""
    address = located.address
    return {
        "lon": located.lon,
        "lat": located.lat,
        "method": located.method,
        "basis": located.basis,
        "expected_error_m": located.expected_error_m,
        "inside_ward": located.inside_ward,
        "parts": dict(located.parts()),
        "confidence": address.confidence,
        "corrections": [
            {"written": each.written, "taken_for": each.taken_for, "how": each.how} for each in address.corrections
        ],
        "problems": [*address.problems, *located.problems],
    }


def _refuse(reason: str) -> int:
    sys.stderr.write(f"mapservice: {reason}\n")
    return 1
