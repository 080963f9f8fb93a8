"""The record page over HTTP, as a browser without JavaScript uses it: saving, mistakes, conflicts, steps, merging."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from layers.history import timeline
from layers.record_sheet import DATED
from mapservice.record_page import entry_fields, main_fields
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import proposals, records
from postgis.store.record_types import RECORD_TYPES, WritableField
from tests.record_pages import block_of, errors_at, fill_in, form_to, holds, send
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

VIETNAMESE = re.compile("[ăâđêôơưàảãạáằẳẵặắầẩẫậấèẻẽẹéềểễệếìỉĩịíòỏõọóồổỗộốờởỡợớùủũụúừửữựứỳỷỹỵý]", re.I)


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser
    other: Browser
    surveyor: Browser

    def place(self) -> str:
        """A place that no other test uses."""
        return self.ward.places.pop()

    def values(self, collection: str, code: str) -> dict[str, object]:
        with read_as(self.database, self.planter) as connection:
            return records.get(connection, collection, code).values

    def record_of(self, collection: str, place: str) -> str:
        table = RECORD_TYPES[collection]
        with read_as(self.database, self.planter) as connection:
            for code in self.ward.codes[collection]:
                if records.get(connection, table.collection, code).values["establishment"] == place:
                    return code
        raise AssertionError(place)


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "record_pages", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 40)
    for login, role in (("lan", "officer"), ("minh", "approver"), ("an", "surveyor")):
        add_member(own, login, role)
    browsers = [Browser(own) for _ in range(3)]
    for browser, login in zip(browsers, ("lan", "minh", "an"), strict=True):
        location(browser.sign_in(login))
    yield World(own, ward, planter, *browsers)
    own.dispose()
    drop_database(server, "record_pages")


def page_of(place: str) -> str:
    return f"/staff/establishments/{place}"


def bad_texts(field: WritableField) -> list[tuple[str, str]]:
    """What may go wrong in a field of this kind, with a word of the message."""
    if field.name == "tax_code":
        return [("12ab", "Mã số thuế")]
    if field.kind == "date":
        return [("31/02/2024", "31/02/2024"), ("1/1/1800", "quá xa"), ("hôm qua", "Chưa đọc được ngày")]
    if field.kind in ("number", "integer"):
        return [("mười", "Chưa đọc được số"), ("-5", "ngoài khoảng"), ("1e400", "")]
    if field.kind == "boolean":
        return [("có lẽ", "có lẽ")]
    if field.codes:
        return [("một thứ khác", "danh sách")]
    if field.kind == "reference":
        return [("KHÔNG-CÓ", "KHÔNG-CÓ")]
    return [("ă" * (field.max_length + 1), f"{field.max_length:,}".replace(",", ".")), ("tiếng\x01", "không đọc được")]


def check_each_field(
    browser: Browser, page: str, action: str, fields: tuple[WritableField, ...], most: int = 9
) -> None:
    good = browser.get(page).text
    sent = form_to(good, action)
    if "lon" in sent.names and not sent.values()["lon"][0]:
        sent.fields = [(name, {"lat": "16,0432", "lon": "108,2136"}.get(name, value)) for name, value in sent.fields]
    for field in fields:
        names = ("lat",) if field.kind == "point" else (field.name,)
        for name in names:
            texts = [("phía sau chợ", "vĩ độ"), ("95", "Vĩ độ")] if field.kind == "point" else bad_texts(field)
            if field.required and field.kind != "point":
                texts.append(("", "Hãy điền"))
            for typed, said in texts[:most]:
                answer = browser.client.post(action, data=sent.values(reason="thử ô sai", **{name: typed}))
                where = f"{action} {name}={typed[:20]!r}"
                assert answer.status_code == 422, where
                errors = errors_at(answer.text, name, within=action)
                assert errors and said in " ".join(errors), (where, errors)
                assert all(VIETNAMESE.search(words) for words in errors), where
                assert "data-problems" in answer.text
                if name != "outside_accepted" and "\x01" not in typed:
                    assert holds(answer.text, name, typed, within=action), where
                assert holds(answer.text, "reason", "thử ô sai", within=action), where


def test_a_mistake_in_any_field_of_the_record_is_told_at_the_field(world: World) -> None:
    place = world.place()
    check_each_field(world.officer, page_of(place), page_of(place), main_fields())


@pytest.mark.parametrize("collection", DATED)
def test_a_mistake_in_any_field_of_a_dated_record_is_told_at_the_field(world: World, collection: str) -> None:
    place = world.place()
    fields = entry_fields(collection)
    check_each_field(world.officer, page_of(place), f"{page_of(place)}/{collection}", fields)
    code = world.record_of(collection, place)
    check_each_field(world.officer, page_of(place), f"{page_of(place)}/{collection}/{code}", fields, most=1)


def test_a_mistake_in_any_field_of_the_legal_entity_is_told_at_the_field(world: World) -> None:
    place = world.place()
    entity = str(world.values("establishments", place)["legal_entity"])
    fields = RECORD_TYPES["legal_entities"].fields
    check_each_field(world.officer, page_of(place), f"{page_of(place)}/legal_entities/{entity}", fields)


def test_a_mistake_in_any_field_of_a_new_place_is_told_at_the_field(world: World) -> None:
    check_each_field(world.officer, page_of("new"), page_of("new"), main_fields())


def test_every_form_wants_a_reason(world: World) -> None:
    place = world.place()
    for action, typed in ((page_of(place), {"name": "Quán Mới"}), (f"{page_of(place)}/licences", {"kind": "karaoke"})):
        answer = fill_in(world.officer, page_of(place), action, reason="", **typed)
        assert answer.status_code == 422
        assert errors_at(answer.text, "reason", within=action) == ["Hãy điền ô Lý do."]


def test_what_was_changed_is_saved_and_nothing_else(world: World) -> None:
    place = world.place()
    before = world.values("establishments", place)
    typed = {"name": "Cơm Gà Bà Thử", "verified_on": "5/11/2026", "position_accuracy_m": "12,5", "lat": "16,0433"}
    answer = fill_in(world.officer, page_of(place), page_of(place), reason="đi xem tận nơi", **typed)
    assert location(answer) == f"{page_of(place)}?done=saved"
    after = world.values("establishments", place)
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed == {"name", "verified_on", "position_accuracy_m", "geometry"}
    assert after["verified_on"] == "2026-11-05" and after["position_accuracy_m"] == 12.5
    with read_as(world.database, world.planter) as connection:
        last = timeline(connection, place)[0]
    assert (last.actor_name, last.reason) == ("Người thử lan", "đi xem tận nơi")
    assert "đi xem tận nơi" in world.officer.get(f"{page_of(place)}/history").text
    assert location(fill_in(world.officer, page_of(place), page_of(place), reason="lại")).endswith("done=unchanged")


def test_two_officers_at_once_see_both_values_and_lose_nothing(world: World) -> None:
    place = world.place()
    opened = world.other.get(page_of(place)).text
    typed = {"name": "Tên của Lan", "offering": "mì Quảng"}
    location(fill_in(world.officer, page_of(place), page_of(place), reason="theo biển hiệu", **typed))
    mine = {"name": "Tên của Minh", "address": "9 Đường Thử", "reason": "theo giấy phép"}
    answer = send(world.other, opened, page_of(place), **mine)
    assert answer.status_code == 409
    block = block_of(answer.text, "name")
    assert "Tên của Minh" in block and "Tên của Lan" in block
    assert "Người thử lan" in answer.text and "theo biển hiệu" in answer.text
    assert "Đồng nghiệp vừa sửa thành “mì Quảng”" in answer.text
    assert holds(answer.text, "address", "9 Đường Thử") and holds(answer.text, "reason", "theo giấy phép")
    undecided = send(world.other, answer.text, page_of(place))
    assert undecided.status_code == 422
    assert errors_at(undecided.text, "name") == ["Hãy chọn giá trị muốn giữ ở ô Tên cơ sở."]
    assert "Tên của Minh" in block_of(undecided.text, "name") and "Tên của Lan" in block_of(undecided.text, "name")
    done = send(world.other, undecided.text, page_of(place), **{"choice.name": "mine"})
    assert location(done).endswith("done=saved")
    after = world.values("establishments", place)
    assert (after["name"], after["address"], after["offering"]) == ("Tên của Minh", "9 Đường Thử", "mì Quảng")


def test_a_colleagues_value_can_be_kept(world: World) -> None:
    place = world.place()
    opened = world.other.get(page_of(place)).text
    location(fill_in(world.officer, page_of(place), page_of(place), reason="ghim lại", lat="16,0434"))
    answer = send(world.other, opened, page_of(place), lat="16,0435", stall="B7", reason="đo lại")
    assert answer.status_code == 409
    done = send(world.other, answer.text, page_of(place), **{"choice.geometry": "theirs"})
    assert location(done).endswith("done=saved")
    after = world.values("establishments", place)
    assert after["geometry"]["coordinates"][1] == 16.0434 and after["stall"] == "B7"  # type: ignore[index]


def test_dated_records_conflict_the_same_way(world: World) -> None:
    place = world.place()
    code = world.record_of("payment_acceptances", place)
    action = f"{page_of(place)}/payment_acceptances/{code}"
    opened = world.other.get(page_of(place)).text
    location(fill_in(world.officer, page_of(place), action, evidence_level="documented", reason="có hợp đồng"))
    answer = send(
        world.other, opened, action, evidence_level="confirmed", has_transactions="true", reason="thấy tận mắt"
    )
    assert answer.status_code == 409
    assert "Có giấy tờ" in block_of(answer.text, "evidence_level", within=action)
    done = send(world.other, answer.text, action, **{"choice.evidence_level": "mine"})
    assert location(done).endswith("#payment_acceptances")
    after = world.values("payment_acceptances", code)
    assert (after["evidence_level"], after["has_transactions"]) == ("confirmed", True)


def test_records_are_added_ended_and_brought_back(world: World) -> None:
    place = world.place()
    action = f"{page_of(place)}/licences"
    typed = {"kind": "alcohol_retail", "number": "12/GP", "issued_on": "01/02/2025", "expires_on": "2030-02-01"}
    location(fill_in(world.officer, page_of(place), action, reason="giấy mới", **typed))
    page = world.officer.get(page_of(place)).text
    assert "12/GP" in page and "01/02/2030" in page and "còn tin được đến" in page
    swapped = fill_in(world.officer, page_of(place), action, reason="giấy", **{**typed, "expires_on": "1/1/2020"})
    assert errors_at(swapped.text, "expires_on", within=action) == [
        "Ngày hết hạn phải từ Ngày cấp trở đi. Hãy kiểm tra lại hai ngày."
    ]
    tool = world.record_of("digital_uses", place)
    address = f"{page_of(place)}/digital_uses/{tool}"
    location(fill_in(world.officer, page_of(place), f"{address}/end", reason="ghi nhầm quán"))
    assert "ghi nhầm quán" in world.officer.get(page_of(place)).text
    location(fill_in(world.officer, page_of(place), f"{address}/restore", reason="không nhầm"))
    with read_as(world.database, world.planter) as connection:
        assert not records.get(connection, "digital_uses", tool).ended


def test_adverse_facts_wait_for_a_second_person(world: World) -> None:
    place = world.place()
    action = f"{page_of(place)}/inspections"
    typed = {"inspected_on": "01/10/2026", "agency": "Đoàn thử", "result": "fail", "signed_on": "02/10/2026"}
    bare = fill_in(world.officer, page_of(place), action, reason="kiểm tra", **typed)
    assert bare.status_code == 422
    for name in ("evidence", "legal_basis"):
        assert errors_at(bare.text, name, within=action)
    told = {"evidence": "Biên bản 12", "legal_basis": "Luật 104/2016, điều 17"}
    sent = location(send(world.officer, bare.text, action, **told))
    assert "done=proposed" in sent
    receipt = re.search(r"receipt=([0-9A-Z-]+)", sent)
    assert receipt and receipt[1] in world.officer.get(sent).text
    with read_as(world.database, world.planter) as connection:
        found = proposals.get(connection, receipt[1])
    assert (found.risk, found.state, found.patch["establishment"]) == ("adverse", "pending", place)
    licence = world.record_of("licences", place)
    ending = f"{action.rsplit('/', 1)[0]}/licences/{licence}/end"
    assert "done=proposed" in location(
        fill_in(world.officer, page_of(place), ending, reason="thu hồi", evidence="QĐ 5", legal_basis="NĐ 168")
    )


def test_a_surveyor_proposes_with_the_same_form(world: World) -> None:
    place = world.place()
    answer = fill_in(world.surveyor, page_of(place), page_of(place), name="Tên đề xuất", reason="biển hiệu mới")
    assert "done=proposed_plain" in location(answer)
    assert world.values("establishments", place)["name"] != "Tên đề xuất"
    step = f"{page_of(place)}/steps/not-found"
    assert "done=proposed_plain" in location(fill_in(world.surveyor, step, step, reason="cửa đóng, biển gỡ"))
    assert world.surveyor.get(f"{page_of(place)}/steps/retire").text.count("không có quyền")


def test_an_ended_record_says_why(world: World) -> None:
    with write_as(world.database, world.planter, reason="thử") as connection:
        point = {"type": "Point", "coordinates": [108.2141, 16.0478]}
        values = {"geometry": point, "position_method": "map", "sector_group": "other", "source": "office"}
        place = records.create(connection, "establishments", values, ward_id=world.planter.ward_id).code
    step = f"{page_of(place)}/steps/retire"
    assert "done=" in location(fill_in(world.officer, step, step, reason="ghi nhầm hai lần"))
    page = world.officer.get(page_of(place)).text
    assert "Hồ sơ này đã kết thúc: ghi nhầm hai lần." in page
    assert "disabled" in re.findall(r"<fieldset[^>]*>", page)[0], "nothing to type into where nothing can be saved"


def test_another_wards_record_is_not_there(world: World) -> None:
    assert world.officer.get(page_of("22222222")).status_code == 404
    assert world.officer.get(f"{page_of(world.place())}/licences/999999").status_code in (404, 405)


def test_a_position_pasted_whole_into_one_box_is_taken(world: World) -> None:
    place = world.place()
    answer = fill_in(world.officer, page_of(place), page_of(place), lat="16.0478, 108.2141", reason="theo bản đồ")
    assert "done=saved" in location(answer)
    assert world.values("establishments", place)["geometry"] == {"type": "Point", "coordinates": [108.2141, 16.0478]}
