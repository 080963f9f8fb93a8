"""Values in cells: what each recogniser makes of what people write, and that it never breaks, guesses or leaks."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sector_words import SECTOR_PHRASES
from ingest.values import Cell, Reading, raw_text, read_name, read_person
from ingest.values_coordinates import read_point
from ingest.values_dates import read_date
from ingest.values_fields import RECOGNISERS, read_text
from ingest.values_numbers import read_count, read_email, read_identifier, read_money, read_phones
from ingest.values_sectors import read_sector, sector_names
from ingest.values_vocabulary import (
    FOOD_SAFETY_KINDS,
    INSPECTION_RESULTS,
    LEGAL_FORMS,
    OPERATING_STATUSES,
    PAYMENTS,
    REGISTRY_STATUSES,
    YES_NO,
)
from ingest.values_words import (
    days_allowed,
    read_legal_form,
    read_payments,
    read_penalty,
    read_word,
    read_yes_no,
)
from ingest.word_lists import WordList
from postgis import vocabulary
from postgis.identifiers import tax_code_check_digit
from postgis.reference_data import group_members
from postgis.reference_files import read_features, read_rows

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("0905 123 456", ("0905123456",)),
        ("+84 905 123 456", ("0905123456",)),
        (905123456, ("0905123456",)),
        (905123456.0, ("0905123456",)),
        ("'0905123456", ("0905123456",)),
        ("0905123456 / 0236.3.123.456", ("0905123456", "02363123456")),
        ("0905123456 - 0914123456", ("0905123456", "0914123456")),
        ("0905123456 0914123456", ("0905123456", "0914123456")),
        ("09051234560914123456", ("0905123456", "0914123456")),
        ("0905-123-456", ("0905123456",)),
        ("ĐT: 0905123456 (chị chủ)", ("0905123456",)),
        ("01205123456", ("0705123456",)),
    ],
)
def test_phones(cell: Cell, numbers: tuple[str, ...]) -> None:
    reading = read_phones(cell)
    assert reading.value == numbers and reading.personal


@pytest.mark.parametrize("cell", ["không có", "12345", "0905", "abc", "1234567890123456"])
def test_what_is_no_phone_is_said(cell: str) -> None:
    assert read_phones(cell).value is None and read_phones(cell).codes == ("not_a_phone",)


def test_what_follows_a_phone_is_not_lost() -> None:
    assert "more_than_phones" in read_phones("0905123456; 12").codes


@pytest.mark.parametrize(
    ("cell", "day", "problems"),
    [
        ("31/12/2026", "2026-12-31", ()),
        ("1.2.25", "2025-02-01", ("two_digit_year",)),
        ("01-02-1999", "1999-02-01", ()),
        ("2021-03-05", "2021-03-05", ()),
        ("2021-03-05 00:00:00", "2021-03-05", ()),
        ("ngày 5 tháng 3 năm 2021", "2021-03-05", ()),
        ("5 tháng ba 2021", "2021-03-05", ()),
        ("5-Mar-21", "2021-03-05", ("two_digit_year",)),
        ("05/13/2021", "2021-05-13", ("month_first",)),
        (44260, "2021-03-05", ("serial_date",)),
        ("44260", "2021-03-05", ("serial_date",)),
        (datetime(2021, 3, 5), "2021-03-05", ()),
        (2019, "2019", ("year_only",)),
        ("năm 2019", "2019", ("year_only",)),
        ("T3/2021", "2021-03", ("month_only",)),
        ("31/02/2021", None, ("impossible_date",)),
        ("32/13/2021", None, ("impossible_date",)),
        ("hôm qua", None, ("not_a_date",)),
        (12, None, ("not_a_date",)),
        ("01/01/0001", None, ("unlikely_date",)),
    ],
)
def test_dates(cell: Cell, day: str | None, problems: tuple[str, ...]) -> None:
    reading = read_date(cell, today=TODAY)
    assert (reading.value and str(reading.value)) == day and reading.codes == problems
    assert reading.raw == raw_text(cell)


def test_old_macs_count_four_years_later() -> None:
    one, other = read_date(42798, system_1904=True).value, read_date(44260).value
    assert one is not None and one == other


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.500.000", 1_500_000),
        ("1,500,000 đ", 1_500_000),
        ("1.234.567,50 VNĐ", 1_234_568),
        ("1,5 tỷ", 1_500_000_000),
        ("500 triệu", 500_000_000),
        ("500tr", 500_000_000),
        ("1tr5", 1_500_000),
        ("50k", 50_000),
        (2_000_000, 2_000_000),
        (1.5, 2),
        ("20.000.000 đồng/tháng", 20_000_000),
    ],
)
def test_money(cell: Cell, amount: int) -> None:
    assert read_money(cell).value == amount


def test_one_sign_between_three_digits_is_doubtful_and_the_header_may_say_millions() -> None:
    assert read_money("1.500").codes == ("thousands_or_decimals",) and read_money("1.500").needs_person
    assert read_money(1.5, unit=1_000_000).value == 1_500_000
    assert read_money("thỏa thuận").value is None


def test_a_person_is_never_taken_for_a_firm() -> None:
    for cell in ("048 088 000 123", "048088000123", 48088000123, "48088000123", 48088000123.0):
        reading = read_identifier(cell, "tax_code")
        assert reading.value is not None and reading.value.kind == "personal_id"
        assert reading.personal and reading.value.text == "048088000123"
        assert "048088000123" not in repr(reading) and "48088000123" not in str(reading.problems)


def test_identifiers_by_the_order_of_the_domain_facts() -> None:
    nine = "040012345"
    code = nine + str(tax_code_check_digit(nine))
    firm = read_identifier(code, "tax_code")
    assert firm.value is not None and firm.value.kind == "tax_code" and not firm.personal and firm.confidence == 1
    lost = read_identifier(int(code), "tax_code")
    assert lost.value == firm.value or (lost.value is not None and lost.value.text == code)
    assert "zero_restored" in lost.codes
    wrong = read_identifier(code[:9] + str((int(code[9]) + 1) % 10), "tax_code")
    assert wrong.codes == ("check_digit",) and wrong.needs_person and wrong.personal
    assert read_identifier("32A8000001").value is not None
    assert read_identifier("4.80E+10").codes == ("digits_lost",)
    two = read_identifier(f"{code}; 048088000123", "tax_code")
    assert "several_numbers" in two.codes and two.personal and two.needs_person
    household = read_identifier("8000000011-001")
    assert household.personal


@pytest.mark.parametrize(
    ("cell", "words", "code"),
    [
        ("HKD", LEGAL_FORMS, "household_business"),
        ("Công ty TNHH MTV", LEGAL_FORMS, "enterprise"),
        ("DNTN", LEGAL_FORMS, "enterprise"),
        ("Đang hoạt động", REGISTRY_STATUSES, "active"),
        ("NNT đang hoạt động", REGISTRY_STATUSES, "active"),
        ("Tạm ngừng KD", REGISTRY_STATUSES, "suspended"),
        ("Không hoạt động tại địa chỉ đã đăng ký", REGISTRY_STATUSES, "not_at_address"),
        ("Không còn bán", OPERATING_STATUSES, "closed"),
        ("đã chuyển đi nơi khác", OPERATING_STATUSES, "moved"),
        ("Đạt", INSPECTION_RESULTS, "pass"),
        ("Chưa đạt", INSPECTION_RESULTS, "fail"),
        ("KHÔNG ĐẠT", INSPECTION_RESULTS, "fail"),
        ("Đã ký cam kết ngày 5/3", FOOD_SAFETY_KINDS, "commitment"),
        ("chưa ký cam kết", FOOD_SAFETY_KINDS, "missing"),
        ("khong thuoc dien", FOOD_SAFETY_KINDS, "not_required"),
    ],
)
def test_words(cell: str, words: WordList, code: str) -> None:
    assert read_word(cell, words).value == code


def test_a_word_turned_round_goes_to_a_person() -> None:
    reading = read_word("không tốt", INSPECTION_RESULTS)
    assert reading.value is None and reading.codes == ("negated",)
    assert read_word("hoạt động, sau đó tạm nghỉ", OPERATING_STATUSES).codes == ("several_meanings",)
    assert read_payments("chưa có mã QR").value is None
    assert read_payments("không chuyển khoản").value is None


def test_the_words_of_a_real_register() -> None:
    assert [read_penalty(text).value for text in ("Không", "KHÔNG", "không", "nhắc nhở", "phạt tiền")] == [
        *["no_penalty"] * 3, "reminder", "fine",
    ]  # fmt: skip
    assert read_penalty("Mời về PYT, chờ xử lý").value == "summoned"
    text = "nhắc nhở, khắc phục trong vong 03 ngày"
    assert read_penalty(text).value == "reminder" and days_allowed(text) == 3
    wanted = {
        "Thức ăn đường phố": "5610",
        "Quán ăn": "5610",
        "Dịch vụ nấu ăn lưu động": "5621",
        "Bếp ăn tập thể": "5629",
        "Căn tin": "5629",
        "Nhóm trẻ gia đình": "8511",
        "Dịch vụ CF giải khát": "5630",
        "CSSX bánh mỳ": "1071",
        "Tạp hóa": "4711",
    }
    for words, code in wanted.items():
        sector = read_sector(words).value
        assert sector is not None and sector.code == code, words


def test_legal_form_and_payments_of_longer_texts() -> None:
    assert read_legal_form("Chi nhánh Công ty TNHH Minh Họa").value == "branch"
    assert read_legal_form("Hộ kinh doanh Minh Họa 12").value == "household_business"
    assert read_payments("Tiền mặt, chuyển khoản, quẹt thẻ").value == ("bank_transfer", "pos_card")
    assert read_payments("Tiền mặt").value == ("cash_only",)
    assert read_payments("QR + Momo").value == ("vietqr", "momo")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("x", "yes"), ("Có", "yes"), (True, "yes"), ("ko", "no"), (0, "no"), ("?", "unknown"), ("", None)],
)
def test_yes_and_no(cell: Cell, value: str | None) -> None:
    assert read_yes_no(cell).value == value and (value or not read_yes_no(cell).problems)


def test_word_lists_hold_the_codes_of_the_wire() -> None:
    for words, codes in (
        (LEGAL_FORMS, vocabulary.LEGAL_FORMS),
        (REGISTRY_STATUSES, vocabulary.REGISTRY_STATUSES),
        (OPERATING_STATUSES, vocabulary.OPERATING_STATUSES),
        (PAYMENTS, vocabulary.PAYMENT_METHODS),
        (FOOD_SAFETY_KINDS, vocabulary.FOOD_SAFETY_KINDS),
        (INSPECTION_RESULTS, vocabulary.INSPECTION_RESULTS),
        (YES_NO, vocabulary.YES_NO_UNKNOWN),
    ):
        assert set(words.phrases) == set(codes)
        phrases = Counter(phrase for written in words.phrases.values() for phrase in written.split("|"))
        assert not [phrase for phrase, count in phrases.items() if count > 1]
        assert all(read_word(code, words).value == code for code in codes)


def test_sectors_are_proposals_unless_they_are_sure() -> None:
    assert str(read_sector("5610 - Dịch vụ ăn uống").value) == "VSIC2025 5610"
    bare, text = read_sector("4781"), read_sector("4781 Bán lẻ lương thực, thực phẩm tại chợ")
    assert bare.codes == text.codes == ("code_changed_meaning",) and bare.needs_person and text.needs_person
    assert text.value is not None and text.value.code.startswith("47") and text.value.code != "4781"
    assert not read_sector("4781: Bán lẻ ô tô").needs_person
    assert read_sector("4791").value is None and read_sector("4791").needs_person
    assert "code_and_text_disagree" in read_sector("5610 sửa xe máy").codes
    assert read_sector("abc xyz").codes == ("unknown_sector",)
    assert set(SECTOR_PHRASES) <= set(sector_names().names)


@pytest.mark.parametrize("name", ["Quán Chị Sơn", "Tiệm Cô Hoa", "Ốc Hương", "Bà Ba"])
def test_a_name_is_no_line_of_business_for_sure(name: str) -> None:
    assert read_sector(name).needs_person


def test_sure_sectors_of_real_names_are_right() -> None:
    """Names of OpenStreetMap's places against the sector group that their own kind says."""
    groups = {row["class_code"]: row["sector_group"] for row in
              group_members(read_rows("vsic_2025.csv"), read_rows("sector_groups.csv"))}  # fmt: skip
    kinds = {row["kind"]: row["sector_group"] for row in read_rows("osm_kinds.csv")}
    sure, right = 0, 0
    for place in read_features("osm_places.geojsonl.gz"):
        group, name = kinds[place.properties["kind"]], place.properties.get("name")
        if name is None or group in ("public_place", "other"):
            continue
        reading = read_sector(name)
        if not reading.needs_person and reading.value is not None:
            sure += 1
            right += groups[reading.value.code[:4]] == group
    # Measured: 51 of 53. Most names say less and go to a person.
    assert sure >= 40 and right / sure >= 0.93


@pytest.mark.parametrize(
    ("cells", "epsg", "swapped"),
    [
        ((1774837.19, 550362.21), 5899, False),
        ((550362.21, 1774837.19), 5899, True),
        (("1.774.837,19", "550.362,21"), 5899, False),
        (("X=1774837.19", "Y=550362.21"), 5899, False),
        ((16.047, 108.2225), 4326, False),
        ((108.2225, 16.047), 4326, True),
        (("16,047", "108,2225"), 4326, False),
        (("16.047, 108.2225",), 4326, False),
        (("16,047,108,2225",), 4326, False),
        (("16°02'49.2\"N 108°13'21\"E",), 4326, False),
        (("16°02'49.2\"", "108°13'21\""), 4326, False),
    ],
)
def test_points(cells: tuple[Any, ...], epsg: int, swapped: bool) -> None:
    reading = read_point(*cells)
    assert reading.value is not None
    # The test vector of the domain facts, section 8; the shift between the systems would be 225 m.
    assert reading.value.lon == pytest.approx(108.2225, abs=2e-6) and reading.value.lat == pytest.approx(
        16.047, abs=2e-6
    )
    assert (reading.value.epsg, reading.value.swapped) == (epsg, swapped)
    assert reading.needs_person == (epsg != 4326)


def test_other_zones_are_found_and_points_elsewhere_are_doubtful() -> None:
    other_zone, wide = read_point(1774837, 523700).value, read_point(1773800, 200500).value
    assert other_zone is not None and other_zone.epsg == 5898 and wide is not None and wide.epsg == 3406
    assert read_point("10.77", "106.7").codes == ("outside_window",) and read_point("10.77", "106.7").needs_person
    assert read_point(0, 0).codes == ("zero_coordinates",)
    assert read_point("ở chợ", "1").codes == ("not_coordinates",)


def test_names_and_people() -> None:
    assert read_name("  “Quán  Minh Họa” ").value == "Quán Minh Họa"
    assert read_name("nt").codes == ("same_as_above",) and read_name("***").codes == ("no_letters",)
    person = read_person("Ông NGUYỄN VĂN MINH HỌA")
    assert person.value == "Nguyễn Văn Minh Họa" and person.personal and "Minh" not in repr(person)
    assert read_person("Công ty TNHH Minh Họa").needs_person


def test_every_personal_field_has_a_reader_that_marks_it() -> None:
    assert set(vocabulary.PERSONAL_FIELDS) <= set(RECOGNISERS)
    for field in vocabulary.PERSONAL_FIELDS:
        reading = RECOGNISERS[field]("Nguyễn Văn Minh Họa 048088000123")
        assert reading.personal and "048088000123" not in repr(reading)


def test_counts_and_addresses_of_mail() -> None:
    assert read_count("03 người").value == read_count(3.0).value == 3
    assert read_count("vài người").codes == ("not_a_count",)
    assert read_email(" Minh.Hoa@Example.VN ").value == "minh.hoa@example.vn"
    assert read_email("minh.hoa").codes == ("not_an_email",)


READERS: dict[str, Callable[[Any], Reading[Any]]] = {
    "name": read_name,
    "person": read_person,
    "phones": read_phones,
    "identifier": read_identifier,
    "money": read_money,
    "date": read_date,
    "legal_form": read_legal_form,
    "status": lambda cell: read_word(cell, OPERATING_STATUSES),
    "payments": read_payments,
    "yes_no": read_yes_no,
    "penalty": read_penalty,
    "sector": read_sector,
    "point": read_point,
    "count": read_count,
    "email": read_email,
    "text": read_text,
}
TEXTS = (
    "0905123456|+84|048088000123|0400123456|31/12/2026|1.5|tỷ|tr|đ|Đạt|không|chưa|QR|ck|5610|4781|16.05|108,22|1774837|°|'|"
    "nt|Ông|Nguyễn|,|;|/|-|.|\u200b|Ð|E+10|tháng 3|năm|2021|Công ty|x"
)
PIECES = st.sampled_from(TEXTS.split("|"))
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.text(max_size=60),
    st.lists(PIECES, max_size=5).map(" ".join),
    st.lists(PIECES, max_size=4).map("".join),
)


@pytest.mark.parametrize("name", READERS)
@given(cell=CELLS)
def test_nothing_breaks_a_recogniser_and_nothing_is_lost(name: str, cell: Cell) -> None:
    reading = READERS[name](cell)
    assert reading.raw == raw_text(cell)
    assert 0 <= reading.confidence <= 1 and (reading.value is not None or reading.confidence == 0)
    # Without a value there is a reason, unless the cell is empty or says "nothing".
    if reading.value is None and not reading.problems:
        assert READERS["name"](cell).value is None and not READERS["name"](cell).problems
    if reading.personal and len(reading.raw.strip()) >= 6:
        assert reading.raw.strip() not in repr(reading)


def _spell(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(getattr(value, "text", value))


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("point", "sector")])
@given(cell=CELLS)
def test_a_value_written_back_reads_the_same(name: str, cell: Cell) -> None:
    once = READERS[name](cell)
    if once.value is not None:
        assert _spell(READERS[name](_spell(once.value)).value) == _spell(once.value)
