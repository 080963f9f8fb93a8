"""SQL text that is put together once for each shape of a query.

SQLAlchemy takes about a millisecond to build and compile a statement, PostgreSQL often less to answer it. What differs
between two requests of one shape are values only; they are handed in by the names of their bind parameters.
"""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

from psycopg2 import Error as DriverError
from psycopg2.errors import FeatureNotSupported, InvalidSqlStatementName
from psycopg2.extensions import AsIs
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.dialects.postgresql import psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from layers.errors import TooBroad

_DIALECT = psycopg2.dialect()  # type: ignore[no-untyped-call]
MOST_COST = 100_000
"""Of what reads and sorts all that matches, in the units of PostgreSQL's planner: about a million places. What needs
fewer thanks to an index costs less, however many there are."""
SPATIAL_COST = 125
"""Times what the planner takes for any other test, it takes for that of a place against a shape, for which it does not
know the shape; a million places against a rectangle or a street's outline take a second or two."""
_MOST_SHAPES = 256
"""A statement takes a few kilobytes; a client that writes ever new filters must not fill the memory with them."""
_MOST_PREPARED = 32
"""On one connection: the server keeps the plan of each."""
_PREPARED = "prepared"
_NUMBERS = itertools.count()


class Statement:
    """A statement as text, and the values that its bind parameters had when it was made."""

    __slots__ = ("bound", "name", "text")

    def __init__(self, statement: Executable) -> None:
        if not isinstance(statement, ClauseElement):
            raise TypeError(f"not a statement: {type(statement).__name__}")
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        self.name = f"statement_{next(_NUMBERS)}"
        self.bound: dict[str, Any] = {}
        names: Mapping[Any, str] = getattr(compiled, "bind_names", {})
        kinds = {name: parameter.type for parameter, name in names.items()}
        for name, value in (compiled.construct_params() or {}).items():
            kind = kinds.get(name)
            processor = kind.dialect_impl(_DIALECT).bind_processor(_DIALECT) if kind is not None else None
            self.bound[name] = processor(value) if processor is not None and value is not None else value

    def run(self, connection: Connection, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Execute it with these values in place of those that it was made with."""
        return connection.exec_driver_sql(self.text, {**self.bound, **(values or {})})

    def run_bounded(
        self, connection: Connection, values: Mapping[str, Any], *names: str, spatial_tests: int = 0
    ) -> CursorResult[Any]:
        """The same, unless the planner expects it to cost more than MOST_COST, and SPATIAL_COST times that for each
        test of a place against a shape. Raises TooBroad with these names."""
        most = MOST_COST * (1 + SPATIAL_COST * spatial_tests)
        if self.explained(connection, values)["Plan"]["Total Cost"] > most:
            raise TooBroad(*names)
        return self.run(connection, values)

    def run_planned(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows, by one plan for all values; the connection keeps the plan.

        For what has one good plan, as a look-up by a unique key has: to make the plan takes several times as long as
        to follow it. In a transaction as `run`.
        """
        raw: Any = connection.connection.driver_connection
        if not raw.autocommit:
            return [tuple(row) for row in self.run(connection, values)]
        self._prepare(connection, values)
        # Several statements sent as one are one transaction, and so LOCAL is this statement alone.
        given = ", ".join(f"%({name})s" for name in values)
        text = f"SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {self.name}({given})"
        try:
            # Past SQLAlchemy, whose result takes longer to set up than a row by its key to find.
            with raw.cursor() as cursor:
                cursor.execute(text, values)
                found: list[tuple[Any, ...]] = cursor.fetchall()
                return found
        except (InvalidSqlStatementName, FeatureNotSupported):
            pass  # somebody has deallocated it, or what it finds has another type since
        except DriverError as error:
            if raw.closed:
                connection.invalidate(error)
            raise DBAPIError.instance(None, None, error, DriverError, dialect=connection.dialect) from error
        _forget(connection)
        return [tuple(row) for row in self.run(connection, values)]

    def _prepare(self, connection: Connection, names: Collection[str]) -> None:
        known: set[str] = connection.info.setdefault(_PREPARED, set())
        if self.name in known:
            return
        if len(known) >= _MOST_PREPARED:
            _forget(connection)
        places = {name: AsIs(f"${place}") for place, name in enumerate(names, 1)}
        connection.exec_driver_sql(f"PREPARE {self.name} AS {self.text}", {**self.bound, **places})
        known.add(self.name)

    def explained(self, connection: Connection, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The plan that PostgreSQL would follow, without following it."""
        bound = {**self.bound, **(values or {})}
        found: dict[str, Any] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {self.text}", bound).scalar_one()[0]
        return found


def _forget(connection: Connection) -> None:
    connection.exec_driver_sql("DEALLOCATE ALL")
    connection.info[_PREPARED].clear()


class Shapes:
    """The statements of some shapes of queries; the one unused for longest is dropped."""

    def __init__(self, most: int = _MOST_SHAPES) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Statement] = OrderedDict()
        self._lock = threading.Lock()

    def statement(self, shape: Hashable | None, build: Callable[[], Executable]) -> Statement:
        """The statement of a shape, made by `build` where it is not kept; None: made for this once."""
        if shape is None:
            return Statement(build())
        with self._lock:
            found = self._kept.get(shape)
            if found is not None:
                self._kept.move_to_end(shape)
                return found
        made = Statement(build())
        with self._lock:
            self._kept[shape] = made
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
