"""A small register that grew by random edits over years: every figure of the past has something to be wrong about.

Real edits by the functions that people's edits go through, each at a moment of the past as a sample may tell of one
(postgis/store/past.py). All invented. The same seed makes the same register, but for the codes.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, text

from postgis.engine import Database
from postgis.errors import Forbidden, InvalidValues, NotFound, Stale
from postgis.store import life_cycle, records, residential_groups
from postgis.store.life_cycle import NotPossible
from postgis.today import VIETNAM
from postgis.vocabulary import (
    CASHLESS_METHODS,
    DIGITAL_USES,
    EVIDENCE_LEVELS,
    FOOD_SAFETY_KINDS,
    INSPECTION_RESULTS,
    LEGAL_FORMS,
    LICENCE_KINDS,
    OUTREACH_KINDS,
    POSITION_METHODS,
    VISIT_OUTCOMES,
)
from tests.small_ward import MIDDLE, OTHER_WARD, WARD, ward_id_of

WARDS = (WARD, OTHER_WARD)
SECTORS = ("food_service", "cafe_drinks", "grocery", "production", "market", "public_place", "other")
KINDS = (None, "cafe", "supermarket", "mall", "marketplace", "convenience")
STREETS = (None, "Đường Thử", "Đường Nháp", "Kiệt Mẫu")
STATUSES = ("active", "active", "active", "suspended", "closed", "moved", "not_found", "unknown")
DATED = ("payment_acceptances", "digital_uses", "outreach", "visits", "licences", "food_safety_records", "inspections",
         "warnings")  # fmt: skip
REACH = 0.006
"""Degrees around the middle of a ward in which its places lie: some cells with one place and some with many."""
_REFUSED = (Forbidden, InvalidValues, NotFound, NotPossible, Stale)


@dataclass
class Growing:
    """A register that grows: what it holds by ward, and where chance stands."""

    database: Database
    rng: random.Random
    now: datetime
    places: dict[str, list[str]] = field(default_factory=lambda: {ward: [] for ward in WARDS})
    sites: dict[str, list[str]] = field(default_factory=lambda: {ward: [] for ward in WARDS})
    dated: list[tuple[str, str]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    went: set[str] = field(default_factory=set)
    """The places that went to another ward."""

    def edit(self, times: int, until: datetime | None = None) -> None:
        """Makes that many edits at random, up to that moment; without one, all are made now."""
        step = (until - self.now) / times if until else timedelta(0)
        for _ in range(times):
            # Often several in one transaction, and now and then right beside a midnight.
            self.now += step * self.rng.random() * 2
            if until:
                self.now = min(self.now, until)
            with self.database.owner.begin() as connection:
                self._say(connection, self._moment() if until else None)
                for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
                    self._one(connection)

    def _moment(self) -> datetime:
        if self.rng.random() > 0.1:
            return self.now
        midnight = datetime.combine(self.now.astimezone(VIETNAM), time.min, VIETNAM)
        return midnight + self.rng.choice((timedelta(0), timedelta(days=1, microseconds=-1)))

    def _say(self, connection: Connection, moment: datetime | None) -> None:
        said = {"at": moment.isoformat() if moment else ""}
        connection.execute(text("SELECT set_config('mapservice.at', :at, true)"), said)

    def _one(self, connection: Connection) -> None:
        named: list[tuple[int, Callable[[Connection], None]]] = [
            (8, self.add_place), (10, self.change_place), (5, self.move_place), (3, self.end_place),
            (2, self.restore_place), (2, self.merge), (1, self.undo_merge), (1, self.change_ward), (40, self.add_dated),
            (8, self.correct_dated), (4, self.end_dated), (3, self.restore_dated), (1, self.end_site),
            (1, self.restore_site), (1, self.add_site),
        ]  # fmt: skip
        (act,) = self.rng.choices([each for _, each in named], [weight for weight, _ in named])
        try:
            with connection.begin_nested():
                act(connection)
        except _REFUSED:
            return
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def _day(self, back: int = 300) -> str:
        """Today or, mostly, a day before it: what is noted late."""
        return (self.now.date() - timedelta(days=self.rng.choice((0, 1, self.rng.randrange(back))))).isoformat()

    def _point(self, ward: str) -> dict[str, Any]:
        lon, lat = MIDDLE[ward]
        # Points drawn from few so that some fall together.
        spread = [round(middle + self.rng.choice((0.15, 1)) * self.rng.uniform(-REACH, REACH), 6)
                  for middle in (lon, lat)]  # fmt: skip
        return {"type": "Point", "coordinates": spread}

    def _any_place(self) -> tuple[str, str]:
        ward = self.rng.choices(WARDS, (5, 1))[0]
        if not self.places[ward]:
            raise NotFound
        return ward, self.rng.choice(self.places[ward])

    def add_place(self, connection: Connection) -> None:
        ward = self.rng.choices(WARDS, (5, 1))[0]
        rng = self.rng
        values = {
            "name": rng.choice(("Quán Nháp", "Quán Nháp", None)), "sector_group": rng.choice(SECTORS),
            "kind": rng.choice(KINDS), "legal_form": rng.choice((*LEGAL_FORMS, None)), "source": "field_survey",
            "street_name": rng.choice(STREETS), "operating_status": rng.choice(STATUSES), "opened_on": self._day(2000),
            "verified_on": rng.choice((None, self._day())), "position_method": rng.choice(POSITION_METHODS),
            "position_accuracy_m": rng.choice((None, 3, 60)), "address": rng.choice((None, "1 Đường Thử")),
            "model_site": rng.choice((None, *self.sites[ward])), "stall": rng.choice((None, "A1")),
            "geometry": self._point(ward),
        }  # fmt: skip
        ward_id = ward_id_of(connection, ward)
        self.places[ward].append(records.create(connection, "establishments", values, ward_id=ward_id).code)

    def change_place(self, connection: Connection) -> None:
        ward, code = self._any_place()
        rng = self.rng
        wanted: dict[str, Any] = {
            "sector_group": rng.choice(SECTORS), "kind": rng.choice(KINDS), "street_name": rng.choice(STREETS),
            "legal_form": rng.choice((*LEGAL_FORMS, None)), "operating_status": rng.choice(STATUSES),
            "model_site": rng.choice((None, *self.sites[ward])), "stall": rng.choice((None, "A1", "B2")),
            "verified_on": self._day(), "name": rng.choice(("Quán Đổi", None)), "opened_on": self._day(2000),
            "closed_on": rng.choice((None, self._day(30))),
        }  # fmt: skip
        chosen = rng.sample(sorted(wanted), rng.choice((1, 1, 2)))
        self._change(connection, "establishments", code, {name: wanted[name] for name in chosen})

    def move_place(self, connection: Connection) -> None:
        ward, code = self._any_place()
        self._change(connection, "establishments", code, {"geometry": self._point(ward), "position_method": "gps"})

    def change_ward(self, connection: Connection) -> None:
        """As a change of the wards' borders would; people have no such edit."""
        ward, code = self._any_place()
        other = next(each for each in WARDS if each != ward)
        lon, lat = self._point(other)["coordinates"]
        connection.execute(
            text("UPDATE register.establishment SET ward_id = :ward, model_site_id = NULL, "
                 "geom = ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) WHERE code = :code"),
            {"ward": ward_id_of(connection, other), "lon": lon, "lat": lat, "code": code},
        )  # fmt: skip
        self.places[ward].remove(code)
        self.places[other].append(code)
        self.went.add(code)

    def end_place(self, connection: Connection) -> None:
        self._end(connection, "establishments", self._any_place()[1])

    def restore_place(self, connection: Connection) -> None:
        self._restore(connection, "establishments", self._ended(connection, "establishments"))

    def merge(self, connection: Connection) -> None:
        ward, code = self._any_place()
        other = self.rng.choice(self.places[ward])
        life_cycle.merge(connection, code, self._version(connection, code), into=other, reason="trùng")

    def undo_merge(self, connection: Connection) -> None:
        code = self._ended(connection, "establishments", "AND merged_into_id IS NOT NULL")
        life_cycle.undo_merge(connection, code, self._version(connection, code))

    def add_dated(self, connection: Connection) -> None:
        ward, place = self._any_place()
        collection = self.rng.choices(DATED, (12, 8, 4, 6, 3, 2, 2, 1))[0]
        values = {"establishment": place, "source": "field_survey", **self._said(collection)}
        made = records.create(connection, collection, values, ward_id=ward_id_of(connection, ward))
        self.dated.append((collection, made.code))

    def _said(self, collection: str) -> dict[str, Any]:
        rng, day = self.rng, self._day()
        ahead = (self.now.date() + timedelta(days=rng.randrange(-200, 700))).isoformat()
        if collection == "payment_acceptances":
            method, accepted = rng.choice((*CASHLESS_METHODS[:4], "cash_only")), rng.random() < 0.8
            seen = rng.choice((True, False, None)) if accepted and method != "cash_only" else None
            level = rng.choice(EVIDENCE_LEVELS)
            return {"method": method, "accepted": accepted, "evidence_level": level, "has_transactions": seen,
                    "checked_on": day}  # fmt: skip
        of_each: dict[str, dict[str, Any]] = {
            "digital_uses": {"kind": rng.choice(DIGITAL_USES), "used": rng.random() < 0.4, "checked_on": day},
            "outreach": {"kind": rng.choice(OUTREACH_KINDS), "done_on": day, "topic": "Thử"},
            "visits": {"visited_on": day, "outcome": rng.choice(VISIT_OUTCOMES)},
            "licences": {"kind": rng.choice(LICENCE_KINDS), "expires_on": rng.choice((None, ahead)), "checked_on": day},
            "food_safety_records": {"kind": rng.choice(FOOD_SAFETY_KINDS), "valid_until": rng.choice((None, ahead)),
                                    "checked_on": day},
            "inspections": {"inspected_on": day, "agency": "Đoàn thử", "result": rng.choice(INSPECTION_RESULTS),
                            "signed_on": rng.choice((None, self.now.date().isoformat()))},
            "warnings": {"issued_on": day, "headline": "Cảnh báo thử", "agency": "Đoàn thử"},
        }  # fmt: skip
        return of_each[collection]

    def correct_dated(self, connection: Connection) -> None:
        collection, code = self._any_dated()
        said = self._said(collection)
        chosen = said if collection == "payment_acceptances" else {name: said[name] for name in list(said)[:2]}
        self._change(connection, collection, code, chosen)

    def end_dated(self, connection: Connection) -> None:
        self._end(connection, *self._any_dated())

    def restore_dated(self, connection: Connection) -> None:
        self._restore(connection, *self._any_dated())

    def add_site(self, connection: Connection) -> None:
        ward = self.rng.choice(WARDS)
        lon, lat = MIDDLE[ward]
        ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.001], [lon, lat + 0.001], [lon, lat]]
        values = {"kind": "market", "name": "Chợ Nháp", "geometry": {"type": "Polygon", "coordinates": [ring]}}
        ward_id = ward_id_of(connection, ward)
        self.sites[ward].append(records.create(connection, "model_sites", values, ward_id=ward_id).code)

    def end_site(self, connection: Connection) -> None:
        self._end(connection, "model_sites", self.rng.choice(self.sites[self.rng.choice(WARDS)]))

    def restore_site(self, connection: Connection) -> None:
        self._restore(connection, "model_sites", self._ended(connection, "model_sites"))

    def _any_dated(self) -> tuple[str, str]:
        if not self.dated:
            raise NotFound
        return self.rng.choice(self.dated)

    def _ended(self, connection: Connection, collection: str, also: str = "") -> str:
        table = records.RECORD_TYPES[collection].table
        codes = connection.execute(
            text(f"SELECT code FROM register.{table.name} WHERE ended_at IS NOT NULL {also} ORDER BY id")
        )
        found = list(codes.scalars())
        if not found:
            raise NotFound
        return str(self.rng.choice(found))

    def _version(self, connection: Connection, code: str, collection: str = "establishments") -> int:
        return records.get(connection, collection, code).version

    def _change(self, connection: Connection, collection: str, code: str, values: dict[str, Any]) -> None:
        records.change(connection, collection, code, self._version(connection, code, collection), values)

    def _end(self, connection: Connection, collection: str, code: str) -> None:
        records.end(connection, collection, code, self._version(connection, code, collection), "nhầm")

    def _restore(self, connection: Connection, collection: str, code: str) -> None:
        records.bring_back(connection, collection, code, self._version(connection, code, collection))


def grow(database: Database, seed: int, *, since: date, until: date, places: int, edits: int) -> Growing:
    """A register of two wards, nine residential groups each, with `places` at first and then that many edits."""
    growing = Growing(database, random.Random(seed), datetime.combine(since, time(9), VIETNAM))
    with database.owner.begin() as connection:
        for ward in WARDS:
            residential_groups.add_many(connection, _groups(ward))
        growing._say(connection, growing.now)
        while not all(growing.sites.values()):
            growing.add_site(connection)
        while sum(map(len, growing.places.values())) < places:
            growing.add_place(connection)
    growing.edit(edits, datetime.combine(until, time(18), VIETNAM))
    return growing


def _groups(ward: str) -> list[dict[str, Any]]:
    """Three by three around the middle; what lies beside them is in no group."""
    lon, lat = MIDDLE[ward]
    side = REACH / 2
    found = []
    for number in range(9):
        west, south = lon + (number % 3 - 1.5) * side, lat + (number // 3 - 1.5) * side
        ring = ((0, 0), (side, 0), (side, side), (0, side), (0, 0))
        corners = ", ".join(f"{west + x} {south + y}" for x, y in ring)
        found.append({
            "code": f"{ward}-{number + 1:03}", "ward_code": ward, "number": number + 1, "name": f"Tổ {number + 1}",
            "valid_from": None, "illustrative": True, "ewkt": f"SRID=4326;POLYGON(({corners}))",
        })  # fmt: skip
    return found
