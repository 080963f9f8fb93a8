"""What is done with a request before the application sees it.

Refused are addresses and headers without bounds, and what is no HTTP at all: uvicorn's httptools protocol keeps adding
to the address for as long as one is sent, and answers in plain text. Answered is what stands ready, byte for byte: the
rest of the way costs several times as much as the answer itself.
"""

import json
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web import labels

if TYPE_CHECKING:
    from mapservice.kept_answers import KeptAnswers

KEPT_ANSWERS = "kept_answers"
"""Under this name the application's lifespan hands over the answers that stand ready."""
WRITTEN_TOGETHER = 64 * 1024
"""Bytes up to which a copy costs less than a second write."""
_MORE_THAN_A_LOOK = {b"content-length", b"transfer-encoding", b"expect", b"upgrade"}

MAX_ADDRESS_BYTES = 64 * 1024
"""Well above what `middleware.MAX_ADDRESS_BYTES` lets pass: there the refusal can be in the asker's language."""
MAX_HEADER_BYTES = 64 * 1024


class TooLong(Exception):
    """The address or the headers are longer than any honest request's."""


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 with bounded addresses and headers, and refusals as problem+json."""

    header_bytes = 0
    plain = True
    """Whether nothing but an address is sent, with no body and no wish for another protocol."""
    answered = False

    def on_message_begin(self) -> None:
        """A new request: nothing counted yet. What the application is told of it is made when it must be asked."""
        self.url = b""
        self.headers = []
        self.header_bytes = 0
        self.plain = True
        self.answered = False

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        super().on_url(url)
        if len(self.url) > MAX_ADDRESS_BYTES:
            raise TooLong

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        self.header_bytes += len(name) + len(value)
        if self.header_bytes > MAX_HEADER_BYTES:
            raise TooLong
        name = name.lower()
        if name in _MORE_THAN_A_LOOK:
            self.plain = False
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The request is known but for its body: answered here where its answer stands ready."""
        if self.plain and self._answer_at_once():
            self.answered = True
            self.on_response_complete()
            return
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Nothing more belongs to the request."""
        if not self.answered:
            super().on_message_complete()

    def _answer_at_once(self) -> bool:
        kept: KeptAnswers | None = self.app_state.get(KEPT_ANSWERS)
        if kept is None or self.flow.write_paused or self.pipeline:
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False  # its turn has not come
        found = kept.find(self.url, self.headers, self.scheme if self.scheme != "http" else None)
        if found is None:
            return False
        parser, method = self.parser, self.parser.get_method()
        if method not in (b"GET", b"HEAD") or not parser.should_keep_alive() or parser.get_http_version() != "1.1":
            return False
        status, head, body = found
        lines = [head, b"x-request-id: ", kept.request_id(), b"\r\n"]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n")
        if method == b"HEAD":
            body = b""
        if len(body) <= WRITTEN_TOGETHER:
            lines.append(body)
        self.transport.write(b"".join(lines))
        if len(body) > WRITTEN_TOGETHER:
            self.transport.write(body)
        if method == b"GET" and self.url.startswith(b"/q/"):
            kept.looked_up(self.url, status)
        return True

    def send_400_response(self, msg: str) -> None:
        """Refuses what cannot be parsed, and closes; the language of whoever sent it is not known."""
        del msg
        too_long = len(self.__dict__.get("url", b"")) > MAX_ADDRESS_BYTES
        code, status = ("address_too_long", "414 URI Too Long") if too_long else ("invalid_request", "400 Bad Request")
        body = json.dumps(
            {
                "type": f"urn:mapservice:problem:{code}",
                "title": labels.text(f"problems.{code}.title", "vi"),
                "status": int(status[:3]),
                "detail": labels.text(f"problems.{code}.detail", "vi", most=MAX_ADDRESS_BYTES),
            },
            ensure_ascii=False,
        ).encode()
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
