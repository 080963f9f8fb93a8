"""What somebody asks to be printed, as the form for a new print run says it: read, checked, and counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from layers.sticker_lists import having_stickers
from layers.sticker_places import Row, StickerChoice, sticker_places
from postgis import codes
from postgis.errors import FieldError
from postgis.store.stickers import OPEN_STATES
from postgis.vocabulary import STICKER_LAYOUTS

WAYS = ("street", "model_site", "residential_group", "chosen")
"""How places are chosen on the form."""
MOST_CODES = 200
_LONGEST = 4000


@dataclass(frozen=True)
class Wanted:
    """The form as it was filled in."""

    way: str
    values: dict[str, str]
    """What was typed for each way."""
    layout: str
    only_missing: bool
    choice: StickerChoice | None
    errors: tuple[FieldError, ...] = ()

    @property
    def asked(self) -> dict[str, object]:
        """What the run notes of the choice."""
        if self.choice is None:
            return {}
        return {"codes": list(self.choice.codes)} if self.way == "chosen" else {self.way: self.values[self.way]}


@dataclass(frozen=True)
class Counted:
    """The places that a run would print for."""

    rows: list[Row] = field(default_factory=list)
    having: int = 0
    """How many of the chosen have a sticker already, and are left out where only missing ones are asked for."""


def read_wanted(sent: Mapping[str, str], ward: str) -> Wanted:
    """The form's fields, checked as far as they can be without the register."""
    way = sent.get("by", "") if sent.get("by") in WAYS else "street"
    values = {name: sent.get(name, "").replace("\0", " ").strip()[:_LONGEST] for name in WAYS}
    layout = sent.get("layout", "") if sent.get("layout") in STICKER_LAYOUTS else STICKER_LAYOUTS[0]
    errors: list[FieldError] = []
    choice: StickerChoice | None = None
    if not values[way]:
        errors.append(FieldError(way, "sticker_choice_required"))
    elif way == "chosen":
        found, errors = _codes(values[way])
        choice = StickerChoice(ward=ward, codes=found)
    else:
        choice = StickerChoice(
            ward=ward,
            street=values[way] if way == "street" else None,
            model_site=values[way] if way == "model_site" else None,
            residential_group=values[way] if way == "residential_group" else None,
        )
    return Wanted(way, values, layout, sent.get("only_missing") == "true", None if errors else choice, tuple(errors))


def _codes(typed: str) -> tuple[tuple[str, ...], list[FieldError]]:
    found: list[str] = []
    for word in typed.replace(",", " ").replace(";", " ").split():
        code = codes.normalise(word)
        if code is None:
            return (), [FieldError("chosen", "not_a_lookup_code", {"value": word})]
        found.append(code)
    if len(found) > MOST_CODES:
        return (), [FieldError("chosen", "too_many_codes", {"most": MOST_CODES})]
    return tuple(dict.fromkeys(found)), []


def count(published: Connection, staff: Connection, wanted: Wanted) -> tuple[Counted, tuple[FieldError, ...]]:
    """The places, in the order of a walk; and what is wrong with the choice, where nothing would be printed."""
    if wanted.choice is None:
        return Counted(), wanted.errors
    rows = sticker_places(published, wanted.choice)
    if missing := sorted(set(wanted.choice.codes) - {row["code"] for row in rows}):
        return Counted(), (FieldError("chosen", "code_of_no_place", {"value": codes.display(missing[0])}),)
    having = having_stickers(staff, [row["code"] for row in rows], OPEN_STATES)
    left = [row for row in rows if row["code"] not in having] if wanted.only_missing else rows
    if not left:
        return Counted(), (FieldError(wanted.way, "all_have_stickers" if rows else "no_places"),)
    return Counted(left, len(having)), ()
