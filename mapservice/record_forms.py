"""From a form's text to the values of a record, and what of it the officer changed."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from mapservice.forms import Form
from mapservice.parameters import past_day
from postgis.errors import FieldError
from postgis.merge import same
from postgis.store.record_types import MAX_TEXT, WritableField
from postgis.store.record_values import readable

_DAY = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})")
_DECIMAL = re.compile(r"-?[0-9]{1,3}([.,][0-9]+)?")
_BOTH = re.compile(r"\s*(-?[0-9]{1,3}\.[0-9]+)\s*[,; ]\s*(-?[0-9]{1,3}\.[0-9]+)\s*")
"""Latitude and longitude as a map application copies them, in one go."""


def typed_texts(form: Form, fields: Sequence[WritableField]) -> dict[str, str]:
    """What was typed into the inputs of `fields`, as typed. A field that the form did not send is left out."""
    names = [name for field in fields for name in (("lat", "lon") if field.kind == "point" else (field.name,))]
    # A tick box sends nothing when it is empty: a hidden `false` stands before it, the last one counts.
    return {name: form.all(name)[-1].replace("\r\n", "\n") for name in names if name in form}


def wire_values(typed: Mapping[str, str], fields: Sequence[WritableField]) -> dict[str, Any]:
    """The typed texts as the register takes them. What cannot be read stays as typed: the store says what is wrong."""
    found: dict[str, Any] = {}
    for field in fields:
        if field.kind == "point":
            if "lat" in typed and "lon" in typed:
                found[field.name] = _point(typed["lat"], typed["lon"])
        elif field.name in typed:
            found[field.name] = _value(field, typed[field.name])
    return found


def argument_errors(typed: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with the reason, which every form asks for, and with evidence and legal basis where they stand."""
    errors = [] if typed["reason"] else [FieldError("reason", "required")]
    for name in ("reason", "evidence", "legal_basis"):
        text = typed.get(name, "")
        if not readable(text):
            errors.append(FieldError(name, "unreadable_text"))
        elif len(text) > MAX_TEXT:
            errors.append(FieldError(name, "too_long", {"most": MAX_TEXT}))
    return errors


def changed(values: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from those which the form was made from."""
    return {name: value for name, value in values.items() if not same(value, seen.get(name))}


def seen_values(form: Form) -> dict[str, Any]:
    """The values that the form was made from. One that was tampered with only decides what counts as changed."""
    try:
        found = json.loads(form["seen"] or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def seen_version(form: Form) -> int:
    """The version that the form was made from; 0, which no record has, when that cannot be read."""
    text = form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def typed_past_day(params: Mapping[str, str]) -> date | None:
    """`as_of` of a page as people write days: date inputs show them in the browser's language, not in the page's."""
    return past_day({"as_of": read_day(params.get("as_of", ""))})


def read_day(text: str) -> str:
    """A day as 31/12/2026, 31-12-2026, 31.12.2026 or 2026-12-31 in ISO form; anything else as typed."""
    match = _DAY.fullmatch(text.strip())
    if match is None:
        return text
    try:
        return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
    except ValueError:
        return text


def read_number(text: str) -> str:
    """A number written 1.234,5 or 1234.5 with a point as its decimal sign; anything else as typed."""
    plain = text.replace("\u00a0", "").replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    return plain if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain) else text


def _value(field: WritableField, text: str) -> Any:
    text = text.strip()
    if not text:
        return None
    if field.kind == "date":
        return read_day(text)
    if field.kind in ("number", "integer"):
        number = read_number(text)
        return float(number) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number) and len(number) < 20 else number
    if field.kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def _point(lat: str, lon: str) -> Any:
    both = _BOTH.fullmatch(lat)
    if both:
        # Pasted whole beside the longitude that the form came with.
        lat, lon = both[1], both[2]
    lat, lon = lat.strip(), lon.strip()
    if not lat and not lon:
        return None
    if not (_DECIMAL.fullmatch(lat) and _DECIMAL.fullmatch(lon)):
        return "not a position"
    return {"type": "Point", "coordinates": [float(lon.replace(",", ".")), float(lat.replace(",", "."))]}
