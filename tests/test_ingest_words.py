"""Everything that reading a file may say has words in both languages."""

import re
import string
from pathlib import Path
from typing import get_args

import pytest

from ingest.encoding import Encoding
from ingest.header_words import fields, fold, scores
from ingest.table_rows import Reason
from web import labels

SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent.parent / "ingest").glob("*.py"))
)
REFUSALS = dict(re.findall(r'Refusal\(\s*"([a-z_]+)"((?:, [a-z]+=[^,)]+(?:\([^)]*\))?)*)', SOURCES))
NOTES = set(re.findall(r'notes\.append\(\("([a-z_]+)"', SOURCES))


def test_the_codes_were_found() -> None:
    assert {"zip_bomb", "password", "cad", "truncated", "macros", "external_links"} <= set(REFUSALS)
    assert {"other_ending", "open_quotation"} <= NOTES


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_all_codes_have_words_and_no_words_lack_a_code(lang: str) -> None:
    # `truncated` and `damaged` are also chosen between in one expression.
    assert set(labels.table("import_refusals", lang)) == set(REFUSALS) | {"truncated", "damaged"}
    assert set(labels.table("import_notes", lang)) == NOTES
    assert set(labels.table("import_skips", lang)) == set(get_args(Reason))
    assert set(labels.table("import_encodings", lang)) == set(get_args(Encoding))
    assert list(labels.table("import_fields", lang)) == list(fields())
    assert set(labels.table("import_cells", lang)) == set(
        re.findall(r'"(formula_[a-z_]+)"', SOURCES)
    )  # fmt: skip


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_words_ask_only_for_values_that_the_refusal_has(code: str) -> None:
    asked = {name for _, name, _, _ in string.Formatter().parse(labels.table("import_refusals", "vi")[code]) if name}
    for call in re.findall(rf'Refusal\(\s*"{code}"((?:[^()]|\([^()]*\))*)\)', SOURCES):
        assert asked <= set(re.findall(r"(\w+)=", call)), call


def test_each_header_word_is_of_one_field() -> None:
    seen: dict[str, str] = {}
    for field in fields().values():
        for word in field.words:
            assert seen.setdefault(word, field.name) == field.name, word


@pytest.mark.parametrize(
    ("header", "above", "field"),
    [
        ("Ngày cấp", "Giấy chứng nhận ATTP", "food_safety_issued_on"),
        ("Ngày cấp", "CCCD/CMND", "personal_id_issued_on"),
        ("Số", "Giấy phép kinh doanh", "licence_number"),
        ("Địa chỉ", "Chủ hộ kinh doanh", "home_address"),
        ("SoDT", "", "phone"),
        ("Mặt hàng\nkinh doanh", "", "business_line"),
        ("Phöôøng", "", "ward"),
        ("§Þa chØ kinh doanh", "", "address"),
        ("Diện tích (m2)", "", "floor_area"),
        ("AddressLine2", "", "address"),
    ],
)
def test_headers_are_understood(header: str, above: str, field: str) -> None:
    found = scores(header, above)
    assert max(found, key=lambda name: found[name]) == field


def test_folding_leaves_nothing_that_may_differ() -> None:
    assert fold("Họ và Tên  (chủ hộ):") == "ho va ten chu ho"
    assert fold("Ðịa chỉ") == fold("Địa chỉ") == fold("DIA CHI") == "dia chi"
