"""Numbers of people and firms: told apart, brought to one spelling, masked. Every number here is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postgis import identifiers
from postgis.identifiers import NotRecognised, classify, company_tax_code, mask, normalise
from postgis.vocabulary import PERSONAL_FIELDS

NINE = st.text("0123456789", min_size=9, max_size=9)


@pytest.mark.parametrize("code", ["0100109106", "0101243150", "0301442379", "8000000011"])
def test_the_check_digit_agrees_with_codes_in_use(code: str) -> None:
    assert identifiers.has_check_digit(code)


@given(NINE, st.integers(0, 9), st.integers(0, 8))
def test_a_mistyped_digit_of_a_tax_code_is_seen(first: str, other: int, place: int) -> None:
    last = identifiers.tax_code_check_digit(first)
    if last is None or first[place] == str(other):
        return
    assert not identifiers.has_check_digit(f"{first[:place]}{other}{first[place + 1 :]}{last}")


def test_a_number_whose_rest_is_zero_is_never_issued() -> None:
    skipped = next(f"{n:09d}" for n in range(1, 1000) if identifiers.tax_code_check_digit(f"{n:09d}") is None)
    assert not any(identifiers.has_check_digit(f"{skipped}{digit}") for digit in range(10))


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        ("048090001234", "personal_id", "048090001234"),
        (" 048.090.001 234 ", "personal_id", "048090001234"),
        ("'048090001234", "personal_id", "048090001234"),
        ("48090001234", "personal_id", "048090001234"),  # a spreadsheet took the zero
        ("48090001234.0", "personal_id", "048090001234"),  # and made a number of it
        ("０４８０９０００１２３４", "personal_id", "048090001234"),
        ("0100109106", "tax_code", "0100109106"),
        ("0100 109 106", "tax_code", "0100109106"),
        ("100109106", "tax_code", "0100109106"),
        ("8000000011-001", "unit_tax_code", "8000000011-001"),
        ("8000000011001", "unit_tax_code", "8000000011-001"),
        ("8000000011 – 001", "unit_tax_code", "8000000011-001"),
        ("200000001", "old_identity_card", "200000001"),
        ("32A8000001", "old_certificate", "32A8000001"),
        ("32a8 000001", "old_certificate", "32A8000001"),
        ("0100109107", "unclear", "0100109107"),
        ("8000000011-000", "unclear", "8000000011-000"),
        ("8000000012-001", "unclear", "8000000012-001"),
        ("4.80E+10", "unclear", "480E+10"),
        ("0100109106; 048090001234", "unclear", "0100109106;048090001234"),
        ("", "unclear", ""),
        ("chưa có", "unclear", "CHƯACÓ"),
    ],
)
def test_a_cell_named_tax_code_is_told_apart(raw: str, kind: str, text: str) -> None:
    found = classify(raw)
    assert (found.kind, found.text) == (kind, text)


def test_what_names_a_person_is_known_as_such() -> None:
    assert classify("048090001234").is_personal and classify("200000001").is_personal
    assert not classify("0100109106").is_personal
    assert not classify("48090001234").certain and not classify("100109106").certain


@given(st.text(max_size=40))
def test_anything_can_be_classified(raw: str) -> None:
    assert classify(raw).kind


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0905 123 456", "0905123456"),
        ("+84 905 123 456", "0905123456"),
        ("+84 (0)905 123 456", "0905123456"),
        ("0084905123456", "0905123456"),
        ("84905123456", "0905123456"),
        ("905123456", "0905123456"),
        ("0905.123.456", "0905123456"),
        ("0905-123-456", "0905123456"),
        ("(0236) 3123 456", "02363123456"),
        ("'0905123456", "0905123456"),
    ],
)
def test_a_phone_number_has_one_spelling(raw: str, text: str) -> None:
    assert identifiers.phone(raw) == text
    assert normalise("owner_phone", raw) == text


@pytest.mark.parametrize("raw", ["", "090512345", "09051234567", "0105123456", "1900 1234", "không có", "0905123456x"])
def test_what_is_no_phone_number_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(NotRecognised) as refused:
        identifiers.phone(raw)
    assert str(refused.value) == refused.value.code == "not_a_phone"


@pytest.mark.parametrize(
    ("field", "raw", "text", "masked"),
    [
        ("owner_name", "  Trần  Thị   Thử ", "Trần Thị Thử", "T*** T*** T***"),
        ("owner_phone", "+84905123456", "0905123456", "09*****456"),
        ("owner_email", "Chu.Quan@Example.VN", "chu.quan@example.vn", "c***@***.vn"),
        ("personal_id", "048 090 001 234", "048090001234", "048*****1234"),
        ("personal_id", "100109106", "100109106", "1*****106"),
        ("household_tax_code", "8000000011", "8000000011", "80*****011"),
        ("household_tax_code", "8000000011001", "8000000011-001", "800*******-001"),
        ("household_tax_code", "048090001234", "048090001234", "048*****1234"),
        ("home_address", "K12/3 Đường Thử", "K12/3 Đường Thử", "***"),
        ("birth_date", "1/2/1980", "1980-02-01", "***"),
        ("birth_date", "1980-02-01", "1980-02-01", "***"),
    ],
)
def test_a_personal_value_has_one_spelling_and_a_mask(field: str, raw: str, text: str, masked: str) -> None:
    assert normalise(field, raw) == text
    assert mask(field, text) == masked


@pytest.mark.parametrize(
    ("field", "raw", "code"),
    [
        ("owner_phone", "12345", "not_a_phone"),
        ("owner_email", "a@b", "not_an_email"),
        ("owner_email", "a b@example.vn", "not_an_email"),
        ("personal_id", "12345678", "not_a_personal_id"),
        ("personal_id", "0100109106", "not_a_personal_id"),
        ("household_tax_code", "4.80E+10", "not_a_household_tax_code"),
        ("birth_date", "31/02/1980", "not_a_birth_date"),
        ("birth_date", "2199-01-01", "not_a_birth_date"),
        ("owner_name", "   ", "unreadable_personal"),
        ("owner_name", "A\x00B", "unreadable_personal"),
        ("home_address", "x" * 301, "too_long_personal"),
    ],
)
def test_a_wrong_personal_value_is_refused_without_repeating_it(field: str, raw: str, code: str) -> None:
    with pytest.raises(NotRecognised) as refused:
        normalise(field, raw)
    assert str(refused.value) == refused.value.code == code


@pytest.mark.parametrize("field", PERSONAL_FIELDS)
def test_every_personal_field_has_a_spelling_and_a_mask(field: str) -> None:
    with pytest.raises(NotRecognised):
        normalise(field, "\x07")
    assert "*" in mask(field, "abcdefghij")


@given(st.sampled_from(["owner_phone", "personal_id", "household_tax_code"]), st.integers(0, 10**8 - 1))
def test_a_mask_hides_at_least_five_digits(field: str, serial: int) -> None:
    raw = {"owner_phone": f"09{serial:08d}", "personal_id": f"048{serial:09d}", "household_tax_code": f"80{serial:08d}"}
    value = normalise(field, raw[field])
    shown = mask(field, value)
    assert len(shown) == len(value)
    assert sum(ours == "*" for ours in shown) >= 5
    assert all(ours in ("*", theirs) for ours, theirs in zip(shown, value, strict=True))


def test_a_search_tries_every_field_that_a_number_may_stand_in() -> None:
    assert identifiers.candidates("+84 905 123 456") == [("owner_phone", "0905123456")]
    assert ("personal_id", "048090001234") in identifiers.candidates("048090001234")
    assert ("household_tax_code", "048090001234") in identifiers.candidates("048090001234")
    assert identifiers.candidates("quán cà phê") == []


def test_a_firms_tax_code_has_one_spelling_and_a_persons_number_is_none() -> None:
    assert company_tax_code("0100 109 106") == "0100109106"
    assert company_tax_code("0100109106001") == "0100109106-001"
    # A failed check digit is a warning at most: the domain facts know of a real code that fails.
    assert company_tax_code("0100109107") == "0100109107"
    assert company_tax_code("048090001234") is None
    assert company_tax_code("200000001") is None
    assert company_tax_code("32A8000001") is None
