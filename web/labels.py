"""The words on every screen, in Vietnamese and English.

One place for them, so that a page, an API title and a printed sheet never call the same thing by two names. The words
live in `translations/`: `vi.toml` and `en.toml`, plus any number of `<topic>.vi.toml` and `<topic>.en.toml` beside
them. A key that is not there is a mistake of ours and raises `MissingLabelError`; no reader ever sees a bare key.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("vi", "en")
_TRANSLATIONS = Path(__file__).parent / "translations"


class MissingLabelError(LookupError):
    """A key that the translations do not have."""


def text(key: str, lang: str, **values: object) -> str:
    """Return the words under a dotted key, with `{name}` places filled from `values`.

    Whole numbers are written the way the language writes them. Where the words depend on a number the key holds
    `one` and `other`, and `count` chooses.
    """
    found = _find(key, lang)
    if isinstance(found, dict) and "other" in found and "count" in values:
        found = found["one" if values["count"] == 1 else "other"]
    if not isinstance(found, str):
        raise MissingLabelError(f"No words for {key!r} in {lang!r}")
    return found.format_map({name: _written(value, lang) for name, value in values.items()})


def number(value: float, lang: str, decimals: int = 0) -> str:
    """Write a number as 1.234.567,8 (vi) or 1,234,567.8 (en)."""
    written = f"{value:,.{decimals}f}"
    return written.translate(str.maketrans(",.", ".,")) if lang == "vi" else written


def code_label(code_list: str, code: str, lang: str) -> str:
    """Return the words for one code of a code list."""
    return text(f"codes.{code_list}.{code}", lang)


def code_list(name: str, lang: str) -> dict[str, str]:
    """Return a whole code list, code to words, in the order people should see it."""
    return table(f"codes.{name}", lang)


def table(key: str, lang: str) -> dict[str, Any]:
    """Return all words below a key, as they stand in the translations: for code lists and for scripts in a page."""
    found = _find(key, lang)
    if not isinstance(found, dict):
        raise MissingLabelError(f"No table {key!r} in {lang!r}")
    return dict(found)


def collection_title(collection: str, lang: str) -> str:
    """Return the title of a published collection."""
    return text(f"collections.{collection}.title", lang)


def collection_description(collection: str, lang: str) -> str:
    """Return one or two sentences that say what a collection holds."""
    return text(f"collections.{collection}.description", lang)


def field_title(collection: str, field: str, lang: str) -> str:
    """Return the title of a field, the collection's own words first, else those all collections share."""
    for key in (f"fields.{collection}.{field}", f"fields.shared.{field}"):
        try:
            return text(key, lang)
        except MissingLabelError:
            continue
    raise MissingLabelError(f"No title for field {field!r} of {collection!r} in {lang!r}")


def keys(lang: str) -> Iterator[str]:
    """Yield every dotted key that has words, for the tests that hold the languages side by side."""
    yield from _dotted(_words(lang), "")


def _find(key: str, lang: str) -> Any:
    found: Any = _words(lang)
    for part in key.split("."):
        if not isinstance(found, dict) or part not in found:
            raise MissingLabelError(f"No words for {key!r} in {lang!r}")
        found = found[part]
    return found


def _written(value: object, lang: str) -> object:
    return number(value, lang) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def _words(lang: str) -> dict[str, Any]:
    if lang not in LANGUAGES:
        raise MissingLabelError(f"No translation for language {lang!r}")
    merged: dict[str, Any] = {}
    for path in [_TRANSLATIONS / f"{lang}.toml", *sorted(_TRANSLATIONS.glob(f"*.{lang}.toml"))]:
        with path.open("rb") as file:
            _merge(merged, tomllib.load(file), path.name)
    return merged


def _merge(into: dict[str, Any], more: Mapping[str, Any], origin: str, prefix: str = "") -> None:
    """Merge tables deeply; the same words twice is a mistake, since one of the two would silently win."""
    for key, value in more.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value, origin, f"{prefix}{key}.")
        elif key in into:
            raise ValueError(f"{origin}: {prefix}{key} is already given in another file")
        else:
            into[key] = value


def _dotted(table: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
