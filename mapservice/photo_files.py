"""Photos as they come from telephones, made into what is kept: upright, small, without what the camera noted.

A file that claims to be small and unfolds to gigabytes is refused before it is unfolded.
"""

import io
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.uploads import read_upload
from postgis.errors import FieldError, InvalidValues
from postgis.store.photos import Picture

if TYPE_CHECKING:
    from PIL import Image

MAX_PHOTO_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""More than any telephone's photo; in memory 150 MB at most, and only a few at a time."""
LARGE_SIDE, SMALL_SIDE = 1600, 480
_FORMATS = ("JPEG", "PNG", "WEBP")
_AT_A_TIME = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class PhotoForm:
    """A form with a file."""

    form: Form
    photo: bytes


async def read_photo_form(request: Request) -> PhotoForm:
    """The form in a multipart body. Raises Problem when it is none, or larger than a photo may be."""
    sent = await read_upload(request, MAX_PHOTO_BYTES, Problem("body_too_large", most=MAX_PHOTO_BYTES // 1024))
    return PhotoForm(sent.form, sent.data)


SentPhoto = Annotated[PhotoForm, Depends(read_photo_form)]


def picture(content: bytes, *, patience_s: float = -1) -> Picture:
    """The photo as it is kept. Raises InvalidValues on the field `photo`.

    `patience_s`: how long to wait while other photos are made; -1: until it is their turn. Who is nobody to us waits
    only a moment, so that large photos, sent in numbers, cannot take every thread.
    """
    if not content:
        raise _refused("required")
    if len(content) > MAX_PHOTO_BYTES:
        raise _refused("too_large", most=MAX_PHOTO_BYTES // 1024 // 1024)
    # Imported here, as below: it takes megabytes of every worker that may never see a photo.
    from PIL import Image

    if not _AT_A_TIME.acquire(timeout=None if patience_s < 0 else patience_s):
        raise _refused("photos_busy")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _picture(content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refused("too_many_pixels", most=MAX_PIXELS // 1_000_000) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        # What a broken file makes Pillow raise, by its own documentation and in practice.
        raise _refused("not_a_photo") from None
    finally:
        _AT_A_TIME.release()


def _picture(content: bytes) -> Picture:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        # A JPEG is unfolded at an eighth to a whole of its size: just large enough.
        opened.draft("RGB", (LARGE_SIDE, LARGE_SIDE))
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((LARGE_SIDE, LARGE_SIDE), Image.Resampling.LANCZOS)
        plain = _on_white(upright)
    small = plain.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return Picture(_jpeg(plain, 82), _jpeg(small, 78), plain.width, plain.height)


def _on_white(image: "Image.Image") -> "Image.Image":
    """Pixels only, in a new image: no EXIF, no profile, no text that a camera or program left."""
    from PIL import Image

    paper = Image.new("RGB", image.size, "white")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper.paste(layer, mask=layer.getchannel("A"))
    else:
        paper.paste(image.convert("RGB"))
    return paper


def _jpeg(image: "Image.Image", quality: int) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality, optimize=True, progressive=True)
    return output.getvalue()


def _refused(code: str, **values: object) -> InvalidValues:
    return InvalidValues([FieldError("photo", code, dict(values))])
