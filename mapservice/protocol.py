"""What is refused before there is a request: addresses and headers without bounds, and what is no HTTP at all.

uvicorn's httptools protocol keeps adding to the address for as long as one is sent, and answers in plain text.
"""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web import labels

MAX_ADDRESS_BYTES = 64 * 1024
"""Well above what `middleware.MAX_ADDRESS_BYTES` lets pass: there the refusal can be in the asker's language."""
MAX_HEADER_BYTES = 64 * 1024


class TooLong(Exception):
    """The address or the headers are longer than any honest request's."""


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 with bounded addresses and headers, and refusals as problem+json."""

    header_bytes = 0

    def on_message_begin(self) -> None:
        """A new request: nothing counted yet."""
        super().on_message_begin()
        self.header_bytes = 0

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
        super().on_header(name, value)

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
