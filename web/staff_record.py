"""The record page of an establishment: sections in the order in which papers come, each fact with its source, the day
it was checked and how long it may be relied on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from web import labels
from web.assets import asset
from web.field_values import value_words
from web.render import VIETNAM, format_date
from web.staff_forms import Field, FormView, State, form_view
from web.trust import Trust, trust

IDENTITY = (
    "name", "name_en", "legal_form", "sector_group", "kind", "offering", "sector_scheme", "sector_code",
    "opening_hours", "website", "opened_on",
)  # fmt: skip
POSITION = (
    "address", "house_number", "alley", "street_name", "model_site", "stall", "geometry", "position_method",
    "position_accuracy_m", "outside_accepted", "verified_on", "source",
)  # fmt: skip
"""Fields of the main form; the others belong to the life cycle or to sections of their own."""

SECTIONS: Mapping[str, str | None] = {
    "licences": "licence_status",
    "food_safety_records": "food_safety_status",
    "payment_acceptances": "accepts_cashless",
    "digital_uses": "on_digital_platform",
    "inspections": "last_inspection_result",
    "warnings": None,
    "outreach": None,
    "visits": None,
}
"""Sections of dated records after the main form, each with the derived fact that it leads to."""

_FACT_LISTS = {
    "licence_status": "licence_status",
    "food_safety_status": "food_safety_status",
    "accepts_cashless": "yes_no_unknown",
    "on_digital_platform": "yes_no_unknown",
    "last_inspection_result": "inspection_result",
}
_TITLE_FIELDS = {
    "licences": "kind",
    "food_safety_records": "kind",
    "payment_acceptances": "method",
    "digital_uses": "kind",
    "inspections": "result",
    "warnings": "headline",
    "outreach": "kind",
    "visits": "outcome",
}
_CHECKED = {"inspections": "inspected_on", "warnings": "issued_on", "outreach": "done_on", "visits": "visited_on"}
_QUIET = frozenset({"establishment", "source", "checked_on"})


class Entry(Protocol):
    """A dated record, as `layers.record_sheet` reads it."""

    @property
    def code(self) -> str:
        """Its feature id."""

    @property
    def version(self) -> int:
        """Its version."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Its values by wire name."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""

    @property
    def end_reason(self) -> str | None:
        """Why it ended."""

    @property
    def fresh_until(self) -> date | None:
        """The last day on which it may be relied on."""


@dataclass(frozen=True)
class EntryView:
    """One dated record in words, with the form to change it."""

    code: str
    version: int
    title: str
    lines: Sequence[tuple[str, str]]
    trust: Trust
    ended: str
    form: FormView | None
    opened: bool
    ending: bool
    end_form: FormView


@dataclass(frozen=True)
class Section:
    """A section of dated records."""

    collection: str
    title: str
    fact: str
    entries: Sequence[EntryView]
    ended: Sequence[EntryView]
    add: FormView | None
    adding: bool


@dataclass(frozen=True)
class Target:
    """Which form of the page was sent and not accepted: a collection, the record (None: a new one), and how it stands.

    `seen` and `version` stand in place of the record's own after a conflict.
    """

    collection: str
    code: str | None
    state: State
    seen: Mapping[str, Any] | None = None
    version: int | None = None
    ending: bool = False

    def of(self, collection: str, code: str | None) -> bool:
        """Whether it is the form of that record."""
        return (self.collection, self.code) == (collection, code)


@dataclass(frozen=True)
class Rights:
    """What the reader may do here; who may not change may propose."""

    change: bool
    propose: bool
    photo: bool = False


def main_form(
    fields: Sequence[Field],
    values: Mapping[str, Any],
    version: int,
    lang: str,
    target: Target | None,
    options: Mapping[str, Mapping[str, str]],
    code: str,
) -> FormView:
    """The form of the establishment's own fields."""
    own = target if target and target.of("establishments", code) else None
    shown = own.seen if own and own.seen is not None else values
    return form_view(
        "establishments",
        [each for each in fields if each.name in (*IDENTITY, *POSITION)],
        shown,
        lang,
        version=own.version if own and own.version is not None else version,
        state=own.state if own else None,
        options=options,
    )


def section(
    collection: str,
    fields: Sequence[Field],
    entries: Sequence[Entry],
    overview: Mapping[str, Any],
    lang: str,
    target: Target | None,
    *,
    editable: bool,
) -> Section:
    """One section of dated records; `editable` says whether it has forms."""
    views = [_entry_view(collection, fields, entry, lang, target, editable=editable) for entry in entries]
    adding = target is not None and target.of(collection, None)
    start = {"source": "field_survey", **_today_fields(fields)}
    add = form_view(collection, fields, start, lang, state=target.state if adding and target else None)
    return Section(
        collection,
        labels.text(f"register.sections.{collection}", lang),
        _fact(collection, overview, lang),
        [view for view in views if not view.ended],
        [view for view in views if view.ended],
        add if editable else None,
        adding,
    )


def map_data(
    values: Mapping[str, Any], box: Sequence[float] | None, ward: str, lang: str, *, editable: bool
) -> dict[str, Any]:
    """What the browser's modules need for the map of the record."""
    return {
        "lang": lang,
        "ward": ward,
        "bbox": list(box) if box else None,
        "editable": editable,
        "code": values.get("code"),
        "words": labels.table("register.script", lang),
        "library": {
            "script": asset("vendor/maplibre-gl.js"),
            "style": asset("vendor/maplibre-gl.css"),
            "bold": asset("css/bold.css"),
        },
        "style": "/ogc/styles/map",
    }


def field_words(
    collection: str, fields: Sequence[Field], values: Mapping[str, Any], lang: str
) -> list[tuple[str, str, str]]:
    """Every field of a record as (name, title, words), empty ones too: for laying two records side by side."""
    return [
        (
            each.name,
            labels.field_title(collection, each.name, lang),
            value_words(each.kind, _list_of(collection, each), values.get(each.name), lang),
        )
        for each in fields
    ]


def _entry_view(
    collection: str, fields: Sequence[Field], entry: Entry, lang: str, target: Target | None, *, editable: bool
) -> EntryView:
    own = target if target and target.of(collection, entry.code) else None
    state = own.state if own and not own.ending else None
    values = own.seen if own and own.seen is not None and not own.ending else entry.values
    version = own.version if own and own.version is not None else entry.version
    main = _TITLE_FIELDS[collection]
    by_name = {each.name: each for each in fields}
    title = value_words(by_name[main].kind, by_name[main].code_list, entry.values.get(main), lang)
    checked = entry.values.get(_CHECKED.get(collection, "checked_on"))
    ended = ""
    if entry.ended_at is not None:
        ended = labels.text("register.ended", lang, date=format_date(entry.ended_at), reason=entry.end_reason or "")
    return EntryView(
        entry.code,
        version,
        title,
        [
            (labels.field_title(collection, each.name, lang), value_words(each.kind, each.code_list, value, lang))
            for each in fields
            if each.name not in _QUIET | {main} and (value := entry.values.get(each.name)) is not None
        ],
        trust(entry.values.get("source"), checked, entry.fresh_until, lang),
        ended,
        form_view(collection, fields, values, lang, version=version, state=state) if editable and not ended else None,
        own is not None and not own.ending,
        own is not None and own.ending,
        form_view(collection, [], {}, lang, state=own.state if own and own.ending else None),
    )


def _fact(collection: str, overview: Mapping[str, Any], lang: str) -> str:
    name = SECTIONS[collection]
    if collection == "warnings":
        return labels.text("register.live_warning" if overview["live_warning"] else "register.no_warning", lang)
    if name is None:
        return ""
    value = overview.get(name)
    words = labels.code_label(_FACT_LISTS[name], str(value), lang) if value else labels.text("register.unknown", lang)
    # A bare "yes" beside a heading says nothing.
    return words if name.endswith("_status") else f"{labels.field_title('establishments', name, lang)}: {words}"


def _today_fields(fields: Sequence[Field]) -> dict[str, Any]:
    """A new check is most often made today."""
    today = datetime.now(VIETNAM).date().isoformat()
    return {each.name: today for each in fields if each.name in ("checked_on", "done_on")}


def _list_of(collection: str, each: Field) -> str | None:
    return "kind" if collection == "establishments" and each.name == "kind" else each.code_list
