"""One document, two faces: JSON for machines, a page for people, from the same dictionary."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from layers import formats
from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.links import JSON
from mapservice.responses import json_bytes, reply
from web.render import render

FORMATS = ("json", "html")
_ITEM_FORMATS = {**{kind.media_type: form for form, kind in formats.FORMATS.items()}, JSON: "json", "text/html": "html"}
"""Of features, by media type."""


def chosen_format(request: Request) -> str:
    """The format in which features are wanted: `f` decides, else what Accept wants most; JSON where that says nothing.

    Raises Problem for an `f` that is not there.
    """
    asked = request.query_params.get("f")
    if asked is None:
        return _accepted(request.headers.get("accept", ""))
    known = ("html", *formats.FORMATS)
    if asked not in known:
        raise Problem("invalid_format", pointer="f", value=asked, known=", ".join(known))
    return asked


def _accepted(header: str) -> str:
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_type in _ITEM_FORMATS:
            wanted.append((_weight(parameters), _ITEM_FORMATS[media_type]))
    best = max((weight for weight, _ in wanted), default=0.0)
    return next((form for weight, form in wanted if weight == best > 0), "json")


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def check_format(request: Request) -> None:
    """Refuses an `f` that is not there, and an Accept that allows neither face."""
    asked = request.query_params.get("f")
    if asked is not None and asked not in FORMATS:
        raise Problem("invalid_format", pointer="f", value=asked, known=", ".join(FORMATS))


def answer(
    request: Request,
    lang: str,
    template: str,
    document: dict[str, Any],
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """The document as the asker wants it. The page is made from the same dictionary as the JSON."""
    check_format(request)
    sent = {"Content-Language": lang, **(headers or {})}
    if wants_html(request):
        page = render(template, lang, document=document, **context)
        return reply(request, page.encode(), "text/html; charset=utf-8", headers=sent)
    return reply(request, json_bytes(document), media_type, headers=sent)
