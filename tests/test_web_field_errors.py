"""Every error that a field can have has words, in both languages, that name the field and show what was typed."""

import re
from pathlib import Path

import pytest

from postgis import errors as store_errors
from web import labels, staff_stickers
from web.field_errors import error_words, title_or_name

ROOT = Path(__file__).parent.parent
WRITTEN = re.compile(r'(?:FieldError\((?:[^(),]|\([^()]*\))*,|_Wrong\(|_refused\()\s*"([a-z_]+)"')
OWN_WORDS = ("personal", "sticker")
"""Files whose errors have words of their own: those of personal data show nothing of what was typed, those of stickers
name no field."""


def codes_in(*, stickers: bool) -> set[str]:
    """The codes of errors in files about stickers, or in all that have no words of their own."""
    files = [path for folder in ("postgis", "mapservice") for path in (ROOT / folder).rglob("*.py")]
    chosen = [path for path in files if path.name.startswith("sticker" if stickers else OWN_WORDS) == stickers]
    return {code for path in chosen for code in WRITTEN.findall(path.read_text(encoding="utf-8"))}


CODES = codes_in(stickers=False) | set(store_errors._CHECKS.values())
STICKER_CODES = codes_in(stickers=True) | {"too_many_places", "all_have_stickers", "no_places"}


@pytest.mark.parametrize("lang", labels.LANGUAGES)
@pytest.mark.parametrize("code", sorted(CODES))
def test_an_error_has_words(code: str, lang: str) -> None:
    values = {"value": "31/02/2024", "other": "issued_on", "most": 200, "least": 5, "allowed": "", "header": "B"}
    words = error_words("licences", "expires_on", code, values, lang)
    assert words.endswith(".") and "{" not in words and "_" not in words, words


@pytest.mark.parametrize("lang", labels.LANGUAGES)
@pytest.mark.parametrize("code", sorted(STICKER_CODES))
def test_an_error_about_stickers_has_words(code: str, lang: str) -> None:
    values = {"value": "K7M4", "most": 20, "taken": 3, "count": 900, "first": 2, "last": 5, "state": "withdrawn"}
    words = staff_stickers.error_text(store_errors.FieldError("reason", code, values), lang)
    assert words.endswith(".") and "{" not in words and "_" not in words, words


def test_there_are_codes_to_word() -> None:
    assert {"required", "not_a_date", "outside_ward", "before", "too_many_pixels"} <= CODES
    assert {"not_a_lookup_code", "sticker_state", "pages_not_taken", "not_of_print"} <= STICKER_CODES


def test_words_name_the_field_and_show_what_was_typed() -> None:
    assert error_words("licences", "issued_on", "not_a_date", {"value": "31/02/2024"}, "vi") == (
        "Chưa đọc được ngày “31/02/2024” ở ô Ngày cấp. Hãy sửa thành ngày có thật, ví dụ 31/12/2026."
    )
    assert "01/02/1800" in error_words("licences", "issued_on", "date_out_of_range", {"value": "1800-02-01"}, "vi")
    assert "Ngày cấp" in error_words("licences", "expires_on", "before", {"other": "issued_on"}, "vi")
    assert "2.000" in error_words("licences", "number", "too_long", {"most": 2000}, "vi")


def test_what_was_typed_is_cut_and_cleaned() -> None:
    words = error_words("licences", "kind", "not_in_list", {"value": "x" * 500 + "\x1b[2J"}, "vi")
    assert len(words) < 160 and "\x1b" not in words
    assert (
        title_or_name("licences", "<b>" * 100, "vi").startswith("<b>") and len(title_or_name("a", "b" * 99, "vi")) == 60
    )
