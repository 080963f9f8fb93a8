"""Reports of a period: filled from the register, for ever the same of a closed day, their texts kept by version."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, text

from mapservice import cli, report_command
from mapservice.briefs import Asked, NotFinal, brief_data, made, usual_day
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import board_reports, records
from postgis.today import today
from tests.record_pages import fill_in
from tests.small_ward import OTHER_WARD, WARD, add_staff, ward_id_of
from tests.staff_clients import Browser, add_member, location
from web import labels
from web.brief import BriefData, fingerprint
from web.periods import KINDS, latest, of_day, period

PAGE = "/board/reports"
FORMS = ("pdf", "docx", "xlsx")
DAY = today().replace(day=1) - timedelta(days=1)
"""The last day of the month before: closed."""
MONTH = of_day("monthly", DAY)
MEDIA = {"pdf": b"%PDF", "docx": b"PK", "xlsx": b"PK"}


@dataclass
class World:
    database: Database
    actor: Actor
    browser: Browser
    places: list[str]


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "briefs", template="base")
    with _at(own, DAY - timedelta(days=40)) as (connection, ward_id):
        places = [_place(connection, ward_id, number) for number in range(12)]
    with _at(own, DAY - timedelta(days=3)) as (connection, _):
        for place in places[:4]:
            _pays(connection, place, DAY - timedelta(days=4), accepted=True)
    actor = add_staff(own, "writer", "officer")
    add_staff(own, "foreign", "officer", OTHER_WARD)
    add_member(own, "lan", "officer")
    add_member(own, "minh", "surveyor")
    browser = Browser(own)
    browser.sign_in("lan")
    yield World(own, actor, browser, places)
    own.dispose()
    drop_database(server, "briefs")


@contextmanager
def _at(database: Database, day: date) -> Iterator[tuple[Connection, int]]:
    """A transaction of a day gone by, as samples write it."""
    with database.owner.begin() as connection:
        connection.execute(text("SELECT set_config('mapservice.at', :at, true)"), {"at": f"{day} 09:00+07"})
        yield connection, ward_id_of(connection, WARD)


def _place(connection: Connection, ward_id: int, number: int) -> str:
    values: dict[str, Any] = {
        "name": f"Quán Thử {number}", "sector_group": "food_service", "source": "office", "operating_status": "active",
        "geometry": {"type": "Point", "coordinates": [108.2136 + 0.002 * number, 16.0432]},
        "position_method": "surveyed",
    }  # fmt: skip
    return records.create(connection, "establishments", values, ward_id=ward_id).code


def _pays(connection: Connection, place: str, day: date, *, accepted: bool) -> None:
    values = {
        "establishment": place, "method": "vietqr", "accepted": accepted, "evidence_level": "observed",
        "checked_on": day.isoformat(), "source": "office",
    }  # fmt: skip
    records.create(connection, "payment_acceptances", values, ward_id=ward_id_of(connection, WARD))


def _data(world: World, **changes: Any) -> BriefData:
    with read_as(world.database, world.actor) as connection:
        return brief_data(connection, Asked(**{"ward": WARD, "period": MONTH, "as_of": DAY, "texts": 0, **changes}))


def test_the_report_counts_what_was_known_at_the_end_of_its_day(world: World) -> None:
    data = _data(world)
    use = next(each for each in data.figures if each.code == "digital_platform_use")
    assert (use.now.population, use.now.yes, use.now.denominator, use.now.unknown) == (12, 4, 4, 8)
    assert use.before is None or use.before.yes == 0
    assert data.map is not None and sum(cell.establishments for cell in data.map.cells) == 12
    assert sum(cell.accepting for cell in data.map.cells) == sum(cell.surveyed for cell in data.map.cells) == 4
    assert data.head[0] > 0 and len(data.head[1]) == 64 and not data.illustrative
    with world.database.owner.connect() as connection:
        assert fingerprint(brief_data(connection, Asked(WARD, MONTH, DAY, texts=0))) == fingerprint(data)


def test_a_closed_day_is_reported_the_same_for_ever(world: World) -> None:
    """Whatever is written later, of earlier days too: the same fingerprint and the same bytes, as known then."""
    before = _data(world)
    files = {form: made(before, form) for form in FORMS}
    known_now = fingerprint(_data(world, known="now"))
    with write_as(world.database, world.actor, reason="kiểm tra lại") as connection:
        # Of a day within the period, written now.
        for place in world.places[4:8]:
            _pays(connection, place, DAY - timedelta(days=2), accepted=True)
        here = records.get(connection, "establishments", world.places[0])
        records.change(connection, "establishments", here.code, here.version, {"operating_status": "closed"})
        other = records.get(connection, "establishments", world.places[1])
        records.end(connection, "establishments", other.code, other.version, "trùng")
    after = _data(world)
    assert fingerprint(after) == fingerprint(before)
    assert {form: made(after, form) for form in FORMS} == files
    assert fingerprint(_data(world, known="now")) != known_now


def test_a_day_that_is_not_over_is_reported_as_provisional_alone(world: World) -> None:
    running = of_day("monthly", today())
    with pytest.raises(NotFinal):
        _data(world, period=running, as_of=today())
    data = _data(world, period=running, as_of=today(), provisional=True)
    assert data.provisional and fingerprint(data) != fingerprint(_data(world))
    assert usual_day(running) == today() - timedelta(days=1) and usual_day(MONTH) == DAY
    page = world.browser.get(f"{PAGE}?kind=monthly&period={running.text}&as_of={today()}")
    assert page.status_code == 200 and "chưa chốt số liệu" in page.text and "/file.pdf" not in page.text
    address = f"{PAGE}/file.pdf?kind=monthly&period={running.text}&as_of={today()}"
    assert world.browser.get(address).status_code == 409
    assert world.browser.get(f"{address}&provisional=1").content.startswith(b"%PDF")


def test_the_workbook_says_what_indicators_says(world: World) -> None:
    listed = world.browser.get(f"/indicators?ward={WARD}&as_of={DAY}&f=json").json()["indicators"]
    answer = world.browser.get(f"{PAGE}/file.xlsx?kind=monthly&period={MONTH.text}")
    rows = list(load_workbook(BytesIO(answer.content))["Chỉ tiêu"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == [each["code"] for each in listed]
    names = ("population", "numerator", "denominator", "unknown", "refused", "value", "low", "high", "target")
    for row, each in zip(rows, listed, strict=True):
        assert row[2:11] == tuple(pytest.approx(each[name]) if each[name] is not None else None for name in names)


@pytest.mark.parametrize("form", FORMS)
def test_the_files_are_downloads_that_nobody_keeps(world: World, form: str) -> None:
    answer = world.browser.get(f"{PAGE}/file.{form}?kind=monthly&period={MONTH.text}")
    assert answer.status_code == 200 and answer.content.startswith(MEDIA[form])
    assert answer.headers["cache-control"] == "no-store"
    assert f"bao-cao-{WARD}-{MONTH.text}-{DAY}.{form}" in answer.headers["content-disposition"]


def test_texts_are_kept_version_by_version(world: World) -> None:
    where = f"{PAGE}?kind=quarterly&period={of_day('quarterly', DAY).text}&as_of={DAY}"
    answer = fill_in(world.browser, where, PAGE, results="Đã khảo sát 12 cơ sở.\r\n\r\nCòn 8 cơ sở.")
    assert "done=saved" in location(answer)
    page = world.browser.get(where).text
    assert "Còn 8 cơ sở." in page and "Bản số 1: " in page
    assert "done=unchanged" in location(fill_in(world.browser, where, PAGE))
    stale = world.browser.get(where)
    assert "done=saved" in location(fill_in(world.browser, where, PAGE, causes="Chủ hộ lớn tuổi."))
    late = world.browser.post(
        PAGE, {"csrf_token": world.browser.proof(where), "seen": "1", "kind": "quarterly", "causes": "Việc khác",
               "period": of_day("quarterly", DAY).text, "as_of": str(DAY)},
    )  # fmt: skip
    assert stale.status_code == 200 and late.status_code == 409
    assert "Việc khác" in late.text and "Chủ hộ lớn tuổi." in late.text
    with read_as(world.database, world.actor) as connection:
        written = board_reports.versions(connection, world.actor.ward_id, "quarterly", of_day("quarterly", DAY).text)
    assert [each.version for each in written] == [2, 1]
    assert written[1].parts["results"] == "Đã khảo sát 12 cơ sở.\n\nCòn 8 cơ sở." and written[1].parts["causes"] == ""


def test_what_cannot_be_kept_is_said_at_its_field(world: World) -> None:
    long = fill_in(world.browser, PAGE, PAGE, causes="dài " * 1001)
    assert long.status_code == 422 and 'aria-invalid="true"' in long.text and "dài dài" in long.text
    hidden = fill_in(world.browser, PAGE, PAGE, causes="a\x07b")
    assert hidden.status_code == 422


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?kind=weekly", 400),
        ("?period=2026-13", 400),
        ("?kind=quarterly&period=2026-10", 400),
        ("?as_of=31/02/2026", 400),
        ("?known=maybe", 400),
        ("?period=2199-01", 400),
        (f"?kind=monthly&period={MONTH.text}&as_of={MONTH.first - timedelta(days=1)}", 400),
        ("?texts=99", 404),
        ("?texts=x", 404),
        ("?color=red", 400),
        ("?kind=yearly", 200),
    ],
)
def test_a_wrong_question_is_answered_in_words(world: World, query: str, status: int) -> None:
    answer = world.browser.get(PAGE + query)
    assert answer.status_code == status, answer.text[:300]


def test_only_officers_of_the_ward_see_reports(world: World) -> None:
    surveyor = Browser(world.database)
    assert surveyor.get(PAGE).status_code in (303, 401)
    surveyor.sign_in("minh")
    assert surveyor.get(PAGE).status_code == surveyor.get(f"{PAGE}/file.xlsx").status_code == 403


def test_the_command_makes_it_again_and_checks_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report_command, "open_database", lambda _store: nullcontext(world.database))
    monkeypatch.setenv("MAPSERVICE_DATA_DIR", str(tmp_path))
    data = _data(world)
    file = tmp_path / "bao-cao.pdf"
    asked = ["report", "--kind", "monthly", "--period", MONTH.text, "--ward", WARD, "--texts", "0", "-o", str(file)]
    assert cli.main([*asked, "--verify", fingerprint(data)]) == 0
    assert capsys.readouterr().out.strip() == fingerprint(data)
    assert file.read_bytes() == made(data, "pdf")
    file.unlink()
    assert cli.main([*asked, "--verify", "0" * 64]) == 1 and not file.exists()
    assert fingerprint(data) in capsys.readouterr().err
    for wrong in (
        ["--period", "2026-13"],
        ["--as-of", str(today())],
        ["--ward", "99999"],
        ["--texts", "9"],
        ["-o", "x.odt"],
    ):
        assert cli.main([*asked, *wrong]) == 1, wrong
        assert capsys.readouterr().err.startswith("mapservice: ")


def test_periods_follow_one_another_without_gap() -> None:
    for kind in KINDS:
        found = latest(kind, date(2026, 11, 22), 12)
        for newer, older in pairwise(found):
            assert older.last + timedelta(days=1) == newer.first
        assert all(period(kind, each.text) == each == of_day(kind, each.last) for each in found)
        assert labels.code_label("brief_kind", kind, "vi")
