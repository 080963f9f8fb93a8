"""What the database will refuse of judged rows, found before it is their turn: a refusal while all others wait is dear.

The rules are the tables' own, read from the catalogue, and the two that no CHECK can say. What is not foreseen here is
still refused when it is written.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text

from postgis import tables
from postgis.errors import FieldError, refused_check
from postgis.store.imports_judged import Judged
from postgis.store.imports_write import as_json, default_of, kind_of
from postgis.store.record_types import RECORD_TYPES

_CHECKS = text("""
    SELECT conname, pg_get_expr(conbin, conrelid) AS expression FROM pg_constraint
     WHERE contype = 'c' AND conrelid = CAST(:name AS regclass)
""")
_OF_PLACES = {
    "ck_establishment_position_in_ward": """outside_accepted OR EXISTS (
        SELECT FROM register.ward w WHERE w.id = :ward AND public.st_dwithin(w.geom, s.geom, 0.002))""",
    "fk_establishment_sector_scheme_sector_code": """sector_scheme IS NULL OR EXISTS (
        SELECT FROM register.sector_class k WHERE k.scheme = s.sector_scheme AND k.code = s.sector_code)""",
}


class Foresight:
    """Tries rows that are to be made, some thousand at a time."""

    def __init__(self, connection: Connection, ward_id: int) -> None:
        self._connection, self._ward_id = connection, ward_id
        self._statements: dict[str, Any] = {}

    def refuse(self, rows: Sequence[Judged]) -> list[Judged]:
        """Gives those that would be refused their outcome, with all that is wrong; which they were."""
        given: dict[str, list[tuple[Judged, Mapping[str, Any]]]] = defaultdict(list)
        for row in rows:
            if row.outcome is not None:
                continue
            if row.new_entity is not None:
                given["legal_entity"].append((row, row.new_entity))
            if row.new_place is not None:
                given["establishment"].append((row, row.new_place))
            for collection, values in row.new_records:
                given[RECORD_TYPES[collection].table.name].append((row, values))
        wrong: dict[int, tuple[Judged, list[FieldError]]] = {}
        for name, pairs in given.items():
            for nth, constraint in self._broken(name, [values for _, values in pairs]):
                row = pairs[nth - 1][0]
                errors = wrong.setdefault(row.number, (row, []))[1]
                errors += refused_check(constraint, name).errors
        for row, errors in wrong.values():
            row.outcome, row.values = "refused", {"errors": [dataclasses.asdict(error) for error in errors]}
        return [row for row, _ in wrong.values()]

    def _broken(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
        """Which of the rows break which rule, by their places in the list from 1."""
        table: Table = tables.metadata.tables[f"register.{name}"]
        if name not in self._statements:
            self._statements[name] = self._statement(table)
        columns = [column for column in table.columns if column.computed is None]
        given = [{column.name: row.get(column.name, default_of(column)) for column in columns} for row in rows]
        found = self._connection.execute(self._statements[name], {"rows": as_json(given), "ward": self._ward_id})
        return [(row.nth, row.rule) for row in found]

    def _statement(self, table: Table) -> Any:
        rules = {row.conname: row.expression for row in self._connection.execute(_CHECKS, {"name": table.fullname})}
        if table is tables.establishment:
            rules |= _OF_PLACES
        columns = [column for column in table.columns if column.computed is None]
        shape = ", ".join(f"{column.name} {kind_of(column)}" for column in columns)
        names = ", ".join(column.name for column in columns)
        # A colon in a rule is PostgreSQL's cast, not a parameter of ours.
        listed = ", ".join(f"('{rule}', ({said}))" for rule, said in rules.items()).replace("::", "\\:\\:")
        return text(
            f"SELECT s.nth, c.rule FROM ROWS FROM (json_to_recordset(CAST(:rows AS json)) AS ({shape})) "
            f"WITH ORDINALITY AS s ({names}, nth) CROSS JOIN LATERAL (VALUES {listed}) AS c (rule, holds) "
            "WHERE c.holds IS FALSE"
        )
