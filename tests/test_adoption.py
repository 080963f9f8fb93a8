"""Adoption of payment without cash by cell: what is counted, and what anybody is told of it."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from postgis import cells
from postgis.engine import Database
from postgis.today import today
from tests.adoption_places import Place, add_places, cells_around
from tests.register_api import Api, register_api

ITEMS = "/ogc/collections/payment_adoption/items"
FIGURES = ("establishments", "surveyed", "accepting", "share", "low", "high")
SECTORS = ("food_service", "grocery", "fashion", "repair")


def invented(seed: int) -> list[Place]:
    """Places of a ward with full and with nearly empty cells, surveyed here and there."""
    rng = random.Random(seed)
    return [
        Place(
            cell,
            rng.choice(SECTORS),
            rng.choice([None, "vietqr", "momo", "cash_only"]),
            rng.choice(["declared", "observed", "confirmed"]),
            rng.choice(["active"] * 6 + ["closed", "suspended"]),
        )
        for number, cell in enumerate(cells_around(3))
        for _ in range(rng.randrange(1, 4) if number % 3 == 0 else rng.randrange(8, 25))
    ]


PLACES = invented(7)


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "adoption", places=1) as found:
        with found.database.owner.begin() as connection:
            connection.exec_driver_sql("DELETE FROM register.establishment_state")
        add_places(found.database, PLACES)
        yield found


def figures(api: Api, who: str | None = None, **asked: str) -> dict[str, dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in {"limit": "1000", **asked}.items())
    found = api.get(f"{ITEMS}?{query}", who)["features"]
    return {feature["id"]: feature["properties"] for feature in found}


def counted(**wanted: str) -> dict[str, Counter[str]]:
    """The same from the list of places, in the plainest way."""
    found: dict[str, Counter[str]] = {}
    for place in PLACES:
        if place.operating_status == "closed" or place.sector_group != wanted.get("sector_group", place.sector_group):
            continue
        cell = found.setdefault(place.cell, Counter())
        cell["establishments"] += 1
        cell["surveyed"] += place.method is not None
        cell["accepting"] += place.method not in (None, "cash_only")
    return found


def test_staff_see_every_figure(api: Api) -> None:
    for asked in ({}, {"sector_group": "grocery"}):
        found, expected = figures(api, "officer", **asked), counted(**asked)
        assert {cell: {name: told[name] for name in FIGURES[:3]} for cell, told in found.items()} == {
            cell: {name: counts[name] for name in FIGURES[:3]} for cell, counts in expected.items()
        }
        assert not any(told["suppressed"] for told in found.values())
        for told in found.values():
            unknown = told["establishments"] - told["surveyed"]
            shares = (told["accepting"] / told["surveyed"]) if told["surveyed"] else None
            assert told["share"] == (None if shares is None else pytest.approx(100 * shares, abs=0.005))
            assert told["high"] - told["low"] == pytest.approx(100 * unknown / told["establishments"], abs=0.011)


@pytest.mark.parametrize("resolution", ["7", "8", "10", "11"])
def test_every_resolution_counts_the_same_places(api: Api, resolution: str) -> None:
    found = figures(api, "officer", resolution=resolution)
    nine = figures(api, "officer")
    assert len(found) != len(nine)
    for name in FIGURES[:3]:
        assert sum(told[name] for told in found.values()) == sum(told[name] for told in nine.values())


def test_methods_and_evidence(api: Api) -> None:
    by_method = figures(api, "officer", method="momo")
    assert sum(told["accepting"] for told in by_method.values()) == sum(
        1 for place in PLACES if place.method == "momo" and place.operating_status != "closed"
    )
    surveyed = sum(told["surveyed"] for told in figures(api, "officer").values())
    assert sum(told["surveyed"] for told in by_method.values()) == surveyed
    proved = figures(api, "officer", evidence_level="confirmed")
    # What is only said to be taken is no "no": it leaves those surveyed.
    weak = sum(
        1
        for place in PLACES
        if place.operating_status != "closed"
        and place.method not in (None, "cash_only")
        and place.evidence_level != "confirmed"
    )
    assert sum(told["surveyed"] for told in proved.values()) == surveyed - weak
    both = figures(api, "officer", method="vietqr", evidence_level="observed")
    assert sum(told["accepting"] for told in both.values()) == sum(
        1
        for place in PLACES
        if place.operating_status != "closed" and place.method == "vietqr" and place.evidence_level != "declared"
    )


def test_small_cells_are_hidden_and_others_with_them(api: Api) -> None:
    everything, told = counted(), figures(api)
    assert told.keys() == everything.keys()
    hidden = {cell for cell, properties in told.items() if properties["suppressed"]}
    small = {cell for cell, counts in everything.items() if counts["establishments"] < 5}
    assert small and small < hidden and len(hidden - small) == 3
    for cell, properties in told.items():
        if cell in hidden:
            assert all(properties[name] is None for name in FIGURES)
        else:
            assert {name: properties[name] for name in FIGURES[:3]} == dict(everything[cell])


def test_sectors_of_a_cell_are_a_family(api: Api) -> None:
    whole = figures(api)
    shown: dict[str, int] = Counter()
    for sector in SECTORS:
        for cell, properties in figures(api, sector_group=sector).items():
            assert not (whole[cell]["suppressed"] and not properties["suppressed"])
            if not properties["suppressed"]:
                assert properties["establishments"] >= 5
                shown[cell] += 1
    assert shown
    # Never all but one, which the cell's total would tell.
    per_cell = Counter(place.cell for place in PLACES)
    assert all(count < len(SECTORS) for count in shown.values()) and set(shown) <= set(per_cell)
    assert figures(api, sector_group="public_place") == {}


def test_one_grid_is_told(api: Api) -> None:
    for resolution in ("7", "8"):
        found = figures(api, resolution=resolution)
        assert found and all(told["suppressed"] and told["establishments"] is None for told in found.values())
    for resolution in ("10", "11"):
        assert figures(api, resolution=resolution) == {}


def test_what_everybody_cannot_ask(api: Api) -> None:
    first = today().replace(day=1)
    middle = first - timedelta(days=10)
    assert figures(api, as_of=(first - timedelta(days=1)).isoformat()) == {}
    for asked, name in (
        ({"as_of": middle.isoformat()}, "as_of"), ({"method": "momo"}, "method"), ({"known": "now"}, "known"),
        ({"evidence_level": "confirmed"}, "evidence_level"), ({"resolution": "12"}, "resolution"),
        ({"resolution": "x"}, "resolution"), ({"sector_group": "x"}, "sector_group"),
        ({"as_of": (today() + timedelta(days=1)).isoformat()}, "as_of"), ({"as_of": "2026-13-01"}, "as_of"),
    ):  # fmt: skip
        answer = api.ask("GET", f"{ITEMS}?" + "&".join(f"{key}={value}" for key, value in asked.items()))
        assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == name, answer.text
    with api.database.public.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM published.payment_adoption(%s, 9, NULL, %s)", (None, middle)
        ).scalar_one()
    assert found == 0


def test_staff_of_another_ward_see_what_everybody_sees(api: Api) -> None:
    theirs = figures(api, "other", ward=api.ward.ward)
    public = figures(api, ward=api.ward.ward)
    assert {cell: [told[name] for name in FIGURES] for cell, told in theirs.items()} == {
        cell: [told[name] for name in FIGURES] for cell, told in public.items()
    }
    assert figures(api, "other", ward=api.ward.ward, method="momo") == {}


def test_cells_are_counted_as_the_states_say(api: Api) -> None:
    differences = text("SELECT register.adoption_cell_differences()")
    edits = (
        "UPDATE register.establishment SET sector_group = 'repair' WHERE id % 3 = 0",
        "UPDATE register.establishment SET operating_status = 'closed' WHERE id % 5 = 0",
        "UPDATE register.establishment SET operating_status = 'active' WHERE id % 5 = 0",
        "UPDATE register.payment_acceptance SET accepted = false WHERE id % 2 = 0",
        "UPDATE register.establishment SET ended_at = now(), end_reason = 'nhầm' WHERE id % 7 = 0",
        "UPDATE register.establishment SET geom = ST_Translate(geom, 0.004, 0) WHERE id % 4 = 0",
        "DELETE FROM register.establishment_state WHERE establishment_id % 11 = 0",
        "SELECT register.rebuild_states()",
        "TRUNCATE register.establishment_state",
    )
    with api.database.owner.connect() as connection:
        connection.begin()
        counted = text("SELECT * FROM register.counted_adoption()")
        assert len(connection.execute(counted).all()) > 100
        for edit in edits:
            before = connection.execute(counted).all()
            connection.exec_driver_sql(edit, execution_options={"no_parameters": True})
            cells.fill(connection)
            assert connection.execute(differences).scalar_one() == 0, edit
            assert "rebuild" in edit or connection.execute(counted).all() != before, edit
        connection.rollback()
        connection.begin()
        connection.exec_driver_sql("UPDATE register.adoption_cell SET accepting = accepting + 1 WHERE resolution = 9")
        assert connection.execute(differences).scalar_one() > 0
        connection.exec_driver_sql("SELECT register.fill_adoption_cells()")
        assert connection.execute(differences).scalar_one() == 0
        connection.rollback()


def test_an_edit_shows_at_once(api: Api) -> None:
    cell = next(cell for cell, told in figures(api).items() if not told["suppressed"])
    before = figures(api)[cell]
    add_places(api.database, [Place(cell, "grocery", "vietqr")], seed=99)
    after = figures(api)[cell]
    assert (after["establishments"], after["accepting"]) == (before["establishments"] + 1, before["accepting"] + 1)
    PLACES.append(Place(cell, "grocery", "vietqr"))


def test_one_cell_and_its_day(api: Api) -> None:
    cell = next(iter(figures(api, "officer")))
    feature = api.get(f"{ITEMS}/{cell}?resolution=9", "officer")
    assert feature["geometry"]["type"] == "Polygon" and feature["properties"]["as_of"] == date.isoformat(today())
    assert api.ask("GET", f"{ITEMS}/{cell}?resolution=8").status_code == 404


def test_tilejson_carries_what_is_asked_on_to_the_tiles(api: Api) -> None:
    document = "/ogc/collections/payment_adoption/tiles/WebMercatorQuad/tilejson.json"
    month_end = (today().replace(day=1) - timedelta(days=1)).isoformat()
    (plain,) = api.get(document)["tiles"]
    assert plain.endswith("{z}/{y}/{x}")
    (asked,) = api.get(f"{document}?resolution=8&sector_group=food_service&as_of={month_end}")["tiles"]
    assert asked == f"{plain}?resolution=8&sector_group=food_service&as_of={month_end}"
    for wrong, field in (
        ("resolution=3", "resolution"),
        ("sector_group=none", "sector_group"),
        ("colour=red", "colour"),
    ):
        refused = api.ask("GET", f"{document}?{wrong}")
        assert refused.status_code == 400 and field in refused.text
    assert api.ask("GET", "/ogc/collections/wards/tiles/WebMercatorQuad/tilejson.json?resolution=9").status_code == 400
