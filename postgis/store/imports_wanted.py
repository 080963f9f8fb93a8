"""The rows of a batch that are to be written: what each wants by what a person has decided, and who is meant."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from postgis.secrets import Secrets

CHUNK = 2_000
"""Rows that are read, judged and written at once: few enough that one refused row costs little."""


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """One record as it should be. `code` is of the record that changes, with the values it had when it was planned."""

    collection: str
    code: str | None
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    same_as: int | None = None
    """Of an entity that is made: the earlier row that makes the same one."""


@dataclass(frozen=True, slots=True, repr=False)
class WantedRow:
    """A row to be written. `target` is the known place that it is about; None: a place of its own."""

    number: int
    target: str | None
    decided: bool
    """A person has said which, and not the plan alone."""
    wishes: tuple[Wish, ...] | None
    """None: what was decided is none of the ways that the plan knows."""
    personal: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str | None] = field(default_factory=dict)
    """Of the personal fields that change: the mask that the plan saw."""


_TO_WRITE = """
    verdict IN ('new', 'changed') AND decision IS DISTINCT FROM 'leave' OR
    verdict = 'doubtful' AND decision IN ('new', 'update')
"""

_ROWS = text(f"""
    SELECT number, verdict, decision, coalesce(target_code, place_code) AS place_code, wishes, changes, sealed
      FROM register.import_row
     WHERE batch_id = :batch AND ({_TO_WRITE}) AND number > :after AND (:only IS NULL OR number = ANY (:only))
     ORDER BY number LIMIT :most
""")

_LEAVE = text(f"""
    UPDATE register.import_row
       SET outcome = CASE verdict WHEN 'same' THEN 'same' WHEN 'skipped' THEN NULL ELSE 'left' END,
           outcome_values = NULL
     WHERE batch_id = :batch AND ({_TO_WRITE}) IS NOT TRUE
""")

_COUNT = text(f"SELECT count(*) FROM register.import_row WHERE batch_id = :batch AND ({_TO_WRITE})")


def count(connection: Connection, batch_id: int) -> int:
    """How many rows are to be written."""
    return int(connection.execute(_COUNT, {"batch": batch_id}).scalar_one())


def leave_others(connection: Connection, batch_id: int) -> None:
    """Notes of all other rows that nothing is done with them. Headings and totals (`skipped`) are nobody's to leave."""
    connection.execute(_LEAVE, {"batch": batch_id})


def chunks(connection: Connection, secrets: Secrets, batch_id: int, code: str) -> Iterator[list[WantedRow]]:
    """The rows to be written, in order."""
    after = 0
    while found := _read(connection, secrets, batch_id, code, after=after, only=None):
        yield found
        after = found[-1].number


def these(
    connection: Connection, secrets: Secrets, batch_id: int, code: str, numbers: Sequence[int]
) -> list[WantedRow]:
    """Some of them once more."""
    return _read(connection, secrets, batch_id, code, after=0, only=list(numbers))


def _read(
    connection: Connection, secrets: Secrets, batch_id: int, code: str, *, after: int, only: list[int] | None
) -> list[WantedRow]:
    most = CHUNK if only is None else len(only)
    found = connection.execute(_ROWS, {"batch": batch_id, "after": after, "only": only, "most": most})
    return [_wanted(secrets, code, row) for row in found]


def _wanted(secrets: Secrets, code: str, row: Any) -> WantedRow:
    ways = row.wishes or {}
    makes = row.decision == "new" or (row.decision is None and row.verdict == "new")
    target = None if makes else row.place_code
    listed = ways.get("new") if makes else (ways.get("update") or {}).get(target)
    personal: Mapping[str, str] = {}
    if row.sealed is not None:
        opened = json.loads(secrets.decrypt(row.sealed, context=f"import_row:{code}:{row.number}"))
        personal = opened.get("personal") or {}
    masks = {change["field"]: change.get("before") for change in row.changes if change["field"] in personal}
    wishes = None if listed is None else tuple(_wish(each) for each in listed)
    return WantedRow(row.number, target, row.decision is not None, wishes, personal, masks)


def _wish(said: Mapping[str, Any]) -> Wish:
    return Wish(said["collection"], said.get("code"), said.get("before") or {}, said["values"], said.get("same_as"))
