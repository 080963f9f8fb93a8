"""The form by which anybody, or a place's owner, proposes to change what the public sees of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web import labels, lookup, opening_hours
from web.reports import Errors, Frame, public_page, words_by_field
from web.staff_forms import Field

HINTS = frozenset({"opening_hours", "offering", "website"})
"""Fields whose input says how to fill it in."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a line of text, or a list to choose from."""

    name: str
    title: str
    value: str
    hint: str
    most: int
    options: Sequence[tuple[str, str]] = ()


def correction_form(
    frame: Frame,
    *,
    action: str,
    place: Mapping[str, Any],
    fields: Sequence[Field],
    typed: Mapping[str, str],
    seen: str = "",
    errors: Errors = (),
    problem: str | None = None,
    owner_proof: str = "",
) -> str:
    """The form, filled with what is published or was typed. `owner_proof`: the token of the owner's session.

    `place` has the properties of the establishments collection; `fields` as `WritableField`, with `max_length`.
    """
    lang = frame.lang
    published = {field.name: _readable(field.name, place[field.name], lang) for field in fields}
    words = words_by_field("establishments", errors, lang)
    no_change = words.pop("patch", None)
    return public_page(
        "report/correct.html",
        frame,
        action=action,
        place=place,
        name=lookup.place_name(place, lang),
        inputs=[_input(field, typed.get(field.name, published[field.name] or ""), lang) for field in fields],
        seen=seen or json.dumps(published, ensure_ascii=False),
        reason=typed.get("reason", ""),
        errors=words,
        problem=labels.text("corrections.no_change", lang) if no_change else problem and labels.text(problem, lang),
        owner=bool(owner_proof),
        csrf=owner_proof,
    )


def _readable(name: str, value: str | None, lang: str) -> str | None:
    """What is published, as people would write it. It is compared with what they send, so that only their own changes
    are proposed.
    """
    if value and name == "offering":
        listed = labels.code_list("offering", lang)
        return ", ".join(listed.get(each.strip(), each.strip()) for each in value.split(";"))
    return opening_hours.without_every_day(value) if value and name == "opening_hours" else value


def _input(field: Field, value: str, lang: str) -> Input:
    options: Sequence[tuple[str, str]] = ()
    if field.code_list:
        listed = labels.code_list(field.code_list, lang)
        options = [(code, listed[code]) for code in field.codes]
    return Input(
        field.name,
        labels.field_title("establishments", field.name, lang),
        value,
        _hint(field.name, value, lang),
        min(int(getattr(field, "max_length", 300)), 300),
        options,
    )


def _hint(field: str, value: str, lang: str) -> str:
    hint = labels.text(f"corrections.hints.{field}", lang) if field in HINTS else ""
    told = [labels.code_list("offering", lang).get(code) for code in value.split(";")] if field == "offering" else []
    # Words of OpenStreetMap's, such as "breakfast", stand in the field as they are kept.
    words = ", ".join(filter(None, told))
    return f"{labels.text('corrections.stands_for', lang, words=words)} {hint}" if words else hint
