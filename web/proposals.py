"""Proposals in words: the review queue's cards with what differs marked, and the page behind a receipt.

Plain data in: a proposal is a mapping as the API has it (`reviewed_document`, `holder_document` in mapservice).
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web import labels, opening_hours
from web.field_errors import title_or_name
from web.field_values import value_words
from web.lookup import ward_title
from web.render import format_code, local, render

Document = Mapping[str, Any]

ENDED = "ended"
OWN_VALUE = ("text", "date", "number", "integer", "boolean")
"""Kinds of fields for which a reviewer may type a third value."""
_EARTH_RADIUS_M = 6_371_008.8
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Part:
    """A piece of a value; `differs`: the other value does not have it."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Line:
    """One field of a proposal in words. `was` is None where nothing happened since the proposer looked."""

    field: str
    title: str
    state: str
    was: str | None
    now: Sequence[Part]
    wanted: Sequence[Part]
    note: str
    own_allowed: bool
    long: bool


@dataclass(frozen=True)
class Card:
    """One proposal as the queue shows it."""

    receipt: str
    title: str
    place: str
    code: str | None
    document: Document
    lines: Sequence[Line]
    from_whom: str

    @property
    def conflicts(self) -> Sequence[Line]:
        """The fields on which a person must choose."""
        return [line for line in self.lines if line.state == "conflict"]

    @property
    def settled(self) -> bool:
        """Whether the register says all of it already."""
        return bool(self.lines) and all(line.state == "done" for line in self.lines)


def card(document: Document, lang: str) -> Card:
    """A proposal in words."""
    name, code = document["establishment_name"], document["establishment"]
    return Card(
        receipt=document["receipt"],
        title=_title(document, lang),
        place=name or (format_code(code) if code else labels.text("review.no_place", lang)),
        code=code,
        document=document,
        lines=[_line(document["collection"], change, lang) for change in document["changes"] if not _idle(change)],
        from_whom=document.get("proposer") or labels.code_label("proposer_kind", document["proposer_kind"], lang),
    )


def receipt_page(document: Document, path: str, ward: Mapping[str, Any] | None, signed_in: bool, lang: str) -> str:
    """The page behind a receipt: what was asked, how it stands, what the ward says to it."""
    shown = {"card": card(document, lang), "here": path, "signed_in": signed_in, "ward_title": ward_title(ward, lang)}
    return render("receipt.html", lang, **shown)


def summary(counts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many there are for each value of each of `names`, from counts by all of them."""
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    for row in counts:
        for name in names:
            found[name][row[name]] = found[name].get(row[name], 0) + row["count"]
    return found


def next_address(path: str, query: Mapping[str, str], receipt: str | None, lang: str) -> str:
    """The queue as it was filtered, at a card."""
    return local(lang, path, **query) + (f"#p-{receipt}" if receipt else "")


def _title(document: Document, lang: str) -> str:
    """What is wanted, in three words: to change, add, end or bring back a record of which kind; empty where hidden."""
    if document["collection"] is None:
        return ""
    ended = next((change["wanted"] for change in document["changes"] if change["field"] == ENDED), None)
    new = bool(document["changes"]) and all(change["state"] == "new" for change in document["changes"])
    verb = {None: "add" if new else "change", True: "end", False: "restore"}[ended]
    return labels.text(f"review.{verb}", lang, what=labels.text(f"review.nouns.{document['collection']}", lang))


def _idle(change: Mapping[str, Any]) -> bool:
    """Whether nothing was there, nothing is and nothing is wanted: the accuracy of a moved pin, mostly."""
    return change["base"] is change["current"] is change["wanted"] is None


def _line(collection: str, change: Mapping[str, Any], lang: str) -> Line:
    was, now, wanted = (_words(collection, change, change[name], lang) for name in ("base", "current", "wanted"))
    moved = not _alike(change["base"], change["current"]) and change["state"] != "new"
    if change["state"] == "new":
        shown_now, shown_wanted = [], [Part(wanted, False)]
    elif change["current"] in (None, "", []):
        # Nothing was there: there is nothing to strike out.
        shown_now, shown_wanted = [Part(now, False)], [Part(wanted, change["wanted"] not in (None, "", []))]
    else:
        shown_now, shown_wanted = _marked(now, wanted)
    note = ""
    if change["kind"] == "point" and change["current"] and change["wanted"] and change["state"] != "new":
        metres = round(_distance(change["current"], change["wanted"]))
        note = labels.text("review.moves", lang, metres=metres)
    return Line(
        field=change["field"],
        title=title_or_name(collection, change["field"], lang),
        state=change["state"],
        was=was if moved else None,
        now=shown_now,
        wanted=shown_wanted,
        note=note,
        own_allowed=change["kind"] in OWN_VALUE and change["code_list"] is None,
        long=max(len(now), len(wanted)) > 60,
    )


def _words(collection: str, change: Mapping[str, Any], value: Any, lang: str) -> str:
    field, kind = change["field"], change["kind"]
    if value in (None, "", []):
        return labels.text("review.nothing", lang)
    if kind == "shape":
        return labels.text("review.shape", lang, kind=str(value.get("type", "")))
    if field == "opening_hours":
        return opening_hours.in_words(str(value), lang)
    if field == "kind" and collection == "establishments":
        return labels.code_list("kind", lang).get(str(value), str(value))
    return value_words(kind, change["code_list"], value, lang)


def _marked(now: str, wanted: str) -> tuple[list[Part], list[Part]]:
    """Both texts in pieces, word by word, with what the other lacks marked."""
    before, after = _WORDS.findall(now), _WORDS.findall(wanted)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.4:
        # Two texts with little in common are easier read whole than as confetti.
        return [Part(now, now != wanted)], [Part(wanted, now != wanted)]
    parts: tuple[list[Part], list[Part]] = ([], [])
    for operation, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        for side, words in zip(parts, (before[a_from:a_to], after[b_from:b_to]), strict=True):
            side.extend(_pieces("".join(words), operation != "equal"))
    return parts


def _pieces(text: str, differs: bool) -> list[Part]:
    """A piece, with the spaces around it left unmarked."""
    core = text.strip()
    if not differs or not core:
        return [Part(text, False)] if text else []
    before, _, after = text.partition(core)
    return [part for part in (Part(before, False), Part(core, True), Part(after, False)) if part.text]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.get("type") == other.get("type") == "Point":
        return _distance(one, other) < 0.05
    return bool(one == other)


def _distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Metres between two points in WGS 84, on a sphere: some tenths of a percent off, enough to judge a move."""
    (lon1, lat1), (lon2, lat2) = (map(math.radians, point["coordinates"][:2]) for point in (one, other))
    east = (lon2 - lon1) * math.cos((lat1 + lat2) / 2)
    return _EARTH_RADIUS_M * math.hypot(east, lat2 - lat1)
