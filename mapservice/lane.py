"""The lane beside the router: what anybody may see and everybody asks for, kept ready and fresh.

A request for an address that `lane_addresses` recognises is answered from memory where the answer is there and right,
else made with one query, however many ask for it at once. What an edit touches is forgotten in every process as soon as
the database tells of it, and tiles are made again at once, before anybody asks.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import monotonic
from types import SimpleNamespace

from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layers.answer_cache import Filling, Touched
from mapservice import lane_figures
from mapservice.errors import failure
from mapservice.hearing import BEAT_S, Hearing
from mapservice.kept_answers import Found, Headers, KeptAnswer, KeptAnswers, asgi_headers
from mapservice.lane_addresses import Asked, LeftToOthers, recognise
from mapservice.lane_faces import Faces
from mapservice.lane_workers import Workers
from mapservice.lookup_counts import LookupCounts
from mapservice.middleware import Observe
from mapservice.responses import Answer, decoded, encoded
from mapservice.scanned import secrets_at_hand
from mapservice.settings import HttpSettings
from mapservice.warming import pyramid
from mapservice.while_away import WhileAway
from postgis.engine import Database

log = logging.getLogger("mapservice.lane")

FILLED_AHEAD = 0.75
"""Of the room for answers, how much is filled before anybody has asked."""
MOST_REMADE = 4_000
"""Tiles that wait to be made again: of more, those asked for are made when they are asked for."""


class Lane:
    """The answers of one process, and how they are made. `around` puts it before an application."""

    def __init__(self, database: Database, settings: HttpSettings) -> None:
        self.database, self.settings = database, settings
        self.kept = KeptAnswers(settings.cache_mb * 2**20, Faces(settings.public_url))
        self._while_away = WhileAway(settings, database.settings.data_dir)
        self.lookups = LookupCounts(database)
        self._under_way: dict[bytes, _Making] = {}
        self._to_remake: OrderedDict[bytes, tuple[str | None, ...]] = OrderedDict()
        self._remaking: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._hearing: Hearing | None = None
        threads = max(1, min(4, database.settings.pool_size // 2))
        self._tile_workers = Workers(threads, "lane-tiles")
        self._page_workers = Workers(threads, "lane-pages")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hears from the database for as long as the context lasts."""
        if self.kept.cache.limit:
            self._hearing = Hearing(self.database, asyncio.get_running_loop(), self.heard)
            self._hearing.start()
        try:
            async with self.lookups.running():
                yield
        finally:
            if self._hearing is not None:
                self._hearing.stop()
            for task in (self._remaking, self._warming):
                if task is not None:
                    task.cancel()
            for workers in (self._tile_workers, self._page_workers):
                workers.stop()

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application with the lane before it."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked = self._asked(scope)
            if asked is None or not await self._answer(asked, scope, receive, send):
                await app(scope, receive, self._after_writing(scope, send))

        observed = Observe(answer)

        async def before(scope: Scope, receive: Receive, send: Send) -> None:
            found = self._find(scope) if scope["type"] == "http" else None
            if found is None:
                await observed(scope, receive, self.lookups.watching(scope, send))
            else:
                status, head, body = found
                self.lookups.note(scope, status)
                headers = [*asgi_headers(head), (b"x-request-id", self.kept.request_id())]
                await _send(status, headers, b"" if scope["method"] == "HEAD" else body, send)

        return before

    def heard(self, touched: Touched | None, at: float) -> None:
        """Forgets what was touched since the last word of the database; None: everything."""
        gone = self.kept.cache.clear() if touched is None else self.kept.cache.touch(touched)
        self.kept.hear(at)
        lane_figures.note(self.kept)
        for key, entry in gone.items():
            if entry.sources.tile is not None and (entry.used or b"?" not in key):
                self._to_remake[key] = tuple(entry.kept.encodings)
        while len(self._to_remake) > MOST_REMADE:
            self._to_remake.popitem(last=False)
        if self._warming is None:
            self._warming = asyncio.get_running_loop().create_task(self._warm())
        if self._to_remake and (self._remaking is None or self._remaking.done()):
            self._remaking = asyncio.get_running_loop().create_task(self._remake())

    def _find(self, scope: Scope) -> Found | None:
        if scope["method"] not in ("GET", "HEAD"):
            return None
        query, path = scope["query_string"], scope["raw_path"]
        return self.kept.find(path + b"?" + query if query else path, scope["headers"], scope["scheme"])

    def _asked(self, scope: Scope) -> Asked | None:
        """What the lane can answer of a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(("/ogc/", "/q/")):
            return None
        path: str = scope["path"]
        if scope["raw_path"] != path.encode():
            return None  # letters in disguise: for those who can read them
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            return None  # a header twice: for those who can weigh it
        face = self.kept.face(headers, scope["scheme"])
        secrets = secrets_at_hand(self.database.settings.data_dir) if path.startswith("/q/") else None
        return recognise(self.settings, path, scope["query_string"], face, secrets)

    def _after_writing(self, scope: Scope, send: Send) -> Send:
        """Whoever is told that something was written sees it at once, wherever this process answers."""
        if self._hearing is None or scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return send
        hearing = self._hearing

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.kept.distrust()
                hearing.wake()
            await send(message)

        return tell

    async def _answer(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answers, unless that is left to others."""
        scope["route"] = SimpleNamespace(path=asked.route)
        request = Request(scope)
        accept_encoding = request.headers.get("accept-encoding", "").encode("latin-1")
        if_none_match = request.headers.get("if-none-match")
        try:
            kept = await self._kept(asked, accept_encoding)
        except LeftToOthers:
            return False
        except Exception as error:  # whatever it was: the same words as anywhere else
            response = self._while_away.instead(request, error) or failure(request, error)
            await response(scope, receive, send)
            return True
        found = self.kept.choose(kept, accept_encoding, if_none_match.encode("latin-1") if if_none_match else None)
        if found is None:
            raise LookupError(asked.route)  # the encoding has just been made
        status, head, body = found
        await _send(status, asgi_headers(head), body, send)
        return True

    async def _kept(self, asked: Asked, accept_encoding: bytes) -> KeptAnswer:
        """The answer in the encoding that suits, kept if it may be."""
        entry = self.kept.cache.entries.get(asked.key) if self.kept.trusted() else None
        if entry is None:
            making = self._under_way.get(asked.key)
            if making is None or making.filling.outdated or not self.kept.trusted():
                making = self._begin(asked, accept_encoding)
            kept = await asyncio.shield(making.task)
        else:
            kept = entry.kept
        encoding = self.kept.encoding_of(accept_encoding, kept.length)
        if encoding not in kept.encodings:
            await self._add_encoding(asked, kept, encoding)
        return kept

    def _begin(self, asked: Asked, accept_encoding: bytes) -> "_Making":
        # Before the query: whatever is committed from here on is told of while this is among the fillings.
        filling = self.kept.cache.begin(asked.sources)
        task = asyncio.get_running_loop().create_task(self._make(asked, accept_encoding, filling))
        making = self._under_way[asked.key] = _Making(task, filling)
        return making

    async def _make(self, asked: Asked, accept_encoding: bytes, filling: Filling) -> KeptAnswer:
        trusted = self.kept.trusted()
        workers = self._page_workers if asked.sources.tile is None else self._tile_workers
        try:
            answer, encoding, body = await workers.run(self._query, asked, accept_encoding, monotonic())
        finally:
            right = self.kept.cache.end(filling)
            making = self._under_way.get(asked.key)
            if making is not None and making.filling is filling:
                del self._under_way[asked.key]
        kept = KeptAnswer(asked.path, asked.route, answer)
        size = kept.add(encoding, body).size
        if trusted and right and self.kept.trusted():
            self.kept.cache.store(asked.key, kept, size, asked.sources)
            lane_figures.MADE.labels("yes").inc()
        else:
            lane_figures.MADE.labels("no").inc()
        return kept

    def _query(self, asked: Asked, accept_encoding: bytes, since: float) -> tuple[Answer, str | None, bytes]:
        """In a thread: the answer, and its body in the encoding that suits."""
        if monotonic() - since > self.database.settings.pool_timeout:
            raise PoolTimeout
        with self.database.public.connect() as connection:
            answer = asked.make(connection)
        encoding = self.kept.encoding_of(accept_encoding, len(answer.body))
        return answer, encoding, encoded(answer.body, encoding, answer.media_type)

    async def _add_encoding(self, asked: Asked, kept: KeptAnswer, encoding: str | None) -> None:
        """Another encoding of an answer, made of one that is there."""
        known, made = next(iter(kept.encodings.items()))
        media_type = kept.answer.media_type
        body = await self._tile_workers.run(lambda: encoded(decoded(made.body, known), encoding, media_type))
        entry = self.kept.cache.entries.get(asked.key)
        added = kept.add(encoding, body)
        if entry is not None and entry.kept is kept:
            self.kept.cache.grow(asked.key, entry, added.size)

    async def _remake(self) -> None:
        """Makes tiles again one after the other: those who ask meanwhile go first."""
        while self._to_remake:
            key, encodings = self._to_remake.popitem(last=False)
            path, _, query = key.partition(b"?")
            asked = recognise(self.settings, path.decode(), query)
            if asked is None:
                continue
            if not await self._made_again(asked, encodings):
                self._to_remake.clear()

    async def _made_again(self, asked: Asked, encodings: Iterable[str | None]) -> bool:
        try:
            for encoding in encodings:
                await self._kept(asked, (encoding or "identity").encode())
        except Exception as error:  # the next to ask is told; here nobody is
            log.info("a tile was not made ahead", extra={"error": type(error).__name__})
            return False
        return True

    async def _warm(self) -> None:
        """Makes the ward's pyramid of tiles, as far as they leave room for what else is asked for."""
        try:
            keys = await self._page_workers.run(pyramid, self.database, self.settings)
        except Exception as error:  # the database went away again
            log.info("no tiles were made ahead", extra={"error": type(error).__name__})
            return
        # Browsers take Brotli only over TLS.
        encoding = "br" if (self.settings.public_url or "").startswith("https:") else "gzip"
        for key in keys:
            path, _, query = key.partition(b"?")
            asked = recognise(self.settings, path.decode(), query)
            while not self.kept.trusted():
                await asyncio.sleep(BEAT_S)  # nothing would be kept: a busy moment, or the database is away
            if self.kept.cache.bytes > self.kept.cache.limit * FILLED_AHEAD:
                break
            if asked is not None:
                await self._made_again(asked, (encoding,))


class _Making:
    """An answer that is being made, for all who ask for it meanwhile."""

    __slots__ = ("filling", "task")

    def __init__(self, task: "asyncio.Task[KeptAnswer]", filling: Filling) -> None:
        self.task, self.filling = task, filling


async def _send(status: int, headers: Headers, body: bytes, send: Send) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
