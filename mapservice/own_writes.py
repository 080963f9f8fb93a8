"""Staff who have written see it, also where replicas answer: how far the database was then goes along as a cookie.

Only with replicas. As long as they are signed in, by cookie or token, the primary answers them anyway: it is for what
they read after that. The public gets no cookie; what they have written is read from the primary (`mapservice.asker`).
"""

import anyio.to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapservice.asker import SAFE_METHODS, WRITTEN, claims_account
from postgis.engine import Database

_KEPT_S = 60
"""Far longer than a replica may be behind and still answer."""


class OwnWrites:
    """Notes in the answer to a write how far the database was when it was written."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app, self.database = app, database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or not claims_account(Request(scope)):
            await self.app(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                # The write is committed: its session ends before the answer begins.
                position = await anyio.to_thread.run_sync(self.database.position)
                cookie = f"{WRITTEN}={position}; Path=/; Max-Age={_KEPT_S}; HttpOnly; SameSite=lax"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self.app(scope, receive, noting)
