"""Whatever is known of places: nowhere does anything good stand above or without a live warning, or without its date.

Places with records by chance are looked at on every surface: the look-up page in both languages, its data and signed
record, the same while the database is away, the opened place and the list of the map, the items of the API as pages and
as data, tiles, files of every format, the officers' list and record, stickers.
"""

import base64
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pypdfium2
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from layers.collections import ESTABLISHMENTS
from layers.formats.files import Words, write_file
from layers.lookup import find_establishments
from layers.sticker_places import StickerChoice, sticker_places
from mapservice import signing
from mapservice.app import create_app
from mapservice.middleware import Observe
from mapservice.parameters import feature_query
from mapservice.place_copies import Copy, PlaceCopies, now
from mapservice.reading import reading_long
from mapservice.settings import HttpSettings
from postgis import codes
from postgis.actor import write_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import InvalidValues
from postgis.store import records as store
from postgis.store.establishments import NewEstablishment, add_many
from postgis.today import today
from postgis.vocabulary import INSPECTION_RESULTS
from tests.mvt import layers_of
from tests.page_order import Page, read
from tests.small_ward import MIDDLE, WARD, add_staff
from tests.staff_clients import Browser, add_member
from tests.test_freshness import address_of, tile_at
from web import labels
from web.lookup_facts import FOOD_SECTORS
from web.sticker_layouts import sticker
from web.sticker_sheets import sticker_sheet

EXAMPLES, PLACES = 8, 8
ITEMS = "/ogc/collections/{}/items"
NUMBER = itertools.count()
HELD = ("certified", "committed", "equivalent")
PASSED = ("pass", "a", "b")
GRADES = ("food_safety_status", "last_inspection_result", "licence_status")
DATE = re.compile(r"\b\d{1,2}/\d{1,2}/\d{4}\b")
MONTH = re.compile(r"\b\d{1,2}/\d{4}\b")
MARKUP = {"name", "alternateName", "image", "address", "url"}


@cache
def good(lang: str) -> re.Pattern[str]:
    """What is said of a place that speaks well of it: a grade, or a paper that holds."""
    words = [labels.code_label("food_safety_status", code, lang) for code in HELD]
    words += [labels.code_label("inspection_result", code, lang) for code in PASSED]
    either = "|".join(re.escape(each) for each in words)
    return re.compile(rf"(?<![\w(])(?<!không )(?<!not )({either})(?!\w)", re.IGNORECASE)


@cache
def warning(lang: str) -> re.Pattern[str]:
    """Each of the ways in which surfaces say that a warning is live."""
    keys = ("lookup.warning.title", "place.warning", "place.warning_short", "register.live_warning")
    return re.compile("|".join(re.escape(labels.text(key, lang)) for key in keys), re.IGNORECASE)


days = st.integers(-1500, 0).map(lambda back: today() + timedelta(days=back))
ends = st.integers(-400, 1500).map(lambda away: today() + timedelta(days=away))


def warnings_of(kind: str, issued: date) -> dict[str, Any]:
    lifted = issued + timedelta(days=1) if kind == "ended" else None
    return {"issued_on": issued if kind != "to come" else today() + timedelta(days=9), "lifted_on": lifted,
            "headline": f"Cảnh báo thử {next(NUMBER)}", "agency": "Đoàn thử", "source": "office"}  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    office = {"source": "office"}
    licences = st.builds(
        lambda kind, until, day: {"kind": kind, "expires_on": until, "checked_on": day, **office},
        st.sampled_from(["business_registration", "alcohol_retail", "not_required"]), st.none() | ends, days,
    )  # fmt: skip
    papers = st.builds(
        lambda kind, until, day: {"kind": kind, "valid_until": until, "checked_on": day, "agency": "Chi cục", **office},
        st.sampled_from(["certificate", "commitment", "equivalent", "not_required", "missing"]), st.none() | ends, days,
    )  # fmt: skip
    inspections = st.builds(
        lambda result, day, signed: {"inspected_on": day, "result": result, "agency": "Đoàn thử",
                                     "signed_on": day if signed else None, **office},
        st.sampled_from(INSPECTION_RESULTS), days, st.booleans(),
    )  # fmt: skip
    warned = st.builds(warnings_of, st.sampled_from(["live", "ended", "to come", "ended", "ended"]), days)
    payments = st.builds(
        lambda method, day: {"method": method, "accepted": True, "evidence_level": "observed", "checked_on": day,
                             **office},
        st.sampled_from(["vietqr", "vnpay_qr"]), days,
    )  # fmt: skip
    return {
        "licence": draw(st.lists(licences, max_size=2)),
        "food_safety_record": draw(st.lists(papers, max_size=2)),
        "inspection": draw(st.lists(inspections, max_size=3)),
        "warning": draw(st.lists(warned, max_size=3)),
        "payment_acceptance": draw(st.lists(payments, max_size=2)),
    }


@st.composite
def places(draw: st.DrawFn) -> NewEstablishment:
    number = next(NUMBER)
    lon, lat = MIDDLE[WARD]
    values = {
        "code": codes.code_for(f"test/warned {number}"), "name": f"Nghiệm Thử {number}", "source": "office",
        "sector_group": draw(st.sampled_from(["food_service", "grocery", "fashion"])), "address": f"{number} Đường Thử",
        "operating_status": draw(st.sampled_from(["active", "active", "suspended", "closed", "unknown"])),
        "verified_on": draw(st.none() | days), "position_method": "surveyed",
    }  # fmt: skip
    if values["operating_status"] == "closed":
        values["closed_on"] = draw(days)
    return NewEstablishment(
        values, WARD, lon + number % 50 * 1e-4, lat + number // 50 % 50 * 1e-4, None, draw(records())
    )


@dataclass
class World:
    """A register that fills up, and who looks at it."""

    database: Database
    folder: Path
    web: Browser
    officer: Browser
    away: TestClient
    copies: PlaceCopies


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "warned", template="base")
    signing.ensure_key(own)
    add_member(own, "lan", "officer")
    officer = Browser(own)
    officer.sign_in("lan")
    folder = tmp_path_factory.mktemp("warned")
    here = own.settings.model_copy(update={"data_dir": folder})
    nowhere = Database(own.url.set(query={"host": "/nonexistent"}), here)
    app = Observe(create_app(HttpSettings(sample="none"), nowhere))
    away = TestClient(app, headers={"Accept": "text/html"}, raise_server_exceptions=False)
    yield World(own, folder, Browser(own), officer, away, PlaceCopies(folder))
    own.dispose()
    drop_database(server, "warned")


@settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False,
    # To make an example smaller takes minutes: each is a walk over every surface.
    phases=(Phase.explicit, Phase.generate),
)  # fmt: skip
@given(made=st.lists(places(), min_size=PLACES, max_size=PLACES, unique_by=lambda place: place.values["code"]))
def test_nothing_good_stands_above_or_without_a_live_warning_or_its_date(
    world: World, made: list[NewEstablishment]
) -> None:
    # Drawn again while an example is made smaller: the same places, each time with codes of their own.
    for place in made:
        number = next(NUMBER)
        place.values = {**place.values, "code": codes.code_for(f"test/warned {number}"), "name": f"Nghiệm Thử {number}"}
    with world.database.owner.begin() as connection:
        add_many(connection, made)
    warned = {
        place.values["code"]: any(each["lifted_on"] is None for each in place.records["warning"]) for place in made
    }
    _copy(world, list(warned))
    for place in made:
        _check_pages(world, place, warned=warned[place.values["code"]])
    _check_lists(world, warned)
    _check_tiles(world, made, warned)
    _check_files(world, warned)
    _check_stickers(world, list(warned))


def _copy(world: World, wanted: list[str]) -> None:
    with world.database.public.connect() as connection:
        for code, found in find_establishments(connection, wanted).items():
            world.copies.put(code, Copy(found, {}, found.properties["operating_status"], None, now()))


def _check_pages(world: World, place: NewEstablishment, *, warned: bool) -> None:
    code = place.values["code"]
    for lang in ("vi", "en"):
        query = "?lang=en" if lang == "en" else ""
        shown = read(world.web.get(f"/q/{code}{query}").text)
        _in_order(shown, lang, warned=warned)
        _first_of_all(shown, lang, warned=warned)
        _dated(shown)
        assert {name for name, _ in shown.items} <= MARKUP
        assert all(kind.startswith("https://schema.org/") for kind in shown.types)
        saved = read(world.away.get(f"/q/{code}{query}").text)
        _in_order(saved, lang, warned=warned)
        _first_of_all(saved, lang, warned=warned)
        assert not saved.having("good")
        joined = "&lang=en" if lang == "en" else ""
        opened = read(world.web.get(f"/?view=place&place={code}{joined}").text)
        _in_order(opened, lang, warned=warned)
        _dated(opened)
        item = read(world.web.get(f"{ITEMS.format('establishments')}/{code}?f=html{joined}").text)
        _in_order(item, lang, warned=warned)
        some = f"{ITEMS.format('establishments')}/{code}?f=html&properties=last_inspection_result{joined}"
        _in_order(read(world.web.get(some).text), lang, warned=warned)
    _in_order(read(world.officer.get(f"/staff/establishments/{code}").text), "vi", warned=warned)
    _unknown_is_no_judgement(world, place)
    data = world.web.client.get(f"/q/{code}.json").json()
    signed = world.web.client.get(f"/q/{code}.jws").text.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)))
    feature = world.web.client.get(f"{ITEMS.format('establishments')}/{code}?f=json").json()["properties"]
    away = world.away.get(f"/q/{code}.json").json()
    for told in (data, payload, feature, away):
        assert told["live_warning"] is warned
        assert all(list(told).index("live_warning") < list(told).index(grade) for grade in GRADES)
    live = {each["headline"] for each in place.records["warning"] if each["lifted_on"] is None}
    for told in (data, payload, away):
        assert {each["headline"] for each in told["warnings"]} == live


def _in_order(page: Page, lang: str, *, warned: bool) -> None:
    first = page.first(warning(lang))
    said = [each for each in page.said if not re.search("Không có cảnh báo|No live warning", each.text)]
    praise = next((each for each in said if good(lang).search(each.text)), None)
    if not warned:
        return
    assert first is not None, "no warning at all"
    assert praise is None or first < praise.at, f"above the warning: {praise}"
    assert not page.having("good")


def _first_of_all(page: Page, lang: str, *, warned: bool) -> None:
    """On the look-up page nothing stands above the warning."""
    title = labels.text("lookup.warning.title", lang)
    assert (title in page.said[1].text if page.said[0].text == "⚠" else False) is warned
    assert (title in page.text) is warned


def _dated(page: Page) -> None:
    """What looks good has a day beside it."""
    for each in page.having("good"):
        assert DATE.search(" ".join(part.text for part in page.having("good") if part.box == each.box)), each


def _unknown_is_no_judgement(world: World, place: NewEstablishment) -> None:
    """Not inspected is neither good nor bad; and nowhere no."""
    inspected = any(each["signed_on"] for each in place.records["inspection"])
    if inspected or place.records["food_safety_record"]:
        return
    code = place.values["code"]
    told = world.web.client.get(f"/q/{code}.json").json()
    assert (told["food_safety_status"], told["last_inspection_result"]) == ("unknown", None)
    shown = read(world.web.get(f"/q/{code}").text)
    food = labels.text("lookup.food.not_inspected", "vi")
    said = next((each for each in shown.said if food in each.text), None)
    assert (said is not None) is (place.values["sector_group"] in FOOD_SECTORS)
    assert said is None or ("unknown" in said.classes and not said.classes & {"good", "caution"})


def _check_lists(world: World, warned: dict[str, bool]) -> None:
    named = ",".join(warned)
    for code, live in warned.items():
        name = world.web.client.get(f"/q/{code}.json").json()["name"]
        every = "&operating_status=active,suspended,unknown,closed,moved,not_found"
        for lang in ("vi", "en"):
            listed = read(world.web.get(f"/?view=list&q={name}{every}&lang={lang}").text)
            rows = {each.row for each in listed.said if each.text == name and "card-name" in each.classes}
            assert rows
            for row in rows:
                _card(listed, row, lang, warned=live)
    for collection, names in (("establishments", "code"), ("inspections", "establishment")):
        page = read(world.web.get(f"{ITEMS.format(collection)}?f=html&limit=400&{names}={named}").text)
        _rows_in_order(page, warned)
    _rows_in_order(read(world.officer.get(f"/staff/establishments?q={_shared(world, warned)}").text), warned)


def _shared(world: World, warned: dict[str, bool]) -> str:
    return str(world.web.client.get(f"/q/{next(iter(warned))}.json").json()["name"])


def _card(page: Page, row: int, lang: str, *, warned: bool) -> None:
    said = [each for each in page.said if each.row == row]
    assert any(warning(lang).search(each.text) for each in said) is warned
    praise = [each for each in said if good(lang).search(each.text)]
    assert not (warned and praise)
    assert all(MONTH.search(each.text) for each in praise), "no praise without a date"


def _rows_in_order(page: Page, warned: dict[str, bool]) -> None:
    """In a table of many places the warning stands in the row, before what is good in it."""
    by_row: dict[int, list[Any]] = {}
    for each in page.said:
        if each.row:
            by_row.setdefault(each.row, []).append(each)
    for said in by_row.values():
        place = next((code for code in warned if any(code in each.text.replace("-", "") for each in said)), None)
        praise = next((each.at for each in said if good("vi").search(each.text)), None)
        if place is not None and warned[place]:
            first = next((each.at for each in said if warning("vi").search(each.text)), None)
            assert first is not None and (praise is None or first < praise), [each.text for each in said]


def _check_tiles(world: World, made: list[NewEstablishment], warned: dict[str, bool]) -> None:
    seen = 0
    for tile in {tile_at(place.lon, place.lat, 16) for place in made}:
        for layer in layers_of(world.web.client.get(address_of(tile)).content):
            for feature in layer.features:
                assert not feature.properties.keys() & set(GRADES)
                if (code := feature.properties.get("code")) in warned:
                    assert bool(feature.properties.get("live_warning")) is warned[str(code)]
                    seen += 1
    assert seen > 0


def _check_files(world: World, warned: dict[str, bool]) -> None:
    for form in ("csv", "xlsx", "gpkg", "parquet", "geojsonseq", "fgb"):
        for some in ({}, {"properties": "code,last_inspection_result,food_safety_status,accepts_cashless"}):
            asked = feature_query(ESTABLISHMENTS, QueryParams({"code": ",".join(warned), "limit": "100", **some}))
            path = world.folder / f"places.{form}"
            path.unlink(missing_ok=True)
            with reading_long(world.database, None, 60) as connection:
                write_file(connection, ESTABLISHMENTS, asked, form, path, Words("thử", "thử", "bảng này", ()))
            rows = _rows_of(path, form)
            assert {str(row["code"]) for row in rows} == warned.keys()
            for row in rows:
                names = list(row)
                assert str(row["live_warning"]).lower() in (
                    ("true", "1") if warned[str(row["code"])] else ("false", "0")
                )
                assert names.index("live_warning") < names.index("last_inspection_result")
                # Unknown stays nothing, and is nowhere false or no.
                assert row["last_inspection_result"] in (None, "", *INSPECTION_RESULTS)
                assert row["accepts_cashless"] in ("yes", "no", "unknown")
    listed = world.officer.get(f"/staff/establishments/export?f=csv&q={_shared(world, warned)}").text
    titles = next(csv.reader(io.StringIO(listed.lstrip("\ufeff"))))
    field = labels.field_title("establishments", "live_warning", "vi")
    assert titles.index(field) < titles.index(labels.field_title("establishments", "last_inspection_result", "vi"))


def _rows_of(path: Path, form: str) -> list[dict[str, Any]]:
    if form == "csv":
        return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    if form == "xlsx":
        head, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
        return [dict(zip(_codes_of(head), row, strict=True)) for row in rows]
    if form == "parquet":
        return list(pq.read_table(path).to_pylist())
    if form == "geojsonseq":
        return [json.loads(line)["properties"] for line in path.read_text().split("\x1e") if line.strip()]
    meta, _, _, columns = pyogrio.raw.read(path)
    return [dict(zip(meta["fields"], values, strict=True)) for values in zip(*columns, strict=True)]


def _codes_of(head: tuple[Any, ...]) -> list[str]:
    return [str(name) for name in head]


def _check_stickers(world: World, wanted: list[str]) -> None:
    """A sticker hangs for years: it says nothing that may be untrue tomorrow."""
    with world.database.public.connect() as connection:
        chosen = sticker_places(connection, StickerChoice(codes=wanted))
    drawn = [sticker(place, f"https://bando.example.vn/q/{place['code']}", "vi", "AAAAA") for place in chosen]
    pdf = pypdfium2.PdfDocument(
        sticker_sheet([replace(each, illustrative=False) for each in drawn], "bando.example.vn/q")
    )
    printed = " ".join(page.get_textpage().get_text_range() for page in pdf)
    assert not good("vi").search(printed) and not warning("vi").search(printed)


def test_a_warning_cannot_be_lifted_before_its_time(world: World) -> None:
    """A day to come would take the warning away today."""
    actor = add_staff(world.database, "hoa", "officer")
    place = codes.code_for("test/lifted too soon")
    lon, lat = MIDDLE[WARD]
    values = {"code": place, "name": "Nghiệm Thử", "sector_group": "grocery", "source": "office",
              "position_method": "surveyed"}  # fmt: skip
    with world.database.owner.begin() as connection:
        add_many(connection, [NewEstablishment(values, WARD, lon, lat)])
    said = {"establishment": place, "issued_on": today().isoformat(), "headline": "Thử", "agency": "Đoàn thử",
            "source": "office"}  # fmt: skip
    with write_as(world.database, actor, reason="thử", source="office") as connection:
        made = store.create(connection, "warnings", said, ward_id=actor.ward_id)
        with pytest.raises(InvalidValues):
            tomorrow = {"lifted_on": (today() + timedelta(days=1)).isoformat()}
            store.change(connection, "warnings", made.code, made.version, tomorrow)
    assert world.web.client.get(f"/q/{place}.json").json()["live_warning"] is True
