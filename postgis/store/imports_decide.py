"""What a person decides about an import before it is applied: row by row, and for the file as a whole.

Each function works inside the caller's transaction (`postgis.actor.prepare_as`) and holds the batch for its rest, so
that nothing is decided about a plan that is being made anew or applied.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from postgis import tables
from postgis.errors import FieldError, InvalidValues, NotNow, Stale
from postgis.store.imports import BATCH, ROW, Batch, get, row, wake
from postgis.vocabulary import IMPORT_DECISIONS

DECIDABLE = ("new", "changed", "doubtful")
"""Verdicts of rows that there is something to decide about."""
_SHAPE = tables.import_shape
_SIGNATURE = re.compile("[0-9a-f]{20}")


def held(connection: Connection, code: str, version: int | None, *states: str) -> Batch:
    """A batch of one of these states, at rest, held for the rest of the transaction.

    `version`: what the caller has seen, None where that does not matter. Raises NotFound, Stale, NotNow.
    """
    batch = get(connection, code, lock=True)
    if batch.state not in states or batch.job is not None:
        raise NotNow(batch.state, batch.job)
    if version is not None and version != batch.version:
        raise Stale(batch)
    return batch


def change(connection: Connection, batch: Batch, **values: Any) -> Batch:
    """Writes a held batch, as its next version."""
    changed = update(BATCH).where(BATCH.c.id == batch.id).values(**values, version=BATCH.c.version + 1)
    connection.execute(changed)
    return get(connection, batch.code)


def decide(
    connection: Connection, code: str, number: int, decision: str | None, target_code: str | None = None,
    version: int | None = None,
) -> Batch:  # fmt: skip
    """What becomes of a row: a place of its own (`new`), the place that is named (`update`), nothing (`leave`), or what
    the plan says (None).

    Raises NotFound, Stale, NotNow, InvalidValues for `decision` or `target`.
    """
    batch = held(connection, code, version, "planned")
    found = row(connection, code, number)
    if decision is not None and decision not in IMPORT_DECISIONS:
        raise InvalidValues([FieldError("decision", "not_in_list", {"value": decision})])
    if found.verdict not in DECIDABLE:
        raise InvalidValues([FieldError("decision", "nothing_to_decide")])
    wishes = found.wishes or {}
    if decision == "new" and wishes.get("new") is None:
        raise InvalidValues([FieldError("decision", "nothing_to_decide")])
    if decision != "update":
        target_code = None
    elif target_code is None:
        raise InvalidValues([FieldError("target", "required")])
    elif target_code not in (wishes.get("update") or {}):
        raise InvalidValues([FieldError("target", "unknown_reference", {"value": target_code})])
    this = (ROW.c.batch_id == batch.id) & (ROW.c.number == number)
    connection.execute(update(ROW).where(this).values(decision=decision, target_code=target_code))
    return change(connection, batch)


def decide_many(
    connection: Connection, code: str, decision: str | None, *, verdicts: Sequence[str] = ("doubtful",),
    problem: str | None = None, sheet: str | None = None, version: int | None = None,
) -> int:  # fmt: skip
    """The same for all rows of these verdicts that nobody has decided yet, and where it can be done; how many.

    `update` takes each row's likeliest place; None takes every decision of these rows back. `problem`: only rows of
    which this is said. Raises NotFound, Stale, NotNow, InvalidValues for `decision`.
    """
    batch = held(connection, code, version, "planned")
    if decision is not None and decision not in IMPORT_DECISIONS:
        raise InvalidValues([FieldError("decision", "not_in_list", {"value": decision})])
    where: list[ColumnElement[bool]] = [
        ROW.c.batch_id == batch.id,
        ROW.c.verdict.in_([verdict for verdict in verdicts if verdict in DECIDABLE]),
        ROW.c.decision.is_not(None) if decision is None else ROW.c.decision.is_(None),
    ]
    if sheet is not None:
        where.append(ROW.c.sheet == sheet)
    if problem is not None:
        where.append(ROW.c.problems.contains([{"code": problem}]))
    if decision == "new":
        where.append(func.jsonb_typeof(ROW.c.wishes["new"]) == "array")
    if decision == "update":
        where.append(ROW.c.wishes["update"].has_key(ROW.c.place_code))
    target = ROW.c.place_code if decision == "update" else null()
    done = connection.execute(update(ROW).where(*where).values(decision=decision, target_code=target)).rowcount
    if done:
        change(connection, batch)
    return done


def choose(connection: Connection, code: str, choices: Mapping[str, Any], version: int | None = None) -> Batch:
    """Keeps what a person has corrected and confirmed for the file, and asks for it to be read anew.

    Corrected columns are remembered for the next file of the same shape. A file whose reading failed or was cancelled
    is begun again in the same way. Decisions about rows stay where they can. Raises NotFound, Stale, NotNow,
    InvalidValues for `file` when the file is no longer kept.
    """
    batch = held(connection, code, version, "planned", "failed")
    for signature, correction in dict(choices.get("columns") or {}).items():
        if _SIGNATURE.fullmatch(signature) and isinstance(correction, Mapping):
            _remember(connection, batch, signature, correction)
    return read_again(connection, batch, choices=dict(choices))


def read_again(connection: Connection, batch: Batch, **values: Any) -> Batch:
    """Writes a held batch and asks for its file to be read anew. Raises InvalidValues for `file` when it is no longer
    kept."""
    if not batch.has_file:
        raise InvalidValues([FieldError("file", "no_longer_kept")])
    wake(connection)
    return change(
        connection, batch, **values, state="reading", job="read", job_by=func.account.actor_id(), attempts=0,
        cancel_asked=False, error=null(),
    )  # fmt: skip


def shapes(connection: Connection) -> dict[str, dict[str, str | None]]:
    """How the columns of each kind of file were corrected in this ward, by the signature of its table."""
    return {
        row.signature: row.correction for row in connection.execute(select(_SHAPE.c.signature, _SHAPE.c.correction))
    }


def _remember(connection: Connection, batch: Batch, signature: str, correction: Mapping[str, str | None]) -> None:
    said = {"correction": dict(correction), "saved_by": func.account.actor_id(), "saved_at": func.now()}
    statement = insert(_SHAPE).values(ward_id=batch.ward_id, signature=signature, **said)
    connection.execute(statement.on_conflict_do_update(index_elements=["ward_id", "signature"], set_=said))
