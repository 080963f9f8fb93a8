"""Around every request, as plain ASGI: an id, a log line, figures, safety headers, bounds. Below FastAPI's own cost."""

import logging
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapservice.errors import Problem, problem_response

log = logging.getLogger("mapservice.access")

MAX_ADDRESS_BYTES = 8_192
"""Path and query together: what browsers and proxies manage too."""

REQUESTS = Counter("mapservice_requests_total", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "mapservice_request_seconds",
    "Time to answer, in seconds.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
SAFETY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
PAGE_SAFETY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}
"""Only on pages: a first visit of the map is fifty answers, and these mean nothing on a tile."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Observe:
    """Gives each request an id, notes how it went, and adds what every answer carries.

    Neither the log nor the figures hold the address as typed: a search may be somebody's phone number.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, with its answer observed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        observed = _Observed(scope, send)
        if len(scope.get("raw_path", b"")) + len(scope.get("query_string", b"")) > MAX_ADDRESS_BYTES:
            # The problem must not try to repeat or parse the address it refuses.
            short = {**scope, "query_string": b"", "path": scope["path"][:80], "raw_path": b""}
            problem = Problem("address_too_long", most=MAX_ADDRESS_BYTES)
            await problem_response(problem, Request(short))(scope, receive, observed.send)
        else:
            await self.app(observed.scope, receive, observed.send)
        observed.note()


def added_headers(path: str, media_type: str) -> dict[str, str]:
    """What an answer carries besides its own headers, where it does not say otherwise itself."""
    added = SAFETY | PAGE_SAFETY if media_type.startswith("text/html") else SAFETY
    return {**added, "Access-Control-Allow-Origin": "*"} if path.startswith(("/ogc", "/q/")) else added


class _Observed:
    def __init__(self, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self.request_id = secrets.token_hex(8)
        self.method = scope["method"]
        self.head = self.method == "HEAD"
        # HEAD is GET without the body: one place for it serves every route.
        self.scope: MutableMapping[str, Any] = {**scope, "method": "GET"} if self.head else scope
        self.inner, self.status = send, 500

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(message)
        elif self.head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.inner(message)

    def _add_headers(self, message: Message) -> None:
        headers: list[tuple[bytes, bytes]] = list(message["headers"])
        given = dict(headers)
        media_type = given.get(b"content-type", b"").decode("latin-1")
        for name, value in added_headers(self.scope["path"], media_type).items():
            key = name.lower().encode("latin-1")
            if key not in given:
                headers.append((key, value.encode("latin-1")))
        headers.append((b"x-request-id", self.request_id.encode("ascii")))
        message["headers"] = headers

    def note(self) -> None:
        seconds = time.perf_counter() - self.started
        route = getattr(self.scope.get("route"), "path", "none")
        method = self.method if self.method in METHODS else "other"
        REQUESTS.labels(method, route, str(self.status)).inc()
        SECONDS.labels(route).observe(seconds)
        log.info(
            "request",
            extra={
                "request_id": self.request_id,
                "method": method,
                "route": route,
                "status": self.status,
                "ms": round(seconds * 1000, 1),
            },
        )
