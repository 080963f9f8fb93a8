"""What the headers of a request say of who asks, before anybody is looked up."""

from starlette.requests import Request

COOKIE = "mapservice_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRITTEN = "mapservice_written"
"""The cookie that says how far the database was at the asker's last write (`mapservice.own_writes`)."""


def needs_primary(request: Request) -> bool:
    """Whether a replica may be too far behind for whoever asks: who is signed in may have written anywhere."""
    return COOKIE in request.cookies or "authorization" in request.headers


def written(request: Request) -> str | None:
    """How far the database was at the asker's last write."""
    return request.cookies.get(WRITTEN)
