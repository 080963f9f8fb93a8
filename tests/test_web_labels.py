"""Words: every key in both languages, every code and field labelled, nothing ever shown as a bare key."""

import re
import string

import pytest

from layers.collections import COLLECTIONS
from mapservice.errors import PROBLEMS
from postgis.vocabulary import CODE_LISTS
from web import labels
from web.map_page import FILTERS, OPEN_STATUSES
from web.sectors import FAMILIES

FIRST_TONE_ON_SECOND_VOWEL = re.compile(r"\b[^\W\d_]*(oà|oá|oả|oã|oạ|(?<!q)u[ỳýỷỹỵ])\b", re.IGNORECASE)
"""After q, u is no vowel: quý."""


def raw(lang: str) -> dict[str, str]:
    found = {}
    for key in labels.keys(lang):
        table, _, name = key.rpartition(".")
        found[key] = labels.table(table, lang)[name]
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(labels.keys("vi")) == set(labels.keys("en"))


def test_both_languages_fill_the_same_places() -> None:
    vietnamese, english = raw("vi"), raw("en")
    for key, text in vietnamese.items():
        if key.endswith(".one"):
            continue
        assert placeholders(text) == placeholders(english[key]), key


def test_no_words_are_empty_or_shouted() -> None:
    for lang in labels.LANGUAGES:
        for key, text in raw(lang).items():
            assert text.strip(), key
            assert "!" not in text, f"{key}: no exclamation marks"


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_every_code_list_is_labelled_in_its_order(lang: str) -> None:
    for name, codes in CODE_LISTS.items():
        found = labels.code_list(name, lang)
        assert list(found)[: len(codes)] == list(codes), name


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_every_collection_and_field_has_a_title(lang: str) -> None:
    for collection in COLLECTIONS.values():
        assert labels.collection_title(collection.id, lang)
        assert labels.collection_description(collection.id, lang)
        for field in collection.fields:
            assert labels.field_title(collection.id, field.name, lang)


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_every_problem_is_worded(lang: str) -> None:
    for code in PROBLEMS:
        assert set(labels.table(f"problems.{code}", lang)) == {"title", "detail"}


def test_families_hold_every_sector_group_once() -> None:
    groups = [group for family in FAMILIES for group in family.groups]
    assert sorted(groups) == sorted(CODE_LISTS["sector_group"])
    assert set(labels.table("families", "vi")) == {family.code for family in FAMILIES}


def test_filters_of_the_form_are_parameters_of_the_api() -> None:
    establishments = COLLECTIONS["establishments"]
    for parameter, code_list in FILTERS.items():
        field = establishments.field_by_name[parameter]
        assert field.filterable
        assert field.code_list == code_list
    assert set(OPEN_STATUSES) < set(CODE_LISTS["operating_status"])


def test_a_missing_key_raises() -> None:
    with pytest.raises(labels.MissingLabelError):
        labels.text("no.such.key", "vi")
    with pytest.raises(labels.MissingLabelError):
        labels.text("site.title", "fr")
    with pytest.raises(labels.MissingLabelError):
        labels.field_title("establishments", "no_such_field", "vi")
    with pytest.raises(labels.MissingLabelError):
        labels.code_label("sector_group", "no_such_group", "vi")


def test_counts_choose_their_words_and_numbers_follow_the_language() -> None:
    assert labels.text("list.count", "vi", count=1204) == "1.204 cơ sở"
    assert labels.text("list.count", "en", count=1204) == "1,204 places"
    assert labels.text("list.count", "en", count=1) == "1 place"
    assert labels.number(1234567.891, "vi", 2) == "1.234.567,89"
    assert labels.number(1234567.891, "en", 2) == "1,234,567.89"


def test_tone_marks_stand_where_the_ward_writes_them() -> None:
    """hòa, not hoà: one spelling on every screen."""
    for key, text in raw("vi").items():
        assert not FIRST_TONE_ON_SECOND_VOWEL.search(text), f"{key}: {text}"
