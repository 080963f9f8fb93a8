"""The screens of imports as plain data: batches, columns, rows with the sender's words beside ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from web import labels
from web.field_values import degrees, value_words

VERDICTS = ("new", "changed", "same", "doubtful", "wrong", "skipped")
OUTCOMES = ("applied", "proposed", "same", "left", "conflict", "refused")
_LISTS: Mapping[str, str] = {
    "legal_form": "legal_form",
    "operating_status": "operating_status",
    "registry_status": "registry_status",
    "sector_group": "sector_group",
    "position_method": "position_method",
    "kind": "licence_kind",
    "method": "payment_method",
    "result": "inspection_result",
    "evidence_level": "evidence_level",
    "source": "source",
}
_KINDS: Mapping[tuple[str, str], str] = {
    ("food_safety_records", "kind"): "food_safety_kind",
    ("digital_uses", "kind"): "digital_use",
}
_PLACE = frozenset({"lon", "lat", "position_method", "expected_error_m", "sector_scheme", "source"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a row: a column's title with the sender's words, or a field's title with ours."""

    title: str
    text: str
    before: str = ""
    differs: bool = False
    problems: tuple[str, ...] = ()
    weight: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known place that a row may be."""

    code: str
    name: str
    address: str
    percent: int
    reasons: str
    against: str
    chosen: bool
    offered: bool


@dataclass(frozen=True, slots=True)
class EditableCell:
    """A cell of a row as the form to correct it shows it. A masked one is not filled in: `mask` is its hint."""

    column: int
    title: str
    text: str
    mask: str
    masked: bool
    problems: tuple[str, ...]
    first: bool
    """Whether something is wrong or unsure in it."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of a file as the screen lays it out."""

    number: int
    sheet: str
    row: int
    verdict: str
    reason: str
    theirs: list[Line] = field(default_factory=list)
    ours: list[Line] = field(default_factory=list)
    place: str = ""
    point: tuple[float, float] | None = None
    candidates: list[Candidate] = field(default_factory=list)
    problems: list[Line] = field(default_factory=list)
    decision: str = ""
    target: str = ""
    may_be_new: bool = False
    decidable: bool = False
    outcome: str = ""
    outcome_words: tuple[str, ...] = ()
    made: str = ""
    cells: Sequence[EditableCell] = ()


def row_view(
    row: Any, theirs: Mapping[int, str], headers: Mapping[int, str], problems: Sequence[Mapping[str, Any]],
    places: Mapping[str, Mapping[str, Any]], outcome_words: Iterable[str], lang: str,
    cells: Sequence[EditableCell] = (), personal: Mapping[str, str] | None = None,
) -> ShownRow:  # fmt: skip
    """A row. `theirs`: cells by column, masked; `problems`: as the API tells them; `places`: what the register has of
    the codes that are matched; `personal`: what it says of a person, masked, by field."""
    by_column: dict[int, list[Mapping[str, Any]]] = {}
    for each in problems:
        if each["column"] is not None:
            by_column.setdefault(each["column"], []).append(each)
    proposed = row.proposed or {}
    wishes = row.wishes or {}
    values = row.outcome_values or {}
    return ShownRow(
        number=row.number,
        sheet=row.sheet,
        row=row.row,
        verdict=row.verdict,
        reason=labels.text(f"import_skips.{row.reason}", lang) if row.reason else "",
        theirs=[
            Line(
                headers.get(column, ""), text,
                problems=tuple(each["message"] for each in by_column.get(column, ())),
                weight=_gravest(by_column.get(column, ())),
            )
            for column, text in theirs.items()
        ],
        ours=_changes(row.changes, lang)
        if row.verdict == "same" or row.changes
        else _said({**proposed, **(personal or {})}, lang),
        place=labels.text("imports.row.in_ward", lang, metres=round(float(proposed["expected_error_m"])))
        if any(each["code"] == "placed_in_ward" for each in problems)
        else place_words(proposed, lang),
        point=(proposed["lon"], proposed["lat"]) if proposed.get("lon") is not None else None,
        candidates=[_candidate(row, match, wishes, places, lang) for match in row.matches],
        problems=[
            Line("", each["message"], weight=each["weight"]) for each in problems if each["column"] is None
        ],
        decision=row.decision or "",
        target=row.target_code or "",
        may_be_new=wishes.get("new") is not None,
        decidable=row.verdict in ("new", "changed", "doubtful"),
        outcome=row.outcome or "",
        outcome_words=tuple(outcome_words),
        made=str(values.get("code") or ""),
        cells=cells,
    )  # fmt: skip


def place_words(proposed: Mapping[str, Any], lang: str) -> str:
    """Where a row lies, by what, and how far off that may be."""
    method, metres = proposed.get("position_method"), proposed.get("expected_error_m")
    if proposed.get("lon") is None or not method:
        return labels.text("imports.row.no_place", lang)
    words = labels.code_list("position_method", lang).get(method, method)
    if metres is None:
        return str(words)
    return labels.text("imports.row.place", lang, method=words, metres=round(float(metres)))


def reason_words(codes: Sequence[str], lang: str) -> str:
    """Why a row may be a place, or what speaks against it."""
    known = labels.table("imports.match", lang)
    return ", ".join(str(known.get(code, code)) for code in codes)


def field_words(collection: str, name: str, lang: str) -> str:
    """A field's title; of a dated record after what kind of record it is."""
    for key in (f"imports.fields.{name}", f"codes.personal_field.{name}"):
        try:
            return labels.text(key, lang)
        except labels.MissingLabelError:
            continue
    for kind in (collection, "establishments", "legal_entities"):
        try:
            title = labels.field_title(kind, name, lang)
        except labels.MissingLabelError:
            continue
        if collection in ("establishments", "legal_entities"):
            return title
        return labels.text("imports.row.of_record", lang, record=labels.collection_title(collection, lang), field=title)
    return name


def confidence_word(column: Mapping[str, Any]) -> str:
    """How sure a column's field is, as a key of `imports.sure`."""
    if column.get("by_person"):
        return "by_person"
    sure = float(column.get("confidence") or 0)
    return "sure" if sure >= 0.8 else "likely" if sure >= 0.6 else "unsure"


def coordinates(lon: float, lat: float, lang: str) -> str:
    """A point as people write it."""
    return f"{degrees(lat, lang)}; {degrees(lon, lang)}"


def _gravest(problems: Iterable[Mapping[str, Any]]) -> str:
    weights = {each["weight"] for each in problems}
    return next((weight for weight in ("wrong", "doubtful", "note") if weight in weights), "")


def _candidate(
    row: Any, match: Mapping[str, Any], wishes: Mapping[str, Any], places: Mapping[str, Mapping[str, Any]], lang: str
) -> Candidate:
    code = str(match["code"])
    known = places.get(code, {})
    return Candidate(
        code, known.get("name") or labels.text("register.nameless", lang), known.get("address") or "",
        round(float(match.get("score") or 0) * 100), reason_words(match.get("reasons", ()), lang),
        reason_words(match.get("against", ()), lang), row.target_code == code, code in (wishes.get("update") or {}),
    )  # fmt: skip


def _changes(changes: Sequence[Mapping[str, Any]], lang: str) -> list[Line]:
    found = []
    for each in changes:
        collection, name = str(each.get("collection") or "establishments"), str(each["field"])
        found.append(
            Line(
                field_words(collection, name, lang), words_of(collection, name, each["after"], lang),
                words_of(collection, name, each["before"], lang) if each["before"] not in (None, "", [], {}) else "",
                differs=True,
            )
        )  # fmt: skip
    return found


def _said(proposed: Mapping[str, Any], lang: str) -> list[Line]:
    return [
        Line(field_words("establishments", name, lang), words_of("establishments", name, value, lang), differs=True)
        for name, value in proposed.items()
        if name not in _PLACE and value not in (None, "", [], {})
    ]


def words_of(collection: str, name: str, value: Any, lang: str) -> str:
    """A value in words, whatever it is."""
    if name == "position" and isinstance(value, Mapping):
        return coordinates(value["lon"], value["lat"], lang)
    if isinstance(value, Mapping):
        parts = [words_of(collection, key, inner, lang) for key, inner in value.items() if inner not in (None, "")]
        return ", ".join(parts)
    if isinstance(value, (list, tuple)):
        return ", ".join(words_of(collection, name, each, lang) for each in value)
    if isinstance(value, bool):
        return value_words("boolean", None, value, lang)
    listed = _KINDS.get((collection, name)) or _LISTS.get(name)
    if name == "payment_methods":
        listed = "payment_method"
    kind = "date" if name.endswith(("_on", "_until")) else "text"
    return value_words(kind, listed, value, lang)
