"""Every error that a field can have has words, in both languages, that name the field and show what was typed."""

import re
from pathlib import Path

import pytest

from postgis import errors as store_errors
from web import labels
from web.field_errors import error_words, title_or_name

ROOT = Path(__file__).parent.parent
CODES = {
    code
    for folder in ("postgis", "mapservice")
    for path in (ROOT / folder).rglob("*.py")
    # Personal data has a page and words of its own, which show nothing of what was typed.
    if not path.name.startswith("personal")
    for code in re.findall(
        r'(?:FieldError\((?:[^()]|\([^()]*\))*?,|_Wrong\(|_refused\()\s*"([a-z_]+)"', path.read_text(encoding="utf-8")
    )
} | set(store_errors._CHECKS.values())


@pytest.mark.parametrize("lang", labels.LANGUAGES)
@pytest.mark.parametrize("code", sorted(CODES))
def test_an_error_has_words(code: str, lang: str) -> None:
    values = {"value": "31/02/2024", "other": "issued_on", "most": 200, "least": 5, "allowed": "", "header": "B"}
    words = error_words("licences", "expires_on", code, values, lang)
    assert words.endswith(".") and "{" not in words and "_" not in words, words


def test_there_are_codes_to_word() -> None:
    assert {"required", "not_a_date", "outside_ward", "before", "too_many_pixels"} <= CODES


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
