"""Writes what judged rows come to: many rows with one statement a table, and a row whole or not at all.

What the database refuses leaves out only the row that it is about: a set that is refused is halved until one row is
left. Works inside the transaction of an actor whose turn it is (`postgis.actor.take_turn`).
"""

import contextlib
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table, insert, null, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, refused_by_database
from postgis.store.imports_judge import PROPOSER
from postgis.store.imports_judged import Change, Judged
from postgis.store.imports_present import ENTITIES, PLACES
from postgis.store.proposals import new_receipt
from postgis.store.record_types import RECORD_TYPES

T = TypeVar("T")
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_TABLES = [found.table for found in RECORD_TYPES.values()] + [tables.personal_datum]


@dataclass(slots=True)
class Writer:
    """Writes chunk after chunk of one batch. `reason` is what proposals say."""

    connection: Connection
    actor: Actor
    batch_id: int
    reason: str
    refused: list[Judged] = field(default_factory=list)
    _entities: set[str] = field(default_factory=set)
    """Codes of the entities that are written: several rows may make the same one."""

    def write(self, rows: Sequence[Judged]) -> None:
        """Writes the rows that have no outcome yet, and sets their outcome."""
        wanted = [row for row in rows if row.outcome is None]
        for run in _runs(wanted):
            self._try(run)

    def _try(self, rows: Sequence[Judged]) -> None:
        for done, refusal in in_halves(self.connection, rows, self._all):
            if refusal is not None:
                errors = refusal.errors if isinstance(refusal, InvalidValues) else (FieldError("", "not_allowed"),)
                row = done[0]
                row.outcome, row.values = "refused", {"errors": [dataclasses.asdict(each) for each in errors]}
                self.refused.append(row)
                continue
            self._entities |= {row.new_entity["code"] for row in done if row.new_entity}
            for row in done:
                row.outcome = "proposed" if row.proposals else "applied"
                if row.place is not None:
                    row.values["code"] = row.place
                if row.proposals:
                    row.values["receipts"] = [each["receipt"] for each in row.proposals]

    def _all(self, rows: Sequence[Judged]) -> None:
        entities = {row.new_entity["code"]: row.new_entity for row in rows if row.new_entity}
        new = [values for code, values in entities.items() if code not in self._entities]
        self._insert(tables.legal_entity, [{**values, "ward_id": self.actor.ward_id} for values in new])
        self._change(change for row in rows for change in row.changes if change.collection == ENTITIES)
        self._keep(rows)
        places = [
            {**row.new_place, "ward_id": self.actor.ward_id, "entity_code": row.entity}
            for row in rows
            if row.new_place is not None
        ]
        self._insert(tables.establishment, places, link=("legal_entity", "legal_entity_id", "entity_code"))
        self._change(change for row in rows for change in row.changes if change.collection == PLACES)
        records: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            for collection, values in row.new_records:
                records[collection].append({**values, "place_code": row.place})
        for collection, found in records.items():
            link = ("establishment", "establishment_id", "place_code")
            self._insert(RECORD_TYPES[collection].table, found, link=link)
        self._change(change for row in rows for change in row.changes if change.collection not in (PLACES, ENTITIES))
        self._propose(rows)

    def _insert(
        self, table: Table, rows: Sequence[Mapping[str, Any]], *, link: tuple[str, str, str] | None = None
    ) -> None:
        """`link`: a table, the column that refers to it, and where the rows have its code."""
        if not rows:
            return
        names = [column.name for column in table.columns if any(column.name in row for row in rows)]
        given = [{name: row.get(name, default_of(table.c[name])) for name in names} for row in rows]
        columns, wanted, joined = list(names), [f"s.{name}" for name in names], ""
        shape = [f"{name} {kind_of(table.c[name])}" for name in names]
        if link is not None:
            other, column, code = link
            given = [{**values, code: row.get(code)} for values, row in zip(given, rows, strict=True)]
            columns.append(column)
            wanted.append("o.id")
            shape.append(f"{code} text")
            joined = f"LEFT JOIN register.{other} o ON o.code = s.{code}"
        self.connection.execute(
            text(
                f"INSERT INTO register.{table.name} ({', '.join(columns)}) SELECT {', '.join(wanted)} "
                f"FROM ROWS FROM (json_to_recordset(CAST(:rows AS json)) AS ({', '.join(shape)})) WITH ORDINALITY "
                f"AS s ({', '.join([*names, *([link[2]] if link else [])])}, nth) {joined} ORDER BY s.nth"
            ),
            {"rows": as_json(given)},
        )

    def _change(self, changes: Iterable[Change]) -> None:
        """One statement for all changes of the same columns: a column that is only named fires its triggers too."""
        alike: dict[tuple[str, tuple[str, ...], bool], list[Change]] = defaultdict(list)
        for change in changes:
            alike[change.collection, tuple(sorted(change.columns)), change.entity is not None].append(change)
        for (collection, names, linked), found in alike.items():
            update_many(self.connection, RECORD_TYPES[collection].table, names, [
                {**change.columns, "code": change.code, "entity_code": change.entity} for change in found
            ], linked=linked)  # fmt: skip

    def _keep(self, rows: Sequence[Judged]) -> None:
        data = [datum for row in rows for datum in row.data]
        if not data:
            return
        given = [
            {
                "entity": datum.entity, "field": datum.field, "ciphertext": datum.ciphertext, "hash": datum.lookup_hash,
                "mask": datum.mask, "was": datum.before and datum.before.ciphertext,
                "was_hash": datum.before and datum.before.lookup_hash, "was_mask": datum.before and datum.before.mask,
            }
            for datum in data
        ]  # fmt: skip
        self.connection.execute(_KEEP_BEFORE, {"batch": self.batch_id, "rows": as_json(given)})
        self.connection.execute(_KEEP, {"rows": as_json(given)})

    def _propose(self, rows: Sequence[Judged]) -> None:
        same = {
            "ward_id": self.actor.ward_id, "proposed_by": self.actor.staff_id, "proposer_kind": PROPOSER,
            "reason": self.reason, "source": "import", "risk": "adverse",
        }  # fmt: skip
        given = []
        for row in rows:
            for each in row.proposals:
                each["receipt"] = new_receipt()
                base = null() if each["base"] is None else each["base"]
                given.append({**each, **same, "base": base})
        if given:
            self.connection.execute(insert(_PROPOSAL), given)


_PROPOSAL = tables.proposal

_DATUM_SHAPE = "entity text, field text, ciphertext text, hash text, mask text, was text, was_hash text, was_mask text"
# A batch keeps what was there before its own first write.
_KEEP_BEFORE = text(f"""
    INSERT INTO register.import_kept_datum (batch_id, entity_code, field, ciphertext, lookup_hash, mask, written_hash)
    SELECT :batch, s.entity, s.field, decode(s.was, 'hex'), decode(s.was_hash, 'hex'), s.was_mask, decode(s.hash, 'hex')
      FROM json_to_recordset(CAST(:rows AS json)) AS s ({_DATUM_SHAPE})
        ON CONFLICT (batch_id, entity_code, field) DO UPDATE SET written_hash = excluded.written_hash
""")
_KEEP = text(f"""
    INSERT INTO register.personal_datum (legal_entity_id, field, ciphertext, lookup_hash, mask)
    SELECT l.id, s.field, decode(s.ciphertext, 'hex'), decode(s.hash, 'hex'), s.mask
      FROM json_to_recordset(CAST(:rows AS json)) AS s ({_DATUM_SHAPE})
      LEFT JOIN register.legal_entity l ON l.code = s.entity
        ON CONFLICT (legal_entity_id, field) DO UPDATE SET ciphertext = excluded.ciphertext,
           lookup_hash = excluded.lookup_hash, mask = excluded.mask, updated_at = clock_timestamp()
""")


def in_halves(
    connection: Connection, rows: Sequence[T], write: Callable[[Sequence[T]], None]
) -> Iterator[tuple[Sequence[T], InvalidValues | Forbidden | None]]:
    """Writes rows together, or where the database refuses them, in ever smaller sets; yields each set as it is done.

    A refusal comes with the one row that it is about.
    """
    if not rows:
        return
    refusal = None
    try:
        with connection.begin_nested():
            write(rows)
    except DBAPIError as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
    if refusal is None or len(rows) == 1:
        yield rows, refusal
        return
    middle = len(rows) // 2
    yield from in_halves(connection, rows[:middle], write)
    yield from in_halves(connection, rows[middle:], write)


def update_many(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]], *,
    linked: bool = False,
) -> None:  # fmt: skip
    """Sets the same columns of many records, found by `code`; `linked`: and the entity that `entity_code` names."""
    shape = [f"{name} {kind_of(table.c[name])}" for name in names] + ["code text", "entity_code text"]
    sets = [f"{name} = s.{name}" for name in names]
    if linked:
        sets.append("legal_entity_id = (SELECT l.id FROM register.legal_entity l WHERE l.code = s.entity_code)")
    done = connection.execute(
        text(
            f"UPDATE register.{table.name} t SET {', '.join(sets)} "
            f"FROM json_to_recordset(CAST(:rows AS json)) AS s ({', '.join(shape)}) WHERE t.code = s.code"
        ),
        {"rows": as_json(rows)},
    )
    if done.rowcount != len(rows):
        # Row-level security hides rows from an UPDATE without a word: seen but not changed means not allowed.
        raise Forbidden


def _runs(rows: Sequence[Judged]) -> Iterable[list[Judged]]:
    """In order, so that one statement never changes a record twice."""
    run: list[Judged] = []
    changed: set[str] = set()
    for row in rows:
        own = {change.code for change in row.changes} | {f"{datum.entity}:{datum.field}" for datum in row.data}
        if own & changed:
            yield run
            run, changed = [], set()
        run.append(row)
        changed |= own
    if run:
        yield run


def _refusal(error: DBAPIError) -> InvalidValues | Forbidden | None:
    table = getattr(getattr(error.orig, "diag", None), "table_name", None)
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    # Triggers name the constraint alone (ck_establishment_position_in_ward).
    named = [found.name for found in _TABLES if f"_{found.name}_" in constraint]
    return refused_by_database(error, table or (max(named, key=len) if named else ""))


def kind_of(column: Column[Any]) -> str:
    """Its type in the database."""
    return "public.geometry" if column.name == "geom" else column.type.compile(_DIALECT)


def default_of(column: Column[Any]) -> Any:
    """What the table would put where nothing is given: a row of a set cannot leave a column out."""
    default = getattr(column.server_default, "arg", None)
    word = getattr(default, "text", default)
    return {"false": False, "true": True, "now()": None}.get(str(word), word)


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows for json_to_recordset(): days and decimals as text, bytes in hexadecimal."""
    return json.dumps(rows, default=_plain)


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def outcomes(connection: Connection, batch_id: int, rows: Sequence[Judged], *, hopeful: bool = False) -> None:
    """Notes what became of rows; `hopeful`: of those that are still to be written, that they are."""
    given = []
    for row in rows:
        outcome, values = row.outcome, row.values
        if outcome is None and hopeful:
            outcome = "applied"
            values = {**values, "code": row.place} if row.place is not None else values
        given.append({"number": row.number, "outcome": outcome, "values": values or None})
    if given:
        ends = {"least": min(row.number for row in rows), "most": max(row.number for row in rows)}
        with large_joins(connection):
            connection.execute(_OUTCOMES, {"batch": batch_id, "rows": as_json(given), **ends})


@contextlib.contextmanager
def large_joins(connection: Connection) -> Iterator[None]:
    """For statements over what has just been written: the planner, which knows of no rows yet, would compare each row
    with each."""
    connection.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    connection.execute(text("SET LOCAL enable_nestloop = on"))


_OUTCOMES = text("""
    UPDATE register.import_row r SET outcome = s.outcome, outcome_values = s.values
      FROM json_to_recordset(CAST(:rows AS json)) AS s (number int, outcome text, values jsonb)
     WHERE r.batch_id = :batch AND r.number BETWEEN :least AND :most AND r.number = s.number
""")
