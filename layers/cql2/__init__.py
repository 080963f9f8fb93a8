"""Filters in CQL2 (OGC 21-065r2), text and JSON, made into conditions of SQL."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement

from layers.collections import Collection
from layers.cql2.limits import MAX_DEPTH, MAX_TEXT
from layers.cql2.operands import Context
from layers.cql2.predicates import condition
from layers.cql2.text import read_text
from layers.crs import CRS84, Crs
from layers.errors import InvalidFilter

__all__ = ["LANGUAGES", "MAX_TEXT", "Filter", "FilterLanguage", "read"]

FilterLanguage = Literal["cql2-text", "cql2-json"]
LANGUAGES: tuple[str, ...] = get_args(FilterLanguage)


@dataclass(frozen=True, slots=True)
class Filter:
    """A checked filter: CQL2 JSON, always written in the same way, with the CRS of its coordinates."""

    document: str
    crs: Crs = CRS84
    expression: Any = field(compare=False, hash=False, repr=False, default=None)

    def condition(self, collection: Collection) -> ColumnElement[bool]:
        """What a row must fulfil. Raises InvalidFilter where the collection, as it is seen, cannot be asked so."""
        return condition(Context(collection, self.crs), self.expression)


def read(collection: Collection, text: str, language: str = "cql2-text", crs: Crs = CRS84) -> Filter:
    """The filter as it was sent, checked against the collection as the asker may see it. Raises InvalidFilter."""
    if len(text) > MAX_TEXT:
        raise InvalidFilter("filter_too_long", most=MAX_TEXT)
    if "\x00" in text or "\ufffd" in text:
        raise InvalidFilter("invalid_text", name="filter")
    try:
        expression = read_text(text) if language == "cql2-text" else _read_json(text)
        condition(Context(collection, crs), expression)
        return Filter(json.dumps(expression, sort_keys=True, separators=(",", ":")), crs, expression)
    except RecursionError:
        raise InvalidFilter("filter_too_deep", most=MAX_DEPTH) from None


def _read_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        raise InvalidFilter("filter_json") from None
