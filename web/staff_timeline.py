"""The history of a record in words: who changed what, when and why, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from web import labels
from web.field_errors import title_or_name
from web.field_values import value_words
from web.render import VIETNAM, format_ago, format_date
from web.staff_forms import Field

MOST_LINES = 30
_OF_ACCOUNTS = frozenset({"accounts", "tokens"})
_KINDS = {
    "geometry": "point",
    **dict.fromkeys(("password_set_at", "disabled_at", "expires_at", "revoked_at"), "moment"),
}
_CODE_LISTS = {"role": "staff_role", "scope": "token_scope"}
"""Of fields that no form of a record holds."""
_LONGEST = 160


class FieldChange(Protocol):
    """One field as it was and as it became."""

    @property
    def field(self) -> str:
        """The wire name."""

    @property
    def before(self) -> Any:
        """The value before."""

    @property
    def after(self) -> Any:
        """The value after."""


class Change(Protocol):
    """One change, as `layers.history` reads it."""

    @property
    def seq(self) -> int:
        """Its number in the whole history."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def collection(self) -> str:
        """What kind of record."""

    @property
    def record_code(self) -> str:
        """Which record."""

    @property
    def kind(self) -> str:
        """insert, update, end, restore or delete."""

    @property
    def actor_name(self) -> str | None:
        """Who."""

    @property
    def reason(self) -> str | None:
        """Why."""

    @property
    def source(self) -> str | None:
        """From where."""

    @property
    def fields(self) -> Sequence[FieldChange]:
        """What changed."""


@dataclass(frozen=True)
class Line:
    """A field's change in words."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Moment:
    """One change in words."""

    seq: int
    day: str
    clock: str
    ago: str
    who: str
    what: str
    reason: str
    source: str
    new: bool
    lines: Sequence[Line]
    place_code: str = ""
    """The place it belongs to, where the page is about many."""
    place: str = ""


def timeline_view(
    changes: Sequence[Change], fields: Mapping[str, Sequence[Field]], lang: str, today: date | None = None
) -> list[Moment]:
    """The changes in words; `fields` gives the writable fields of each collection, for kinds and code lists."""
    known = {name: {each.name: each for each in found} for name, found in fields.items()}
    return [_moment(change, known.get(change.collection, {}), lang, today) for change in changes]


def _moment(change: Change, known: Mapping[str, Field], lang: str, today: date | None) -> Moment:
    at = change.at.astimezone(VIETNAM)
    kind = labels.code_label("change_kind", change.kind, lang)
    # Accounts change without a person only at the command line.
    nobody = "operator" if change.collection in _OF_ACCOUNTS else "system"
    return Moment(
        change.seq,
        format_date(at),
        f"{at:%H:%M}",
        format_ago(at, lang, today),
        change.actor_name or labels.text(f"register.history.{nobody}", lang),
        f"{kind}: {_collection(change.collection, lang)}",
        change.reason or "",
        _source(change.source, lang),
        change.kind == "insert",
        [_line(change.collection, each, known.get(each.field), lang) for each in change.fields[:MOST_LINES]],
    )


def _line(collection: str, change: FieldChange, known: Field | None, lang: str) -> Line:
    kind = known.kind if known else _KINDS.get(change.field, "text")
    code_list = known.code_list if known else _CODE_LISTS.get(change.field)
    title = title_or_name(collection, change.field, lang)
    return Line(title, *(_words(kind, code_list, value, lang) for value in (change.before, change.after)))


def _words(kind: str, code_list: str | None, value: Any, lang: str) -> str:
    if isinstance(value, bool):
        kind = "boolean"
    if isinstance(value, Mapping) and not (kind == "point" and value.get("coordinates")):
        return labels.text("register.history.shape", lang)
    words = value_words(kind, code_list, value, lang)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _collection(collection: str, lang: str) -> str:
    try:
        return labels.text(f"register.things.{collection}", lang)
    except labels.MissingLabelError:
        return collection


def _source(source: str | None, lang: str) -> str:
    return labels.code_list("source", lang).get(source or "", source or "")
