"""Values of fields as text: the way an input holds them, and the way people read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from web import labels
from web.render import VIETNAM, format_date


def input_text(kind: str, value: Any, lang: str) -> str:
    """A wire value as the input holds it: days as 31/12/2026, decimals with a comma in Vietnamese."""
    if value is None:
        return ""
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "date":
        return _day(value)
    if kind in ("number", "integer"):
        text = f"{float(value):.7f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if lang == "vi" else text
    return str(value)


def value_words(
    kind: str, code_list: str | None, value: Any, lang: str, options: Mapping[str, str] | None = None
) -> str:
    """A wire value in words, for reading: code lists by their labels, unknown said as such."""
    if kind == "moment":
        return _moment(value)
    if value in (None, "", []):
        return labels.text("register.unknown", lang)
    if kind == "boolean":
        return labels.text("register.yes" if value else "register.no", lang)
    if kind == "point":
        lon, lat = value["coordinates"][:2]
        return f"{degrees(lat, lang)}; {degrees(lon, lang)}"
    if options and value in options:
        return options[value]
    if code_list:
        return labels.code_list(code_list, lang).get(str(value), str(value))
    return input_text(kind, value, lang)


def degrees(number: float, lang: str) -> str:
    """A latitude or longitude to a centimetre."""
    text = f"{number:.7f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if lang == "vi" else text


def _moment(value: Any) -> str:
    """A moment to the minute; of one that has not come, a dash."""
    if not value:
        return "–"
    at = datetime.fromisoformat(str(value)).astimezone(VIETNAM)
    return f"{format_date(at)} {at:%H:%M}"


def _day(value: Any) -> str:
    try:
        return format_date(value)
    except ValueError:
        return str(value)
