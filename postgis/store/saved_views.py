"""Lists of the register, with their filters, that a member of staff wants to open again."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, InvalidValues, NotFound
from postgis.store.record_values import readable

MAX_NAME = 80
MAX_QUERY = 2_000
MAX_VIEWS = 50
_TABLE = tables.saved_view


@dataclass(frozen=True, slots=True)
class SavedView:
    """A name and the query part of the list's address."""

    id: int
    name: str
    query: str


def views_of(connection: Connection, actor: Actor) -> list[SavedView]:
    """The actor's own saved views, by name."""
    statement = select(_TABLE.c.id, _TABLE.c.name, _TABLE.c.query).where(_TABLE.c.staff_id == actor.staff_id)
    return [SavedView(*row) for row in connection.execute(statement.order_by(func.lower(_TABLE.c.name)))]


def save(connection: Connection, actor: Actor, name: str, query: str) -> None:
    """Keeps a view under a name of its own. Raises InvalidValues."""
    name = _checked(name)
    if len(query) > MAX_QUERY:
        raise InvalidValues([FieldError("name", "too_long", {"most": MAX_QUERY})])
    count = select(func.count()).where(_TABLE.c.staff_id == actor.staff_id)
    if connection.execute(count).scalar_one() >= MAX_VIEWS:
        raise InvalidValues([FieldError("name", "too_many_views", {"most": MAX_VIEWS})])
    _unless_taken(connection, insert(_TABLE).values(staff_id=actor.staff_id, name=name, query=query))


def rename(connection: Connection, actor: Actor, view: int, name: str) -> None:
    """Gives a view another name. Raises InvalidValues, NotFound."""
    owned = (_TABLE.c.id == view) & (_TABLE.c.staff_id == actor.staff_id)
    if not _unless_taken(connection, update(_TABLE).where(owned).values(name=_checked(name))):
        raise NotFound


def remove(connection: Connection, actor: Actor, view: int) -> None:
    """Forgets a view. Raises NotFound."""
    owned = (_TABLE.c.id == view) & (_TABLE.c.staff_id == actor.staff_id)
    if not connection.execute(delete(_TABLE).where(owned)).rowcount:
        raise NotFound


def _checked(name: str) -> str:
    found = " ".join(name.split())
    if not readable(found):
        raise InvalidValues([FieldError("name", "unreadable_text")])
    if not found or len(found) > MAX_NAME:
        raise InvalidValues([FieldError("name", "view_name", {"most": MAX_NAME})])
    return found


def _unless_taken(connection: Connection, statement: object) -> int:
    try:
        with connection.begin_nested():
            return int(connection.execute(statement).rowcount)  # type: ignore[call-overload]
    except IntegrityError:
        raise InvalidValues([FieldError("name", "view_taken")]) from None
