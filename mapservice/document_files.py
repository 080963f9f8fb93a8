"""Documents that prove something, as officers send them: a PDF as it is, a photo of a paper as photos are kept.

A PDF is kept, never opened: it goes back as a download, in which no browser runs anything.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from mapservice.errors import Problem
from mapservice.photo_files import MAX_PHOTO_BYTES, picture
from mapservice.uploads import Upload, read_upload
from postgis.errors import FieldError, InvalidValues

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_PDF, _PDF_END = b"%PDF-", b"%%EOF"
_TAIL = 2048
"""Bytes from the end among which a PDF's last mark stands; writers and scanners add a little after it."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A document's file as it is kept."""

    content: bytes
    kind: str


async def read_document_form(request: Request) -> Upload:
    """The form in a multipart body. Raises Problem when it is none, or larger than a document may be."""
    too_large = Problem("body_too_large", pointer="file", most=MAX_DOCUMENT_BYTES // 1024)
    return await read_upload(request, MAX_DOCUMENT_BYTES, too_large)


SentDocument = Annotated[Upload, Depends(read_document_form)]


def document(content: bytes) -> SentFile:
    """The document as it is kept. Raises InvalidValues on the field `file`."""
    if not content:
        raise _refused("required")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise _refused("document_too_large", most=MAX_DOCUMENT_BYTES // _MEGABYTE)
    if content.startswith(_PDF):
        if _PDF_END not in content[-_TAIL:]:
            raise _refused("pdf_cut_off")
        return SentFile(content, "pdf")
    try:
        return SentFile(picture(content).large, "jpg")
    except InvalidValues as invalid:
        code, values = invalid.errors[0].code, invalid.errors[0].values
        if code == "too_large":
            code, values = "document_too_large", {"most": MAX_PHOTO_BYTES // _MEGABYTE}
        raise _refused("not_a_document" if code == "not_a_photo" else code, **values) from None


def _refused(code: str, **values: object) -> InvalidValues:
    return InvalidValues([FieldError("file", code, dict(values))])
