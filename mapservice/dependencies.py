"""What routes are handed: a connection that may read what the asker may see, settings, language, links."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from layers.collections import COLLECTIONS, Collection
from mapservice.asker import needs_primary, written
from mapservice.errors import Problem
from mapservice.language import language_of
from mapservice.links import Links
from mapservice.settings import HttpSettings
from postgis.engine import Database


def http_settings(request: Request) -> HttpSettings:
    """The settings that the application was made with."""
    found: HttpSettings = request.app.state.settings
    return found


def database(request: Request) -> Database:
    """The database that the application was made with."""
    found: Database = request.app.state.database
    return found


def read_connection(request: Request) -> Iterator[Connection]:
    """A connection as mapservice_public, to a replica where one may answer.

    A bug above it cannot leak what that role cannot read.
    """
    store = database(request)
    with store.public.connect() if needs_primary(request) else store.reading(written(request)) as connection:
        yield connection


def collection_by_id(collectionId: str) -> Collection:  # noqa: N803 - the standard's spelling, in the address
    """The collection that the address names."""
    found = COLLECTIONS.get(collectionId)
    if found is None:
        raise Problem("unknown_collection", value=collectionId, known=", ".join(COLLECTIONS))
    return found


def links(request: Request) -> Links:
    """The builder of links for this request."""
    settings = http_settings(request)
    return Links(settings.public_url or str(request.base_url).rstrip("/"))


# The connection goes back to the pool when the function returns, not after the answer has reached a slow phone.
ReadConnection = Annotated[Connection, Depends(read_connection, scope="function")]
Settings = Annotated[HttpSettings, Depends(http_settings)]
Language = Annotated[str, Depends(language_of)]
PublishedCollection = Annotated[Collection, Depends(collection_by_id)]
LinkBuilder = Annotated[Links, Depends(links)]
