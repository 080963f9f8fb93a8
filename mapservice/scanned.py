"""The sticker that somebody scanned, as `t` in the address of the page tells it: what it is, and what is said of it."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers.lookup import find_ward
from layers.stickers import SeenSticker, judge
from mapservice.dependencies import database
from mapservice.place_answers import page_answer, page_links, path_of
from mapservice.responses import reply
from mapservice.settings import HttpSettings
from postgis.secrets import Secrets, read_secrets
from postgis.unavailable import StoreUnavailableError
from web.render import local
from web.sticker_words import StickerWords, false_page, sticker_words

TOO_LONG = 65
"""Characters that the mark and serial of no sticker have."""


def scanned_sticker(request: Request, connection: Connection, code: str) -> SeenSticker | None:
    """What the sticker is that led here with that code; None for who came without one: by a link, or by typing."""
    token = request.query_params.get("t", "")
    if not token:
        return None
    return judge(connection, read_secrets(database(request).settings.data_dir), code, token)


def secrets_at_hand(data_dir: Path) -> Secrets | None:
    """None where there are none, or they cannot be read: who cannot do without them says so."""
    with suppress(StoreUnavailableError):
        return read_secrets(data_dir)
    return None


def words_of(request: Request, scanned: SeenSticker | None, lang: str) -> StickerWords | None:
    """What a place's page says about the sticker."""
    if scanned is None:
        return None
    return said_of(request.query_params["t"], scanned, lang)


def said_of(token: str, seen: SeenSticker, lang: str, today: date | None = None) -> StickerWords:
    """What a place's page says about a sticker that is not false; `today`: the day of a copy of the page."""
    happened = seen.state, seen.state_on, seen.misused_on
    return sticker_words(token, seen.verdict, seen.serial, *happened, lang, today)


def false_sticker(
    request: Request, connection: Connection, settings: HttpSettings, code: str | None, lang: str, *, is_place: bool
) -> Response:
    """The page for a sticker that the ward has not made: 404, kept by nobody, with the way to the place it names."""
    place = path_of(code, lang=lang) if code and is_place else None
    # Cut where it is too long for any sticker's, and stays so.
    token = request.query_params.get("t", "")[:TOO_LONG]
    links = page_links(settings, quote(request.url.path), lang, token=token)
    report = local(lang, f"{quote(request.url.path)}/report", kind="fake_sticker")
    page = false_page(code, place, report, find_ward(connection, settings.ward), links, lang)
    answer = page_answer(page, lang, 404)
    return reply(request, answer.body, answer.media_type, headers=answer.headers, cache="no-store", status=404)
