"""Many features in one answer: streamed as they are read, or as a file that a process of its own makes."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from layers.collections import Collection
from layers.features import FeaturePage, Matched
from layers.formats import FORMATS, MAX_SECONDS
from layers.formats.files import Words, write_stream
from layers.formats.geojson import write_features
from layers.query import FeatureQuery
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.export_tag import export_tag
from mapservice.export_work import ExportFailed, Job, in_child
from mapservice.feature_answers import page_head
from mapservice.links import Links
from mapservice.reading import privacy, reading, reading_long
from mapservice.responses import accepted_encodings, json_bytes, knows
from mapservice.spool import Dropped, Spool
from postgis.actor import Actor
from postgis.engine import Database
from postgis.today import VIETNAM
from web import labels

log = logging.getLogger("mapservice.exporting")

AT_ONCE = 2
"""Exports that are read from the database at the same time, in each process."""
OPEN = 8
"""Exports of which some bytes still wait to be sent."""
PATIENCE_S = 5.0
MAX_BYTES = 2 << 30
STALLED_S = 60.0
"""After which a client that takes nothing is given up."""

_reading = threading.BoundedSemaphore(AT_ONCE)
_open = threading.BoundedSemaphore(OPEN)


def export(
    request: Request,
    actor: Actor | None,
    collection: Collection,
    query: FeatureQuery,
    form: str,
    lang: str,
    links: Links,
) -> Response:
    """The features in a format other than a short page. Raises Problem for more than one answer may hold."""
    store, kind = database(request), FORMATS[form]
    if query.limit >= kind.most and form != "json":
        with reading(store, actor) as connection:
            if Matched(connection, collection, query).more_than(kind.most):
                raise Problem("export_too_large", most=labels.number(kind.most, lang))
    headers = {"Content-Language": lang, "Content-Crs": f"<{query.crs.uri}>", **privacy(actor)}
    headers["Cache-Control"] = "no-store" if actor else "no-cache"
    if form != "json":
        name = f"{collection.id}-{datetime.now(VIETNAM):%Y%m%d-%H%M}.{kind.suffix}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if not _open.acquire(blocking=False):
        raise Problem("exports_busy")
    try:
        if kind.streamed:
            found = _streamed(request, actor, collection, query, form, links, lang)
        else:
            words = words_of(collection, lang, links)
            found = _file(Job(store.settings, actor, collection.id, query, form, words, _directory(store)))
    except BaseException:
        _open.release()
        raise
    if found.tag is not None:
        headers["ETag"] = f'"{found.tag}-gzip"' if found.gzip else f'"{found.tag}"'
    if found.known:
        found.drop()
        _open.release()
        return Response(status_code=304, headers=headers)
    if found.gzip:
        headers["Content-Encoding"] = "gzip"
    media_type = f"{kind.media_type}; charset=utf-8" if form == "csv" else kind.media_type
    return _Export(found, headers, media_type)


def _streamed(
    request: Request,
    actor: Actor | None,
    collection: Collection,
    query: FeatureQuery,
    form: str,
    links: Links,
    lang: str,
) -> "_Pieces":
    store = database(request)
    gzip = "gzip" in accepted_encodings(request.headers.get("accept-encoding", ""))
    spool = Spool(_directory(store), MAX_BYTES, compress=gzip)
    found = _Pieces(spool.pieces(), gzip, spool.drop)
    asked = dict(request.query_params)

    def write(connection: Connection) -> None:
        matched = Matched(connection, collection, query)
        if actor is None:
            found.tag = export_tag(matched, form, lang, links.url(request.url.path, asked))
            found.known = found.tag is not None and knows(request.headers.get("if-none-match", ""), found.tag)
        if found.known:
            return
        if form != "json":
            write_stream(connection, collection, query, form, spool.write)
            return
        spool.write(b'{"type":"FeatureCollection","features":[\n')
        sent = write_features(matched, spool.write)
        page = FeaturePage("", sent.number_returned, sent.number_matched, sent.next_cursor, sent.estimated)
        spool.write(b"]," + json_bytes(page_head(collection, page, query, links, lang, asked))[1:])

    def work() -> None:
        try:
            with _turn(), reading_long(store, actor, MAX_SECONDS) as connection:
                try:
                    write(connection)
                except BaseException:
                    # What COPY still sends would be taken for the answer to the next question.
                    connection.invalidate()
                    raise
        except Dropped:
            spool.end(Dropped())
        except BaseException as error:
            spool.end(error)
        else:
            spool.end()

    threading.Thread(target=work, name="export", daemon=True).start()
    spool.wait_for_first()
    return found


def _file(job: Job) -> "_Pieces":
    with NamedTemporaryFile(prefix="export-", suffix=f".{FORMATS[job.form].suffix}", dir=job.path) as made:
        path = Path(made.name)
        # GDAL makes its files itself.
        path.unlink()
        try:
            with _turn():
                in_child(Job(job.store, job.actor, job.collection, job.query, job.form, job.words, path))
            file = path.open("rb")
        except ExportFailed as error:
            raise Problem("database_away" if error.away else "export_failed") from None
        finally:
            # The open file lives on without its name; what a killed process left is gone too.
            for left in path.parent.glob(f"{path.name}*"):
                left.unlink()
            path.touch()

    async def pieces() -> AsyncIterator[bytes]:
        with file:
            while piece := await asyncio.to_thread(file.read, 1 << 20):
                yield piece

    return _Pieces(pieces(), False, file.close)


@contextmanager
def _turn() -> Iterator[None]:
    if not _reading.acquire(timeout=PATIENCE_S):
        raise Problem("exports_busy")
    try:
        yield
    finally:
        _reading.release()


class _Pieces:
    """What is sent, whether it is compressed, and what to do when nobody takes more of it.

    `tag` is what its ETag says, without quotes and encoding, where it has one; `known`: the client has it already.
    """

    def __init__(self, pieces: AsyncIterator[bytes], gzip: bool, drop: Callable[[], None]) -> None:
        self.pieces, self.gzip, self.drop = pieces, gzip, drop
        self.tag: str | None = None
        self.known = False


class _Export(StreamingResponse):
    """Sends the pieces; gives up a client that takes nothing, and ends the connection where the export has failed."""

    def __init__(self, found: _Pieces, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(found.pieces, headers=headers, media_type=media_type)
        self._drop = found.drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: object) -> None:
            async with asyncio.timeout(STALLED_S):
                await send(message)  # type: ignore[arg-type]

        try:
            await super().__call__(scope, receive, patient)
        except TimeoutError:
            log.info("An export was given up: nobody took it.")
        finally:
            self._drop()
            _open.release()


def _directory(store: Database) -> Path:
    """Where exports wait: not /tmp, which may be memory."""
    found = store.settings.data_dir / "exports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def words_of(collection: Collection, lang: str, links: Links) -> Words:
    """What an export says about itself."""
    title = labels.collection_title(collection.id, lang)
    notes = [
        (title, labels.collection_description(collection.id, lang)),
        (labels.text("export.made", lang), f"{datetime.now(VIETNAM):%d/%m/%Y %H:%M}"),
        (labels.text("export.address", lang), links.url(f"/ogc/collections/{collection.id}")),
        *((field.name, labels.field_title(collection.id, field.name, lang)) for field in collection.fields),
    ]
    return Words(title, labels.text("export.sheet", lang), labels.text("export.about", lang), notes)
