"""Which language and which format an answer takes. Vietnamese first, English by choice."""

from starlette.requests import Request

LANGUAGES = ("vi", "en")


def language_of(request: Request) -> str:
    """`lang` in the address decides; else machines get what Accept-Language prefers, people Vietnamese."""
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        return chosen
    if wants_html(request):
        return "vi"
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """The language that Accept-Language prefers."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            weight = 0.0
        weights.setdefault(tag.split("-")[0].lower(), weight)
    return "en" if weights.get("en", 0.0) > weights.get("vi", weights.get("*", 0.0)) else "vi"


def wants_html(request: Request) -> bool:
    """Whether a person with a browser is asking: `f` decides, else Accept."""
    asked = request.query_params.get("f")
    if asked is not None:
        return asked == "html"
    return "text/html" in request.headers.get("accept", "")
