"""What the look-up answers while the database is away: the copy of a place, marked with its time, else how to go on."""

import re
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mapservice.errors import problem_of
from mapservice.place_answers import page_answer, page_links, path_of, place_data, place_page
from mapservice.place_copies import Copy, PlaceCopies
from mapservice.responses import Answer, send
from mapservice.scanned import TOO_LONG
from mapservice.settings import HttpSettings
from postgis import codes
from web import lookup_missing
from web.sticker_words import sticker_words

RETRY_AFTER_S = 60
_PATH = re.compile(r"/q(?:/([^/]+?)(\.json)?)?")
_OTHERS = (".svg", ".png", ".jws")


class WhileAway:
    """Answers in place of a failure, for addresses of the look-up."""

    def __init__(self, settings: HttpSettings, copies: PlaceCopies) -> None:
        self._settings, self._copies = settings, copies

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
        if code != found[1]:
            return _to(code, data, lang)
        copy = self._copies.get(code)
        if copy is None:
            return None if data else self._missing(request, "away", codes.display(code), lang, 503)
        if copy.found is None:
            return self._no_place(request, code, copy, lang, data)
        return send(request, self._copied(copy, lang, request.query_params.get("t"), data=bool(data)))

    def _copied(self, copy: Copy, lang: str, token: str | None, *, data: bool) -> Answer:
        assert copy.found is not None
        if data:
            return _unkept(place_data(self._settings, copy.found, copy.known, saved_at=copy.saved_at), copy)
        # Which stickers there are, and what became of each, only the register knows.
        sticker = sticker_words(token[:TOO_LONG], "unchecked", None, None, None, lang) if token else None
        page = place_page(self._settings, copy.found, copy.known, lang, sticker, saved_at=copy.saved_at)
        return _unkept(page, copy)

    def _no_place(self, request: Request, code: str, copy: Copy, lang: str, data: str) -> Response | None:
        if copy.state == "merged" and copy.successor:
            return _to(copy.successor, data, lang)
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


def _to(code: str, ending: str, lang: str) -> Response:
    return RedirectResponse(path_of(code, ending, lang=lang), 307, {"Cache-Control": "no-store"})


def _unkept(answer: Answer, copy: Copy | None = None) -> Answer:
    """The answer, which nobody is to keep; one from a copy says so to machines too (RFC 7234, 5.5.1)."""
    stale = {"Warning": f'110 - "saved {copy.saved_at:%Y-%m-%dT%H:%M:%SZ}"'} if copy else {}
    return Answer(answer.body, answer.media_type, {**answer.headers, **stale}, status=answer.status, cache="no-store")
