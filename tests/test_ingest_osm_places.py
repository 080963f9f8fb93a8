"""The real places of the sample: only what OpenStreetMap states, and a code that never changes."""

from datetime import date

import pytest
from sqlalchemy import text

from ingest.osm_places import read_places
from mapservice.sample import ensure_sample
from mapservice.settings import HttpSettings
from postgis import codes, vocabulary
from postgis.engine import Database
from postgis.store.establishments import COLUMNS, RECORD_TABLES, NewEstablishment


@pytest.fixture(scope="module")
def places() -> dict[str, NewEstablishment]:
    """The places by their OSM reference."""
    return {place.values["source_ref"]: place for place in read_places()}


def test_all_places_with_distinct_valid_codes(places: dict[str, NewEstablishment]) -> None:
    assert len(places) == 630
    assert sum(place.ward_code == "20257" for place in places.values()) == 178
    found = [place.values["code"] for place in places.values()]
    assert len(set(found)) == 630
    assert all(codes.is_valid(code) for code in found)


def test_codes_are_the_same_on_every_machine(places: dict[str, NewEstablishment]) -> None:
    # Stickers printed from the sample carry them: a change of this value is a change of every printed code.
    assert places["node/729406399"].values["code"] == codes.code_for("osm:node/729406399")
    assert {place.values["code"] for place in read_places()} == {place.values["code"] for place in places.values()}


def test_only_columns_and_codes_the_register_knows(places: dict[str, NewEstablishment]) -> None:
    for place in places.values():
        assert place.values.keys() <= set(COLUMNS)
        assert place.records.keys() <= RECORD_TABLES.keys()
        assert place.values["sector_group"] in vocabulary.SECTOR_GROUPS
        assert place.values["operating_status"] in vocabulary.OPERATING_STATUSES
        assert (place.values["source"], place.values["position_method"]) == ("osm", "osm")
        assert place.values["illustrative"] is False
        assert 108.2 < place.lon < 108.23
        assert 16.04 < place.lat < 16.07


def test_nothing_is_invented(places: dict[str, NewEstablishment]) -> None:
    unnamed = places["node/729406497"].values
    assert (unnamed["name"], unnamed["kind"], unnamed["sector_group"]) == (None, "cafe", "cafe_drinks")
    assert sum(place.values["name"] is not None for place in places.values()) == 466
    for place in places.values():
        assert place.values.get("legal_form") is None
        assert place.values.get("sector_code") is None
        assert set(place.records) == {"payment_acceptance"}


def test_a_place_counts_as_active_only_where_somebody_checked(places: dict[str, NewEstablishment]) -> None:
    for place in places.values():
        assert (place.values["operating_status"] == "active") == (place.values["verified_on"] is not None)
    assert sum(place.values["operating_status"] == "active" for place in places.values()) == 70
    assert places["node/13546039219"].values["verified_on"] == date(2026, 2, 12)


def test_addresses_are_as_stated(places: dict[str, NewEstablishment]) -> None:
    stated = places["node/4485653395"].values
    assert (stated["house_number"], stated["street_name"], stated["address"]) == ("92/7", "Thi Sách", "92/7 Thi Sách")
    assert places["node/13460186412"].values["address"] == "61 Đường Thái Phiên"  # given in one piece
    only_a_number = places["node/7116041302"].values
    assert (only_a_number["house_number"], only_a_number["address"]) == ("202", None)


def test_websites_are_web_addresses(places: dict[str, NewEstablishment]) -> None:
    given = [place.values["website"] for place in places.values() if place.values["website"]]
    assert len(given) == 42
    assert all(website.startswith(("http://", "https://")) for website in given)


def test_payment_tags_are_declared_observations(places: dict[str, NewEstablishment]) -> None:
    taken = places["node/729406850"].records["payment_acceptance"]
    assert taken == [
        {
            "method": "pos_card",
            "accepted": True,
            "evidence_level": "declared",
            "checked_on": date(2025, 11, 12),
            "source": "osm",
        }
    ]
    refused = places["node/10111546117"].records["payment_acceptance"]
    assert [(row["method"], row["accepted"]) for row in refused] == [("pos_card", False)]
    # Only cash is tagged there: that says nothing about anything else.
    assert places["way/1481663042"].records["payment_acceptance"] == []
    online = {row["method"]: row["accepted"] for row in places["node/13340074016"].records["payment_acceptance"]}
    assert online == {"pos_card": True, "card_online": True}
    assert sum(len(place.records["payment_acceptance"]) for place in places.values()) == 13


def test_public_places_are_no_businesses(places: dict[str, NewEstablishment]) -> None:
    kinds = {place.values["kind"] for place in places.values() if place.values["sector_group"] == "public_place"}
    assert {"bench", "park", "place_of_worship", "atm", "toilets"} <= kinds
    assert not {"cafe", "restaurant", "hotel", "bank", "marketplace"} & kinds


def test_the_planner_knows_what_was_loaded(database: Database) -> None:
    """At once, not when autovacuum comes by: an empty table's plan is the wrong one for a full one."""
    wanted = {"establishment", "establishment_fact", "change", "lookup_code"}
    known = text("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'register' AND tablename = ANY (:wanted)")
    rows = text("SELECT relname, reltuples FROM pg_class WHERE oid = ANY (CAST(:wanted AS regclass[]))")
    with database.owner.connect() as owner:
        assert not set(owner.execute(known, {"wanted": list(wanted)}).scalars())
    assert ensure_sample(database, HttpSettings(sample="places")) == 630
    with database.owner.connect() as owner:
        assert set(owner.execute(known, {"wanted": list(wanted)}).scalars()) == wanted
        estimated = dict(owner.execute(rows, {"wanted": [f"register.{name}" for name in wanted]}).all())
        there = {name: owner.execute(text(f"SELECT count(*) FROM register.{name}")).scalar_one() for name in wanted}
    assert estimated == there
