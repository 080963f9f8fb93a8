"""What the headers of a request say of who asks, before anybody is looked up."""

from starlette.requests import Request

COOKIE = "mapservice_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRITTEN = "mapservice_written"
"""The cookie that says how far the database was at the asker's last write (`mapservice.own_writes`)."""


_OWN_WRITES = ("/reports/", "/proposals", "/owner")
"""What people without an account read of what they have just written: they get no cookie that would say so."""


def claims_account(request: Request) -> bool:
    """Whether the request says that staff ask; that it is so is found out elsewhere."""
    return COOKIE in request.cookies or "authorization" in request.headers


def needs_primary(request: Request) -> bool:
    """Whether a replica may be too far behind for whoever asks: who is signed in may have written anywhere."""
    return claims_account(request) or request.url.path.startswith(_OWN_WRITES)


def written(request: Request) -> str | None:
    """How far the database was at the asker's last write."""
    return request.cookies.get(WRITTEN)
