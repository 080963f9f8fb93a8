"""Forms that a browser sends: URL-encoded, bounded, each field as text."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from mapservice.errors import Problem

MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 500
URL_ENCODED = "application/x-www-form-urlencoded"


class Form:
    """What somebody typed. A field that was not sent reads as empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self.fields = fields

    def __getitem__(self, name: str) -> str:
        """The field's text without spaces around it; the first, when it came several times."""
        return self.raw(name).strip()

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def raw(self, name: str) -> str:
        """The field's text exactly as typed: for passwords, where a space may be meant."""
        return self.fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Every value of a field that may come several times, such as check boxes."""
        return [value.strip() for value in self.fields.get(name, [])]


async def read_body(request: Request, most: int) -> bytes:
    """The request's body. Raises Problem as soon as it is longer than `most` bytes, without reading on."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem("body_too_large", most=most // 1024)
    return bytes(body)


async def read_form(request: Request) -> Form:
    """The form in the body. Raises Problem when it is none, or too large."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request, MAX_FORM_BYTES)
    if media_type != URL_ENCODED:
        raise Problem("unsupported_media_type", value=media_type, known=URL_ENCODED)
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem("invalid_form") from None
    # The database can hold no NUL, and no form field of ours means anything by one.
    if any("\0" in value for values in fields.values() for value in values):
        raise Problem("invalid_form")
    return Form(fields)


SentForm = Annotated[Form, Depends(read_form)]
