"""Which photos the public may see."""

from sqlalchemy import Connection, column, select, table

_PHOTOS = table("photos", column("file"), schema="published")


def is_published(connection: Connection, file: str) -> bool:
    """Whether a photo file belongs to a published place."""
    return connection.execute(select(_PHOTOS.c.file).where(_PHOTOS.c.file == file).limit(1)).first() is not None
