"""Doubles: the rule by itself, the guard on a register, the pairs of the worklist. All places invented."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from layers import distinct_pairs as decided_pairs
from layers import duplicates
from layers.duplicates import Draft, candidates
from postgis import tables
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Forbidden, NotFound
from postgis.likeness import GUARD_FROM, PAIR_FROM, WEIGHTS, Signs, weigh
from postgis.store import distinct_pairs, records
from tests.small_ward import MIDDLE, OTHER_WARD, WARD, add_staff

LON, LAT = MIDDLE[WARD]
NOTHING = Signs("quan an an", "tiem may be", 0.1, False, 2_000.0, False, False, False, "", "")
ALIKE = replace(NOTHING, other_name="quan an an", similarity=1.0, distance_m=5.0, same_address=True)


def test_the_more_two_records_share_the_higher_they_score() -> None:
    assert weigh(NOTHING).score == 0
    assert weigh(ALIKE).score > PAIR_FROM
    assert weigh(ALIKE).reasons == ("same_name", "same_address", "near")


@pytest.mark.parametrize(
    ("why", "signs"),
    [
        ("two stalls", replace(ALIKE, same_site=True, stall="a 12", other_stall="a 13")),
        (
            "two branches",
            replace(ALIKE, name="minh hoa 2", other_name="minh hoa 3", same_address=False, similarity=0.9),
        ),
        ("neighbours", replace(NOTHING, same_address=True, distance_m=1.0)),
        ("one owner, two shops far apart", replace(NOTHING, same_tax_code=True, same_phone=False)),
    ],
)
def test_what_speaks_against_it_keeps_two_places_apart(why: str, signs: Signs) -> None:
    assert weigh(signs).score < GUARD_FROM, why


def test_branches_of_a_firm_in_other_streets_are_no_pair() -> None:
    branches = replace(ALIKE, same_address=False, distance_m=900.0, same_tax_code=True)
    assert weigh(branches).score < PAIR_FROM


@given(st.booleans(), st.booleans(), st.booleans(), st.floats(0, 5000), st.floats(0, 1))
def test_a_score_is_a_share_and_one_sign_more_never_lowers_it(
    address: bool, tax: bool, phone: bool, metres: float, similarity: float
) -> None:
    signs = replace(
        NOTHING, same_address=address, same_tax_code=tax, same_phone=phone, distance_m=metres, similarity=similarity
    )
    found = weigh(signs)
    assert 0 <= found.score <= 1 and set(found.reasons) <= set(WEIGHTS)
    for more in ({"same_address": True}, {"same_tax_code": True}, {"same_phone": True}):
        assert weigh(replace(signs, **more)).score >= found.score  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def register(server: Database, base_database: Database) -> Iterator[tuple[Database, Actor]]:
    base_database.dispose()
    own = create_database(server, "duplicates", template="base")
    yield own, add_staff(own, "lan", "officer")
    own.dispose()
    drop_database(server, "duplicates")


def plant(register: tuple[Database, Actor], **values: Any) -> str:
    database, actor = register
    lon, lat = values.pop("at", (LON, LAT))
    point = {"type": "Point", "coordinates": [lon, lat]}
    made = {
        "sector_group": "food_service",
        "source": "office",
        "position_method": "surveyed",
        "geometry": point,
        **values,
    }
    with write_as(database, actor, reason="thử") as connection:
        return records.create(connection, "establishments", made, ward_id=actor.ward_id).code


def found(register: tuple[Database, Actor], draft: Draft) -> dict[str, tuple[str, ...]]:
    with read_as(*register) as connection:
        return {each.place["code"]: each.reasons for each in candidates(connection, draft)}


def test_a_planted_twin_is_found_whatever_differs_in_spelling(register: tuple[Database, Actor]) -> None:
    at = (LON + 0.003, LAT + 0.003)
    twin = plant(register, name="Quán Bánh Xèo Bà Mẫu", address="K280/23 Hoàng Mẫu", at=at)
    near = (at[0] + 0.0001, at[1])
    for draft in (
        Draft(name="Bánh xèo bà Mẫu", lon=near[0], lat=near[1]),
        Draft(name="BANH XEO BA MAU", address="k280/23 hoàng mẫu"),
        Draft(name="banh xeo ba  mẫu quán", address="Kiệt 280", lon=near[0], lat=near[1]),
    ):
        assert twin in found(register, draft), draft
    assert found(register, Draft(name="Bánh xèo bà Mẫu", lon=near[0], lat=near[1], code=twin)) == {}
    assert found(register, Draft()) == {}


def test_two_stalls_at_one_address_are_two_places(register: tuple[Database, Actor]) -> None:
    database, actor = register
    at = (LON - 0.003, LAT)
    ring = [[at[0] + x, at[1] + y] for x, y in ((0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001), (0, 0))]
    with write_as(database, actor, reason="thử") as connection:
        shape = {"type": "Polygon", "coordinates": [ring]}
        site = records.create(
            connection, "model_sites", {"kind": "market", "name": "Chợ Mẫu", "geometry": shape}, ward_id=actor.ward_id
        ).code
    stall = {"address": "Chợ Mẫu, 1 Đường Mẫu", "model_site": site, "at": at}
    first = plant(register, name="Sạp vải", stall="A12", **stall)
    plant(register, name="Sạp vải", stall="A13", **stall)
    draft = Draft("Sạp vải", "Chợ Mẫu, 1 Đường Mẫu", at[0], at[1], site, "A14")
    assert found(register, draft) == {}
    assert "same_stall" in found(register, replace(draft, name="Vải cô Ví Dụ", stall="a 12"))[first]


def test_the_pairs_hold_the_twins_and_nothing_else(register: tuple[Database, Actor]) -> None:
    at = (LON, LAT + 0.004)
    one = plant(register, name="Cà Phê Ví Dụ", address="5 Đường Ví Dụ", at=at)
    other = plant(register, name="Ca phe vi du", address="5 đường ví dụ", at=(at[0] + 0.00005, at[1]))
    plant(register, name="Cà Phê Ví Dụ 2", address="5 Đường Ví Dụ", at=at)
    with read_as(*register) as connection:
        pairs = duplicates.pairs(connection)
    assert [{pair.one["code"], pair.other["code"]} for pair in pairs] == [{one, other}]
    assert pairs[0].score > PAIR_FROM and "near" in pairs[0].reasons


def test_a_pair_judged_to_be_two_places_stays_away_until_it_is_taken_back(register: tuple[Database, Actor]) -> None:
    database, actor = register
    at = (LON, LAT + 0.006)
    one, other, third = (
        plant(register, name="Bánh Mì Ví Dụ", address="6 Đường Ví Dụ", at=(at[0] + n * 0.00002, at[1]))
        for n in range(3)
    )

    def listed() -> set[frozenset[str]]:
        with read_as(*register) as connection:
            found = duplicates.pairs(connection)
        pairs = {frozenset((pair.one["code"], pair.other["code"])) for pair in found}
        return {pair for pair in pairs if pair <= {one, other, third}}

    all_three = {frozenset((one, other)), frozenset((one, third)), frozenset((other, third))}
    assert listed() == all_three
    with write_as(database, actor, reason="hai chủ") as connection:
        distinct_pairs.keep_apart(connection, actor, other, one, "  hai chủ ")
    assert listed() == all_three - {frozenset((one, other))}
    # Who adds a place still sees them all.
    assert {one, other, third} <= set(found(register, Draft(name="Bánh mì ví dụ", lon=at[0], lat=at[1])))
    with read_as(*register) as connection:
        said = decided_pairs.decision(connection, one, other)
        assert said is not None and said.reason == "hai chủ" and said.who == actor.display_name
        assert decided_pairs.decision(connection, one, third) is None
    with write_as(database, actor, reason="xét lại") as connection:
        distinct_pairs.take_back(connection, actor, one, other)
    assert listed() == all_three
    with write_as(database, actor, reason="hai chủ") as connection:
        distinct_pairs.keep_apart(connection, actor, one, other, "vẫn là hai chủ")
    with database.owner.connect() as owner:
        table = tables.distinct_pair
        kept = owner.execute(select(table.c.reason, table.c.ended_at.is_(None)).order_by(table.c.id)).all()
    assert kept[-2:] == [("hai chủ", False), ("vẫn là hai chủ", True)]


def test_only_those_who_change_the_ward_s_records_judge_its_pairs(register: tuple[Database, Actor]) -> None:
    database, _ = register
    one, other = (plant(register, name=f"Mì Quảng Ví Dụ {n}") for n in range(2))
    surveyor = add_staff(database, "an", "surveyor")
    with pytest.raises(Forbidden), write_as(database, surveyor, reason="thử") as connection:
        distinct_pairs.keep_apart(connection, surveyor, one, other, "thử")
    stranger = add_staff(database, "xa", "officer", OTHER_WARD)
    with pytest.raises(NotFound), write_as(database, stranger, reason="thử") as connection:
        distinct_pairs.keep_apart(connection, stranger, one, other, "thử")


def test_another_wards_places_are_never_candidates(register: tuple[Database, Actor]) -> None:
    database, _ = register
    stranger = add_staff(database, "khach", "officer", OTHER_WARD)
    assert found((database, stranger), Draft(name="Cà Phê Ví Dụ", address="5 Đường Ví Dụ", lon=LON, lat=LAT)) == {}
