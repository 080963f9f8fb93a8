"""Addresses: every form of the domain facts, section 9, the traps, and the real ones of OpenStreetMap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.address_book import AddressBook
from ingest.addresses import parse_address, spell_address
from ingest.street_names import StreetNames, read_alley, slips, street_key, street_name
from tests import address_trial

BOOK = address_trial.book()

FORMS = [
    ("K408/88 Hoàng Diệu", "88 K408 Hoàng Diệu"),
    ("141/45 Tiểu La", "45 K141 Tiểu La"),
    ("Số 35 Nại Nam", "35 - Nại Nam"),
    ("K54 Núi Thành", "- K54 Núi Thành"),
    ("H12/3 K45 Núi Thành", "3 K45/12 Núi Thành"),
    ("K45/H12/3 Núi Thành", "3 K45/12 Núi Thành"),
    ("Số 5 hẻm 12 kiệt 45 Núi Thành", "5 K45/12 Núi Thành"),
    ("K266/36/5 Hoàng Diệu", "5 K266/36 Hoàng Diệu"),
    ("Kiệt 45 số 12 Núi Thành", "12 K45 Núi Thành"),
    ("12 Kiệt 45 Núi Thành", "12 K45 Núi Thành"),
    ("123 - 125 Núi Thành", "123-125 - Núi Thành"),
    ("123 và 125 Núi Thành", "123-125 - Núi Thành"),
    ("12A Duy Tân", "12A - Duy Tân"),
    ("12 bis Duy Tân", "12BIS - Duy Tân"),
    ("46 C Phạm Văn Nghị", "46C - Phạm Văn Nghị"),
    ("12 Đ Núi Thành", "12 - Núi Thành"),
    ("03 Núi Thành", "3 - Núi Thành"),
    ("12 2 Tháng 9", "12 - 2 Tháng 9"),
    ("12/2 Tháng 9", "12 - 2 Tháng 9"),
    ("116 2/9", "116 - 2 Tháng 9"),
    ("130 đường 2-9", "130 - 2 Tháng 9"),
    ("K152/12 Đường 2/9", "12 K152 2 Tháng 9"),
    ("15 30/4", "15 - 30 Tháng 4"),
    ("7 đường 3/2", "7 - 3 Tháng 2"),
    ("12 Bình Minh 5", "12 - Bình Minh 5"),
    ("120 CMT8", "120 - Cách Mạng Tháng 8"),
    ("238 Trung Nu Vuong", "238 - Trưng Nữ Vương"),
    ("12 Ng. Tri Phương", "12 - Nguyễn Tri Phương"),
    ("12 Ng.V.Linh P.Nam Dương", "12 - Nguyễn Văn Linh"),
    ("12 Nguyên Tri Phươn", "12 - Nguyễn Tri Phương"),
    ("ĐC: 12 Núi Thành - Phường Hòa Cường Bắc", "12 - Núi Thành"),
    ("12\u00a0Núi\u200bThành, P.\u00a0Hòa Cường", "12 - Núi Thành"),
]


@pytest.mark.parametrize(("written", "parts"), FORMS)
def test_each_form_is_read(written: str, parts: str) -> None:
    address = parse_address(written, BOOK)
    house, alley, street = parts.split(" ", 2)
    wanted = (None if house == "-" else house, None if alley == "-" else alley, street)
    assert (address.house_number, address.alley, address.street_name) == wanted
    assert address.raw == written


@pytest.mark.parametrize(
    ("written", "part", "value"),
    [
        ("35 Núi Thành tổ 15 phường Hòa Cường", "residential_group", "15"),
        ("35 Núi Thành, TDP số 07", "residential_group", "7"),
        ("35 Núi Thành P. Hòa Cường Bắc Q. Hải Châu TP Đà Nẵng", "ward", "Hòa Cường Bắc"),
        ("35 Núi Thành P. Hòa Cường Bắc Q. Hải Châu TP Đà Nẵng", "district", "Hải Châu"),
        ("35 Núi Thành, Phường Hoà Cường", "ward_code", "20257"),
        ("25 nguyen tri phuong phuong binh thuan quan hai chau", "ward", "Bình Thuận"),
        ("25 nguyen tri phuong phuong binh thuan quan hai chau", "street_name", "Nguyễn Tri Phương"),
        ("12 Lê Đình Lý, Bình Thuận, Hải Châu", "district", "Hải Châu"),
        ("quầy 12 chợ Hòa Cường", "stall", "12"),
        ("lô A12 chợ đầu mối Hòa Cường", "stall", "A12"),
        ("ki-ốt số 5 chợ Hòa Cường, phường Hòa Cường Nam", "site", "chợ Hòa Cường"),
        ("tầng 2 chợ Hòa Cường", "floor", "2"),
        ("Lô 5 B2.10 Nguyễn Xuân Khoát", "lot", "5 B2.10"),
        ("Số thửa 3-A5.6 2 Thang 9", "lot", "3-A5.6"),
        ("lô 12 KDC Đảo Xanh, đường Đảo Xanh 1", "block", "KDC Đảo Xanh"),
        ("12 Núi Thành (đối diện chợ Hòa Cường)", "note", "đối diện chợ Hòa Cường"),
        ("12 Núi Thành (đối diện chợ Hòa Cường)", "site", None),
        ("31 Ngô Tất Tố", "street_name", "Ngô Tất Tố"),
        ("5 Tô Hiến Thành", "street_name", "Tô Hiến Thành"),
    ],
)
def test_each_part_is_found(written: str, part: str, value: str | None) -> None:
    assert getattr(parse_address(written, BOOK), part) == value


def test_a_correction_is_stated_and_lowers_the_confidence() -> None:
    right, wrong = parse_address("12 Trưng Nữ Vương", BOOK), parse_address("12 Trưng Nứ Vươg", BOOK)
    assert wrong.street_name == right.street_name and not right.corrections
    assert [(each.taken_for, each.how) for each in wrong.corrections] == [("Trưng Nữ Vương", "misspelt")]
    assert wrong.confidence < right.confidence


def test_an_unknown_street_stays_as_it_is_written() -> None:
    address = parse_address("12 Đường Chưa Ai Biết", BOOK)
    assert address.street_name == "Chưa Ai Biết" and "unknown_street" in address.problems and not address.corrections


def test_a_street_is_not_corrected_into_another_of_the_same_name_and_other_number() -> None:
    book = AddressBook(StreetNames(["Bình Minh 1", "Bình Minh 2"]))
    assert parse_address("5 Bình Minh 3", book).street_name == "Bình Minh 3"


def test_the_slash_before_a_date_is_doubtful() -> None:
    assert "slash_before_date" in parse_address("12/2 Tháng 9", BOOK).problems
    assert not parse_address("12 2 Tháng 9", BOOK).problems


def test_two_alleys_that_disagree_are_said() -> None:
    address = parse_address("245/06 Kiệt 247 Nguyễn Tri Phương", BOOK)
    assert "two_alleys" in address.problems and address.alley == "K247" and address.rest == "245"


def test_nothing_understood_is_no_confidence() -> None:
    assert parse_address("", BOOK).confidence == 0 and not parse_address("", BOOK).parts()


def test_names_of_alleys_on_the_map() -> None:
    assert read_alley("Hem 05 Kiệt 38A Nguyễn Hữu Thọ") is not None
    alley = read_alley("Kiệt 152 Đường 2-9")
    assert alley is not None and (alley.path, alley.street) == ("152", "2 Tháng 9")
    assert read_alley("Đường Núi Thành") is None
    assert street_name("Đường 2/9") == street_name("2 - 9") == "2 Tháng 9"
    assert street_key("Đ. Núi Thành") == street_key("núi thành")


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_count_both_ways_and_never_too_few(one: str, other: str) -> None:
    assert slips(one, other, 3) == slips(other, one, 3)
    assert (slips(one, other, 3) == 0) == (one == other)


PIECES = (
    "K45|12|12A|45/3|Núi|Thành|Hoàng|Diệu|đường|2/9|Tháng|phường|Hòa|Cường|P.|Q.|Hải|Châu|tổ|15|chợ|quầy|lô|A1|,|-|(|)|"
    "kiệt|hẻm|số|tầng|30/4|KDC|nguyen|tri|phuong|Đ.|;|Lý|Thái|Tổ"
)
WORDS = st.sampled_from(PIECES.split("|"))


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=12).map(" ".join)))
def test_no_text_breaks_it_and_nothing_is_lost(text: str) -> None:
    address = parse_address(text, BOOK)
    assert address.raw == text and 0 <= address.confidence <= 1
    # Every digit that was written is in some part, or the spelling of one.
    if len(text) <= 80 and text.isascii():
        kept = " ".join(address.parts().values())
        digits = [each for each in "".join(c if c.isdigit() else " " for c in text).split() if each.strip("0")]
        assert all(each.strip("0") in kept or len(each) in (5, 6) for each in digits), (text, address)


@given(st.lists(WORDS, min_size=1, max_size=8).map(" ".join))
def test_what_is_spelt_back_reads_the_same_street(text: str) -> None:
    once = parse_address(text, BOOK)
    again = parse_address(spell_address(once), BOOK)
    if once.confidence >= 0.8 and not once.rest:
        assert (again.house_number, again.alley, again.street_name) == (once.house_number, once.alley, once.street_name)


def test_the_real_addresses_are_read() -> None:
    for way, (right, of, wrong) in address_trial.run().items():
        assert right / of >= 0.99, (way, wrong)
