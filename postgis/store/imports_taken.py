"""Who has taken the sender's own rows back as a file: it holds what they wrote, personal data too."""

from datetime import UTC, datetime

from sqlalchemy import Connection, cast, update
from sqlalchemy.dialects.postgresql import JSONB

from postgis.actor import Actor
from postgis.store.imports import BATCH


def note(connection: Connection, actor: Actor, code: str, rows: int) -> None:
    """Notes it with the batch, within the caller's transaction, which is to be committed before the file is given."""
    said = [{"at": datetime.now(UTC).isoformat(), "staff_id": actor.staff_id, "login": actor.login, "rows": rows}]
    taken = BATCH.c.taken.op("||")(cast(said, JSONB))
    connection.execute(update(BATCH).where(BATCH.c.code == code).values(taken=taken))
