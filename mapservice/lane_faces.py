"""Which of the faces of a negotiated address somebody is shown: anybody's JSON, in a language, under a base address."""

from collections.abc import Mapping
from dataclasses import dataclass

from mapservice.asker import COOKIE
from mapservice.language import preferred

_MOST_MEMOS = 512
_MOST_HOST = 255
_JSON = {"*/*", "application/*", "application/json", "application/geo+json", ""}
_COOKIE = COOKIE.encode()


@dataclass(frozen=True, slots=True)
class Face:
    """What besides the address decides an answer to anybody."""

    lang: str
    """As Accept-Language has it; the address may say otherwise."""
    base: str
    key: bytes
    """Tells the answers of one address apart."""


class Faces:
    """The faces that were asked for lately; there are few."""

    def __init__(self, public_url: str | None) -> None:
        self._public_url = public_url
        self._known: dict[tuple[bytes, bytes, bytes, str], Face | None] = {}

    def face(self, headers: Mapping[bytes, bytes], scheme: str) -> Face | None:
        """None: the asker may be somebody, or wants another format, or it takes more than a look to tell."""
        if b"authorization" in headers or _COOKIE in headers.get(b"cookie", b""):
            return None
        host = b"" if self._public_url else headers.get(b"host", b"")
        asked = (headers.get(b"accept", b""), headers.get(b"accept-language", b""), host, scheme)
        if asked not in self._known:
            if len(self._known) >= _MOST_MEMOS:
                self._known.clear()
            self._known[asked] = self._face(*asked)
        return self._known[asked]

    def _face(self, accept: bytes, accept_language: bytes, host: bytes, scheme: str) -> Face | None:
        wanted = {part.partition(";")[0].strip().lower() for part in accept.decode("latin-1").split(",")}
        if not wanted <= _JSON:
            return None
        base = self._public_url
        if base is None:
            if not host or len(host) > _MOST_HOST or not host.isascii() or not _is_host(host.decode()):
                return None
            base = f"{scheme}://{host.decode()}"
        lang = preferred(accept_language.decode("latin-1"))
        return Face(lang, base, f"\n{lang} {base}".encode())


def _is_host(text: str) -> bool:
    return all(letter.isalnum() or letter in ".-:[]_" for letter in text)
