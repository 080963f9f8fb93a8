"""Where somebody who must sign in, or has signed in, goes next: only ever to a page of ours."""

from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request

HOME = "/staff"
MAX_TARGET = 2000


def page_of(request: Request) -> str:
    """The page that the person sees, which can be loaded again: this one, or the one whose form was sent."""
    address = urlsplit(str(request.url))
    if request.method not in ("GET", "HEAD"):
        address = urlsplit(request.headers.get("referer", ""))
        if address.netloc != request.headers.get("host", ""):
            return HOME
    return safe_next(address.path + (f"?{address.query}" if address.query else ""))


def sign_in_address(request: Request) -> str:
    """The sign-in page that leads back to where the person was."""
    lang = {"lang": "en"} if request.query_params.get("lang") == "en" else {}
    return "/staff/sign-in?" + urlencode({"next": page_of(request), **lang}, quote_via=quote, safe="/")


def safe_next(target: str) -> str:
    """An address of ours to go on to; anything that could lead to another site becomes the staff's first page."""
    plain = target.isprintable() and "\\" not in target and len(target) <= MAX_TARGET
    return target if plain and target.startswith("/") and not target.startswith("//") else HOME
