"""What is wrong with a field, in words: on a form beside the field, in a problem document behind its pointer."""

import re
from collections.abc import Mapping
from typing import Any

from web import labels

_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LONGEST = 60


def error_words(collection: str, field: str, code: str, values: Mapping[str, Any], lang: str) -> str:
    """The words for an error's code, with the field's title as people know it; what was typed is cut when it is long.

    `values` are those of `postgis.errors.FieldError`; `other` in them is the name of another field.
    """
    filled: dict[str, Any] = {"value": "", **{name: _written(value) for name, value in values.items()}}
    if "other" in values:
        filled["other"] = title_or_name(collection, str(values["other"]), lang)
    return labels.text(f"field_errors.{code}", lang, **filled, field=title_or_name(collection, field, lang))


def title_or_name(collection: str, field: str, lang: str) -> str:
    """A field's title; its name as sent where it is no field of ours."""
    try:
        return labels.field_title(collection, field, lang)
    except labels.MissingLabelError:
        return str(_written(field))


def _written(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))
    day = _ISO_DAY.fullmatch(text)
    if day:
        return f"{day[3]}/{day[2]}/{day[1]}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
