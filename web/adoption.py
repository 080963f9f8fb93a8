"""The adoption map in words: classes of colour, legend, rows of the table and of the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from web import labels

COLOURS = ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494")
"""YlGnBu in five classes (ColorBrewer, Apache 2.0): told apart by who is colour-blind, and in grey."""
FEW = 5
"""Where fewer were surveyed, or less than FEW_SHARE of the establishments, a share says little and is shown pale."""
FEW_SHARE = 0.3
_STEP = 20


class Figures(Protocol):
    """What `layers.adoption.Part` has."""

    @property
    def code(self) -> str:
        """What tells it apart."""

    @property
    def name(self) -> str | None:
        """What people call it, where it has a name."""

    @property
    def establishments(self) -> int | None:
        """How many count."""

    @property
    def surveyed(self) -> int | None:
        """Of how many it is known."""

    @property
    def accepting(self) -> int | None:
        """How many accept."""

    @property
    def unknown(self) -> int | None:
        """Of how many it is not known."""

    @property
    def share(self) -> float | None:
        """Of those surveyed, in per cent."""

    @property
    def low(self) -> float | None:
        """If all unknown did not."""

    @property
    def high(self) -> float | None:
        """If all unknown did."""

    @property
    def suppressed(self) -> bool:
        """Whether its figures are not told."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of the ward in words."""

    code: str
    name: str
    establishments: str
    surveyed: str
    unknown: str
    accepting: str
    share: str
    range: str
    shade: int | None
    """Which of COLOURS; None where there is no share."""
    few: bool
    note: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A sign of the map, what it says, and how many parts have it."""

    sign: str
    colour: str | None
    words: str
    count: str


def shade_of(share: float | None) -> int | None:
    """Which of COLOURS a share (0-100) has."""
    return None if share is None else min(int(share // _STEP), len(COLOURS) - 1)


def is_few(part: Figures) -> bool:
    """Whether so few were surveyed that the share says little."""
    if part.surveyed is None or part.establishments is None or not part.surveyed:
        return False
    return part.surveyed < FEW or part.surveyed < FEW_SHARE * part.establishments


def sign_of(part: Figures) -> str:
    """How it is drawn: `hidden`, `unsurveyed`, `few` or `share`."""
    if part.suppressed:
        return "hidden"
    if not part.surveyed:
        return "unsurveyed"
    return "few" if is_few(part) else "share"


def percent(value: float | None, lang: str) -> str:
    """48,2 % (vi) or 48.2 %; nothing where it is not known."""
    return "" if value is None else f"{labels.number(value, lang, 1)} %"


def shown(part: Figures, by: str, lang: str) -> Shown:
    """The row of a part."""

    def count(value: int | None) -> str:
        return "–" if value is None else labels.number(value, lang)

    sign = sign_of(part)
    note = "" if sign == "share" else labels.text(f"adoption.signs.{sign}", lang)
    between = f"{labels.number(part.low, lang, 1)}–{percent(part.high, lang)}" if part.low is not None else ""
    return Shown(
        code=part.code,
        name=name_of(part, by, lang),
        establishments=count(part.establishments),
        surveyed=count(part.surveyed),
        unknown=count(part.unknown),
        accepting=count(part.accepting),
        share=percent(part.share, lang),
        range=between,
        shade=shade_of(part.share),
        few=sign == "few",
        note=note,
    )


def name_of(part: Figures, by: str, lang: str) -> str:
    """What people call a part; a cell after its longest street and the last letters that tell it apart."""
    if by != "h3":
        return part.name or part.code
    short = part.code.rstrip("f")[-4:]
    if part.name is None:
        return labels.text("adoption.cell", lang, code=short)
    return labels.text("adoption.cell_at", lang, street=part.name, code=short)


def legend(found: Sequence[Figures], lang: str) -> list[LegendEntry]:
    """Every class with how many parts it has, then what is shown otherwise."""
    signs = [sign_of(part) for part in found]
    shades = [shade_of(part.share) for part in found]
    entries = []
    for place, colour in enumerate(COLOURS):
        words = labels.text("adoption.class", lang, first=place * _STEP, last=(place + 1) * _STEP)
        entries.append(LegendEntry("share", colour, words, labels.number(shades.count(place), lang)))
    for sign in ("few", "unsurveyed", "hidden"):
        number = signs.count(sign)
        words = labels.text(f"adoption.signs.{sign}", lang)
        if number or sign != "hidden":
            entries.append(LegendEntry(sign, None, words, labels.number(number, lang)))
    return entries


def feature_properties(part: Figures, by: str, lang: str) -> dict[str, Any]:
    """What the map is drawn from."""
    return {
        "code": part.code,
        "name": name_of(part, by, lang),
        "establishments": part.establishments,
        "surveyed": part.surveyed,
        "accepting": part.accepting,
        "share": part.share,
        "low": part.low,
        "high": part.high,
        "suppressed": part.suppressed,
        "shade": shade_of(part.share),
        "sign": sign_of(part),
        "words": in_one_line(shown(part, by, lang), lang),
    }


def in_one_line(row: Shown, lang: str) -> str:
    """A part in one sentence, for what is pointed at on the map."""
    if row.note and not row.share:
        return f"{row.name}: {row.note}"
    return labels.text("adoption.one_line", lang, **{name: getattr(row, name) for name in row.__slots__})


def file_row(part: Figures, by: str, lang: str) -> Mapping[str, Any]:
    """A row of the files: figures as numbers, nothing where they are not told."""
    return {
        "code": part.code,
        "name": name_of(part, by, lang),
        "establishments": part.establishments,
        "surveyed": part.surveyed,
        "unknown": part.unknown,
        "accepting": part.accepting,
        "share": part.share,
        "low": part.low,
        "high": part.high,
        "note": shown(part, by, lang).note,
    }
