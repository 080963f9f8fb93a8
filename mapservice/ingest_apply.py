"""`mapservice ingest FILE --apply` and `--undo CODE`: an import done in the foreground, with a bar on a terminal.

The command line cannot prove who types, so no person's name stands in the history: an account of the command's own,
which nobody can sign in with, acts, with the rights of an officer. What may harm somebody waits for a second person,
and an administrator of the ward can shut the account.
"""

import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Connection

from ingest.refusal import Refusal
from ingest.workbook_reader import read
from mapservice import import_work
from mapservice.import_words import as_json, failure_words, finding_words, refusal_words
from mapservice.sealed import secrets_of
from mapservice.staff_commands import make_ready
from postgis.actor import Actor, note_source, prepare_as
from postgis.engine import Database, open_database
from postgis.errors import InvalidValues, NotFound, NotNow
from postgis.settings import DatabaseSettings
from postgis.store import imports, imports_ask, imports_decide, imports_queue, staff
from postgis.vocabulary import IMPORT_OUTCOMES
from web import labels

_LANG = "vi"
_AT_ONCE = 2_000
_BAR = 24
_INTERRUPTED = 130
_SAID_OF_FILE = {"required": "empty", "file_too_large": "file_too_large"}


class _Refused(Exception):
    """The command cannot be done; the message says why."""


class _Cancelled(Exception):
    """Ctrl-C: nothing of what was under way stands."""


def apply_file(file: Path, ward: str, store: DatabaseSettings, *, as_object: bool) -> int:
    """Reads a file, applies what is clear, and prints what became of it."""
    try:
        data = file.read_bytes()
        # Before the database is started: most refusals need none, and no batch is to stand for a file of another kind.
        read(data, file.name)
    except OSError:
        return _refuse(_text("no_file", file=file))
    except Refusal as refusal:
        return _refuse(refusal_words(refusal, _LANG))
    return _in_foreground(store, ward, lambda office: _apply(office, file.name, data, as_object=as_object))


def undo_batch(code: str, ward: str, store: DatabaseSettings, *, as_object: bool) -> int:
    """Undoes an applied batch, and prints what was kept because somebody has edited it since."""
    return _in_foreground(store, ward, lambda office: _undo(office, code, ward, as_object=as_object))


@dataclass(slots=True)
class _Office:
    """The command at work: in whose name, on which connection, told to stop or not."""

    database: Database
    actor: Actor
    side: Connection
    shown: import_work.Shown
    stopped: bool = False

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: the job looks every few hundred rows."""
        self.stopped = True

    def take_turn(self) -> None:
        """Wait until nobody else works on an import."""
        while not imports_queue.take_work(self.side, wait=False):
            if self.stopped:
                raise _Cancelled
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K{_text('waiting')}")
                sys.stderr.flush()
            time.sleep(0.5)

    def asking(self) -> contextlib.AbstractContextManager[Connection]:
        """A transaction of the command's."""
        return prepare_as(self.database, self.actor)

    def finish(self, code: str) -> imports.Batch:
        """Do what is asked for of a batch; the batch as it is then. Raises _Cancelled, _Refused."""
        while (job := imports_queue.next_job(self.side, code)) is not None:
            try:
                import_work.do(self.database, self.side, job, shown=self.shown, stop=lambda: self.stopped)
            except import_work.Interrupted:
                raise _Refused(_text("database_gone")) from None
        with self.asking() as connection:
            batch = imports.get(connection, code)
        if batch.error is not None:
            if batch.error["code"] == "cancelled":
                raise _Cancelled
            raise _Refused(failure_words(batch.error, _LANG))
        return batch


def _in_foreground(store: DatabaseSettings, ward: str, work: Callable[[_Office], str]) -> int:
    """Does the work and prints what it has to say, when the bar is gone."""
    try:
        with open_database(store) as database:
            make_ready(database)
            actor = _command_account(database, ward)
            with imports_queue.beside(database) as side, _progress_bar() as shown:
                office = _Office(database, actor, side, shown)
                with _stopped_by_signals(office):
                    office.take_turn()
                    said = work(office)
    except _Refused as refused:
        return _refuse(str(refused))
    except _Cancelled:
        _refuse(_text("cancelled"))
        return _INTERRUPTED
    sys.stdout.write(f"{said}\n")
    return 0


def _apply(office: _Office, name: str, data: bytes, *, as_object: bool) -> str:
    with office.asking() as connection:
        try:
            batch = imports.start(
                connection, office.actor, file_name=name, data=data, secrets=secrets_of(office.database)
            )
        except InvalidValues as invalid:
            (error,) = invalid.errors
            refusal = Refusal(_SAID_OF_FILE[error.code], megabytes=error.values.get("most"))
            raise _Refused(refusal_words(refusal, _LANG)) from None
        unchanged = batch.known and batch.state == "applied" and batch.job is None
        if batch.known and not unchanged:
            if batch.created_by != office.actor.staff_id:
                raise _Refused(_text("known_elsewhere", name=batch.created_by_name, batch=batch.code))
            if batch.state == "planned" and batch.job is None:
                # An earlier run was cut off; the register may have moved on since.
                imports_decide.choose(connection, batch.code, batch.choices)
    if not unchanged:
        batch = office.finish(batch.code)
        if batch.state == "planned":
            with office.asking() as connection:
                imports_ask.ask_apply(connection, batch.code, batch.version, _text("reason", file=batch.file_name))
            batch = office.finish(batch.code)
    with office.asking() as connection:
        found = imports.counts(connection, batch.code)
        outcomes = {outcome: found.outcomes[outcome] for outcome in IMPORT_OUTCOMES}
        problems = list(_problems(connection, batch.code)) if as_object else []
    if as_object:
        told = as_json(batch.summary or {}, batch.counts, problems, _LANG)
        became = {"batch": batch.code, "state": batch.state, "unchanged": unchanged, "outcomes": outcomes}
        return json.dumps({**told, **became}, ensure_ascii=False)
    lines = [_text("unchanged" if unchanged else "applied", file=name, batch=batch.code)]
    verdicts, results = labels.code_list("import_verdict", _LANG), labels.code_list("import_outcome", _LANG)
    lines += [f"  {verdicts[name]}: {labels.number(batch.counts.get(name, 0), _LANG)}" for name in verdicts]
    lines += [_text("outcomes"), *(f"  {results[name]}: {labels.number(outcomes[name], _LANG)}" for name in outcomes)]
    if found.undecided:
        lines.append(_text("undecided", count=labels.number(found.undecided, _LANG), batch=batch.code))
    return "\n".join([*lines, _text("undo_hint", batch=batch.code)])


def _undo(office: _Office, code: str, ward: str, *, as_object: bool) -> str:
    with office.asking() as connection:
        try:
            batch = imports.get(connection, code.strip().upper())
            if batch.job != "undo":  # else an earlier run was cut off
                reason = _text("undo_reason", batch=batch.code)
                imports_ask.ask_undo(connection, batch.code, batch.version, reason)
        except NotFound:
            raise _Refused(_text("no_batch", batch=code, ward=ward)) from None
        except NotNow as not_now:
            state = labels.code_list("import_state", _LANG)[not_now.state]
            raise _Refused(_text("not_undone", batch=code, state=state)) from None
    batch = office.finish(batch.code)
    kept = batch.undo_kept or []
    if as_object:
        return json.dumps({"batch": batch.code, "state": batch.state, "kept": kept}, ensure_ascii=False)
    lines = [_text("undone", batch=batch.code)]
    if kept:
        lines.append(_text("undone_kept", count=labels.number(len(kept), _LANG), batch=batch.code))
    return "\n".join(lines)


def _problems(connection: Connection, code: str) -> Iterator[dict[str, Any]]:
    """All that is to be said of the rows of a batch, in the shape of the contract."""
    last = 0
    while rows := imports.rows(connection, code, after_number=last, limit=_AT_ONCE):
        last = rows[-1].number
        for row in rows:
            for problem in row.problems:
                message = finding_words(problem["code"], problem["values"], _LANG)
                yield {"sheet": row.sheet, "row": row.row, **problem, "message": message}


def _command_account(database: Database, ward: str) -> Actor:
    """The account that the command acts with, made at its first use. Raises _Refused."""
    with database.owner.begin() as connection:
        login = staff.command_login(ward)
        if staff.find(connection, login) is None:
            note_source(connection, reason="mapservice ingest")
            try:
                staff.add_command(connection, ward_code=ward, display_name=_text("command_name"))
            except InvalidValues:
                raise _Refused(_text("no_ward", ward=ward)) from None
        member = staff.find(connection, login)
    if member is None or member.disabled_at is not None:
        raise _Refused(_text("command_shut", login=login))
    return Actor(member.id, member.login, member.display_name, member.role, member.ward_id, member.ward_code)


@contextlib.contextmanager
def _stopped_by_signals(office: _Office) -> Iterator[None]:
    before = {number: signal.signal(number, office.stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress_bar() -> Iterator[import_work.Shown]:
    """One line on a terminal: a bar where the whole is known, else a count; nothing elsewhere."""
    shown = sys.stderr.isatty()

    def show(step: str, done: int, total: int | None) -> None:
        if not shown:
            return
        line = _text(step, count=labels.number(done, _LANG))
        if total:
            full = min(done, total) * _BAR // total
            line = f"[{'█' * full}{'·' * (_BAR - full)}] {min(done, total) * 100 // total} %  {line}"
        sys.stderr.write(f"\r\033[K{line}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write("\r\033[K")


def _text(key: str, **values: object) -> str:
    return labels.text(f"import_plan.{key}", _LANG, **values)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"mapservice: {reason}\n")
    return 1
