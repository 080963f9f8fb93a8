"""Who acts on the register: set for one transaction, read by row-level security and by the history's triggers."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from postgis.engine import Database

CHANGE_LOCK = 20257_002
"""The history is one chain. Writers take its lock before their first row, so that none holds a row and waits for it."""
PATIENCE_S = 30
"""How long a person's edit waits for its turn."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff, as signed in or by a token. `scope` is what a token allows: read or write."""

    staff_id: int
    login: str
    display_name: str
    role: str
    ward_id: int
    ward_code: str
    scope: str = "write"


@contextlib.contextmanager
def read_as(database: Database, actor: Actor) -> Iterator[Connection]:
    """A connection that sees what the actor may see: the rows of the actor's ward."""
    with database.staff.connect() as connection, connection.begin():
        _set(connection, staff_id=str(actor.staff_id))
        connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection


@contextlib.contextmanager
def write_as(
    database: Database,
    actor: Actor,
    *,
    reason: str | None,
    source: str = "office",
    before_waiting: Callable[[Connection], None] = lambda _: None,
) -> Iterator[Connection]:
    """A transaction of the actor's, committed when the block ends well; the history notes reason and source.

    One writer at a time: the next waits here, before it has touched a row. `before_waiting` may look whether that is
    worth it, and raise.
    """
    with prepare_as(database, actor, reason=reason, source=source) as connection:
        take_turn(connection, before_waiting)
        yield connection


@contextlib.contextmanager
def prepare_as(
    database: Database, actor: Actor, *, reason: str | None = None, source: str = "office"
) -> Iterator[Connection]:
    """The same before its turn: for what the history does not note, and what can be made ready while others write."""
    with database.staff.begin() as connection:
        _set(connection, staff_id=str(actor.staff_id), reason=reason or "", source=source)
        yield connection


def take_turn(
    connection: Connection,
    before_waiting: Callable[[Connection], None] = lambda _: None,
    *,
    patience_s: int = PATIENCE_S,
) -> None:
    """Waits until no other writer is at work; from here to its end the transaction may write what the history notes.

    After `patience_s` seconds (0: never) the database gives up with LockNotAvailable: a large import holds the turn for
    as long as it writes, and whoever waits holds a connection that others could read with.
    """
    lock = {"lock": CHANGE_LOCK}
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), lock).scalar_one():
        before_waiting(connection)
        connection.execute(text(f"SET LOCAL lock_timeout = '{patience_s:d}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), lock)
        connection.execute(text("SET LOCAL lock_timeout = 0"))


@contextlib.contextmanager
def write_own_account(database: Database, staff_id: int) -> Iterator[Connection]:
    """A transaction of somebody about what the history does not note: their own sessions and attempts to sign in.

    Without the history's lock, so that nobody waits for a colleague's import to sign out.
    """
    with database.staff.begin() as connection:
        act_as(connection, staff_id)
        yield connection


def act_as(connection: Connection, staff_id: int) -> None:
    """Makes the rest of the transaction that of somebody who has proved who they are."""
    _set(connection, staff_id=str(staff_id))


def note_source(connection: Connection, *, reason: str, source: str = "") -> None:
    """Says why and from where the changes of this transaction come, where no person acts (the sample, a command)."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CHANGE_LOCK})
    _set(connection, reason=reason, source=source)


def _set(connection: Connection, **settings: str) -> None:
    for name, value in settings.items():
        connection.execute(
            text("SELECT set_config(:name, :value, true)"), {"name": f"mapservice.{name}", "value": value}
        )
