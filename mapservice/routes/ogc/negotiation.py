"""One document, two faces: JSON for machines, a page for people, from the same dictionary."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from mapservice.errors import Problem
from mapservice.language import wants_html
from mapservice.links import JSON
from mapservice.responses import json_bytes, reply
from web.render import render

FORMATS = ("json", "html")


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
