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
from mapservice.brief_parts import Asked
from mapservice.briefs import NotFinal, brief_data, made, usual_day
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import board_reports, records
from postgis.today import today
from tests.record_pages import fill_in
from tests.small_ward import OTHER_WARD, WARD, add_staff, ward_id_of
from tests.staff_clients import Browser, add_member, location
from web import labels
from web.brief import BriefData, fingerprint
from web.brief_content import BriefContent
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
    # Before anybody is written down today: the history goes forward only.
    _work_of_the_month(own, places)
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


def _work_of_the_month(database: Database, places: list[str]) -> None:
    """Visits, an inspection, a model site, a list, a proof and a blocker, all before the end of the report's day."""
    with _at(database, DAY - timedelta(days=2)) as (connection, ward_id):
        for place, outcome in zip(places, ("surveyed", "refused", "refused", "nobody_there"), strict=False):
            visit = {"establishment": place, "visited_on": str(DAY - timedelta(days=2)), "outcome": outcome}
            records.create(connection, "visits", {**visit, "source": "office"}, ward_id=ward_id)
        corners = [[108.213, 16.043], [108.2145, 16.043], [108.2145, 16.0435], [108.213, 16.043]]
        shape = {"type": "Polygon", "coordinates": [corners]}
        site = {"name": "Chợ Thử", "kind": "market", "geometry": shape}
        made = records.create(connection, "model_sites", site, ward_id=ward_id)
        for number, place in enumerate(places[:6]):
            here = records.get(connection, "establishments", place)
            values = {"model_site": made.code, "stall": f"A-{number}"}
            records.change(connection, "establishments", place, here.version, values)
        moment = {
            "ward": ward_id,
            "staff": connection.execute(text(_STAFF), {"ward": ward_id}).scalar_one(),
            "at": f"{DAY - timedelta(days=2)} 10:00+07",
            "due": DAY,
        }
        connection.execute(text(_LIST), moment)
        connection.execute(text(_PROOF), moment)
        connection.execute(text(_BLOCKER), moment)


_STAFF = """
    INSERT INTO account.staff (login, display_name, password_hash, role, ward_id)
    VALUES ('truoc', 'Người trước', 'x', 'approver', :ward) RETURNING id"""
_LIST = """
    WITH made AS (
        INSERT INTO register.work_list (ward_id, indicator, scope, scope_code, assignee_id, title, due_on,
                                        responsibility, product, expected_result, made_by, made_at)
        VALUES (:ward, 'digital_platform_use', 'street', 'Thử', :staff, 'Đi hỏi', CAST(:due AS date) - 1,
                'a', 'b', 'c', :staff, :at)
        RETURNING id)
    INSERT INTO register.work_item (list_id, establishment_id, position, standing)
    SELECT made.id, e.id, row_number() OVER (ORDER BY e.id), 'not_surveyed'
      FROM made, register.establishment e WHERE e.ward_id = :ward"""
_PROOF = """
    INSERT INTO register.criterion_proof (ward_id, criterion, title, number, dated_on, file, file_kind, file_bytes,
                                          added_by, added_at, signed_by, signed_name, signed_role, signed_at)
    VALUES (:ward, 'update_rules', 'Quy chế', '12/QC-UBND', CAST(:due AS date) - 9, repeat('a', 64), 'pdf', 9,
            :staff, :at, :staff, 'Người ký', 'approver', :at)"""
_BLOCKER = """
    INSERT INTO register.phase_note (ward_id, phase, kind, words, request_key, staff_id, staff_name, staff_role, at)
    VALUES (:ward, 'phase_1', 'blocker', 'Thiếu người', 'thu', :staff, 'Thử', 'officer', :at)"""


_LATER = (
    "UPDATE register.visit SET outcome = 'not_found' WHERE outcome = 'refused'",
    "UPDATE register.model_site SET name = 'Chợ đổi tên'",
    "UPDATE register.work_list SET due_on = due_on + 90, ended_at = now(), end_reason = 'xong'",
    """INSERT INTO register.ward_shelf_life (ward_id, fact, months)
       SELECT :ward, f, 1 FROM unnest('{payment,address}'::text[]) f""",
    "UPDATE register.criterion_proof SET withdrawn_by = added_by, withdrawn_at = now(), withdrawn_reason = 'sai'",
    """INSERT INTO register.phase_note (ward_id, phase, kind, words, solves_id, request_key, staff_id,
           staff_name, staff_role)
       SELECT ward_id, phase, 'solved', 'Xong', id, 'thu-2', staff_id, staff_name, staff_role
         FROM register.phase_note""",
    _PROOF.replace("'a', 64", "'b', 64").replace("update_rules", "trial_accepted"),
)


def _later(world: World) -> None:
    """What may be written afterwards about everything that the tables of a report count."""
    with world.database.owner.begin() as connection:
        ward_id = ward_id_of(connection, WARD)
        for place in world.places[2:9]:
            visit = {"establishment": place, "visited_on": str(DAY - timedelta(days=1)), "outcome": "surveyed"}
            records.create(connection, "visits", {**visit, "source": "office"}, ward_id=ward_id)
        now = {"ward": ward_id, "staff": world.actor.staff_id, "at": f"{today()} 00:00+07", "due": today()}
        for statement in _LATER:
            connection.execute(text(statement), now)


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
    _later(world)
    after = _data(world)
    assert after.parts == before.parts
    assert fingerprint(after) == fingerprint(before)
    assert {form: made(after, form) for form in FORMS} == files
    assert fingerprint(_data(world, known="now")) != known_now


def test_the_other_tables_count_what_was_known_at_the_end_of_the_day(world: World) -> None:
    """After test_a_closed_day: whatever was written since, the month's own visits, list, site and proof."""
    parts = {part.code: part for part in _data(world).parts}
    assert list(parts) == ["rollout", "quality", "work", "missing", "sites"]
    work = dict(row[:2] for row in parts["work"].facts)
    assert work == {
        "open": 1, "overdue": 1, "places": 12, "met": 4, "left": 8, "made": 1, "closed": 0, "visited": 4,
        "surveyed": 1, "refused": 2, "nobody_there": 1, "not_found": 0,
    }  # fmt: skip
    ((_, *stalls),) = parts["sites"].facts
    assert parts["sites"].rows[0][:2] == ("Chợ Thử", 6) and sum(stalls) == 6
    rollout = {row[0]: row[1:] for row in parts["rollout"].facts}
    # What is needed; how many; of how many; met; documents.
    assert rollout["names_and_addresses"][1:4] == (0, 12, False)
    assert rollout["positions"][1:3] == (0, 12) and rollout["qr_issued"][1:4] == (None, None, None)
    assert rollout["update_rules"][3:5] == (True, "12/QC-UBND") and rollout["trial_accepted"][3:] == (False,)
    assert next(row for row in parts["rollout"].facts if row[1] == "phase_1")[-1] == 1
    quality = {row[0]: row[1:] for row in parts["quality"].facts}
    assert quality["name"] == (12, 12, 0) and quality["payment"] == (12, 4, 8)
    assert quality["address"] == (12, 0, 12) and quality["life:payment"] == (6,)
    assert "Thanh toán 6 tháng" in parts["quality"].note
    later = {
        part.code: part
        for part in _data(world, period=of_day("monthly", today()), as_of=today(), provisional=True).parts
    }
    assert dict(row[:2] for row in later["work"].facts)["open"] == 0 and "Thanh toán 1 tháng" in later["quality"].note
    assert {row[0]: row[1:] for row in later["rollout"].facts}["update_rules"][3:] == (False,)
    assert later["sites"].rows[0][0] == "Chợ đổi tên"


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


def test_a_report_of_a_day_before_the_first_place_says_that_nothing_was_judged(world: World) -> None:
    data = _data(world, period=period("quarterly", "2022-Q3"), as_of=date(2022, 9, 30))
    parts = {part.code: part for part in data.parts}
    assert not parts["quality"].rows and not parts["missing"].rows and not parts["sites"].rows
    assert "30/09/2022" in parts["quality"].note
    judged = {row[0]: row[2:5] for row in parts["rollout"].facts if row[0] != "phase"}
    assert judged["names_and_addresses"] == (0, 0, False) and judged["qr_issued"] == (None, None, None)
    assert "quý III năm 2022" in BriefContent(data).subject
    assert all(made(data, form) for form in FORMS)
