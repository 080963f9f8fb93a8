"""Forms with one file: counted while they come in, and refused as soon as they are longer than they may be.

A file of more than a megabyte waits in a temporary file without a name, which nobody else can open.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mapservice.dependencies import http_settings
from mapservice.errors import Problem
from mapservice.forms import Form

MULTIPART = "multipart/form-data"
_SLACK = 64 * 1024
"""Bytes for the other fields and the borders between them."""


@dataclass(frozen=True)
class Upload:
    """A form with a file; `data` is empty where none was chosen."""

    form: Form
    file_name: str
    data: bytes


async def read_upload(request: Request, most: int, too_large: Problem) -> Upload:
    """The form in a multipart body. Raises Problem when it is none, `too_large` when the file has more bytes than
    `most`."""
    if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
        raise Problem("unsupported_media_type", value=request.headers.get("content-type"), known=MULTIPART)
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most + _SLACK:
        raise too_large
    body = _bounded(request, most, too_large)
    parser = MultiPartParser(request.headers, body, max_files=1, max_fields=20, max_part_size=_SLACK)
    try:
        sent = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise Problem("invalid_form") from None
    try:
        fields: dict[str, list[str]] = {}
        name, data = "", b""
        for field, value in sent.multi_items():
            if isinstance(value, UploadFile):
                name, data = (value.filename or "").replace("\0", ""), await value.read()
            elif "\0" in value:
                raise Problem("invalid_form")
            else:
                fields.setdefault(field, []).append(value)
        return Upload(Form(fields), name, data)
    finally:
        await sent.close()


async def read_import(request: Request) -> Upload:
    """A list that is sent to be imported."""
    megabytes = http_settings(request).import_megabytes
    too_large = Problem("import_too_large", pointer="file", megabytes=megabytes)
    return await read_upload(request, megabytes * 1024 * 1024, too_large)


SentImport = Annotated[Upload, Depends(read_import)]


async def _bounded(request: Request, most: int, too_large: Problem) -> AsyncGenerator[bytes, None]:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > most + _SLACK:
            raise too_large
        yield chunk
