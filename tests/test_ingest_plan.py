"""The plan of a file: every row judged once, every cell kept, and nothing changed that the file does not say."""

from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.choices import Choices, sector_key
from ingest.gazetteer import Gazetteer, GazetteerData, WardArea
from ingest.identity import Identities
from ingest.plan import Cancelled, plan_rows
from ingest.planned import PlannedRow
from ingest.refusal import Refusal
from ingest.row_places import Locator
from ingest.verdicts import VERDICTS
from ingest.workbook_reader import read
from postgis.secrets import Secrets
from tests import workbook_writers as write
from tests.plans import Known, Plan, Register, plan
from tests.test_ingest_corpus import READ
from tests.workbook_corpus import FOLDER
from tests.workbook_writers import Grid

BEYOND = {"type": "LineString", "coordinates": [[108.24, 16.035], [108.25, 16.05]]}
OUTLINE = {
    "type": "Polygon",
    "coordinates": [[[108.20, 16.03], [108.23, 16.03], [108.23, 16.06], [108.20, 16.06], [108.20, 16.03]]],
}
STREET = {"type": "LineString", "coordinates": [[108.21, 16.035], [108.22, 16.05]]}
KEY = Secrets(b"k" * 32)
HEAD = ["Tên cơ sở", "Địa chỉ kinh doanh", "Điện thoại", "Mã số thuế", "Tình trạng hoạt động"]


@cache
def _locator() -> Locator:
    ward = WardArea("20257", "Hòa Cường", OUTLINE)
    names = {"Hòa Cường": "20257", "Bình Thuận": "20257", "Hải Châu": "20242"}
    return Locator(Gazetteer(GazetteerData(ward, [("Núi Thành", STREET), ("Ngoài Phường", BEYOND)], ward_names=names)))


def _plan(data: bytes, register: list[Known] | None = None, name: str = "a.xlsx", key: Secrets | None = KEY) -> Plan:
    return plan(read(data, name), _locator(), Register(register or []), Identities(key))


def _rows(*rows: list[Any], head: list[str] | None = None, register: list[Known] | None = None) -> list[PlannedRow]:
    return list(_plan(write.xlsx(Grid("Danh sách", [head or HEAD, *rows])), register).rows)


def _codes(row: PlannedRow) -> set[str]:
    return {finding.code for finding in row.read.findings}


def _known(**more: Any) -> Known:
    values = {
        "name": "Quán Minh Họa Sáng", "house_number": "12", "alley": "K45", "street_name": "Núi Thành",
        "address": "K45/12 Núi Thành", "operating_status": "active", "opened_on": date(2020, 5, 1),
    }  # fmt: skip
    return Known("LE7K3M9P2A", values | more)


@pytest.mark.parametrize("name", READ)
def test_each_row_of_the_corpus_is_judged_once_and_each_cell_kept(name: str) -> None:
    found = plan(read(FOLDER / name, name), _locator())
    given = {
        (sheet.name, row.number): {cell.column: cell.raw for cell in row.cells()}
        for sheet in read(FOLDER / name, name).sheets
        for row in sheet.rows()
    }
    kept = {(row.read.sheet, row.read.row): row.read.raw for row in found.rows}
    skipped = {(row.skipped.sheet, row.skipped.row) for row in found.skipped}
    assert set(given) == set(kept) | skipped
    assert not set(kept) & skipped
    assert {place: given[place] for place in kept} == kept
    summary = found.summary
    assert sum(summary.counts.values()) == summary.rows_read == len(given)
    assert tuple(summary.counts) == VERDICTS
    assert [row.number for row in found.everything] == list(range(1, len(given) + 1))
    for row in found.rows:
        weights = Counter(finding.weight for finding in row.read.findings)
        assert (row.verdict == "wrong") == bool(weights["wrong"])
        assert row.verdict != "doubtful" or weights["doubtful"]


_CELL = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.integers(-(10**12), 10**13),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["Tổ 12", "Tổng cộng", "nt", '"', "31/02/2024", "048203001234", "0905 111 222", "K45/12 Núi Thành",
                     "Phường Bình Thuận", "16.04, 108.21", "Đang hoạt động", "I. Chợ Minh Họa", "#N/A", "2/9"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=1, max_size=8), min_size=1, max_size=12))
def test_whatever_stands_in_a_table_the_sums_hold(rows: list[list[Any]]) -> None:
    data = write.text(Grid("a", [[*HEAD, "Tổ", "Tọa độ", "Ngày cấp"], *rows]))
    try:
        found = _plan(data, [_known()], "a.csv")
    except Refusal:
        return
    assert sum(found.summary.counts.values()) == found.summary.rows_read
    assert all(row.verdict in VERDICTS for row in found.rows)


def test_an_empty_register_gets_new_places_and_says_where_they_are() -> None:
    (row,) = _rows(["Quán Minh Họa Sáng", "12 Núi Thành, Phường Bình Thuận", None, None, "Đang hoạt động"])
    assert row.verdict == "new"
    assert row.read.values["operating_status"] == "active"
    assert row.read.place.address.ward_code == "20257"
    assert row.read.place.located is not None
    assert row.read.place.located.basis == "street"


def test_what_the_file_does_not_say_is_no_change() -> None:
    said = ["Quán Minh Họa Sáng", "12 kiệt 45 Núi Thành", None, None, None]
    bare = ["QUAN MINH HOA SANG", "K45/12 Núi Thành", None, None, "Không rõ"]
    for values in (said, bare):
        (row,) = _rows(values, register=[_known()])
        assert (row.verdict, row.changes) == ("same", []), _codes(row)


def test_a_change_is_told_field_by_field() -> None:
    (row,) = _rows(
        ["Quán Minh Họa Sáng", "K45/12 Núi Thành", "0905 111 222", None, "Tạm đóng cửa"], register=[_known()]
    )
    assert row.verdict == "changed"
    assert {(change.field, change.before) for change in row.changes} == {
        ("operating_status", "active"),
        ("owner_phone", None),
    }
    assert all("0905" not in str(change.after) for change in row.changes)


def test_house_number_and_alley_change_as_one() -> None:
    known = _known(house_number="14", alley=None, address="14 Núi Thành")
    head = ["Mã tra cứu", "Tên cơ sở", "Địa chỉ kinh doanh"]
    (row,) = _rows([known.code, "Quán Minh Họa Sáng", "K45/12 Núi Thành"], head=head, register=[known])
    assert [(change.field, change.before, change.after) for change in row.changes] == [
        (
            "address",
            {"house_number": "14", "street_name": "Núi Thành", "address": "14 Núi Thành"},
            {"house_number": "12", "alley": "K45", "street_name": "Núi Thành", "address": "K45/12 Núi Thành"},
        )
    ]


def test_a_telephone_number_is_known_again_by_its_hash_only() -> None:
    known = _known(name="Tiệm Khác Hẳn", house_number=None, alley=None, street_name=None, address=None)
    known.entity = "PN1"
    known.hashes = (("owner_phone", KEY.lookup_hash("0905111222", kind="owner_phone")),)
    (row,) = _rows(["Quán Minh Họa Sáng", None, "+84 905 111 222", None, None], register=[known])
    assert "same_phone" in row.matches[0].reasons
    without = list(
        _plan(write.xlsx(Grid("a", [HEAD, ["Quán", None, "0905111222", None, None]])), [known], key=None).rows
    )
    assert not without[0].matches


def test_twins_in_a_file_are_told_but_stalls_at_one_address_are_none() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Số quầy", "Chợ"]
    stalls = _rows(
        ["Quầy cô Minh", "1 Núi Thành", "A1", "Chợ Minh Họa"],
        ["Quầy cô Họa", "1 Núi Thành", "A2", "Chợ Minh Họa"],
        ["Quầy cô Dụ", "1 Núi Thành", "A3", "Chợ Minh Họa"],
        head=head,
    )
    assert [row.verdict for row in stalls] == ["new", "new", "new"], [_codes(row) for row in stalls]
    first, second = _rows(*[["Quán Minh Họa Sáng", "12 Núi Thành", None, None, None]] * 2)
    assert first.verdict == "new"
    assert second.verdict == "doubtful"
    assert "twice_in_file" in _codes(second)


def test_a_stall_is_known_again_by_its_columns_or_its_address() -> None:
    stall = {"stall": "A-04", "site": "Chợ Minh Họa", "house_number": None, "alley": None, "street_name": None}
    known = _known(**stall, address="Quầy A-04 Chợ Minh Họa")
    (by_columns,) = _rows(
        ["Quán Minh Họa Sáng", "Quầy A-04 Chợ Minh Họa", "A-04", "Chợ Minh Họa"],
        head=["Tên cơ sở", "Địa chỉ kinh doanh", "Số quầy", "Chợ"],
        register=[known],
    )
    (by_address,) = _rows(["Quán Minh Họa Sáng", "Quầy A-04 Chợ Minh Họa"], head=HEAD[:2], register=[known])
    assert (by_columns.verdict, by_address.verdict) == ("same", "same")


def test_a_place_of_another_ward_is_flagged() -> None:
    elsewhere, outside = _rows(
        ["Quán A Minh Họa", "5 Núi Thành, Phường Hải Châu", None],
        ["Quán B Giả Định", None, "10.77, 106.70"],
        head=["Tên cơ sở", "Địa chỉ kinh doanh", "Tọa độ"],
    )
    assert "other_ward_named" in _codes(elsewhere)
    assert elsewhere.verdict == "doubtful"
    assert "outside_window" in _codes(outside)
    assert outside.verdict == "doubtful"


def test_a_wrong_point_makes_no_other_place_of_one_address() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Tọa độ"]
    (row,) = _rows(["Quán Minh Họa Sáng", "K45/12 Núi Thành", "16.0345, 108.2105"], head=head, register=[_known()])
    assert row.verdict == "changed", (row.matches, _codes(row))
    assert [change.field for change in row.changes] == ["position"]


def test_a_business_called_like_a_signature_is_no_footer() -> None:
    grid = Grid("a", [HEAD, ["Kế toán Minh Họa", "12 Núi Thành", None, None, "Đang hoạt động"],
                      ["Quán Giả Định", "7 Núi Thành"], [None, "Kế toán", None, "Chủ tịch"]])  # fmt: skip
    found = _plan(write.xlsx(grid))
    assert [row.read.name for row in found.rows] == ["Kế toán Minh Họa", "Quán Giả Định"]
    assert found.summary.counts["skipped"] == 2


def test_a_place_that_the_register_knows_is_in_the_ward_wherever_its_street_goes() -> None:
    known = _known(house_number="3", alley=None, street_name="Ngoài Phường", address="3 Ngoài Phường")
    mine, other = _rows(
        ["Quán Minh Họa Sáng", "3 Ngoài Phường"],
        ["Tiệm Giả Định", "90 Ngoài Phường"],
        head=HEAD[:2],
        register=[known],
    )
    assert "outside_ward" in _codes(mine) & _codes(other)
    assert (mine.verdict, other.verdict) == ("same", "doubtful")


def test_groups_speak_where_the_row_is_silent() -> None:
    grid = Grid("a", [HEAD[:3], ["Tổ 12", None, None], ["Quán Minh Họa", "5 Núi Thành", "0905111222"],
                      ["Quán Giả Định", "7 Núi Thành, tổ 3", "0905111333"]])  # fmt: skip
    rows = list(_plan(write.xlsx(grid)).rows)
    assert [row.read.place.address.residential_group for row in rows] == ["12", "3"]


def test_what_the_sender_must_mend_is_wrong() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Ngày bắt đầu", "Ghi chú"]
    impossible, nothing = _rows(
        ["Quán Minh Họa", "5 Núi Thành", "31/02/2024", None],
        [None, None, "01/02/2024", "không rõ là ai"],
        head=head,
    )
    assert impossible.verdict == "wrong"
    assert "impossible_date" in _codes(impossible)
    assert nothing.verdict == "wrong"
    assert "nothing_to_know_it_by" in _codes(nothing)


def test_a_personal_number_is_in_no_finding_change_or_repr() -> None:
    number, other = "048203001234", "048203001235"
    rows = _rows(
        ["Quán Minh Họa", "5 Núi Thành", "0905111222", number, None],
        ["Quán Giả Định", "7 Núi Thành", "0905111333", int(other), None],
        register=[_known(name="Quán Minh Họa", house_number="5", alley=None)],
    )
    changes = [(change.before, change.after) for row in rows for change in row.changes]
    said = " ".join(f"{row!r} {row.read!r} {row.read.findings} {row.matches}" for row in rows) + repr(changes)
    assert number not in said
    assert other[1:] not in said
    assert "0905111222" not in said
    assert all(row.read.values["tax_code"].is_personal for row in rows)


def test_our_own_code_finds_its_place() -> None:
    head = ["Mã tra cứu", "Tên cơ sở", "Địa chỉ kinh doanh"]
    own, other = _rows(
        ["LE7K3M9P2A", "Quán Đổi Tên", "K45/12 Núi Thành"],
        ["XXXXXXXXXX", "Quán Giả Định", "9 Núi Thành"],
        head=head,
        register=[_known()],
    )
    assert [change.field for change in own.changes] == ["name"]
    assert "unknown_code" in _codes(other)
    assert other.verdict == "doubtful"


def test_reading_does_not_depend_on_the_files_kind() -> None:
    rows = [HEAD, ["Quán Minh Họa", "5 Núi Thành", "0905111222", None, "Đang hoạt động"]]
    csv = _plan(write.text(Grid("a", rows)), name="a.csv")
    xlsx = _plan(write.xlsx(Grid("a", rows)))
    assert [row.read.values for row in csv.rows] == [row.read.values for row in xlsx.rows]


def test_a_plan_tells_how_far_it_is_and_stops_when_it_is_told_to() -> None:
    rows = [[f"Quán Minh Họa {number}", f"{number} Núi Thành"] for number in range(1, 1_101)]
    data = write.text(Grid("a", [HEAD[:2], *rows]))
    told: list[tuple[str, int]] = []
    found = plan_rows(
        read(data, "a.csv"), _locator(), Register(), Identities(None), progress=lambda *step: told.append(step)
    )
    assert sum(1 for _ in found) == 1_101
    assert told == [("reading", 0), ("matching", 500), ("matching", 1_000)]
    seen = 0
    stopped = plan_rows(read(data, "a.csv"), _locator(), Register(), Identities(None), cancelled=lambda: seen >= 600)
    with pytest.raises(Cancelled):
        for _ in stopped:
            seen += 1
    assert 600 <= seen < 1_100


def test_a_corrected_cell_is_read_in_place_of_the_files_and_said_to_be() -> None:
    data = write.xlsx(Grid("T", [["STT", "Tên cơ sở", "Địa chỉ", "Ngành nghề"], [1, "", "12 Núi Thành", "phở"],
                                       [2, "Quán Hai", "14 Núi Thành", "phở"]]))  # fmt: skip
    choices = Choices.from_json({"sectors": {sector_key("phở"): "VSIC2025 5610"}})

    def rows(corrections: dict[int, dict[int, str]]) -> list[PlannedRow]:
        found = plan_rows(
            read(data, "a.xlsx"), _locator(), Register(), Identities(None), choices, corrections=corrections
        )
        return [row for row in found if isinstance(row, PlannedRow)]

    first, second = rows({})
    assert "no_name" in _codes(first) and "replaced" not in first.sealed()
    first, second = rows({first.number: {2: "Quán Một", 3: ""}, 1: {2: "Đầu bảng"}})
    assert first.read.name == "Quán Một" and "no_name" not in _codes(first)
    assert first.sealed()["replaced"] == {"2": "", "3": "12 Núi Thành"} and "3" not in first.sealed()["cells"]
    assert {each.column for each in first.read.findings if each.code == "corrected_by_person"} == {2, 3}
    assert "corrected_by_person" not in _codes(second) and second.read.name == "Quán Hai"
