"""Citizens' reports: sent by anybody, within bounds; taken up, answered and closed by the ward's officers.

The words are encrypted: people name themselves and others in them, whatever the form asks. They are in no history, log,
feed or address. A report has steps of its own (register.report_event), kept by the database.
"""

import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Date, LargeBinary, Text, cast, func, select, update
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale, refused_by_database
from postgis.secrets import Secrets
from postgis.store import stickers
from postgis.store.photos import remove_files
from postgis.store.proposals import new_receipt
from postgis.store.record_values import readable
from postgis.today import VIETNAM, today
from postgis.vocabulary import REPORT_KINDS, REPORT_OUTCOMES
from postgis.working_days import Deadline, answer_deadline, request_deadline

LEAST_WORDS, MOST_WORDS = 10, 2000
MOST_ANSWER = 2000
MOST_STICKER = 40
PERSONAL = "personal_data"
"""The kind that is a request about one's own data."""

FAKE = "fake_sticker"
STICKER_WRONG = "sticker_replaced"
"""The outcome by which a report of a false sticker was right."""

_TABLE = tables.citizen_report
_TOO_MANY = "MS429"
_NO_PLACE = "P0002"


class TooManyReports(Exception):
    """More came in about this place in an hour, or wait, than the ward can look at."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody reports, as typed. `place` is the code of a place; else `sticker` is what the sticker says.

    `serial` is that of the genuine sticker that led to the form, where one did: it is noted with it that somebody
    reported it as false.
    """

    ward: str
    place: str | None
    sticker: str | None
    kind: str
    words: str
    serial: str | None = None


def checked(sent: Sent) -> Sent:
    """The report with its words in the one spelling. Raises InvalidValues with every wrong field."""
    errors = []
    if sent.kind not in REPORT_KINDS:
        errors.append(FieldError("report_kind", "not_chosen"))
    words = _plain(sent.words)
    if words is None:
        errors.append(FieldError("words", "unreadable_text"))
    elif not words:
        errors.append(FieldError("words", "required"))
    elif len(words) < LEAST_WORDS:
        errors.append(FieldError("words", "too_short", {"least": LEAST_WORDS}))
    elif len(words) > MOST_WORDS:
        errors.append(FieldError("words", "too_long", {"most": MOST_WORDS}))
    if errors:
        raise InvalidValues(errors)
    sticker = None if sent.place or sent.sticker is None else (_plain(sent.sticker) or "?")[:MOST_STICKER]
    return replace(sent, sticker=sticker, words=words or "")


def room(connection: Connection, place: str | None) -> bool:
    """Whether another report is taken now; asked before a photo is looked at, which costs far more."""
    return not connection.execute(select(func.register.reports_full(cast(place, Text)))).scalar_one()


def send(connection: Connection, secrets: Secrets, sent: Sent, *, photo: str | None = None) -> str:
    """Notes a checked report and returns its receipt. Raises NotFound, TooManyReports."""
    receipt = new_receipt()
    due = answer_deadline(today())
    values = (
        cast(receipt, Text),
        cast(sent.ward, Text),
        cast(sent.place, Text),
        cast(sent.sticker, Text),
        cast(sent.kind, Text),
        cast(secrets.encrypt(sent.words.encode(), context=_context(receipt)), LargeBinary),
        cast(photo, Text),
        cast(due.day, Date),
        due.certain,
        cast(sent.serial if sent.kind == FAKE else None, Text),
    )
    try:
        with connection.begin_nested():
            connection.execute(select(func.register.report_anonymously(*values)))
    except DBAPIError as error:
        state = getattr(error.orig, "pgcode", None)
        # `from None`: the statement's values would be in the chain, and what they say is nobody's to log.
        if state == _TOO_MANY:
            raise TooManyReports from None
        if state == _NO_PLACE:
            raise NotFound from None
        raise
    return receipt


def words_of(secrets: Secrets, receipt: str, sealed: bytes) -> str:
    """What was reported. Raises Undecipherable when this installation's key did not encrypt it."""
    return secrets.decrypt(sealed, context=_context(receipt)).decode()


def forget_old(connection: Connection, data_dir: Path) -> None:
    """Erases what was reported and answered two years after a report ended, with its photo. Within the caller's
    transaction of the role mapservice_staff, for which nobody need be signed in.

    Files go before the commit: should it fail, they are looked for once more, and no report names them.
    """
    for name in connection.execute(select(func.register.forget_reports())).scalars():
        remove_files(data_dir, name)


def take_up(connection: Connection, actor: Actor, number: int, version: int) -> None:
    """The actor sees to it. A request about one's own data has its longer deadline from here on. Raises as `_step`."""
    row = _seen(connection, number, version)
    values: dict[str, Any] = {"state": "in_progress", "handled_by": actor.staff_id}
    if row.kind == PERSONAL and row.state == "received":
        values |= _due(request_deadline(row.received_at.astimezone(VIETNAM).date()))
    _step(connection, number, version, ("received", "in_progress"), values)


def extend(connection: Connection, actor: Actor, number: int, version: int) -> None:
    """Takes the longer time for a request about one's own data, once. Raises Forbidden for others, and as `_step`."""
    row = _seen(connection, number, version)
    if row.kind != PERSONAL or row.extended:
        raise Forbidden
    due = request_deadline(row.received_at.astimezone(VIETNAM).date(), extended=True)
    values = {"state": "in_progress", "handled_by": actor.staff_id, "extended": True, **_due(due)}
    _step(connection, number, version, ("received", "in_progress"), values)


@dataclass(frozen=True, slots=True)
class StickerFinding:
    """What is noted of the sticker, where a report of it as false was right."""

    words: str
    """On its event: which report."""
    withdraw: bool = False
    """It is taken out of use as well, if it still is in use."""


def answer(
    connection: Connection,
    actor: Actor,
    number: int,
    version: int,
    *,
    outcome: str,
    words: str,
    finding: StickerFinding | None = None,
) -> None:
    """Tells the reporter what came of it. Raises InvalidValues, and as `_step`.

    Where the outcome is STICKER_WRONG, the sticker that led to the report is marked in the same transaction.
    """
    errors = [] if outcome in REPORT_OUTCOMES else [FieldError("outcome", "not_chosen")]
    _conclude(connection, actor, number, version, words, errors, {"state": "answered", "outcome": outcome})
    if outcome == STICKER_WRONG and finding is not None:
        _mark_sticker(connection, actor, number, finding)


def reject(connection: Connection, actor: Actor, number: int, version: int, words: str) -> None:
    """Tells the reporter why nothing is done. Raises InvalidValues, and as `_step`."""
    _conclude(connection, actor, number, version, words, [], {"state": "rejected"})


def close(connection: Connection, number: int, version: int) -> None:
    """Puts an answered report away. Raises as `_step`."""
    _step(connection, number, version, ("answered",), {"state": "closed", "closed_at": func.clock_timestamp()})


def note_proposal(connection: Connection, actor: Actor, number: int, version: int, receipt: str) -> None:
    """Notes the change that was proposed because of it. Raises as `_step`."""
    values = {"state": "in_progress", "handled_by": actor.staff_id, "proposal_receipt": receipt}
    row = _seen(connection, number, version)
    if row.kind == PERSONAL and row.state == "received":
        values |= _due(request_deadline(row.received_at.astimezone(VIETNAM).date()))
    _step(connection, number, version, ("received", "in_progress"), values)


def _conclude(
    connection: Connection,
    actor: Actor,
    number: int,
    version: int,
    words: str,
    errors: list[FieldError],
    values: dict[str, Any],
) -> None:
    said = _plain(words)
    if said is None:
        errors.append(FieldError("answer", "unreadable_text"))
    elif not said:
        errors.append(FieldError("answer", "required"))
    elif len(said) > MOST_ANSWER:
        errors.append(FieldError("answer", "too_long", {"most": MOST_ANSWER}))
    if errors:
        raise InvalidValues(errors)
    values |= {"answer": said, "answered_at": func.clock_timestamp(), "handled_by": actor.staff_id}
    _step(connection, number, version, ("received", "in_progress"), values)


def _mark_sticker(connection: Connection, actor: Actor, number: int, finding: StickerFinding) -> None:
    sticker = tables.sticker
    held = connection.execute(
        select(sticker.c.serial, sticker.c.state, sticker.c.version)
        .join(_TABLE, _TABLE.c.sticker_id == sticker.c.id)
        .where(_TABLE.c.id == number)
        .with_for_update(of=sticker)
    ).one_or_none()
    if held is None:
        return
    stickers.note(connection, held.serial, "misused", actor.staff_id, finding.words)
    if finding.withdraw and held.state in stickers.OPEN_STATES:
        stickers.move(connection, held.serial, "withdrawn", held.version, actor.staff_id, words=finding.words)


def _seen(connection: Connection, number: int, version: int) -> Any:
    """The report as the actor saw it, held until the end of the transaction. Raises NotFound, Stale."""
    columns = (_TABLE.c.kind, _TABLE.c.state, _TABLE.c.version, _TABLE.c.received_at, _TABLE.c.extended)
    row = connection.execute(select(*columns).where(_TABLE.c.id == number).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    if row.version != version:
        raise Stale(row.state)
    return row


def _step(connection: Connection, number: int, version: int, before: tuple[str, ...], values: dict[str, Any]) -> None:
    """One step from one of the states `before`. Raises NotFound, Stale when it is past that, Forbidden."""
    row = _seen(connection, number, version)
    if row.state not in before:
        raise Stale(row.state)
    try:
        with connection.begin_nested():
            connection.execute(update(_TABLE).where(_TABLE.c.id == number).values(**values))
    except DBAPIError as error:
        raise refused_by_database(error, "citizen_report") or error from None


def _due(deadline: Deadline) -> dict[str, date | bool]:
    return {"due_on": deadline.day, "due_certain": deadline.certain}


def _plain(text: str) -> str | None:
    """The text in the one spelling, its lines ended one way; None when people could not read it."""
    if not readable(text):
        return None
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()
    return lines if any(unicodedata.category(letter) not in ("Cf", "Zs", "Cc") for letter in lines) else ""


def _context(receipt: str) -> str:
    """Binds the ciphertext to its report: copied to another row it does not open."""
    return f"report:{receipt}"
