"""What reading a file leaves in the store: its rows, in the reader's own transaction, and the plan's summary."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, null, text, update

from postgis.errors import NotNow
from postgis.secrets import Secrets
from postgis.store.imports import BATCH, Batch, row_context

Row = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What may stand in the clear, by the columns of the table, and what is to be sealed."""
_AT_ONCE = 1_000
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_COLUMNS = "number, sheet, row, verdict, reason, place_code, proposed, changes, wishes, matches, problems"

_ADD = text(f"""
    INSERT INTO register.import_row (batch_id, {_COLUMNS}, sealed)
    SELECT :batch_id, {_COLUMNS}, decode(sealed, 'base64')
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r (number int, sheet text, row int, verdict text, reason text, place_code text, proposed jsonb,
              changes jsonb, wishes jsonb, matches jsonb, problems jsonb, sealed text)""")
_DECIDED = text("""
    SELECT jsonb_agg(jsonb_build_object('sheet', sheet, 'row', row, 'decision', decision, 'target', target_code))
      FROM register.import_row WHERE batch_id = :batch_id AND decision IS NOT NULL""")
_DECIDE = text("""
    UPDATE register.import_row r SET decision = d.decision, target_code = d.target
      FROM jsonb_to_recordset(CAST(:decided AS jsonb)) AS d (sheet text, row int, decision text, target text)
     WHERE r.batch_id = :batch_id AND r.sheet = d.sheet AND r.row = d.row
       AND r.verdict IN ('new', 'changed', 'doubtful')
       AND (d.decision <> 'new' OR jsonb_typeof(r.wishes -> 'new') = 'array')
       AND (d.decision <> 'update' OR jsonb_exists(r.wishes -> 'update', d.target))""")


def take_time(connection: Connection) -> None:
    """Lifts the limits that keep requests short: a long list is read for minutes, in one transaction."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def replace_rows(connection: Connection, secrets: Secrets, batch: Batch, rows: Iterable[Row]) -> int:
    """Puts the rows of a reading in place of those of an earlier one, and says how many.

    What a person has decided about a row of the same file stays, where it still can be done.
    """
    decided = connection.execute(_DECIDED, {"batch_id": batch.id}).scalar_one()
    connection.execute(text("SELECT register.forget_import_rows(:code)"), {"code": batch.code})
    waiting, count = iter(rows), 0
    while chunk := [_stored(secrets, batch, *row) for row in islice(waiting, _AT_ONCE)]:
        connection.execute(_ADD, {"batch_id": batch.id, "rows": _document(chunk)})
        count += len(chunk)
    if decided:
        connection.execute(_DECIDE, {"batch_id": batch.id, "decided": json.dumps(decided)})
    return count


def finish(connection: Connection, batch: Batch, summary: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """The file is read: its plan stands. Raises NotNow when its reading is no longer wanted."""
    read = update(BATCH).where(BATCH.c.id == batch.id, BATCH.c.job == "read")
    done = connection.execute(
        read.values(
            state="planned", job=null(), job_by=null(), cancel_asked=False, error=null(), counts=dict(counts),
            summary=json.loads(_document(summary)), version=BATCH.c.version + 1,
        )
    )  # fmt: skip
    if done.rowcount == 0:
        raise NotNow(batch.state, batch.job)


def _stored(secrets: Secrets, batch: Batch, plain: Mapping[str, Any], sealed: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(sealed, ensure_ascii=False).encode("utf-8", "replace")
    closed = secrets.encrypt(content, context=row_context(batch.code, plain["number"]))
    return {**plain, "sealed": b64encode(closed).decode()}


def _document(content: Any) -> str:
    """As JSON that the database takes: it knows neither NUL nor half a pair of UTF-16."""
    plain = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    return _NUL.sub(r"\1", plain) if "\\u0000" in plain else plain
