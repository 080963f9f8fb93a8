"""CQL2 text in, CQL2 JSON out (OGC 21-065r2, annex B), in time that grows with the text alone.

Not the `cql2` package, which the tests compare this with: it tries every reading of a bracket again inside the next, so
that 40 brackets that nobody closes keep it busy for years, and some thousands overflow its stack and end the process.
The grammar here is one of expressions; which kinds go with which operator is checked where SQL is made of them.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from layers.cql2.limits import MAX_DEPTH
from layers.errors import InvalidFilter

_TOKEN = re.compile(
    r"""\s*+(?:
      (?P<string>'(?:\\'|''|[^'])*+')
    | (?P<quoted>"(?:""|[^"])*+")
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
    | (?P<name>(?:[^\W\d]|:)[\w.:]*+)
    | (?P<sign><>|<=|>=|[=<>+\-*/%^(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_GEOMETRIES = (
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"
)  # fmt: skip
_RESERVED = ("AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "DIV")
_SPELLED = {
    name.lower(): name for name in ("a_containedBy", "t_finishedBy", "t_metBy", "t_overlappedBy", "t_startedBy")
}
"""Names that CQL2 JSON writes with a capital inside."""
_LONGEST_NUMBER = 40
_NEAR = 20

Json = Any


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword that it is, where it is one: in capitals."""
        return self.text.upper() if self.kind == "name" else ""


def read_text(text: str) -> Json:
    """The expression as CQL2 JSON. Raises InvalidFilter with the place where it goes wrong."""
    return _Reader(text).whole()


class _Reader:
    """Recursive descent; `depth` counts what brackets, NOT and signs have opened."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.place, self.depth = 0, 0

    def whole(self) -> Json:
        found = self.alternatives()
        if self.now.kind != "end":
            raise self.wrong()
        return found

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def take(self, *signs: str) -> str | None:
        """The sign or keyword that stands here, if it is one of these; goes on behind it."""
        token = self.now
        found = token.text if token.kind == "sign" else token.word
        if found in signs:
            self.place += 1
            return found
        return None

    def need(self, sign: str) -> None:
        if self.take(sign) is None:
            raise self.wrong()

    def wrong(self) -> InvalidFilter:
        return _wrong(self.text, self.now.start)

    def nested(self, read: Callable[[], Json]) -> Json:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidFilter("filter_too_deep", most=MAX_DEPTH)
        found = read()
        self.depth -= 1
        return found

    def alternatives(self) -> Json:
        return self.chain("OR", self.conjunction)

    def conjunction(self) -> Json:
        return self.chain("AND", self.negation)

    def chain(self, word: str, read: Callable[[], Json]) -> Json:
        parts = [read()]
        while self.take(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else {"op": word.lower(), "args": parts}

    def negation(self) -> Json:
        if self.take("NOT"):
            return {"op": "not", "args": [self.nested(self.negation)]}
        return self.predicate()

    def predicate(self) -> Json:
        left = self.sum()
        sign = self.take(*_COMPARISONS)
        if sign:
            return {"op": sign, "args": [left, self.sum()]}
        if self.take("IS"):
            turned = self.take("NOT")
            self.need("NULL")
            return _turned(turned, {"op": "isNull", "args": [left]})
        turned = self.take("NOT")
        if self.take("LIKE"):
            return _turned(turned, {"op": "like", "args": [left, self.sum()]})
        if self.take("BETWEEN"):
            low = self.sum()
            self.need("AND")
            return _turned(turned, {"op": "between", "args": [left, low, self.sum()]})
        if self.take("IN"):
            self.need("(")
            return _turned(turned, {"op": "in", "args": [left, self.nested(self.rest_of_list)]})
        if turned:
            raise self.wrong()
        return left

    def sum(self) -> Json:
        return self.left_to_right(("+", "-"), self.product)

    def product(self) -> Json:
        return self.left_to_right(("*", "/", "%", "DIV"), self.power)

    def left_to_right(self, signs: tuple[str, ...], read: Callable[[], Json]) -> Json:
        found = read()
        while sign := self.take(*signs):
            found = {"op": sign.lower(), "args": [found, read()]}
        return found

    def power(self) -> Json:
        return self.left_to_right(("^",), self.signed)

    def signed(self) -> Json:
        if not self.take("-"):
            return self.primary()
        if self.now.kind == "number":
            return -self.primary()
        return {"op": "*", "args": [-1, self.nested(self.signed)]}

    def primary(self) -> Json:
        token = self.now
        if token.kind == "string":
            self.place += 1
            return token.text[1:-1].replace("\\'", "'").replace("''", "'")
        if token.kind == "number":
            self.place += 1
            return _number(token, self.text)
        if token.kind == "quoted":
            self.place += 1
            return {"property": token.text[1:-1].replace('""', '"')}
        if self.take("("):
            # A list with one element looks like a bracket: `a_contains` takes both for one.
            found = self.nested(self.rest_of_list)
            return found[0] if len(found) == 1 else found
        if token.kind != "name" or token.word in _RESERVED:
            raise self.wrong()
        return self.named()

    def rest_of_list(self) -> list[Json]:
        found: list[Json] = []
        if self.take(")"):
            return found
        found.append(self.alternatives())
        while self.take(","):
            found.append(self.alternatives())
        self.need(")")
        return found

    def named(self) -> Json:
        token = self.now
        following = self.tokens[self.place + 1]
        if token.word in _GEOMETRIES and (following.text == "(" or following.word in ("Z", "EMPTY")):
            return self.geometry()
        self.place += 1
        if token.word in ("TRUE", "FALSE"):
            return token.word == "TRUE"
        if not self.take("("):
            return {"property": token.text}
        args = self.nested(self.rest_of_list)
        if token.word in ("DATE", "TIMESTAMP"):
            if len(args) != 1 or not isinstance(args[0], str):
                raise _wrong(self.text, token.start)
            return {token.text.lower(): args[0]}
        if token.word in ("INTERVAL", "BBOX"):
            return {token.text.lower(): args}
        name = token.text.lower()
        return {"op": _SPELLED.get(name, name), "args": args}

    def geometry(self) -> Json:
        """Well-known text up to its last bracket, as GeoJSON."""
        from layers.cql2.space import from_wkt

        first, open_brackets = self.now, 0
        while self.now.kind != "end":
            token = self.now
            if token.kind not in ("number", "name") and token.text not in ("(", ")", ",", "-"):
                raise self.wrong()
            open_brackets += {"(": 1, ")": -1}.get(token.text, 0)
            if open_brackets + self.depth > MAX_DEPTH:
                raise InvalidFilter("filter_too_deep", most=MAX_DEPTH)
            self.place += 1
            if open_brackets == 0 and (token.text == ")" or token.word == "EMPTY"):
                return from_wkt(self.text[first.start : token.end])
        raise self.wrong()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _wrong(text, place)
        kind = match.lastgroup
        found.append(_Token(kind, match[kind], match.start(kind), match.end()))
        place = match.end()
    return found


def _turned(turned: str | None, predicate: Json) -> Json:
    return {"op": "not", "args": [predicate]} if turned else predicate


def _number(token: _Token, text: str) -> int | float:
    if len(token.text) > _LONGEST_NUMBER:
        raise _wrong(text, token.start)
    return int(token.text) if token.text.isdigit() else float(token.text)


def _wrong(text: str, place: int) -> InvalidFilter:
    near = text[place : place + _NEAR].strip()
    if not near:
        return InvalidFilter("filter_unfinished")
    return InvalidFilter("filter_syntax", near=near, position=place + 1)
