"""What a row proposes: every record in the register's own names, nothing guessed silently, nothing lost."""

from datetime import date
from functools import cache
from typing import Any

import pytest

from ingest.choices import Choices, sector_key
from ingest.encoding_columns import Decoder
from ingest.gazetteer import Gazetteer, GazetteerData, WardArea
from ingest.identity import Identities
from ingest.planned import PlannedRow
from ingest.row_places import Locator
from ingest.row_values import KEPT_FIELDS
from ingest.values import is_ditto, is_empty, tidy
from ingest.workbook_reader import read
from postgis.folding import search_key
from postgis.secrets import Secrets
from postgis.store.record_types import RECORD_TYPES
from postgis.today import today
from postgis.vocabulary import PERSONAL_FIELDS
from tests import workbook_writers as write
from tests.plans import Known, Plan, Register, plan
from tests.test_ingest_corpus import READ
from tests.test_ingest_plan import OUTLINE, STREET
from tests.workbook_corpus import FOLDER
from tests.workbook_writers import Grid

KEY = Secrets(b"k" * 32)
CODE = "LE7K3M9P2A"
ADDRESS = "12 Núi Thành"


@cache
def _locator() -> Locator:
    ward = WardArea("20257", "Hòa Cường", OUTLINE)
    return Locator(Gazetteer(GazetteerData(ward, [("Núi Thành", STREET)], ward_names={"Hòa Cường": "20257"})))


def _plan(
    head: list[str], *rows: list[Any], known: Known | None = None, choices: dict[str, Any] | None = None,
    title: str | None = None, sites: dict[str, str] | None = None,
) -> Plan:  # fmt: skip
    grid = Grid("Danh sách", [*([[title]] if title else []), head, *rows])
    register = Register([known] if known else [], sites or {})
    return plan(
        read(write.xlsx(grid), "a.xlsx"), _locator(), register, Identities(KEY), Choices.from_json(choices or {})
    )


def _row(said: dict[str, Any], **more: Any) -> PlannedRow:
    """One row whose columns are named, at a place with a name and an address."""
    said = {"Tên cơ sở": "Quán Minh Họa Sáng", "Địa chỉ kinh doanh": ADDRESS} | said
    (row,) = _plan(list(said), list(said.values()), **more).rows
    return row


def _new(row: PlannedRow, collection: str) -> list[dict[str, Any]]:
    assert row.wishes.new is not None, (row.verdict, _codes(row))
    return [dict(wish.values) for wish in row.wishes.new if wish.collection == collection]


def _updates(row: PlannedRow, collection: str) -> list[dict[str, Any]]:
    return [wish.as_json() for wish in row.wishes.update[CODE] if wish.collection == collection]


def _codes(row: PlannedRow) -> set[str]:
    return {finding.code for finding in row.read.findings}


def _known(**more: Any) -> Known:
    values = {
        "name": "Quán Minh Họa Sáng", "house_number": "12", "street_name": "Núi Thành", "address": ADDRESS,
        "operating_status": "active",
    }  # fmt: skip
    return Known(CODE, values, **more)


def test_a_new_row_names_every_record_in_the_registers_own_words() -> None:
    row = _row(
        {
            "Tên hộ kinh doanh": "Hộ kinh doanh Minh Họa", "Họ tên chủ hộ": "Nguyễn Thị Minh Họa",
            "Điện thoại": "0905 111 222", "CCCD": "048203001234", "Ngành nghề kinh doanh": "Quán ăn",
            "Tình trạng hoạt động": "Tạm nghỉ", "Số GCN ĐKKD": "32A8000001", "Ngày cấp GCN ĐKKD": date(2020, 5, 1),
            "Số GCN ATTP": "12/ATTP", "Ngày hết hạn GCN ATTP": "31/12/2027", "Ngày kiểm tra": "05/03/2026",
            "Kết quả kiểm tra": "Đạt", "Cơ quan kiểm tra": "Đoàn kiểm tra phường", "VietQR": "x", "Máy POS": "không",
            "Hóa đơn điện tử": "có", "Ngày khảo sát": "01/04/2026",
        }
    )  # fmt: skip
    assert row.verdict == "new", _codes(row)
    assert row.wishes.new is not None
    assert [wish.collection for wish in row.wishes.new] == [
        "legal_entities", "establishments", "licences", "food_safety_records", "inspections", "payment_acceptances",
        "payment_acceptances", "digital_uses",
    ]  # fmt: skip
    for wish in row.wishes.new:
        record_type = RECORD_TYPES[wish.collection]
        assert all(record_type.field(name) for name in wish.values), wish.values
        needed = {each.name for each in record_type.fields if each.required} - {"establishment"}
        assert needed <= set(wish.values), wish.collection
    (entity,) = _new(row, "legal_entities")
    assert entity == {
        "registered_name": "Hộ kinh doanh Minh Họa", "legal_form": "household_business",
        "registration_number": "32A8000001",
    }  # fmt: skip
    (place,) = _new(row, "establishments")
    assert place["sector_scheme"] == "VSIC2025"
    assert (place["sector_code"], place["sector_group"]) == ("5610", "food_service")
    assert place["operating_status"] == "suspended"
    assert place["source"] == "import"
    assert place["geometry"]["type"] == "Point"
    assert _new(row, "licences")[0] | {"checked_on": "2026-04-01"} == {
        "kind": "business_registration", "issued_on": "2020-05-01", "number": "32A8000001", "checked_on": "2026-04-01",
        "source": "import",
    }  # fmt: skip
    assert _new(row, "food_safety_records") == [
        {"kind": "certificate", "valid_until": "2027-12-31", "number": "12/ATTP", "checked_on": "2026-04-01",
         "source": "import"}
    ]  # fmt: skip
    (inspection,) = _new(row, "inspections")
    assert "signed_on" not in inspection
    assert [(each["method"], each["accepted"]) for each in _new(row, "payment_acceptances")] == [
        ("vietqr", True), ("pos_card", False),
    ]  # fmt: skip
    assert all(each["evidence_level"] == "declared" for each in _new(row, "payment_acceptances"))
    assert row.personal == {
        "owner_name": "Nguyễn Thị Minh Họa", "owner_phone": "0905111222", "personal_id": "048203001234",
    }  # fmt: skip
    stored = repr(row.as_json())
    assert not any(secret in stored for secret in ("0905111222", "048203001234", "Nguyễn Thị"))
    assert set(row.personal) <= set(PERSONAL_FIELDS)


def test_a_households_tax_code_is_personal_and_a_firms_is_not() -> None:
    person = _row({"Mã số thuế": "048203001234", "Loại hình": "Hộ kinh doanh", "Tên đăng ký": "HKD Minh Họa"})
    firm = _row({"Mã số thuế": "0400101394", "Tên công ty": "Công ty TNHH Minh Họa"})
    assert person.personal == {"household_tax_code": "048203001234"}
    assert "tax_code" not in _new(person, "legal_entities")[0]
    assert firm.personal == {}
    assert _new(firm, "legal_entities")[0]["tax_code"] == "0400101394"
    assert "form_from_name" in _codes(firm)


def test_a_number_that_may_be_a_persons_is_in_no_licence() -> None:
    row = _row({"Số GCN ĐKKD": "048203001234", "Loại hình": "Hộ kinh doanh"})
    assert _new(row, "licences") == []
    assert row.personal == {"household_tax_code": "048203001234"}


def test_without_a_legal_form_the_owner_stays_in_the_row_and_it_is_said() -> None:
    head, values = ["Tên cơ sở", "Địa chỉ kinh doanh", "Điện thoại"], ["Quán Minh Họa Sáng", ADDRESS, "0905111222"]
    (bare,) = _plan(head, values).rows
    assert _new(bare, "legal_entities") == []
    assert "no_legal_form" in _codes(bare)
    assert bare.sealed()["personal"] == {"owner_phone": "0905111222"}
    titled = _plan(head, values, title="DANH SÁCH HỘ KINH DOANH NĂM 2026")
    assert titled.summary.sheets[0].as_json()["legal_form_proposal"]["legal_form"] == "household_business"
    chosen = _plan(head, values, choices={"legal_form": "enterprise"})
    refused = _plan(head, values, title="DANH SÁCH HỘ KINH DOANH", choices={"legal_form": "none"})
    forms = [_new(found.rows[0], "legal_entities")[:1] for found in (titled, chosen, refused)]
    assert [form[0]["legal_form"] if form else None for form in forms] == ["household_business", "enterprise", None]


def test_cash_only_beside_another_method_is_for_a_person() -> None:
    row = _row({"Hình thức thanh toán": "Chỉ tiền mặt", "VietQR": "có", "Máy POS": "không"})
    assert row.verdict == "doubtful"
    assert "payments_contradict" in _codes(row)
    assert {each["method"]: each["accepted"] for each in _new(row, "payment_acceptances")} == {
        "cash_only": True, "pos_card": False,
    }  # fmt: skip
    empty = _row({"VietQR": None, "Ghi chú": "a"})
    assert _new(empty, "payment_acceptances") == []


def test_a_wallets_own_column_says_yes_or_no_of_it() -> None:
    row = _row({"Ví điện tử MoMo": "có", "Sàn TMĐT": "Shopee"})
    assert [each["method"] for each in _new(row, "payment_acceptances")] == ["momo"]
    assert [each["kind"] for each in _new(row, "digital_uses")] == ["marketplace"]
    vague = _row({"Ví điện tử": "có"})
    assert _new(vague, "payment_acceptances") == []
    assert "which_method" in _codes(vague)
    assert vague.verdict == "new"


def test_a_head_that_names_one_method_makes_yes_and_no_that_methods() -> None:
    said = {cell: _row({"Thanh toán QR": cell}) for cell in ("Có", "không", "x", "Momo")}
    found = {
        cell: [(e["method"], e["accepted"]) for e in _new(row, "payment_acceptances")] for cell, row in said.items()
    }
    assert found == {"Có": [("vietqr", True)], "không": [("vietqr", False)], "x": [("vietqr", True)],
                     "Momo": [("momo", True)]}  # fmt: skip
    generic = _row({"Thanh toán không dùng tiền mặt": "có"})
    assert "which_method" in _codes(generic)
    assert (generic.verdict, _new(generic, "payment_acceptances")) == ("new", [])


@pytest.mark.parametrize(
    ("written", "kind", "number"),
    [
        ("Đã cam kết", "commitment", None),
        ("Giấy CN ATTP 123/2024", "certificate", "123/2024"),
        ("Chưa có", "missing", None),
    ],
)
def test_under_food_safety_stand_words_a_number_or_both(written: str, kind: str, number: str | None) -> None:
    (record,) = _new(_row({"VSATTP": written}), "food_safety_records")
    assert (record["kind"], record.get("number")) == (kind, number)
    assert "kept_as_text" not in _codes(_row({"VSATTP": written}))


def test_a_paper_that_nothing_names_is_not_guessed_at() -> None:
    said = {"Giấy phép có hiệu lực đến": "31/12/2027", "Hạn ATTP": "30/06/2027"}
    new = _row(said)
    assert set(new.read.columns) >= {"licence_expires_on", "food_safety_expires_on"}
    assert _new(new, "licences") == _new(new, "food_safety_records") == []
    assert [each.code for each in new.read.findings].count("paper_not_named") == 2
    number = _row({"VSATTP": "45/2025"})
    assert "paper_not_named" in _codes(number)
    titled = _row({"GCN ATTP có hiệu lực đến": "30/06/2027", "Ngày hết hạn GCN ĐKKD": "31/12/2027"})
    assert _new(titled, "food_safety_records")[0]["kind"] == "certificate"
    assert _new(titled, "licences")[0]["kind"] == "business_registration"


def test_a_paper_that_nothing_names_is_the_known_one_that_it_can_be() -> None:
    licences = (
        {"code": "1", "kind": "alcohol_retail", "expires_on": date(2027, 12, 31), "checked_on": date(2025, 1, 1)},
        {"code": "2", "kind": "business_registration", "checked_on": date(2025, 1, 1)},
    )
    commitment = {"code": "3", "kind": "commitment", "valid_until": date(2027, 6, 30), "checked_on": date(2025, 1, 1)}
    records = {"licences": licences, "food_safety_records": (commitment,)}
    said = {"Giấy phép có hiệu lực đến": "31/12/2027", "Hạn ATTP": "30/06/2027"}
    same = _row(said, known=_known(records=records))
    assert (same.verdict, _codes(same) & {"paper_not_named"}) == ("same", set())
    later = {"Giấy phép có hiệu lực đến": "31/12/2028", "Hạn ATTP": "30/06/2028"}
    two = _row(later, known=_known(records=records))
    assert _updates(two, "licences") == []
    assert "paper_not_named" in _codes(two)
    assert [(each["code"], each["values"]["valid_until"]) for each in _updates(two, "food_safety_records")] == [
        ("3", "2028-06-30")
    ]
    one = _row(later, known=_known(records={"licences": licences[:1]}))
    assert [(each["code"], each["values"]["expires_on"]) for each in _updates(one, "licences")] == [("1", "2028-12-31")]
    assert "paper_not_named" in _codes(one)


def test_a_stall_in_the_column_of_house_numbers_is_a_stall() -> None:
    head = {"Số nhà": "Sạp 12", "Đường": "chợ Minh Họa", "Địa chỉ kinh doanh": None}
    row = _row(head, sites={"Chợ Minh Họa": "MS1"})
    (place,) = _new(row, "establishments")
    assert (place["stall"], place["model_site"]) == ("12", "MS1")
    assert not {"house_number", "street_name"} & set(place)


def test_an_inspection_needs_its_day_its_result_and_who_made_it() -> None:
    said = {"Ngày kiểm tra": "05/03/2026", "Kết quả kiểm tra": "Không đạt"}
    assert "no_agency" in _codes(_row(said))
    row = _row(said, choices={"agency": "Đoàn kiểm tra liên ngành"})
    assert _new(row, "inspections") == [
        {"inspected_on": "2026-03-05", "agency": "Đoàn kiểm tra liên ngành", "result": "fail", "source": "import"}
    ]
    assert "inspection_incomplete" in _codes(_row({"Kết quả kiểm tra": "Đạt"}))


@pytest.mark.parametrize(
    ("said", "code", "verdict"),
    [
        ({"Ngày bắt đầu": "01/02/2024", "Ngày chấm dứt": "01/01/2024"}, "days_out_of_order", "wrong"),
        ({"Ngày khảo sát": date(today().year + 1, 1, 1)}, "day_ahead", "wrong"),
        ({"Ngày cấp GCN ĐKKD": date(1901, 1, 1)}, "day_kept", "new"),
    ],
)
def test_days_that_cannot_be_are_said(said: dict[str, Any], code: str, verdict: str) -> None:
    row = _row(said)
    assert code in _codes(row)
    assert row.verdict == verdict


def test_a_place_that_cannot_be_located_is_for_a_person_and_never_precise() -> None:
    row = _row({"Địa chỉ kinh doanh": "Đường Không Ai Biết"})
    assert row.verdict == "doubtful"
    assert {"placed_in_ward", "not_located"} <= _codes(row)
    (place,) = _new(row, "establishments")
    assert place["position_accuracy_m"] > 1_000
    assert place["position_method"] == "interpolated"


def test_metres_are_used_only_when_a_person_has_seen_them_on_a_map() -> None:
    # 16.0425 N, 108.215 E in EPSG:5899.
    said = {"X": 1774341.2, "Y": 549973.6}
    states = {None: "interpolated", "confirmed": "typed", "ignored": "interpolated"}
    for points, method in states.items():
        row = _row(said, choices={"points": points})
        assert _new(row, "establishments")[0]["position_method"] == method, points
    summary = _plan(["Tên cơ sở", "Địa chỉ kinh doanh", *said], ["Quán", ADDRESS, *said.values()]).summary
    assert summary.points.needs_confirmation
    assert len(summary.points.samples) == 1


def test_a_known_place_is_changed_with_what_it_was() -> None:
    known = _known(
        entity="PN1", entity_values={"registered_name": "HKD Minh Họa", "legal_form": "household_business"},
        records={
            "licences": ({"code": "GP1", "kind": "business_registration", "number": "32A8000001",
                          "issued_on": date(2019, 1, 1), "checked_on": date(2025, 1, 1)},),
            "payment_acceptances": ({"code": "TT1", "method": "vietqr", "accepted": True,
                                     "evidence_level": "confirmed", "checked_on": date(2026, 1, 1)},),
        },
    )  # fmt: skip
    row = _row(
        {"Tình trạng hoạt động": "Tạm nghỉ", "Số GCN ĐKKD": "32A8000001", "Ngày cấp GCN ĐKKD": "01/05/2020",
         "VietQR": "có"},
        known=known, choices={"as_of": "2026-03-01"},
    )  # fmt: skip
    assert row.verdict == "changed"
    assert row.wishes.new is None
    (place,) = _updates(row, "establishments")
    assert (place["code"], place["before"], place["values"]) == (
        CODE, {"operating_status": "active"}, {"operating_status": "suspended"},
    )  # fmt: skip
    (licence,) = _updates(row, "licences")
    assert licence["code"] == "GP1"
    assert licence["before"]["issued_on"] == "2019-01-01"
    assert licence["values"] == {"issued_on": "2020-05-01", "checked_on": "2026-03-01"}
    # A list's word takes no confirmed check's place.
    assert _updates(row, "payment_acceptances") == []
    assert _updates(row, "legal_entities")[0]["values"] == {"registration_number": "32A8000001"}
    told = {(change.collection, change.field) for change in row.changes}
    assert told == {
        ("establishments", "operating_status"), ("licences", "issued_on"), ("legal_entities", "registration_number"),
    }  # fmt: skip


def test_what_the_register_knows_of_a_later_day_stays() -> None:
    checks = ({"code": "TT1", "method": "vietqr", "accepted": False, "evidence_level": "declared",
               "checked_on": date(2026, 3, 1)},)  # fmt: skip
    known = _known(records={"payment_acceptances": checks})
    older = _row({"VietQR": "có"}, known=known, choices={"as_of": "2026-01-01"})
    newer = _row({"VietQR": "có"}, known=known, choices={"as_of": "2026-04-01"})
    assert (older.verdict, newer.verdict) == ("same", "changed")
    assert "older_than_known" in _codes(older)


def test_the_same_file_planned_again_after_it_was_written_changes_nothing() -> None:
    said = {"Số GCN ĐKKD": "32A8000001", "Ngày cấp GCN ĐKKD": "01/05/2020", "VietQR": "có", "Số GCN ATTP": "12/ATTP",
            "Loại hình": "Hộ kinh doanh", "Tên đăng ký": "HKD Minh Họa", "Điện thoại": "0905111222"}  # fmt: skip
    first = _row(said)
    records: dict[str, list[dict[str, Any]]] = {}
    for at, wish in enumerate(first.wishes.new or []):
        days = {name: date.fromisoformat(value) for name, value in wish.values.items() if name.endswith("_on")}
        records.setdefault(wish.collection, []).append({**wish.values, **days, "code": f"R{at}"})
    (place,), (entity,) = records.pop("establishments"), records.pop("legal_entities")
    hashes = tuple((name, KEY.lookup_hash(value, kind=name)) for name, value in first.personal.items())
    lon, lat = place["geometry"]["coordinates"]
    known = Known(CODE, place, "PN1", entity, {name: tuple(each) for name, each in records.items()}, None, hashes,
                  lon, lat, place["position_accuracy_m"])  # fmt: skip
    again = _row(said, known=known)
    assert (again.verdict, again.changes, again.wishes.update) == ("same", [], {})


def test_a_doubtful_row_can_be_decided_either_way() -> None:
    known = _known()
    row = _row({"Địa chỉ kinh doanh": None, "Ghi chú": "a"}, known=known)
    assert row.verdict == "doubtful"
    assert row.wishes.new is not None
    assert set(row.wishes.update) == {match.ref for match in row.matches} == {CODE}


def test_one_owner_of_two_places_is_made_once_and_a_known_one_is_linked() -> None:
    head = ["Tên cơ sở", "Tên công ty", "Mã số thuế", "Địa chỉ kinh doanh"]
    rows = [["Chi Nhánh Một", "Công ty TNHH Minh Họa", "0400101394", "12 Núi Thành"],
            ["Tiệm Hai Giả Định", "Công ty TNHH Minh Họa", "0400101394", "95 Núi Thành"]]  # fmt: skip
    first, second = _plan(head, *rows).rows
    assert [wish.same_as for wish in (first.wishes.new or []) if wish.collection == "legal_entities"] == [None]
    assert [wish.same_as for wish in (second.wishes.new or []) if wish.collection == "legal_entities"] == [first.number]
    known = Known("XK7K3M9P2A", {"name": "Nơi Khác Hẳn"}, "PN9", {"tax_code": "0400101394"}, {}, "0400101394")
    linked = _plan(head, rows[0], known=known).rows[0]
    assert _new(linked, "legal_entities") == []
    assert _new(linked, "establishments")[0]["legal_entity"] == "PN9"


def test_another_phone_is_told_masked_and_the_same_is_no_change() -> None:
    hashes = (("owner_phone", KEY.lookup_hash("0905111222", kind="owner_phone")),)
    known = _known(entity="PN1", entity_values={"legal_form": "household_business"}, hashes=hashes)
    same = _row({"Điện thoại": "0905 333 444; 0905 111 222"}, known=known)
    other = _row({"Điện thoại": "0905 333 444"}, known=known)
    assert same.personal == {"owner_phone": "0905111222"}
    assert (same.verdict, other.verdict) == ("same", "changed")
    (change,) = other.changes
    assert (change.field, change.before) == ("owner_phone", "***")
    assert "333" not in str(change.after)


def test_a_sector_is_confirmed_once_for_the_whole_list() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Ngành nghề kinh doanh"]
    rows = [["Quán A Minh Họa", "1 Núi Thành", "Đồ lạ kỳ"], ["Quán B Giả Định", "31 Núi Thành", "đồ  lạ kỳ"]]
    asked = _plan(head, *rows)
    (text,) = asked.summary.as_json()["sectors"]
    assert (text["key"], text["count"], text["by_person"]) == (sector_key("Đồ lạ kỳ"), 2, False)
    confirmed = _plan(head, *rows, choices={"sectors": {text["key"]: "VSIC2025 4773"}})
    assert [_new(row, "establishments")[0].get("sector_code") for row in confirmed.rows] == ["4773", "4773"]
    assert confirmed.summary.as_json()["sectors"][0]["by_person"]


def test_columns_and_encodings_are_as_a_person_says() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Cột lạ", "Ghi chú"]
    plain = _plan(head, ["Quán", ADDRESS, "Đang hoạt động", "Ghi chó"])
    table = plain.summary.sheets[0].table
    keys = {column.header: column.key for column in table.columns}
    chosen = {"columns": {table.signature: {keys["Cột lạ"]: "operating_status"}, "Danh sách": {keys["Ghi chú"]: None}}}
    row = _plan(head, ["Quán", ADDRESS, "Tạm nghỉ", "a"], choices=chosen).rows[0]
    assert row.read.values["operating_status"] == "suspended"
    assert "note" not in row.read.columns
    coded = ["Qu¸n Minh Häa", "12 Nói Thµnh", None, None]
    by_itself, as_it_is = (
        _plan(head, coded, choices={"encodings": {"Danh sách": encodings}}).rows[0].read.name
        for encodings in ({}, {keys["Tên cơ sở"]: "as_is"})
    )
    assert (by_itself, as_it_is) == ("Quán Minh Họa", "Qu¸n Minh Häa")


def test_a_sheet_that_is_left_out_is_skipped_with_its_reason() -> None:
    found = _plan(["Tên cơ sở"], ["Quán Minh Họa"], choices={"sheets_left_out": ["Danh sách"]})
    assert {row.reason for row in found.skipped} == {"sheet_left_out"}
    assert found.summary.counts["skipped"] == found.summary.rows_read == 2


def test_choices_survive_being_stored_and_nonsense_is_no_choice() -> None:
    stored = {
        "columns": {"abc": {"ten": "name", "x": None}}, "encodings": {"S": {"ten": "tcvn3"}},
        "sectors": {"quán ăn": "VSIC2025 5610", "lạ": None}, "legal_form": "enterprise", "agency": "Đoàn",
        "as_of": "2026-01-31", "points": "confirmed", "sheets_left_out": ["Cũ"],
    }  # fmt: skip
    assert Choices.from_json(stored).as_json() == stored
    misspelt = {
        "columns": 3, "encodings": {"S": {"a": "klingon"}}, "sectors": {"a": "4711"}, "legal_form": "empire",
        "as_of": "mai", "points": 1, "sheets_left_out": "x",
    }  # fmt: skip
    for nonsense in (None, [], "x", misspelt):
        assert Choices.from_json(nonsense) in (Choices(), Choices(encodings={"S": {}}))


def test_a_market_is_linked_by_its_code_and_an_unknown_one_is_said() -> None:
    said = {"Chợ": "Chợ Minh Họa", "Số quầy": "A-12"}
    known = _row(said, sites={"Chợ Minh Họa": "MS1"})
    assert _new(known, "establishments")[0]["model_site"] == "MS1"
    assert "site_unknown" in _codes(_row(said))


def test_the_same_remark_of_many_rows_is_one_in_the_summary() -> None:
    head = ["Tên cơ sở", "Địa chỉ kinh doanh", "Ngày cấp GCN ĐKKD"]
    rows = [[f"Quán Minh Họa {at}", f"{at} Núi Thành", "31/02/2024"] for at in range(1, 31)]
    problems = [each for each in _plan(head, *rows).summary.problems.values() if each.code == "impossible_date"]
    assert [(each.column, each.count, each.rows) for each in problems] == [(3, 30, [2, 3, 4, 5, 6])]


def test_kept_columns_are_said_to_be_kept() -> None:
    found = _plan(["Tên cơ sở", "Địa chỉ kinh doanh", "Doanh thu", "Cột riêng xyz"], ["Quán", ADDRESS, 5, "a"])
    kept = {column["header"]: column["kept"] for column in found.summary.as_json()["columns"]}
    assert kept == {"Tên cơ sở": False, "Địa chỉ kinh doanh": False, "Doanh thu": True, "Cột riêng xyz": True}
    assert "revenue" in KEPT_FIELDS


def _untold(row: PlannedRow, decoders: dict[int, Decoder]) -> list[int]:
    """Columns of a row that are in no proposal, no finding, and not kept as a whole."""
    fields = {column: field for field, columns in row.read.columns.items() for column in columns}
    told = {finding.column for finding in row.read.findings}
    proposed = [wish.values for wish in (row.wishes.new or [])]
    proposed += [wish.values for wishes in row.wishes.update.values() for wish in wishes]
    spelt = search_key(repr([*map(dict, proposed), row.personal, row.proposed, row.read.place.stated]))
    spelt = spelt.replace(" ", "")
    left = []
    for column, text in row.read.raw.items():
        field = fields.get(column)
        if field is None or field in KEPT_FIELDS or column in told or field in _USED_ELSEWHERE:
            continue
        if field in ("penalty", "inspection_agency") and {"no_agency", "inspection_incomplete"} & _codes(row):
            continue
        text = decoders[column](text)[0]
        key = search_key(text).replace(" ", "")
        if key and not is_empty(tidy(text)) and not is_ditto(tidy(text)) and key not in spelt:
            left.append(column)
    return left


_USED_ELSEWHERE = frozenset(
    ("ward", "residential_group", "lat", "lon", "northing", "easting", "coordinates", "market",  # where it lies
     "phone", "email", "tax_code", "personal_id", "licence_number", "owner_name", "birth_date", "home_address",
     "legal_form", "operating_status", "registry_status", "licence_kind", "food_safety_kind", "inspection_result",
     "payment", "wallet", "vietqr", "bank_transfer", "pos_card", "e_invoice", "sales_software", "marketplace",
     "sector_code", "opened_on", "closed_on", "licence_issued_on", "licence_expires_on", "food_safety_issued_on",
     "food_safety_expires_on", "commitment_signed_on", "inspected_on", "surveyed_on", "code")
)  # fmt: skip
"""Values that are written otherwise than they stand in the cell: `test_each_kind_of_column_is_used_or_told` tries each
by itself."""

_EACH = {
    "Tổ": ("Tổ 12", "Tổ A"), "Phường": ("Hòa Cường", "Phường Không Có"), "Điện thoại": ("0905111222", "khong"),
    "Email": ("a@b.vn", "không rõ"), "Mã số thuế": ("0400101394", "12345"), "CCCD": ("048203001234", "77"),
    "Họ tên chủ hộ": ("Nguyễn Minh Họa", "123"), "Ngày sinh": ("01/02/1980", "1980"),
    "Địa chỉ thường trú": ("5 Núi Thành", "x" * 400), "Loại hình": ("Hộ kinh doanh", "lạ"),
    "Tình trạng hoạt động": ("Tạm nghỉ", "lạ"), "Tình trạng đăng ký": ("Tạm ngừng kinh doanh", "lạ"),
    "Loại giấy phép": ("Karaoke", "lạ"), "Loại giấy ATTP": ("Cam kết", "lạ"), "Kết quả kiểm tra": ("Đạt", "5 sao"),
    "Hình thức thanh toán": ("Chuyển khoản", "lạ"), "VietQR": ("có", "lạ"), "Hóa đơn điện tử": ("có", "lạ"),
    "Sàn TMĐT": ("Shopee", "lạ"), "Ngày bắt đầu": ("01/02/2020", "2020"), "Ngày cấp GCN ĐKKD": ("01/02/2020", "32/1"),
    "Ngày cấp GCN ATTP": ("01/02/2020", "1/1920"), "Ngày kiểm tra": ("01/02/2020", "mai"), "Chợ": ("Chợ Mới", "Chợ Lạ"),
    "Ngày khảo sát": ("01/02/2026", "hôm qua"), "Giờ mở cửa": ("7h-22h", "x" * 400), "Vĩ độ": ("16.04", "x"),
    "Số quầy": ("A-12", "lạ"), "Mã ngành": ("5610", "0000"), "Mức phạt": ("phạt tiền", "lạ"),
    "Cơ quan kiểm tra": ("Đoàn phường", "Đoàn"), "Nơi cấp GCN ĐKKD": ("UBND quận", "UBND"),
}  # fmt: skip


@pytest.mark.parametrize("head", _EACH)
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("form", ["enterprise", "none"])
def test_each_kind_of_column_is_used_or_told(head: str, which: int, form: str) -> None:
    """A column changes what is proposed, or something is said of it, or it is kept as a whole and that is said."""
    silent = _plan(["Tên cơ sở", "Địa chỉ kinh doanh", "Stt"], ["Quán", ADDRESS, 1], choices={"legal_form": form})
    found = _plan(["Tên cơ sở", "Địa chỉ kinh doanh", head], ["Quán", ADDRESS, _EACH[head][which]],
                  choices={"legal_form": form})  # fmt: skip
    (before,), (row,) = silent.rows, found.rows
    column = found.summary.as_json()["columns"][2]
    said = {finding.code for finding in row.read.findings} - {finding.code for finding in before.read.findings}
    proposed = row.wishes.as_json() != before.wishes.as_json() or row.personal != before.personal
    assert column["kept"] or said or proposed or row.read.place.address != before.read.place.address, column


@pytest.mark.parametrize("name", READ)
def test_every_cell_of_the_corpus_is_proposed_or_told(name: str) -> None:
    found = plan(read(FOLDER / name, name), _locator(), choices=Choices(legal_form="household_business"))
    decoders = {
        sheet.table.sheet.name: {column.number: column.decoder for column in sheet.table.columns}
        for sheet in found.summary.sheets
    }
    left = [
        (row.read.row, [row.read.raw[at] for at in columns])
        for row in found.rows
        if (columns := _untold(row, decoders[row.read.sheet]))
    ]
    assert left == []
