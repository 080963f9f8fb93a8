"""The same facts wherever they stand, of a thousand random places and with what their owners reply; and nothing good
above or without a live warning."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers import tiles
from layers.collections import ESTABLISHMENTS
from layers.lookup import FoundPlace, find_establishments
from layers.query import FeatureQuery
from mapservice.place_answers import document_of, place_page, relations
from mapservice.responses import json_bytes
from mapservice.settings import HttpSettings
from postgis.engine import Database, create_database, drop_database
from tests.mvt import layers_of
from tests.page_order import read
from tests.staff_clients import Browser
from tests.test_freshness import tile_at
from web import labels
from web.lookup_facts import FOOD_SECTORS
from web.map_page import Search, card, panel

SETTINGS = HttpSettings(sample="none")
MANY = 1_000


@pytest.fixture(scope="module")
def told(server: Database, demo_database: Database) -> Iterator[Database]:
    """The demo sample, in which the owner of every other place has replied to what speaks against it."""
    demo_database.dispose()
    own = create_database(server, "same_facts", template=demo_database.name)
    with own.owner.begin() as connection:
        for statement in _REPLIES:
            connection.execute(text(statement))
    yield own
    own.dispose()
    drop_database(server, "same_facts")


_REPLIES = (
    """UPDATE register.warning SET reply = 'Đã khắc phục ' || code, replied_on = current_date
        WHERE lifted_on IS NULL AND id % 2 = 0""",
    """UPDATE register.inspection SET reply = 'Đã sửa ' || code, replied_on = current_date
        WHERE result IN ('fail', 'c') AND signed_on IS NOT NULL AND id % 2 = 0""",
)


@pytest.fixture(scope="module")
def connection(told: Database) -> Iterator[Connection]:
    with told.public.connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def places(connection: Connection) -> dict[str, FoundPlace]:
    """A thousand places by chance, every one that is warned of, and every one whose owner has replied."""
    asked = "SELECT code, live_warning, code IN (SELECT establishment FROM published.replies) AS replied "
    found = connection.execute(text(asked + "FROM published.establishments ORDER BY code")).all()
    chosen = {row.code for row in random.Random(6).sample(found, MANY)} | {
        row.code for row in found if row.live_warning or row.replied
    }
    assert len(chosen) >= MANY
    return find_establishments(connection, sorted(chosen))


@pytest.fixture(scope="module")
def documents(connection: Connection, places: dict[str, FoundPlace]) -> dict[str, dict[str, Any]]:
    """What /q/{code}.json answers."""
    return {
        code: json.loads(json_bytes(document_of(SETTINGS, place, relations(connection, place, None))))
        for code, place in places.items()
    }


@pytest.fixture(scope="module")
def web(told: Database) -> Browser:
    return Browser(told)


def test_item_and_export_say_what_the_data_of_the_page_says(web: Browser, documents: dict[str, dict[str, Any]]) -> None:
    names = [field.name for field in ESTABLISHMENTS.fields]
    exported = web.get("/ogc/collections/establishments/items?f=geojsonseq")
    items = {}
    for line in exported.text.split("\x1e"):
        if line.strip():
            feature = json.loads(line)
            items[feature["properties"]["code"]] = feature
    rows = {row["code"]: row for row in csv.DictReader(io.StringIO(_csv(web)))}
    for code, document in documents.items():
        told = {name: document[name] for name in names}
        told["updated_at"] = items[code]["properties"]["updated_at"] and told["updated_at"][:19]
        item = dict(items[code]["properties"])
        item["updated_at"] = item["updated_at"][:19]
        assert item == told, code
        assert items[code]["geometry"] == document["geometry"]
        for name in ("code", "name", "operating_status", "food_safety_status", "last_inspection_result"):
            assert (rows[code][name] or None) == document[name], (code, name)
        assert rows[code]["live_warning"] == str(document["live_warning"]).lower()
    for code in random.Random(7).sample(sorted(documents), 20):
        item = web.get(f"/ogc/collections/establishments/items/{code}?f=json").json()["properties"]
        assert {name: item[name] for name in names if name != "updated_at"} == {
            name: documents[code][name] for name in names if name != "updated_at"
        }
        assert web.get(f"/q/{code}.json").json() == documents[code]


def _csv(web: Browser) -> str:
    return web.get("/ogc/collections/establishments/items?f=csv").text.removeprefix("\ufeff")


def test_a_tile_says_what_the_data_of_the_page_says(
    connection: Connection, documents: dict[str, dict[str, Any]]
) -> None:
    seen = 0
    wanted = {tile_at(*document["geometry"]["coordinates"], 16) for document in documents.values()}
    for z, row, column in sorted(wanted):
        for layer in layers_of(tiles.tile(connection, ESTABLISHMENTS, z, column, row, FeatureQuery())):
            for feature in layer.features:
                document = documents.get(str(feature.properties.get("code")))
                if document is not None:
                    told = {name: value for name, value in feature.properties.items() if name in document}
                    assert told == {name: document[name] for name in told}, document["code"]
                    assert {"code", "sector_group"} <= told.keys()
                    assert bool(told.get("live_warning")) is document["live_warning"]
                    seen += 1
    assert seen >= MANY // 4


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_page_says_what_its_data_says(connection: Connection, places: dict[str, FoundPlace], lang: str) -> None:
    for code, place in places.items():
        page = place_page(SETTINGS, place, relations(connection, place, None), lang).body.decode()
        body = re.sub(r"<[^>]+>", " ", page[page.index("<body>") :])
        told = place.properties
        for method in told["payment_methods"]:
            assert labels.code_label("payment_method", method, lang) in body, code
        licence = labels.code_label("licence_status", told["licence_status"], lang)
        assert licence in body
        status, failed = told["food_safety_status"], told["last_inspection_result"] in ("fail", "c")
        if status != "unknown" and told["food_safety_valid_until"] is None and not failed:
            assert labels.code_label("food_safety_status", status, lang) in body
        if told["last_inspection_result"]:
            assert labels.code_label("inspection_result", told["last_inspection_result"], lang) in body
        elif status == "unknown" and told["sector_group"] in FOOD_SECTORS:
            assert labels.text("lookup.food.not_inspected", lang) in body
        assert ('<section class="warning"' in page) is bool(told["live_warning"])


def test_nothing_good_stands_above_or_without_a_live_warning(
    connection: Connection, places: dict[str, FoundPlace]
) -> None:
    warned = 0
    for place in places.values():
        whole = {**place.properties, **place.details, "lon": 0.0, "lat": 0.0}
        for lang in ("vi", "en"):
            page = place_page(SETTINGS, place, relations(connection, place, None), lang).body.decode()
            if not place.properties["live_warning"]:
                continue
            warned += 1
            body = page[page.index("<body>") :]
            assert body.startswith('<body>\n<section class="warning"')
            assert 'class="fact good"' not in body
            assert place.warnings[0]["headline"] in body[: body.index("<header>")]
            assert all(fact.tone != "good" for fact in panel(whole, lang)["facts"])
            listed = card(whole, lang, Search("", {}))
            assert listed.warned and listed.food == ""
    assert warned > 0


def test_no_list_and_no_panel_praises_who_is_warned_of(web: Browser, places: dict[str, FoundPlace]) -> None:
    code = next(code for code, place in places.items() if place.properties["live_warning"])
    shown = web.get(f"/?view=place&place={code}").text
    assert shown.index('class="live-warning"') < shown.index('class="facts"')
    assert 'class="fact good"' not in shown


def test_a_reply_stands_beside_its_fact_wherever_that_is_told(
    web: Browser, places: dict[str, FoundPlace], documents: dict[str, dict[str, Any]]
) -> None:
    """The page in both languages, its data, the opened place and the items: the owner's words, with their day."""
    records = {
        name: {
            each["properties"]["code"]: each["properties"]
            for line in web.get(f"/ogc/collections/{name}/items?f=geojsonseq").text.split("\x1e")
            if line.strip() and (each := json.loads(line))
        }
        for name in ("warnings", "inspections")
    }
    seen = {"warnings": 0, "inspections": 0}
    for code, place in places.items():
        told = documents[code]["replies"]
        expected = {
            (name, key, each["reply"], each["replied_on"])
            for name, kept in records.items()
            for key, each in kept.items()
            if each["establishment"] == code and each["reply"]
        }
        # Asked for where something speaks against the place today.
        adverse = place.properties["live_warning"] or place.properties["last_inspection_result"] in ("fail", "c")
        found = {(each["collection"], each["code"], each["reply"], each["replied_on"]) for each in told}
        assert found == (expected if adverse else set()), code
        if not told:
            continue
        _reply_in_page(place, told, seen)
    assert all(count > 3 for count in seen.values()), seen


def _reply_in_page(place: FoundPlace, told: list[dict[str, Any]], seen: dict[str, int]) -> None:
    last = str(place.properties["last_inspection_on"])
    shown = [each for each in told if each["collection"] == "warnings" or each["fact_on"] == last]
    for lang in ("vi", "en"):
        page = read(place_page(SETTINGS, place, {}, lang).body.decode())
        opened = panel({**place.properties, **place.details, "replies": place.replies, "lon": 0.0, "lat": 0.0}, lang)
        for each in shown:
            said = next(one for one in page.said if each["reply"] in one.text)
            assert ("warning" in said.classes) is (each["collection"] == "warnings")
            seen[each["collection"]] += 1
            if each["collection"] == "inspections":
                assert opened["reply"]["reply"] == each["reply"]
        assert (opened["reply"] is None) is all(each["collection"] == "warnings" for each in shown)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_opened_place_says_what_the_page_says(
    web: Browser, connection: Connection, places: dict[str, FoundPlace], lang: str
) -> None:
    """Word for word: what stands beside the map are the facts of the look-up page."""
    for code in random.Random(8).sample(sorted(places), 60):
        page = read(place_page(SETTINGS, places[code], relations(connection, places[code], None), lang).body.decode())
        opened = read(web.get(f"/?view=place&place={code}&lang={lang}").text)
        facts = panel({**places[code].properties, **places[code].details, "lon": 0.0, "lat": 0.0}, lang)["facts"]
        for fact in facts:
            for words in (fact.words, *fact.items, *fact.details, *filter(None, (fact.dated,))):
                assert words in page.text and words in opened.text, (code, words)


def test_unknown_is_nothing_in_data_and_said_in_words(documents: dict[str, dict[str, Any]]) -> None:
    """What nobody has looked at is null or unknown, and neither no nor false."""
    unknown = [each for each in documents.values() if each["food_safety_status"] == "unknown"]
    assert len(unknown) > 50
    for each in documents.values():
        assert each["accepts_cashless"] in ("yes", "no", "unknown")
        if each["last_inspection_on"] is None:
            assert each["last_inspection_result"] is None and each["last_inspection"] is None
        assert each["payment_checked_on"] or each["accepts_cashless"] == "unknown" or each["source"] == "osm"


def test_markup_tells_no_more_than_the_page(connection: Connection, places: dict[str, FoundPlace]) -> None:
    """schema.org: of places that trade, names what can be read; of invented ones and those that are gone, nothing."""
    marked = 0
    for place in places.values():
        page = read(place_page(SETTINGS, place, relations(connection, place, None), "vi").body.decode())
        silent = place.properties["illustrative"] or place.properties["operating_status"] in (
            "closed", "moved", "suspended", "not_found",
        )  # fmt: skip
        assert bool(page.types) is not bool(silent)
        marked += bool(page.types)
        for name, value in page.items:
            assert name in ("name", "alternateName", "image", "address", "url")
            assert name == "image" or value in page.text
    assert marked > 50
