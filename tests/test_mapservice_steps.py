"""Adding with the guard against doubles, steps of a place's life, legal entities, merging: without script."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy import select

from postgis import tables
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import personal_data, records
from tests.record_pages import errors_at, fill_in, form_to, holds, send
from tests.small_ward import SmallWard, add_staff, fill, lift_warnings
from tests.staff_clients import Browser, add_member, location

NEW = "/staff/establishments/new"
NUMBERS = count(1)


@dataclass
class World:
    database: Database
    ward: SmallWard
    planter: Actor
    officer: Browser

    def place(self) -> str:
        return self.ward.places.pop()

    def record(self, code: str, collection: str = "establishments") -> records.Record:
        with read_as(self.database, self.planter) as connection:
            return records.get(connection, collection, code)

    def add(self, **typed: str) -> str:
        """A new place, added without being asked anything; its code."""
        far = {"lat": f"16,05{next(NUMBERS):02d}", "lon": "108,2100", "sector_group": "fashion", "reason": "khảo sát"}
        answer = fill_in(self.officer, NEW, NEW, **{**far, **typed})
        assert answer.status_code == 303, answer.text
        return location(answer).rsplit("/", 1)[1].partition("?")[0]


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "record_steps", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 20)
    add_member(own, "lan", "officer")
    officer = Browser(own)
    location(officer.sign_in("lan"))
    yield World(own, ward, planter, officer)
    own.dispose()
    drop_database(server, "record_steps")


def page_of(place: str) -> str:
    return f"/staff/establishments/{place}"


def test_a_place_that_is_there_already_is_held_up(world: World) -> None:
    first = world.add(name="Bún Mắm Dì Thử", address="K12/3 Đường Thử", lat="16,0481", lon="108,2110")
    typed = {"name": "Bun mam di Thu", "address": "k12/3 đường thử", "lat": "16,04812", "lon": "108,21101"}
    asked = fill_in(world.officer, NEW, NEW, sector_group="food_service", reason="khảo sát", **typed)
    assert asked.status_code == 409
    assert page_of(first) in asked.text and "cùng tên" in asked.text and "cùng địa chỉ" in asked.text
    again = send(world.officer, asked.text, NEW)
    assert again.status_code == 409 and "Hãy mở một hồ sơ đã có" in again.text
    assert "Bun mam di Thu" in again.text
    added = location(send(world.officer, again.text, NEW, anyway="true"))
    assert "done=added" in added and first not in added


def test_the_same_owner_is_recognised_by_numbers_that_are_not_kept(world: World) -> None:
    first = world.add(name="Tạp Hóa Cô Thử", address="7 Đường Kiểm", lat="16,0491", lon="108,2120")
    made = fill_in(
        world.officer, page_of(first), f"{page_of(first)}/legal_entities",
        registered_name="Hộ kinh doanh Cô Thử", legal_form="household_business", reason="giấy đăng ký",
    )  # fmt: skip
    assert location(made).endswith("?done=entity_linked#entity")
    entity = str(world.record(first).values["legal_entity"])
    secrets = open_secrets(world.database.settings.data_dir)
    with write_as(world.database, world.planter, reason="thử") as connection:
        personal_data.keep(connection, secrets, entity, "owner_phone", "0905 123 456")
    typed = {"name": "Quán khác hẳn", "address": "7 Đường Kiểm", "check_phone": "0905123456"}
    asked = fill_in(
        world.officer, NEW, NEW, sector_group="food_service", reason="x", lat="16,0491", lon="108,2120", **typed
    )
    assert asked.status_code == 409 and "cùng số điện thoại chủ" in asked.text
    # The number is found, and never stands in an address.
    looked = world.officer.client.post("/staff/establishments/find", data={"q": "0905.123.456"})
    assert location(looked) == f"/staff/establishments?entity={entity}"
    assert first in world.officer.get(f"/staff/establishments?entity={entity}").text


def test_a_households_number_goes_to_its_personal_data(world: World) -> None:
    place = world.place()
    entity = str(world.record(place).values["legal_entity"])
    action = f"{page_of(place)}/legal_entities/{entity}"
    location(fill_in(world.officer, page_of(place), action, tax_code="048090000123", reason="theo giấy"))
    assert world.record(entity, "legal_entities").values["tax_code"] is None
    page = world.officer.get(page_of(place)).text
    assert "048090000123" not in page and "0123" in page
    company = {"registered_name": "Công ty Thử", "legal_form": "enterprise", "tax_code": "0400 100 108"}
    location(fill_in(world.officer, page_of(place), action, reason="thành công ty", **company))
    assert world.record(entity, "legal_entities").values["tax_code"] == "0400100108"
    assert place in world.officer.get("/staff/establishments?q=0400100108").text


def test_a_registration_that_is_doubted_waits_for_a_second_person(world: World) -> None:
    place = world.place()
    entity = world.record(place).values["legal_entity"]
    action = f"{page_of(place)}/legal_entities/{entity}"
    told = {"evidence": "TB 12 của thuế", "legal_basis": "NĐ 168/2025, điều 35", "reason": "cơ quan thuế báo"}
    sent = fill_in(world.officer, page_of(place), action, registry_status="not_at_address", **told)
    assert "done=proposed" in location(sent)


@pytest.mark.parametrize(
    ("step", "typed", "status"),
    [
        ("suspend", {"suspended_until": "01/02/2099"}, "suspended"),
        ("close", {"closed_on": "1/3/2026"}, "closed"),
        ("not-found", {}, "not_found"),
    ],
)
def test_steps_are_asked_confirmed_and_taken_back(world: World, step: str, typed: dict[str, str], status: str) -> None:
    place = world.place()
    page = f"{page_of(place)}/steps/{step}"
    bare = fill_in(world.officer, page, page, **typed)
    assert bare.status_code == 422 and errors_at(bare.text, "reason") == ["Hãy điền ô Lý do."]
    assert location(send(world.officer, bare.text, page, reason="chủ quán báo")).endswith("done=status")
    assert world.record(place).values["operating_status"] == status
    again = f"{page_of(place)}/steps/reopen"
    location(fill_in(world.officer, again, again, reason="mở lại rồi"))
    assert world.record(place).values["operating_status"] == "active"


def test_wrong_days_of_a_step_are_told_at_the_field(world: World) -> None:
    place = world.place()
    for step, name, typed in (("suspend", "suspended_until", "01/02/2020"), ("close", "closed_on", "01/02/2099")):
        page = f"{page_of(place)}/steps/{step}"
        for text in (typed, "30/02/2026"):
            answer = fill_in(world.officer, page, page, reason="thử", **{name: text})
            assert answer.status_code == 422 and errors_at(answer.text, name), (step, text)
            assert text in answer.text


def test_a_step_on_an_old_version_is_asked_again(world: World) -> None:
    place = world.place()
    page = f"{page_of(place)}/steps/close"
    opened = world.officer.get(page).text
    location(fill_in(world.officer, page_of(place), page_of(place), name="Tên Mới", reason="biển hiệu"))
    answer = send(world.officer, opened, page, reason="đóng cửa")
    assert answer.status_code == 409 and "Có người vừa sửa hồ sơ này" in answer.text
    assert "đóng cửa" in answer.text and "Tên Mới" in answer.text
    assert location(send(world.officer, answer.text, page)).endswith("done=status")


def test_a_move_leads_to_the_other_record(world: World) -> None:
    place, other = world.place(), world.place()
    page = f"{page_of(place)}/steps/move"
    nowhere = fill_in(world.officer, page, page, moved_to="", reason="dọn")
    assert nowhere.status_code == 422 and errors_at(nowhere.text, "moved_to")
    location(send(world.officer, nowhere.text, page, moved_to=f"{other[:4]}-{other[4:].lower()}"))
    assert world.record(place).values["moved_to"] == other
    assert page_of(other) in world.officer.get(page_of(place)).text


def test_another_owner_takes_over(world: World) -> None:
    place, other = world.place(), world.place()
    owner = world.record(other).values["legal_entity"]
    page = f"{page_of(place)}/steps/change-owner"
    name = world.record(str(owner), "legal_entities").values["registered_name"]
    proof = world.officer.proof(page)
    found = world.officer.post(page, {"look": "true", "entity": str(name), "csrf_token": proof})
    assert found.status_code == 200 and str(owner) in found.text
    location(send(world.officer, found.text, page, legal_entity=str(owner), reason="sang quán"))
    assert world.record(place).values["legal_entity"] == owner
    assert page_of(other) in world.officer.get(page_of(place)).text


def test_two_records_are_compared_merged_and_parted_again(world: World) -> None:
    gone, kept = world.place(), world.place()
    page = f"{page_of(gone)}/merge"
    for typed, said in (("XXXX", "Không tìm thấy cơ sở"), (gone, "Hãy chọn một cơ sở khác")):
        answer = world.officer.get(f"{page}?into={typed}")
        assert answer.status_code == 422 and said in answer.text
    compared = world.officer.get(f"{page}?into={kept}")
    assert f"{page_of(kept)}/merge?into={gone}" in compared.text and "khác nhau" in compared.text
    bare = send(world.officer, compared.text, page)
    assert bare.status_code == 422 and errors_at(bare.text, "reason")
    warned = send(world.officer, bare.text, page, reason="một quán, ghi hai lần")
    assert warned.status_code == 422 and "Người dân đang thấy" in " ".join(errors_at(warned.text, "reason"))
    lift_warnings(world.database, gone)
    merged = send(world.officer, warned.text, page, reason="một quán, ghi hai lần")
    assert location(merged) == f"{page_of(kept)}?done=merged"
    assert world.record(gone).ended
    notice = world.officer.get(page_of(gone)).text
    assert "đã gộp vào" in notice and "một quán, ghi hai lần" in notice
    undo = f"{page_of(gone)}/steps/undo-merge"
    assert location(fill_in(world.officer, undo, undo, reason="hai quán thật")).endswith("done=unmerged")
    assert not world.record(gone).ended


def test_a_form_without_our_proof_is_refused(world: World) -> None:
    place = world.place()
    sent = form_to(world.officer.get(page_of(place)).text, page_of(place)).values(name="X", csrf_token="x", reason="x")
    assert world.officer.client.post(page_of(place), data=sent).status_code == 403
    assert Browser(world.database).get(page_of(place)).status_code == 303


def test_a_legal_entity_on_record_is_found_and_linked(world: World) -> None:
    place, other = world.place(), world.place()
    entity = str(world.record(other).values["legal_entity"])
    link = f"{page_of(place)}/legal-entity"
    location(fill_in(world.officer, page_of(place), link, reason="gắn nhầm"))
    assert world.record(place).values["legal_entity"] is None
    with write_as(world.database, world.planter, reason="thử") as connection:
        personal_data.keep(
            connection, open_secrets(world.database.settings.data_dir), entity, "owner_phone", "0935123457"
        )
    name = str(world.record(entity, "legal_entities").values["registered_name"])
    for typed in (name.upper(), "0935 123 457", entity):
        proof = world.officer.proof(page_of(place))
        found = world.officer.post(link, {"look": "true", "entity": typed, "csrf_token": proof})
        assert found.status_code == 200 and f'value="{entity}"' in found.text, typed
    bare = send(world.officer, found.text, link, legal_entity=entity)
    assert bare.status_code == 422
    assert location(send(world.officer, found.text, link, legal_entity=entity, reason="đúng chủ")).endswith("#entity")
    assert world.record(place).values["legal_entity"] == entity


def test_a_new_legal_entity_never_replaces_one_linked_meanwhile(world: World) -> None:
    place = world.add(name="Tiệm Vải Hai Người")
    page = page_of(place)
    action = f"{page}/legal_entities"
    opened = world.officer.get(page).text
    first = send(
        world.officer, opened, action, registered_name="Công ty Gắn Trước", legal_form="enterprise", reason="giấy A"
    )
    assert location(first).endswith("?done=entity_linked#entity")
    linked = world.record(place).values["legal_entity"]
    typed = {"registered_name": "Công ty Gắn Sau", "legal_form": "enterprise", "reason": "giấy B"}
    late = send(world.officer, opened, action, **typed)
    assert late.status_code == 409
    assert "data-conflict" in late.text and "Người thử lan" in late.text and "“Công ty Gắn Trước”" in late.text
    assert holds(late.text, "registered_name", "Công ty Gắn Sau", within=action)
    assert holds(late.text, "reason", "giấy B", within=action)
    assert world.record(place).values["legal_entity"] == linked
    assert not entities_named(world, "Công ty Gắn Sau")
    assert location(send(world.officer, late.text, action)).endswith("?done=entity_linked#entity")
    assert (
        world.record(str(world.record(place).values["legal_entity"]), "legal_entities").values["registered_name"]
        == "Công ty Gắn Sau"
    )


@pytest.mark.parametrize("status", ["revoked", "not_at_address", "bankruptcy"])
def test_a_doubted_registration_is_not_made_without_a_second_person(world: World, status: str) -> None:
    place = world.add(name=f"Tiệm Vải {status}")
    action = f"{page_of(place)}/legal_entities"
    answer = fill_in(
        world.officer, page_of(place), action,
        registered_name=f"Công ty {status}", legal_form="enterprise", registry_status=status, reason="thử",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "người thứ hai" in " ".join(errors_at(answer.text, "registry_status", within=action))
    assert holds(answer.text, "registered_name", f"Công ty {status}", within=action)
    assert not entities_named(world, f"Công ty {status}")
    assert world.record(place).values["legal_entity"] is None


def entities_named(world: World, name: str) -> list[str]:
    entity = tables.legal_entity
    with read_as(world.database, world.planter) as connection:
        return list(connection.execute(select(entity.c.code).where(entity.c.registered_name == name)).scalars())


def test_two_records_that_look_alike_are_told_apart_on_the_merge_page(world: World) -> None:
    typed = {"name": "Cơm Gà Cô Giống", "address": "9 Đường Giống", "lat": "16,0461", "lon": "108,2130"}
    first = world.add(**typed)
    second = location(
        fill_in(world.officer, NEW, NEW, anyway="true", sector_group="fashion", reason="khác chủ", **typed)
    ).rsplit("/", 1)[1].partition("?")[0]  # fmt: skip
    worklist = "/staff/this-week/duplicates"
    page = f"{page_of(second)}/merge?into={first}"
    assert page in html.unescape(world.officer.get(worklist).text)
    action = f"{page_of(second)}/merge"
    empty = fill_in(world.officer, page, action, do="distinct")
    assert empty.status_code == 422 and errors_at(empty.text, "reason", within=action)
    done = location(fill_in(world.officer, page, action, do="distinct", reason="hai quầy, hai chủ"))
    assert done == f"{page}&done=kept_apart"
    shown = world.officer.get(done).text
    assert "Người thử lan" in shown and "hai quầy, hai chủ" in shown
    listed = world.officer.get(worklist).text
    assert page not in html.unescape(listed) and "hai quầy, hai chủ" in listed
    asked = fill_in(world.officer, NEW, NEW, sector_group="fashion", reason="thử", **typed)
    assert asked.status_code == 409 and page_of(first) in asked.text and page_of(second) in asked.text
    undone = world.officer.send(worklist, worklist, do="undo", one=first, other=second)
    assert location(undone) == f"{worklist}?done=taken_back"
    assert page in html.unescape(world.officer.get(worklist).text)


def test_the_worklist_asks_why_a_pair_is_two_places_and_keeps_what_was_typed(world: World) -> None:
    typed = {"name": "Trà Sữa Chị Giống", "address": "11 Đường Giống", "lat": "16,0451", "lon": "108,2140"}
    first = world.add(**typed)
    second = location(
        fill_in(world.officer, NEW, NEW, anyway="true", sector_group="fashion", reason="khác chủ", **typed)
    ).rsplit("/", 1)[1].partition("?")[0]  # fmt: skip
    worklist = "/staff/this-week/duplicates"
    pair = {"do": "distinct", "one": first, "other": second}
    long = world.officer.send(worklist, worklist, **pair, reason="ă" * 501)
    assert long.status_code == 422 and "500" in long.text and "ă" * 501 in long.text
    for wrong in ({"one": first, "other": first}, {"one": first, "other": "ABCDEFGH"}, {"one": "", "other": ""}):
        answer = world.officer.send(worklist, worklist, do="distinct", reason="thử", **wrong)
        assert answer.status_code in (404, 422), wrong
    assert location(world.officer.send(worklist, worklist, **pair, reason="hai chủ")).endswith("done=kept_apart")
    # Said twice, it stands as it was first said.
    assert location(world.officer.send(worklist, worklist, **pair, reason="lần hai")).endswith("done=kept_apart")
    assert "lần hai" not in world.officer.get(worklist).text
