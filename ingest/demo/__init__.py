"""The demonstration: about 9,500 invented establishments along a ward's real streets, to give every screen its work.

Streets and outline are real; businesses, markets, residential groups and all their facts are invented, and their names
say so ("Quán minh họa 0123"). No invented fact is ever tied to a real named place, and nothing here is a person's: no
names, no telephones, no tax codes. The same arguments give the same rows on every machine, so that a sticker printed
from one installation's sample opens the same place in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from ingest.demo import addresses, businesses, groups, records, sites
from ingest.demo.ground import Ground
from ingest.demo.lanes import invent_lanes
from ingest.demo.spots import choose_spots, find_spots
from ingest.demo.ways import real_ways
from postgis.codes import codes_for
from postgis.store.base_map import StreetLine
from postgis.store.establishments import NewEstablishment

SOURCE = businesses.SOURCE


@dataclass(frozen=True, slots=True)
class Demo:
    """The invented rows, as the stores of `postgis` take them; geometry is EWKT in WGS 84."""

    residential_groups: list[dict[str, Any]]
    model_sites: list[dict[str, Any]]
    establishments: list[NewEstablishment]


def generate(
    outline: bytes,
    streets: Sequence[StreetLine],
    *,
    ward_code: str,
    as_of: date,
    count: int = 9500,
    seed: int = 20257,
) -> Demo:
    """Invents a ward's residential groups, model sites and `count` establishments with their history before `as_of`.

    `outline` is the ward's polygon and `streets` the lines cut to it, both WKB in WGS 84. A ward without streets gets
    its establishments without addresses. Reads no clock, no database and no file.
    """

    def rng(topic: str) -> Random:
        # One stream for each topic, so that a change in one leaves the others' rows as they were.
        return Random(f"{seed}/{ward_code}/{topic}")

    ground = Ground.of(outline, streets)
    ways = real_ways(ground)
    ways += invent_lanes(ground, ways, rng("lanes"))
    candidates = find_spots(ground, ways, rng("spots"))
    street = sites.plan_street(ground, ways)
    market = sites.plan_market(ground, candidates, round(count * sites.STALLS_SHARE), street)
    stalls = market.stalls if market else []
    free = market.clear(candidates) if market else candidates
    chosen = choose_spots(ground, free, count - len(stalls), rng("choice"))
    addresses.number(chosen, rng("addresses"))
    located = [*sites.locate_stalls(stalls, market, ward_code), *sites.locate_spots(chosen, street, ward_code)]
    invented = businesses.invent(located, as_of, rng("businesses"))
    codes = codes_for(f"{SOURCE}:{ward_code}:{business.number}" for business in invented)
    facts = rng("records")
    return Demo(
        residential_groups=groups.divide(ground, [(s.x, s.y) for s in chosen], ward_code, rng("groups")),
        model_sites=sites.rows(ground, market, street, ward_code),
        establishments=[
            _row(ground, business, code, ward_code, count, as_of, facts)
            for business, code in zip(invented, codes, strict=True)
        ],
    )


def _row(
    ground: Ground,
    business: businesses.Business,
    code: str,
    ward_code: str,
    count: int,
    as_of: date,
    rng: Random,
) -> NewEstablishment:
    location = business.location
    longitude, latitude = ground.to_degrees(location.x, location.y)
    return NewEstablishment(
        values={
            "code": code,
            **businesses.values(business, count),
            "house_number": location.house_number,
            "street_name": location.street_name,
            "address": location.address,
            "stall": location.stall,
            "position_method": "generated",
            "source": SOURCE,
            "source_ref": f"{SOURCE}-{business.number:05d}",
            "illustrative": True,
        },
        ward_code=ward_code,
        lon=longitude,
        lat=latitude,
        model_site_code=location.model_site_code,
        records=records.invent(business, as_of, rng),
    )
