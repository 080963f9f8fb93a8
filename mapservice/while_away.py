"""What the look-up answers while the database is away: the copy of a place, marked with its time, else how to go on."""

import re
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from layers.stickers import SeenSticker, marked
from mapservice.errors import problem_of
from mapservice.place_answers import page_answer, page_links, path_of, place_data, place_page
from mapservice.place_copies import Copy, PlaceCopies
from mapservice.responses import Answer, send
from mapservice.scanned import TOO_LONG, said_of, secrets_at_hand
from mapservice.settings import HttpSettings
from postgis import codes
from web import lookup_missing
from web.render import VIETNAM
from web.sticker_words import StickerWords

RETRY_AFTER_S = 60
_MOST_MERGES = 20
_PATH = re.compile(r"/q(?:/([^/]+?)(\.json)?)?")
_OTHERS = (".svg", ".png", ".jws")


class WhileAway:
    """Answers in place of a failure, for addresses of the look-up."""

    def __init__(self, settings: HttpSettings, data_dir: Path) -> None:
        self._settings, self._data_dir, self._copies = settings, data_dir, PlaceCopies(data_dir)

    def instead(self, request: Request, error: Exception) -> Response | None:
        """The answer instead of a failure; None where that is not for here to answer."""
        if not isinstance(error, (DBAPIError, PoolTimeout)):
            return None
        problem = problem_of(request, error)
        return self.answer(request) if problem is not None and problem.code == "database_away" else None

    def answer(self, request: Request) -> Response | None:
        """The answer without the database; None for an address that is not the look-up's."""
        found = _PATH.fullmatch(request.url.path)
        if found is None or request.method not in ("GET", "HEAD") or request.url.path.endswith(_OTHERS):
            return None
        lang = "en" if request.query_params.get("lang") == "en" else "vi"
        typed = found[1] or request.query_params.get("code", "").strip()
        if not typed:
            page = lookup_missing.ask_page(None, page_links(self._settings, "/q", lang), lang)
            return send(request, _unkept(page_answer(page, lang)))
        data, code = found[2] or "", codes.normalise(typed)
        if code is None:
            return None if data else self._missing(request, "mistyped", typed, lang, 404)
        token = request.query_params.get("t", "")[:TOO_LONG]
        if code != found[1]:
            return _to(code, data, lang, **({"t": token} if token else {}))
        copy = self._copies.get(code)
        if copy is None:
            return None if data else self._missing(request, "away", codes.display(code), lang, 503)
        if copy.found is None:
            return self._no_place(request, code, copy, lang, data)
        came_by = self._duplicate(code, request.query_params.get("from", ""))
        answer = self._data(copy, came_by) if data else self._page(code, copy, came_by, token, lang)
        return send(request, _unkept(answer, copy))

    def _duplicate(self, code: str, came_by: str) -> str | None:
        """The code that led here, if it is a duplicate's."""
        duplicate = codes.normalise(came_by)
        copy = self._copies.get(duplicate) if duplicate else None
        return duplicate if copy is not None and copy.state == "merged" and self._end(copy) == code else None

    def _end(self, copy: Copy) -> str | None:
        """Where the code of a duplicate leads. The copy of one that was merged into another which was merged later is
        not made anew by that: each step is looked up."""
        code = copy.successor
        for _ in range(_MOST_MERGES):
            following = self._copies.get(code) if code else None
            if following is None or following.state != "merged":
                break
            code = following.successor
        return code

    def _data(self, copy: Copy, came_by: str | None) -> Answer:
        assert copy.found is not None
        return place_data(self._settings, copy.found, _relations(copy, came_by), saved_at=copy.saved_at)

    def _page(self, code: str, copy: Copy, came_by: str | None, token: str, lang: str) -> Answer:
        assert copy.found is not None
        printed = self._copies.get(came_by) if came_by else copy
        sticker = self._sticker(came_by or code, printed, token, lang) if token else None
        known = _relations(copy, came_by)
        return place_page(self._settings, copy.found, known, lang, sticker, saved_at=copy.saved_at)

    def _sticker(self, code: str, copy: Copy | None, token: str, lang: str) -> StickerWords:
        """What was last known of a sticker. Of any other nothing is said but that it could not be checked: which keys
        marks were made with, only the register knows.
        """
        parts = marked(secrets_at_hand(self._data_dir), code, token)
        last = copy.stickers.get(parts[0]) if parts and copy else None
        if parts is None or copy is None or last is None:
            return said_of(token, SeenSticker("unchecked"), lang)
        day = copy.saved_at.astimezone(VIETNAM).date()
        return said_of(token, SeenSticker("genuine", parts[0], **last), lang, day)

    def _no_place(self, request: Request, code: str, copy: Copy, lang: str, data: str) -> Response | None:
        if copy.state == "merged" and (end := self._end(copy)):
            token = request.query_params.get("t", "")[:TOO_LONG]
            came_with = {"t": token} if token and not data else {}
            return _to(end, data, lang, **came_with, **{"from": code})
        if data:
            return None
        if copy.state == "unused":
            # It may have been given to a place since.
            return self._missing(request, "away", codes.display(code), lang, 503)
        return self._missing(request, "ended", codes.display(code), lang, 410)

    def _missing(self, request: Request, reason: str, typed: str, lang: str, status: int) -> Response:
        links = page_links(self._settings, f"/q/{quote(typed, safe='')}", lang)
        answer = _unkept(page_answer(lookup_missing.missing_page(reason, typed, None, links, lang), lang, status))
        response = send(request, answer)
        if status == 503:
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response


def _to(code: str, ending: str, lang: str, **query: str) -> Response:
    return RedirectResponse(path_of(code, ending, lang=lang, **query), 307, {"Cache-Control": "no-store"})


def _relations(copy: Copy, came_by: str | None) -> dict[str, str]:
    """As `place_answers.relations` says."""
    return copy.known | ({"merged_from": came_by} if came_by else {})


def _unkept(answer: Answer, copy: Copy | None = None) -> Answer:
    """The answer, which nobody is to keep; one from a copy says so to machines too (RFC 7234, 5.5.1)."""
    stale = {"Warning": f'110 - "saved {copy.saved_at:%Y-%m-%dT%H:%M:%SZ}"'} if copy else {}
    return Answer(answer.body, answer.media_type, {**answer.headers, **stale}, status=answer.status, cache="no-store")
