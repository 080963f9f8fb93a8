"""Refusals of a write that say more than a title: each wrong field, or the record as it is now."""

from collections.abc import Mapping, Sequence
from typing import Any

from mapservice.errors import Problem
from postgis.errors import FieldError
from web.field_errors import error_words

OUTSIDE_PROPERTIES = frozenset({"geometry", "reason", "evidence", "legal_basis"})
"""Members of the body beside a feature's properties."""
LONGEST_NAME = 80


class FieldsRefused(Problem):
    """422 with `errors[]`: a JSON pointer into the body, the code, and words about the field.

    `arguments`: members of the body by the fields that they fill, where the body is no feature.
    """

    def __init__(
        self, collection: str, errors: Sequence[FieldError], *, arguments: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("invalid_fields")
        self.collection, self.errors, self.arguments = collection, tuple(errors), arguments

    def members(self, lang: str) -> dict[str, Any]:
        """`errors`, one for each field."""
        return {"errors": [self._error(error, lang) for error in self.errors]}

    def _error(self, error: FieldError, lang: str) -> dict[str, str]:
        name = error.field
        inside = "" if self.arguments is not None or name in OUTSIDE_PROPERTIES else "/properties"
        path = _escaped((self.arguments or {}).get(name, name))
        outer, dot, inner = name.partition(".")
        if dot and outer in (self.arguments or {}):
            path = f"{_escaped(outer)}/{_escaped(inner)}"
        return {
            "pointer": f"{inside}/{path}",
            "code": error.code,
            "detail": error_words(self.collection, error.field, error.code, error.values, lang),
        }


class StaleRecord(Problem):
    """412 with the record as it is now, for whoever wants to see what has changed, and its ETag."""

    def __init__(self, current: Any, etag: str) -> None:
        super().__init__("stale")
        self.current, self.etag = current, etag

    def members(self, lang: str) -> dict[str, Any]:
        """`current`: the feature."""
        del lang
        return {"current": self.current}

    def headers(self) -> dict[str, str]:
        """The ETag to name next time."""
        return {"ETag": f'"{self.etag}"'}


class NotWritable(Problem):
    """405: the collection is there to be read."""

    def __init__(self, method: str) -> None:
        super().__init__("method_not_allowed", method=method)

    def headers(self) -> dict[str, str]:
        """What is allowed instead."""
        return {"Allow": "GET, HEAD, OPTIONS"}


def _escaped(name: str) -> str:
    """A member's name inside a JSON pointer (RFC 6901). It may be half a letter, which no answer can carry."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:LONGEST_NAME])
    return plain.replace("~", "~0").replace("/", "~1")
