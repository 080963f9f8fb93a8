"""The accounts of staff. Nobody is ever removed: the history names them; who leaves is disabled."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row, Select, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.errors import FieldError, Forbidden, InvalidValues, Stale, refused_by_database
from postgis.store import sessions, tokens

LOGIN_PATTERN = re.compile("[a-z0-9][a-z0-9._-]{1,39}")
"""What the table's own check says, for a message before it."""
NAME_LENGTH = 100
FREE_ATTEMPTS = 5
LOCKS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
"""How long the fifth wrong attempt in a row locks an account, the sixth, and so on. Never for good: else anybody who
knows a name could keep an officer from work."""

_NO_PASSWORD = "!"
"""No hash of any password."""
_STAFF, _WARD, _SESSION = tables.staff, tables.ward, tables.session


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff as an administrator sees them."""

    id: int
    login: str
    display_name: str
    role: str
    ward_id: int
    ward_code: str
    must_change_password: bool
    has_totp: bool
    locked: bool
    disabled_at: datetime | None
    created_at: datetime
    sessions: int
    """Browsers that are signed in."""
    version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to prove who one is, counted before its outcome is known."""

    staff_id: int
    login: str
    password_hash: str
    totp_secret: bytes | None
    totp_last_step: int | None
    must_change_password: bool
    number: int
    """Which attempt in a row it is."""
    version: int


def is_there(connection: Connection) -> bool:
    """Whether this database has accounts at all: one that the service has never run on has not."""
    return connection.execute(text("SELECT to_regclass('account.staff') IS NOT NULL")).scalar_one() is True


def anybody(connection: Connection) -> bool:
    """Whether there is any account that somebody can sign in with."""
    usable = select(_STAFF.c.id).where(_STAFF.c.password_hash != _NO_PASSWORD)
    return connection.execute(usable.limit(1)).first() is not None


def add(
    connection: Connection,
    *,
    login: str,
    display_name: str,
    role: str,
    ward_code: str,
    password_hash: str,
    must_change_password: bool,
) -> int:
    """Adds a member of staff and returns the id.

    Raises InvalidValues for `login`, `display_name`, `role` or `ward`, Forbidden.
    """
    ward_id = connection.execute(
        select(_WARD.c.id).where(_WARD.c.code == ward_code, _WARD.c.valid_to.is_(None))
    ).scalar_one_or_none()
    if ward_id is None:
        raise InvalidValues([FieldError("ward", "unknown_reference", {"value": ward_code})])
    added = insert(_STAFF).values(
        login=login,
        display_name=display_name,
        role=role,
        ward_id=ward_id,
        password_hash=password_hash,
        must_change_password=must_change_password,
    )
    staff_id: int = _guarded(connection, added.returning(_STAFF.c.id)).scalar_one()
    return staff_id


def command_login(ward_code: str) -> str:
    """The login of the account that the command line acts with in a ward."""
    return f"mapservice-ingest.{ward_code}"


def add_command(connection: Connection, *, ward_code: str, display_name: str) -> int:
    """Adds the account of the command line: an officer that nobody can sign in as. Raises InvalidValues for `ward`."""
    return add(
        connection, login=command_login(ward_code), display_name=display_name, role="officer", ward_code=ward_code,
        password_hash=_NO_PASSWORD, must_change_password=False,
    )  # fmt: skip


def find(connection: Connection, login: str) -> Member | None:
    """A member of staff by login."""
    row = connection.execute(_members().where(_STAFF.c.login == login)).one_or_none()
    return None if row is None else _member(row)


def of_ward(connection: Connection, ward_id: int) -> list[Member]:
    """Everybody of a ward, those who may sign in first, by name."""
    ordered = _members().where(_STAFF.c.ward_id == ward_id)
    ordered = ordered.order_by(_STAFF.c.disabled_at.is_not(None), _STAFF.c.display_name, _STAFF.c.login)
    return [_member(row) for row in connection.execute(ordered)]


def change(connection: Connection, member_id: int, version: int, *, display_name: str, role: str) -> None:
    """Changes name and role of the version that the caller saw. Raises Stale, with None, InvalidValues, Forbidden."""
    seen = (_STAFF.c.id == member_id) & (_STAFF.c.version == version)
    values = {"display_name": display_name, "role": role, "version": _STAFF.c.version + 1}
    if _guarded(connection, update(_STAFF).where(seen).values(**values)).rowcount == 0:
        raise Stale(None)


def set_password(connection: Connection, member_id: int, password_hash: str, *, must_change: bool) -> None:
    """Sets a new password, lifts a lock-out, and ends every session that the old one began."""
    values = {"password_hash": password_hash, "must_change_password": must_change, "password_set_at": func.now()}
    _set(connection, member_id, **values, failed_logins=0, locked_until=None)
    sessions.end_all(connection, member_id)


def renew_hash(connection: Connection, attempt: Attempt, password_hash: str) -> None:
    """Keeps the same password by today's settings, unless it was changed in the meantime."""
    same = (_STAFF.c.id == attempt.staff_id) & (_STAFF.c.version == attempt.version)
    connection.execute(update(_STAFF).where(same).values(password_hash=password_hash))


def disable(connection: Connection, member_id: int) -> None:
    """Shuts the account: its sessions end and its tokens are revoked, for good."""
    _set(connection, member_id, disabled_at=func.now())
    sessions.end_all(connection, member_id)
    tokens.revoke(connection, member_id)


def enable(connection: Connection, member_id: int) -> None:
    """Opens an account again. Its tokens stay revoked."""
    _set(connection, member_id, disabled_at=None, failed_logins=0, locked_until=None)


def set_totp(connection: Connection, member_id: int, ciphertext: bytes | None, step: int | None = None) -> None:
    """Keeps the encrypted secret of a second factor, and the step whose code proved it; None removes it."""
    _set(connection, member_id, totp_secret=ciphertext, totp_last_step=step)


def second_factors(connection: Connection) -> list[tuple[int, bytes]]:
    """The encrypted secrets that are kept, with whose they are. As owner: staff cannot read them."""
    kept = select(_STAFF.c.id, _STAFF.c.totp_secret).where(_STAFF.c.totp_secret.is_not(None))
    return [(row.id, bytes(row.totp_secret)) for row in connection.execute(kept)]


def reserve_attempt(connection: Connection, login: str) -> Attempt | None:
    """Counts an attempt before anything is checked, so that many at once get no more tries than one after another.

    None when nobody who may sign in has this login, or the account is locked for now: the caller shows no difference.
    """
    # A crash may forget the last half second of counting; waiting for the disk would tell that the login exists.
    connection.execute(text("SET LOCAL synchronous_commit TO off"))
    row = connection.execute(_RESERVE, {"login": login, "free": FREE_ATTEMPTS, "locks": list(LOCKS)}).one_or_none()
    return None if row is None else Attempt(*row)


_RESERVE = text("SELECT * FROM account.reserve_attempt(:login, :free, CAST(:locks AS interval[]))")


def attempt_succeeded(connection: Connection, attempt: Attempt) -> None:
    """The person is who they say: nothing counts against them any more."""
    values = {"failed_logins": 0, "locked_until": None}
    connection.execute(update(_STAFF).where(_STAFF.c.id == attempt.staff_id).values(**values))


def attempt_continues(connection: Connection, attempt: Attempt) -> None:
    """The password was right and a code must follow: this attempt does not count, those before it still do."""
    connection.execute(
        update(_STAFF)
        .where(_STAFF.c.id == attempt.staff_id, _STAFF.c.failed_logins == attempt.number)
        .values(failed_logins=attempt.number - 1, locked_until=None)
    )


def use_totp_step(connection: Connection, staff_id: int, step: int) -> bool:
    """Marks a time step as used; False when it, or a later one, already was."""
    used = (
        update(_STAFF)
        .where(_STAFF.c.id == staff_id, _STAFF.c.totp_last_step.is_(None) | (_STAFF.c.totp_last_step < step))
        .values(totp_last_step=step)
    )
    return connection.execute(used).rowcount == 1


def _set(connection: Connection, member_id: int, **values: Any) -> None:
    """Raises Forbidden."""
    changed = update(_STAFF).where(_STAFF.c.id == member_id).values(**values, version=_STAFF.c.version + 1)
    if _guarded(connection, changed).rowcount == 0:
        raise Forbidden


def _guarded(connection: Connection, statement: Executable) -> CursorResult[Any]:
    """Runs a write; a refusal of the database becomes a message on a field, or Forbidden."""
    try:
        with connection.begin_nested():
            return connection.execute(statement)
    except DBAPIError as error:
        raise refused_by_database(error, "staff") or error from error


def _members() -> Select[Any]:
    live = select(func.count()).where(_SESSION.c.staff_id == _STAFF.c.id, sessions.LIVE).scalar_subquery()
    return select(
        _STAFF.c.id,
        _STAFF.c.login,
        _STAFF.c.display_name,
        _STAFF.c.role,
        _STAFF.c.ward_id,
        _WARD.c.code.label("ward_code"),
        _STAFF.c.must_change_password,
        _STAFF.c.has_totp,
        func.coalesce(_STAFF.c.locked_until > func.now(), False).label("locked"),
        _STAFF.c.disabled_at,
        _STAFF.c.created_at,
        live.label("sessions"),
        _STAFF.c.version,
    ).select_from(_STAFF.join(_WARD))


def _member(row: Row[Any]) -> Member:
    return Member(**row._mapping)
