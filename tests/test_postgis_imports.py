"""The store of imports: batches, rows, decisions, and what may be asked when."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from postgis import tables
from postgis.actor import Actor, prepare_as
from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Forbidden, InvalidValues, NotFound, NotNow, Stale
from postgis.migrate import upgrade
from postgis.secrets import Secrets, open_secrets
from postgis.store import imports, imports_ask, imports_decide
from tests.small_ward import OTHER_WARD, add_staff

DATA = b"STT,Ten\n1,Quan Thu\n"


@dataclass
class Office:
    """A database of the test's own, an officer of each of two wards, and the key."""

    database: Database
    officer: Actor
    stranger: Actor
    secrets: Secrets

    def start(self, data: bytes = DATA, **more: Any) -> imports.Batch:
        with prepare_as(self.database, self.officer) as connection:
            return imports.start(connection, self.officer, file_name="ds.csv", data=data, secrets=self.secrets, **more)

    def planned(self) -> imports.Batch:
        """A batch as the job process leaves it, with a row of each verdict."""
        batch = self.start()
        with self.database.owner.begin() as connection:
            for number, verdict in enumerate(("new", "changed", "same", "doubtful", "wrong", "skipped"), start=1):
                connection.execute(
                    insert(tables.import_row).values(batch_id=batch.id, **_row(batch, number, verdict, self))
                )
            connection.execute(
                text(
                    "UPDATE register.import_batch SET state = 'planned', job = NULL, job_by = NULL WHERE code = :code"
                ),
                {"code": batch.code},
            )
        return batch


def _row(batch: imports.Batch, number: int, verdict: str, office: Office) -> dict[str, Any]:
    sealed = b'{"cells": {"1": "Qu\xc3\xa1n Th\xe1\xbb\xad"}, "personal": {"owner_phone": "0905000111"}}'
    wishes = {"new": None, "update": {}}
    if verdict in ("new", "doubtful"):
        wishes["new"] = [{"collection": "establishments", "code": None, "values": {"name": "Quán Thử"}}]
    if verdict in ("changed", "doubtful"):
        wishes["update"] = {"K7M42XPA": []}
    return {
        "number": number, "sheet": "ds", "row": number + 1, "verdict": verdict, "wishes": wishes,
        "place_code": "K7M42XPA" if verdict in ("changed", "same", "doubtful") else None,
        "proposed": {"name": f"Quán Mỳ {number}", "address": "1 Núi Thành"}, "problems": [{"code": "may_be_known"}],
        "sealed": office.secrets.encrypt(sealed, context=imports.row_context(batch.code, number)),
    }  # fmt: skip


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    officer, stranger = (
        add_staff(database, "can-bo", "officer"),
        add_staff(database, "phuong-khac", "officer", OTHER_WARD),
    )
    return Office(database, officer, stranger, open_secrets(tmp_path))


@pytest.fixture
def acting(office: Office) -> Iterator[Connection]:
    """A transaction of the officer's on a planned batch of six rows."""
    office.planned()
    with prepare_as(office.database, office.officer) as connection:
        yield connection


def _code(connection: Connection) -> str:
    return imports.list_batches(connection, 1)[0].code


def test_a_file_is_kept_sealed_and_asked_to_be_read(office: Office) -> None:
    batch = office.start()
    assert (batch.state, batch.job, batch.job_by, batch.known) == ("reading", "read", office.officer.staff_id, False)
    assert batch.created_by_name == "officer can-bo" and batch.code.startswith("IM") and len(batch.code) == 10
    with office.database.owner.connect() as connection:
        kept = connection.execute(select(tables.import_batch.c.file_sealed)).scalar_one()
        assert DATA not in bytes(kept) and b"Quan" not in bytes(kept)
        assert imports.file_of(connection, office.secrets, batch.code) == DATA


def test_the_same_file_is_not_taken_twice_unless_asked(office: Office) -> None:
    first = office.start()
    second = office.start()
    assert second.code == first.code and second.known
    assert office.start(again=True).code != first.code
    assert office.start(b"another").code != first.code


@pytest.mark.parametrize("name", ["", "  ", "C:\\Users\\a\\danh sách.xlsx", "../../etc/x.csv", "x" * 500 + ".csv"])
def test_any_name_of_a_file_is_kept_as_its_last_part(office: Office, name: str) -> None:
    with prepare_as(office.database, office.officer) as connection:
        batch = imports.start(connection, office.officer, file_name=name, data=DATA, secrets=office.secrets)
    assert batch.file_name and "/" not in batch.file_name and "\\" not in batch.file_name
    assert len(batch.file_name) <= imports.LONGEST_NAME


def test_an_empty_or_an_endless_file_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_BYTES", 4)
    for data, code in ((b"", "required"), (b"12345", "file_too_large")):
        with pytest.raises(InvalidValues) as refused:
            office.start(data)
        assert [(error.field, error.code) for error in refused.value.errors] == [("file", code)]


def test_another_ward_and_a_surveyor_see_nothing(office: Office) -> None:
    batch = office.planned()
    surveyor = add_staff(office.database, "khao-sat", "surveyor")
    for somebody in (office.stranger, surveyor):
        with prepare_as(office.database, somebody) as connection:
            assert imports.list_batches(connection, 10) == []
            for ask in (imports.get, imports.rows, imports.counts, imports.progress, imports_ask.ask_apply):
                with pytest.raises(NotFound):
                    ask(connection, batch.code)  # type: ignore[operator]


def test_rows_are_found_by_words_verdict_and_number(acting: Connection, office: Office) -> None:
    code = _code(acting)
    found = imports.rows(acting, code, limit=4)
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert [row.number for row in imports.rows(acting, code, after_number=4)] == [5, 6]
    assert [row.verdict for row in imports.rows(acting, code, verdicts=["wrong", "doubtful"])] == ["doubtful", "wrong"]
    assert [row.number for row in imports.rows(acting, code, q="quan mi 3")] == [3]
    assert [row.number for row in imports.rows(acting, code, q="k7m42xpa")] == [2, 3, 4]
    assert imports.rows(acting, code, q="%") == imports.rows(acting, code, q="'; --") == []
    opened = imports.unseal(office.secrets, imports.get(acting, code), found[0])
    assert opened == {"cells": {"1": "Quán Thử"}, "personal": {"owner_phone": "0905000111"}}
    assert "0905" not in repr(found[0])


def test_what_a_person_decides_counts(acting: Connection) -> None:
    code = _code(acting)
    assert imports.counts(acting, code).to_apply == 2
    imports_decide.decide(acting, code, 1, "leave")
    imports_decide.decide(acting, code, 4, "update", "K7M42XPA")
    found = imports.counts(acting, code)
    assert (found.to_apply, found.undecided) == (2, 0)
    assert sum(found.verdicts.values()) == 6
    imports_decide.decide(acting, code, 4, None)
    assert imports.counts(acting, code).undecided == 1
    assert imports_decide.decide_many(acting, code, "new") == 1
    assert imports.row(acting, code, 4).decision == "new"
    assert imports_decide.decide_many(acting, code, None) == 1
    assert imports_decide.decide_many(acting, code, "update", problem="may_be_known") == 1
    assert imports.row(acting, code, 4).target_code == "K7M42XPA"
    assert imports_decide.decide_many(acting, code, "update", problem="another") == 0


@pytest.mark.parametrize(
    ("number", "decision", "target", "told"),
    [
        (3, "new", None, ("decision", "nothing_to_decide")),
        (5, "leave", None, ("decision", "nothing_to_decide")),
        (6, "leave", None, ("decision", "nothing_to_decide")),
        (2, "new", None, ("decision", "nothing_to_decide")),
        (4, "perhaps", None, ("decision", "not_in_list")),
        (4, "update", None, ("target", "required")),
        (4, "update", "ANOTHER2", ("target", "unknown_reference")),
    ],
)
def test_what_cannot_be_decided_is_said(
    acting: Connection, number: int, decision: str, target: str | None, told: tuple[str, str]
) -> None:
    with pytest.raises(InvalidValues) as refused:
        imports_decide.decide(acting, _code(acting), number, decision, target)
    assert [(error.field, error.code) for error in refused.value.errors] == [told]


def test_who_has_seen_an_older_state_is_told(acting: Connection) -> None:
    code = _code(acting)
    seen = imports.get(acting, code).version
    now = imports_decide.decide(acting, code, 1, "leave", version=seen)
    assert now.version == seen + 1
    for ask in (
        lambda: imports_decide.decide(acting, code, 1, None, version=seen),
        lambda: imports_decide.choose(acting, code, {}, seen),
        lambda: imports_ask.ask_apply(acting, code, seen),
    ):
        with pytest.raises(Stale) as stale:
            ask()
        assert stale.value.current.version == seen + 1


def test_what_a_state_does_not_allow(acting: Connection) -> None:
    code = _code(acting)
    with pytest.raises(NotNow):
        imports_ask.ask_undo(acting, code)
    with pytest.raises(NotNow):
        imports_ask.ask_cancel(acting, code)
    asked = imports_ask.ask_apply(acting, code, reason="  danh sách\n của thuế ")
    assert (asked.state, asked.job, asked.reason) == ("applying", "apply", "danh sách của thuế")
    with pytest.raises(NotNow):
        imports_decide.decide(acting, code, 1, "leave")
    with pytest.raises(NotNow):
        imports_ask.ask_apply(acting, code)
    assert imports_ask.ask_cancel(acting, code).cancel_asked


def test_corrected_columns_are_remembered_for_the_shape(acting: Connection) -> None:
    code, shape = _code(acting), "0123456789abcdef0123"
    chosen = {"columns": {shape: {"ten": "name"}, "ds": {"stt": None}}, "as_of": "2026-10-01"}
    batch = imports_decide.choose(acting, code, chosen)
    assert (batch.state, batch.job, batch.choices) == ("reading", "read", chosen)
    assert imports_decide.shapes(acting) == {shape: {"ten": "name"}}
    with pytest.raises(NotNow):
        imports_decide.choose(acting, code, {})


def test_the_database_refuses_a_batch_of_another_ward(office: Office) -> None:
    with pytest.raises(Exception) as refused, prepare_as(office.database, office.officer) as connection:
        imports.start(connection, office.stranger, file_name="x.csv", data=DATA, secrets=office.secrets)
    assert "row-level security" in str(refused.value) or isinstance(refused.value, Forbidden)


@pytest.mark.usefixtures("no_photos")
def test_a_backup_carries_imports_with_what_they_hold(office: Office, server: Database, tmp_path: Path) -> None:
    batch = office.planned()
    backup = write_backup(office.database, tmp_path / "backup")
    assert backup.note["rows"]["register.import_row"] == 6
    restored = create_database(server, "restored_imports")
    try:
        read_backup(restored, tmp_path / "backup")
        upgrade(restored)
        with prepare_as(restored, office.officer) as connection:
            assert imports.get(connection, batch.code).file_name == "ds.csv"
            (first, *_) = found = imports.rows(connection, batch.code)
            assert len(found) == 6 and imports.unseal(office.secrets, batch, first)["cells"] == {"1": "Quán Thử"}
            assert imports.file_of(connection, office.secrets, batch.code) == DATA
    finally:
        restored.dispose()
        drop_database(server, "restored_imports")
