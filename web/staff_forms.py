"""Forms of the staff screens, made from the list of writable fields: what each input shows, how it is worded, what is
wrong with it, and where a colleague has written something else meanwhile.

Plain data in: a field is anything with the attributes of `Field`. What an officer typed is always shown again as typed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from web import labels
from web.field_errors import error_words
from web.field_values import degrees, input_text, value_words
from web.render import VIETNAM, format_date

LONG = frozenset({"official_words", "instruction", "offering", "status_reason", "evidence", "legal_basis", "topic"})
"""Fields for more than a line."""
SCHEMES = ("VSIC2025",)
NO_CHOICE = ""


class Field(Protocol):
    """What a form needs to know about a field."""

    @property
    def name(self) -> str:
        """The wire name."""

    @property
    def kind(self) -> str:
        """text, date, integer, number, boolean, reference, point or shape."""

    @property
    def required(self) -> bool:
        """Whether it may not be empty."""

    @property
    def code_list(self) -> str | None:
        """The code list that it takes its values from."""

    @property
    def codes(self) -> Sequence[str]:
        """Those values."""


class Wrong(Protocol):
    """What is wrong with a field."""

    @property
    def field(self) -> str:
        """The wire name."""

    @property
    def code(self) -> str:
        """The key of the words."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What fills the words."""


@dataclass(frozen=True)
class Clash:
    """A field that a colleague and the officer both changed: both values in words."""

    mine: str
    theirs: str


@dataclass(frozen=True)
class Input:
    """One input with its label. `widget` names the macro in templates/staff/parts/form.html."""

    name: str
    title: str
    widget: str
    text: str = ""
    required: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    errors: Sequence[str] = ()
    clash: Clash | None = None
    theirs_only: str = ""
    """What a colleague wrote into a field that the officer left alone."""


@dataclass(frozen=True)
class State:
    """How a form stands after it was sent and not accepted: what was typed, what is wrong, what changed meanwhile."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Wrong] = ()
    clashes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Field: (mine, theirs), wire values."""
    theirs: Mapping[str, Any] = field(default_factory=dict)
    """Fields that only the colleague changed, with the value now."""
    changed_by: Mapping[str, Any] | None = None
    """Who changed it meanwhile: `actor_name`, `at`, `reason`."""


@dataclass(frozen=True)
class FormView:
    """A whole form."""

    collection: str
    inputs: Mapping[str, Input]
    version: int | None
    seen: str
    """The values that the form was made from, as JSON: what is not typed anew is not changed."""
    state: State | None
    problems: Sequence[str]
    """Every error in words, for the summary above the form."""
    conflict: Sequence[str] = ()
    """Who changed the record meanwhile, and what to do now."""


def form_view(
    collection: str,
    fields: Sequence[Field],
    values: Mapping[str, Any],
    lang: str,
    *,
    version: int | None = None,
    state: State | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
) -> FormView:
    """The form of a record with `values` by wire names; `options` gives the choices of references, code to words."""
    inputs: dict[str, Input] = {}
    for each in fields:
        for made in _inputs(collection, each, values.get(each.name), lang, state, (options or {}).get(each.name)):
            inputs[made.name] = made
    for name in ("reason", "evidence", "legal_basis"):
        inputs[name] = _plain_input(collection, name, lang, state)
    errors = state.errors if state else ()
    return FormView(
        collection,
        inputs,
        version,
        json.dumps({each.name: values.get(each.name) for each in fields}, default=_json, ensure_ascii=False),
        state,
        [error_words(collection, error.field, error.code, error.values, lang) for error in errors],
        conflict_words(state, lang) if state else (),
    )


def conflict_words(state: State, lang: str) -> list[str]:
    """Who saved meanwhile, when and why, and what to do; nothing where there is no conflict."""
    who = state.changed_by
    if not (state.clashes or state.theirs or who):
        return []
    said = labels.text("register.conflict.who_unknown", lang)
    if who is not None:
        at = who["at"].astimezone(VIETNAM)
        said = labels.text(
            "register.conflict.who",
            lang,
            name=who["actor_name"] or labels.text("register.history.system", lang),
            time=f"{at:%H:%M}",
            date=format_date(at),
            reason=who["reason"] or labels.text("register.unknown", lang),
        )
    return [said, labels.text(f"register.conflict.{'choose' if state.clashes else 'no_clash'}", lang)]


def _inputs(
    collection: str,
    each: Field,
    value: Any,
    lang: str,
    state: State | None,
    options: Mapping[str, str] | None,
) -> list[Input]:
    if each.kind == "point":
        return _position_inputs(collection, each, value, lang, state)
    if each.kind in ("shape",) or each.name == "establishment":
        return []
    widget, choices = _widget(collection, each, value, lang, options)
    text = input_text(each.kind, value, lang)
    if state is not None and each.name in state.typed:
        text = state.typed[each.name]
    return [
        Input(
            each.name,
            labels.field_title(collection, each.name, lang),
            widget,
            text,
            each.required,
            choices,
            _hint(collection, each.name, lang),
            _errors(collection, each.name, lang, state),
            **_others(each, lang, state, options),
        )
    ]


def _widget(
    collection: str, each: Field, value: Any, lang: str, options: Mapping[str, str] | None
) -> tuple[str, Mapping[str, str]]:
    none = {NO_CHOICE: labels.text("register.form.choose" if each.required else "register.unknown", lang)}
    if each.kind == "boolean":
        if each.name == "outside_accepted":
            return "tick", {}
        return "select", {**none, "true": labels.text("register.yes", lang), "false": labels.text("register.no", lang)}
    known: Mapping[str, str] | None = options
    if each.code_list:
        words = labels.code_list(each.code_list, lang)
        known = {code: words[code] for code in each.codes}
    elif collection == "establishments" and each.name == "kind":
        known = labels.code_list("kind", lang)
    elif each.name == "sector_scheme":
        known = {scheme: scheme for scheme in SCHEMES}
    if known is not None:
        if value is not None and value not in known:
            known = {**known, str(value): str(value)}
        return "select", {**none, **known}
    if each.kind == "date":
        return "date", {}
    if each.kind in ("number", "integer"):
        return "number", {}
    return ("long" if each.name in LONG else "text"), {}


def _position_inputs(collection: str, each: Field, value: Any, lang: str, state: State | None) -> list[Input]:
    """Latitude and longitude as two numbers: the position without a map."""
    made = []
    coordinates = value["coordinates"] if value else (None, None)
    errors = _errors(collection, each.name, lang, state)
    longitude = state is not None and _only_longitude_is_wrong(state.typed)
    for name, number in (("lat", coordinates[1]), ("lon", coordinates[0])):
        text = "" if number is None else degrees(number, lang)
        if state is not None and name in state.typed:
            text = state.typed[name]
        extra = _others(each, lang, state, None) if name == "lat" else {}
        title = labels.field_title(collection, name, lang)
        shown = errors if (name == "lon") == longitude else ()
        hint = _hint(collection, name, lang)
        made.append(Input(name, title, "number", text, each.required, {}, hint, shown, **extra))
    return made


def _only_longitude_is_wrong(typed: Mapping[str, str]) -> bool:
    """Which of the two inputs an error of the position stands at."""

    def good(name: str, most: int) -> bool:
        try:
            return abs(float(typed.get(name, "").replace(",", "."))) <= most
        except ValueError:
            return False

    lat, lon = (typed.get(name, "").strip() for name in ("lat", "lon"))
    return not good("lon", 180) and (good("lat", 90) or (not lat and bool(lon)))


def _plain_input(collection: str, name: str, lang: str, state: State | None) -> Input:
    typed = state.typed.get(name, "") if state else ""
    title, hint = labels.field_title(collection, name, lang), _hint(collection, name, lang)
    widget = "text" if name == "reason" else "long"
    return Input(name, title, widget, typed, name == "reason", {}, hint, _errors(collection, name, lang, state))


def _errors(collection: str, name: str, lang: str, state: State | None) -> list[str]:
    found = state.errors if state else ()
    return [error_words(collection, name, each.code, each.values, lang) for each in found if each.field == name]


def _others(each: Field, lang: str, state: State | None, options: Mapping[str, str] | None) -> dict[str, Any]:
    if state is None:
        return {}
    if each.name in state.clashes:
        mine, theirs = (
            value_words(each.kind, each.code_list, value, lang, options) for value in state.clashes[each.name]
        )
        return {"clash": Clash(mine, theirs)}
    if each.name in state.theirs:
        return {"theirs_only": value_words(each.kind, each.code_list, state.theirs[each.name], lang, options)}
    return {}


def _hint(collection: str, name: str, lang: str) -> str:
    for key in (f"register.hints.{collection}.{name}", f"register.hints.shared.{name}"):
        try:
            return labels.text(key, lang)
        except labels.MissingLabelError:
            continue
    return ""


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else float(value)
