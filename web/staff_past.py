"""The register as it stood on a past day: a record's fields in words, and the ward's figures beside today's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web import labels
from web.staff_forms import Field
from web.staff_record import SECTIONS, field_words


@dataclass(frozen=True)
class PastRecord:
    """One record of a place as it was."""

    title: str
    ended: bool
    lines: list[tuple[str, str]]
    """Titles and words of the fields that held something."""


@dataclass(frozen=True)
class Figure:
    """How many places had a value."""

    words: str
    then: str
    now: str


@dataclass(frozen=True)
class Figures:
    """The figures of one field."""

    title: str
    rows: list[Figure]


def past_records(
    states: Mapping[str, Sequence[Mapping[str, Any]]], fields: Mapping[str, Sequence[Field]], lang: str
) -> list[PastRecord]:
    """The place itself first, then its dated records by section; of those the ones that still counted."""
    found = []
    for name in ("establishments", *SECTIONS):
        for state in states.get(name, ()):
            ended = state.get("ended_at") is not None
            if ended and name != "establishments":
                continue
            held = [
                each for each in fields[name] if state.get(each.name) not in _EMPTY and each.name != "establishment"
            ]
            lines = [(title, words) for _, title, words in field_words(name, held, state, lang)]
            thing = labels.text(f"register.things.{name}", lang)
            found.append(PastRecord(thing[0].upper() + thing[1:], ended, lines))
    return found


_EMPTY: tuple[Any, ...] = (None, "", [])


def figures_view(
    then: Mapping[str, Mapping[str, int]],
    now: Mapping[str, Mapping[str, int]],
    code_lists: Mapping[str, str],
    lang: str,
) -> list[Figures]:
    """Both days beside each other, in the order of each field's code list; what counted on neither day is left out."""
    found = []
    for name, code_list in code_lists.items():
        rows = [
            Figure(words, *(labels.number(day[name].get(code, 0), lang) for day in (then, now)))
            for code, words in labels.code_list(code_list, lang).items()
            if then[name].get(code) or now[name].get(code)
        ]
        found.append(Figures(labels.field_title("establishments", name, lang), rows))
    return found
