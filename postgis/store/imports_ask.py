"""Asking for an import to be applied, undone or cancelled: the job process does it, in the name of who asked.

Each function works inside the caller's transaction (`postgis.actor.prepare_as`).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, null, update

from postgis.errors import NotNow
from postgis.store.imports import BATCH, Batch, get, wake
from postgis.store.imports_decide import change, held


def ask_apply(connection: Connection, code: str, version: int | None = None, reason: str | None = None) -> Batch:
    """Asks for a plan to be applied, all or nothing. `reason` is what the history will say.

    Raises NotFound, Stale, NotNow.
    """
    batch = held(connection, code, version, "planned")
    wake(connection)
    return change(
        connection, batch, state="applying", job="apply", job_by=func.account.actor_id(), reason=_said(reason),
        attempts=0, cancel_asked=False, error=null(),
    )  # fmt: skip


def ask_undo(
    connection: Connection, code: str, version: int | None = None, reason: str | None = None, also: Sequence[str] = ()
) -> Batch:
    """Asks for an applied batch to be undone. `also`: codes of records to undo although they were edited since.

    A batch that was undone may be asked again for what was kept then. Raises NotFound, Stale, NotNow.
    """
    states = ("applied", "undone") if also else ("applied",)
    batch = held(connection, code, version, *states)
    wake(connection)
    return change(
        connection, batch, job="undo", job_by=func.account.actor_id(), undo_reason=_said(reason),
        undo_also=sorted(set(also)), attempts=0, cancel_asked=False, error=null(),
    )  # fmt: skip


def ask_cancel(connection: Connection, code: str) -> Batch:
    """Asks for what is being done with a batch to be given up: nothing of it is written. Raises NotFound, NotNow."""
    # Without holding the batch: who asks must not wait for the job that is to end.
    batch = get(connection, code)
    asked = update(BATCH).where(BATCH.c.id == batch.id, BATCH.c.job.is_not(None)).values(cancel_asked=True)
    if connection.execute(asked).rowcount == 0:
        raise NotNow(batch.state, batch.job)
    wake(connection)
    return get(connection, code)


def _said(reason: str | None) -> str | None:
    return " ".join(reason.split()) or None if reason else None
