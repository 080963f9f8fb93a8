"""Who asks decides what is read: anybody as mapservice_public, staff as themselves, under row-level security.

The collections that there are, their fields and their rows follow from it.
"""

import contextlib
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from layers.collections import COLLECTIONS, STAFF_COLLECTIONS, Collection
from mapservice.dependencies import database, read_connection
from mapservice.errors import Problem
from mapservice.security import MaybeActor
from postgis.actor import Actor, read_as
from postgis.engine import Database

# Dependencies that touch no database are coroutines: each other one is a walk to the thread pool and back.

VARY = {"Vary": "Cookie, Authorization, Accept, Accept-Encoding, Accept-Language"}
"""On both answers of an address, since who asks chooses between them."""
PRIVATE = {"Cache-Control": "private, no-cache", **VARY}
"""What staff are answered is for them alone."""


async def collections_seen(actor: MaybeActor) -> dict[str, Collection]:
    """The collections that the asker may know of."""
    return COLLECTIONS if actor is None else STAFF_COLLECTIONS


async def collection_seen(collectionId: str, seen: "SeenCollections") -> Collection:  # noqa: N803 - the standard's spelling
    """The collection that the address names, as the asker may see it."""
    found = seen.get(collectionId)
    if found is None:
        raise Problem("unknown_collection", value=collectionId, known=", ".join(seen))
    return found


@contextlib.contextmanager
def reading(store: Database, actor: Actor | None) -> Iterator[Connection]:
    """A connection that can read what the asker may see, and nothing else."""
    if actor is None:
        with store.public.connect() as connection:
            yield connection
    else:
        with read_as(store, actor) as connection:
            yield connection


@contextlib.contextmanager
def reading_long(store: Database, actor: Actor | None, seconds: int) -> Iterator[Connection]:
    """The same for one long answer, of one state of the data; public ones are of one snapshot. A statement may take so
    many seconds.
    """
    with contextlib.ExitStack() as stack:
        if actor is None:
            connection = stack.enter_context(store.public.connect())
            connection.execution_options(isolation_level="REPEATABLE READ")
        else:
            connection = stack.enter_context(read_as(store, actor))
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds:d}s'")
        yield connection


def connection_seen(request: Request, actor: MaybeActor) -> Iterator[Connection]:
    """The same, for as long as a route's function runs; for anybody from a replica where one may answer."""
    if actor is None:
        yield from read_connection(request)
    else:
        with read_as(database(request), actor) as connection:
            yield connection


def privacy(actor: Actor | None) -> dict[str, str]:
    """Headers that keep an answer to staff out of shared caches; anybody's may be kept, for anybody."""
    return dict(VARY if actor is None else PRIVATE)


SeenCollections = Annotated[dict[str, Collection], Depends(collections_seen)]
SeenCollection = Annotated[Collection, Depends(collection_seen)]
# The connection goes back to the pool when the function returns, not after the answer has reached a slow phone.
SeenConnection = Annotated[Connection, Depends(connection_seen, scope="function")]
