"""CQL2 JSON in, a condition of SQL out. What the filter says is only ever a value: names come from the registry.

Unknown stays unknown: a null in a comparison is neither true nor false, and only what is true is found (CQL2, 6.2).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Numeric,
    Text,
    and_,
    any_,
    cast,
    collate,
    func,
    literal,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import array

from layers.cql2 import space, time
from layers.cql2.limits import MAX_DEPTH, MAX_NODES, MAX_TEXT, MAX_VERTICES, MAX_WILDCARDS
from layers.cql2.operands import Context, Operand, alike, day, moment, property_of, scalar
from layers.errors import InvalidFilter

COLLATION = "vi-x-icu"
"""The order of texts: Vietnamese, as lists are sorted. Equal are only texts with the same letters."""
_ORDERED = ("string", "number", "date", "timestamp")
_FULL_WIDTH = str.maketrans({"∖": r"\\", "﹨": r"\\", "＼": r"\\", "﹪": r"\%", "％": r"\%", "＿": r"\_"})
"""Letters that unaccent makes signs of a pattern from."""

Args = list[Any]


def condition(context: Context, expression: object) -> ColumnElement[bool]:
    """The condition. Raises InvalidFilter with what is wrong."""
    return _Maker(context).truth(expression, 0)


class _Maker:
    """Walks an expression once, counting what it costs."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.nodes, self.vertices = 0, 0
        self.only_true = True
        """Whether false and unknown are the same here: nothing above but AND and OR."""

    def truth(self, expression: object, depth: int) -> ColumnElement[bool]:
        return self.of_kind("boolean", "filter", self.operand(expression, depth)).sql

    def operand(self, expression: object, depth: int) -> Operand:
        """Any expression, with its kind."""
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise InvalidFilter("filter_too_deep", most=MAX_DEPTH)
        if self.nodes > MAX_NODES:
            raise InvalidFilter("filter_too_large", most=MAX_NODES)
        if isinstance(expression, list):
            return self.array(expression, depth)
        if not isinstance(expression, Mapping):
            return scalar(expression)
        if "op" in expression:
            return self.operation(expression, depth)
        return self.literal(expression)

    def literal(self, expression: Mapping[str, Any]) -> Operand:
        if len(expression) == 1:
            ((name, value),) = expression.items()
            makers: Mapping[str, Callable[[], Operand]] = {
                "property": lambda: property_of(self.context, value),
                "date": lambda: day(value),
                "timestamp": lambda: moment(value),
                "interval": lambda: time.interval(self.context, value),
                "bbox": lambda: space.box(self.context, value),
            }
            if name in makers:
                return self.counted(makers[name]())
        if "type" in expression:
            return self.counted(space.geometry(self.context, expression))
        raise InvalidFilter("filter_operation", operation=", ".join(map(str, expression)))

    def counted(self, operand: Operand) -> Operand:
        self.vertices += operand.vertices
        if self.vertices > MAX_VERTICES:
            raise InvalidFilter("filter_too_large", most=MAX_VERTICES)
        return operand

    def operation(self, expression: Mapping[str, Any], depth: int) -> Operand:
        name, args = expression["op"], expression.get("args")
        key = name.lower() if isinstance(name, str) else ""
        make = _OPERATIONS.get(key)
        if make is None or set(expression) != {"op", "args"}:
            raise InvalidFilter("filter_operation", operation=name)
        least, most = _COUNTS.get(key, (2, 2))
        if not isinstance(args, list) or not least <= len(args) <= most:
            raise InvalidFilter("filter_arguments", operation=name.upper(), count=least)
        above, self.only_true = self.only_true, self.only_true and key in ("and", "or", "like")
        made = make(self, key, args, depth + 1)
        self.only_true = above
        return made

    def of_kind(self, kind: str, name: str, operand: Operand) -> Operand:
        if operand.kind != kind:
            raise InvalidFilter("filter_operand", operation=name.upper(), expected=kind, given=operand.kind)
        return operand

    def array(self, elements: Args, depth: int) -> Operand:
        """Texts only, as all lists of the register are."""
        found = [self.of_kind("string", "ARRAY", self.operand(element, depth + 1)) for element in elements]
        if all(isinstance(element.value, str) for element in found):
            return Operand("array", cast([element.value for element in found], ARRAY(Text)), elements)
        return Operand("array", array([element.sql for element in found]), elements)

    def combine(self, key: str, args: Args, depth: int) -> Operand:
        parts = [self.of_kind("boolean", key, self.operand(arg, depth)).sql for arg in args]
        return Operand("boolean", and_(*parts) if key == "and" else or_(*parts))

    def negate(self, key: str, args: Args, depth: int) -> Operand:
        return Operand("boolean", not_(self.of_kind("boolean", key, self.operand(args[0], depth)).sql))

    def compare(self, key: str, args: Args, depth: int) -> Operand:
        left, right = alike(self.operand(args[0], depth), self.operand(args[1], depth))
        if left.kind not in (*_ORDERED, "boolean"):
            raise InvalidFilter("filter_operand", operation=key, expected=", ".join(_ORDERED), given=left.kind)
        return Operand("boolean", _compared(key, left, right))

    def between(self, key: str, args: Args, depth: int) -> Operand:
        value, low, high = (self.operand(arg, depth) for arg in args)
        bounds = [("<=", *alike(low, value)), ("<=", *alike(value, high))]
        for _, one, _ in bounds:
            if one.kind not in _ORDERED:
                raise InvalidFilter("filter_operand", operation=key.upper(), expected="number", given=one.kind)
        return Operand("boolean", and_(*(_compared(sign, one, other) for sign, one, other in bounds)))

    def one_of(self, key: str, args: Args, depth: int) -> Operand:
        value, listed = self.operand(args[0], depth), args[1]
        if not isinstance(listed, list) or not listed:
            raise InvalidFilter("filter_arguments", operation=key.upper(), count=1)
        pairs = [alike(value, self.operand(element, depth)) for element in listed]
        if value.kind in ("array", "geometry", "interval"):
            raise InvalidFilter("filter_operand", operation=key.upper(), expected="string", given=value.kind)
        if value.kind == "string" and all(isinstance(other.value, str) for _, other in pairs):
            # One array for all of them: an index on the column serves it.
            return Operand("boolean", value.sql == any_(cast([other.value for _, other in pairs], ARRAY(Text))))
        return Operand("boolean", or_(*(one.sql == other.sql for one, other in pairs)))

    def is_null(self, _key: str, args: Args, depth: int) -> Operand:
        return Operand("boolean", self.operand(args[0], depth).sql.is_(None))

    def like(self, key: str, args: Args, depth: int) -> Operand:
        text, pattern = self.of_kind("string", key, self.operand(args[0], depth)), self.pattern(args[1], depth)
        found: ColumnElement[bool] = text.sql.like(pattern)
        if self.only_true and self.is_indexed(*map(_unfolded, args)):
            # Whatever the pattern finds meets this too, and an index answers it, in the collation that it has.
            key_pattern = collate(func.published.key_pattern(pattern), "default")
            found = and_(self.context.collection.view.c.search_key.like(key_pattern), found)
        return Operand("boolean", found)

    def is_indexed(self, text: "_Unfolded", pattern: "_Unfolded") -> bool:
        """Whether the text is of a property that stands in the search key, and both are without marks and capitals."""
        name = text.inner.get("property") if isinstance(text.inner, Mapping) else None
        return text.without_marks and pattern.without_marks and name in self.context.collection.indexed

    def pattern(self, expression: object, depth: int) -> ColumnElement[str]:
        """A pattern is written out: only then is its cost known. `%` and `_` are wildcards, but not after `\\`."""
        if isinstance(expression, Mapping) and str(expression.get("op")).lower() in ("casei", "accenti"):
            args = expression.get("args")
            if depth < MAX_DEPTH and isinstance(args, list) and len(args) == 1:
                key = expression["op"].lower()
                inner = self.pattern(args[0], depth + 1)
                return func.published.accent_key(inner) if key == "accenti" else _folded(key, inner)
        value = scalar(expression).value if isinstance(expression, str) else None
        if not isinstance(value, str):
            raise InvalidFilter("filter_operand", operation="LIKE", expected="string", given=str(expression))
        signs = re.sub(r"\\.", "", value, flags=re.DOTALL)
        if signs.endswith("\\") or signs.count("%") + signs.count("_") > MAX_WILDCARDS:
            raise InvalidFilter("filter_value", value=value)
        return literal(value.translate(_FULL_WIDTH), Text())

    def fold(self, key: str, args: Args, depth: int) -> Operand:
        text = self.of_kind("string", key, self.operand(args[0], depth))
        return Operand("string", _folded(key, text.sql))

    def relate(self, key: str, args: Args, depth: int) -> Operand:
        one, other = (self.operand(arg, depth) for arg in args)
        return Operand("boolean", (space if key.startswith("s_") else time).relate(key, one, other))

    def overlay(self, key: str, args: Args, depth: int) -> Operand:
        # A list of one value looks like a bracket in CQL2 text.
        written = [[arg] if isinstance(arg, str) else arg for arg in args]
        one, other = (self.of_kind("array", key, self.operand(arg, depth)).sql for arg in written)
        contains, contained = (one.op(sign, is_comparison=True)(other) for sign in ("@>", "<@"))
        found = {
            "a_contains": contains,
            "a_containedby": contained,
            "a_equals": and_(contains, contained),
            "a_overlaps": one.op("&&", is_comparison=True)(other),
        }
        return Operand("boolean", found[key])

    def calculate(self, key: str, args: Args, depth: int) -> Operand:
        operands = [self.of_kind("number", key, self.operand(arg, depth)) for arg in args]
        left, right = (cast(operand.sql, Numeric) for operand in operands)
        if key in ("/", "%", "div", "^"):
            # What no number can answer is unknown.
            return Operand("number", func.published.calculated(key, left, right, type_=Numeric()))
        return Operand("number", left.op(key, return_type=Numeric())(right))


class _Unfolded(NamedTuple):
    """What stands within CASEI and ACCENTI."""

    inner: object
    without_marks: bool


def _unfolded(expression: object) -> _Unfolded:
    found = []
    while isinstance(expression, Mapping) and str(expression.get("op")).lower() in ("casei", "accenti"):
        found.append(str(expression["op"]).lower())
        expression = expression["args"][0]
    return _Unfolded(expression, "accenti" in found)


def _compared(key: str, left: Operand, right: Operand) -> ColumnElement[bool]:
    one, other = left.sql, right.sql
    if left.kind == "string" and key not in ("=", "<>"):
        one, other = collate(one, COLLATION), collate(other, COLLATION)
    return one.op(key, is_comparison=True)(other)


def _folded(key: str, text: ColumnElement[Any]) -> ColumnElement[str]:
    if key == "casei":
        # With a collation: without, the database's own may know only ASCII.
        return func.lower(collate(text, COLLATION))
    if isinstance(text, BindParameter):
        # Written out: folded once, while the statement is planned.
        return func.published.accent_key(text)
    # The same rule in place: a call for every row takes four times as long. Stored texts need no composing first.
    bare = func.public.unaccent(literal_column("'public.unaccent'::regdictionary"), text)
    return func.lower(bare)


_Make = Callable[[_Maker, str, Args, int], Operand]
_OPERATIONS: Mapping[str, _Make] = {
    **dict.fromkeys(("and", "or"), _Maker.combine),
    "not": _Maker.negate,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), _Maker.compare),
    "between": _Maker.between,
    "in": _Maker.one_of,
    "isnull": _Maker.is_null,
    "like": _Maker.like,
    **dict.fromkeys(("casei", "accenti"), _Maker.fold),
    **dict.fromkeys((*space.RELATIONS, *time.RELATIONS), _Maker.relate),
    **dict.fromkeys(("a_contains", "a_containedby", "a_equals", "a_overlaps"), _Maker.overlay),
    **dict.fromkeys(("+", "-", "*", "/", "%", "div", "^"), _Maker.calculate),
}
_COUNTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("and", "or"), (2, MAX_TEXT)),
    **dict.fromkeys(("not", "isnull", "casei", "accenti"), (1, 1)),
    "between": (3, 3),
}
