"""Owners: a code that works once, five tries, a session of two hours; what they send is reviewed before it shows."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mapservice.owner_session import COOKIE
from postgis.actor import prepare_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import Secrets, open_secrets
from postgis.store import life_cycle, owners, records
from postgis.today import today
from tests.record_pages import form_to
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, hidden, location
from tests.statements_sent import noted

REPLY = "Quán đã thay bồn rửa ngày 10/1 và mời đoàn kiểm tra lại."


@dataclass
class World:
    database: Database
    ward: SmallWard
    officer: Browser
    stranger: Browser

    def code(self, place: str) -> str:
        page = f"/staff/establishments/{place}/owner-codes"
        shown = self.officer.send(page, page, action="make").text
        found = re.search(r'<code class="secret large">([A-Z0-9]{5}-[A-Z0-9]{5})</code>', shown)
        assert found is not None, shown[:500]
        return found[1]

    def try_in(self, place: str, code: str) -> tuple[Browser, httpx.Response]:
        browser = Browser(self.database)
        return browser, browser.post("/owner", {"place": place, "code": code})

    def owner(self, place: str) -> Browser:
        browser, answer = self.try_in(place, self.code(place))
        assert location(answer) == "/owner"
        return browser

    def decide(self, receipt: str, action: str) -> httpx.Response:
        return self.officer.send("/staff/account", f"/staff/proposals/{receipt}", action=action, note="thử")

    def scalar(self, statement: str, **values: object) -> object:
        with self.database.owner.connect() as owner:
            return owner.execute(text(statement), values).scalar_one()


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "owners", template="base")
    ward = fill(own, add_staff(own, "planter", "officer"), 12)
    add_member(own, "lan", "officer")
    add_member(own, "xa", "officer", ward=OTHER_WARD)
    officer, stranger = Browser(own), Browser(own)
    location(officer.sign_in("lan"))
    location(stranger.sign_in("xa"))
    yield World(own, ward, officer, stranger)
    own.dispose()
    drop_database(server, "owners")


def test_a_code_works_once_and_is_stored_nowhere(world: World) -> None:
    place = world.ward.places[0]
    code = world.code(place)
    assert code not in world.officer.get(f"/staff/establishments/{place}/owner-codes").text
    browser, answer = world.try_in(f"{place[:4]}-{place[4:]}".lower(), f" {code.lower().replace('-', ' ')} ")
    assert location(answer) == "/owner"
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Path=/owner", "SameSite=strict", "Max-Age=7200"))
    assert "Quán Thử 0" in browser.get("/owner").text
    assert world.try_in(place, code)[1].status_code == 403
    kept = world.scalar("SELECT string_agg(c::text, ' ') FROM register.owner_code c")
    assert code.replace("-", "") not in str(kept) and code.replace("-", "").encode().hex() not in str(kept)
    assert browser.client.cookies[COOKIE] not in str(
        world.scalar("SELECT s::text FROM account.owner_session s LIMIT 1")
    )


def test_five_wrong_tries_end_a_code(world: World) -> None:
    place = world.ward.places[1]
    code = world.code(place)
    for _ in range(5):
        refused = world.try_in(place, "22222-22222")[1]
        assert refused.status_code == 403 and "set-cookie" not in refused.headers
    assert world.try_in(place, code)[1].status_code == 403
    assert "mất hiệu lực vì nhập sai 5 lần" in world.officer.get(f"/staff/establishments/{place}/owner-codes").text
    assert location(world.try_in(place, world.code(place))[1]) == "/owner"


def test_a_new_code_ends_the_one_before_and_time_ends_all(world: World) -> None:
    place = world.ward.places[2]
    first, second = world.code(place), world.code(place)
    assert world.try_in(place, first)[1].status_code == 403
    with world.database.owner.begin() as owner:
        owner.execute(text("UPDATE register.owner_code SET made_at = made_at - interval '7 days', "
                           "expires_at = expires_at - interval '7 days 1 second'"))  # fmt: skip
    assert world.try_in(place, second)[1].status_code == 403
    third = world.code(place)
    page = f"/staff/establishments/{place}/owner-codes"
    assert "Đã thu hồi." in world.officer.send(page, page, action="withdraw").text
    assert world.try_in(place, third)[1].status_code == 403


def test_a_code_opens_no_other_place(world: World) -> None:
    mine, other = world.ward.places[3], world.ward.places[4]
    code = world.code(mine)
    world.code(other)
    for place in (other, "", "x", "K7M42XPA", "' OR 1=1"):
        assert world.try_in(place, code)[1].status_code == 403
    assert location(world.try_in(mine, code)[1]) == "/owner"


def test_of_two_at_once_with_the_right_code_one_comes_in(world: World) -> None:
    place, results = world.ward.places[5], []
    code = world.code(place)
    secrets = open_secrets(world.database.settings.data_dir)

    def come() -> None:
        with world.database.staff.begin() as connection:
            results.append(owners.sign_in(connection, secrets, place, code) is not None)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 5 + [True]


def test_a_session_ends_after_two_hours_and_when_signed_out(world: World) -> None:
    place = world.ward.places[6]
    browser = world.owner(place)
    token = hidden(browser.get("/owner").text, "csrf_token")
    assert location(browser.post("/owner/sign-out", {"csrf_token": token})).startswith("/owner?done=signed_out")
    assert "Mã dùng một lần" in browser.get("/owner").text
    browser = world.owner(place)
    with world.database.owner.begin() as owner:
        owner.execute(text("UPDATE account.owner_session SET expires_at = now()"))
    assert "Mã dùng một lần" in browser.get("/owner").text and browser.get("/owner/correct").status_code == 401


def test_forms_need_the_sessions_token_and_our_own_page(world: World) -> None:
    browser = world.owner(world.ward.places[7])
    token = hidden(browser.get("/owner").text, "csrf_token")
    for path in ("/owner/reply", "/owner/correct", "/owner/sign-out"):
        assert browser.post(path, {"csrf_token": ""}).status_code == 403
        assert browser.post(path, {"csrf_token": token}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post("/owner", {"place": "x"}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.get("/staff/establishments").status_code == 303


def test_an_owners_correction_is_reviewed_and_followed(world: World) -> None:
    place = world.ward.places[8]
    browser = world.owner(place)
    page = browser.get("/owner/correct")
    sent = browser.client.post("/owner/correct", data=form_to(page.text, "/owner/correct").values(
        opening_hours="05:30-10:00", reason="Quán chỉ bán buổi sáng."))  # fmt: skip
    assert location(sent) == "/owner?done=sent"
    shown = browser.get("/owner").text
    receipt = re.search(r"/proposals/([A-Z0-9-]{19})", shown)
    assert receipt is not None and "Chờ duyệt" in shown
    assert "05:30" not in browser.get(f"/q/{place}").text
    kind = world.scalar("SELECT proposer_kind FROM register.proposal WHERE receipt = :r", r=receipt[1])
    assert kind == "owner" and world.decide(receipt[1], "apply").status_code == 303
    assert "05:30–10:00" in browser.get(f"/q/{place}").text
    again = browser.client.post("/owner/correct", data=form_to(page.text, "/owner/correct").values(reason="thử"))
    assert again.status_code == 422 and "Chưa có ô nào được sửa" in again.text


def test_a_reply_stands_beside_the_warning_everywhere_once_it_was_reviewed(world: World) -> None:
    place = world.ward.places[9]
    browser = world.owner(place)
    page = browser.get("/owner").text
    assert "Cảnh báo thử" in page
    fact, token = hidden(page, "fact"), hidden(page, "csrf_token")
    sent = browser.post("/owner/reply", {"csrf_token": token, "fact": fact, "reply": REPLY})
    assert location(sent) == "/owner?done=sent"
    shown = browser.get("/owner").text
    receipt = re.search(r"/proposals/([A-Z0-9-]{19})", shown)
    assert receipt is not None and "đang chờ phường xem" in shown
    assert REPLY not in browser.get(f"/q/{place}").text
    assert REPLY in browser.get(f"/proposals/{receipt[1]}").text
    card = world.officer.get(f"/staff/proposals/{receipt[1]}").text
    assert REPLY in card and world.decide(receipt[1], "apply").status_code == 303
    html = browser.get(f"/q/{place}").text
    assert REPLY in html and "Ý kiến của chủ cơ sở (" in html
    assert html.index("Cảnh báo thử") < html.index(REPLY) < html.index("<h1")
    data = browser.client.get(f"/q/{place}.json").json()
    assert [each["reply"] for each in data["replies"]] == [REPLY]
    item = browser.client.get(f"/ogc/collections/warnings/items/{fact.partition(':')[2]}?f=json").json()["properties"]
    assert (item["reply"], item["replied_on"]) == (REPLY, data["replies"][0]["replied_on"])
    assert REPLY in browser.get("/owner").text


def test_a_reply_to_a_failed_inspection_stands_with_the_fact(world: World) -> None:
    place = world.ward.places[10]
    officer = add_staff(world.database, "khac", "officer")
    with write_as(world.database, officer, reason="thử") as connection:
        values = {"establishment": place, "inspected_on": "2026-02-03", "agency": "Đoàn thử", "result": "fail",
                  "signed_on": "2026-02-04", "source": "office"}  # fmt: skip
        failed = records.create(connection, "inspections", values, ward_id=officer.ward_id).code
    browser = world.owner(place)
    page = browser.get("/owner").text
    assert f'value="inspections:{failed}"' in page
    token = hidden(page, "csrf_token")
    browser.post("/owner/reply", {"csrf_token": token, "fact": f"inspections:{failed}", "reply": REPLY})
    receipt = re.search(r"/proposals/([A-Z0-9-]{19})", browser.get("/owner").text)
    assert receipt is not None
    assert world.decide(receipt[1], "reject").status_code == 303 and REPLY not in browser.get(f"/q/{place}").text
    browser.post("/owner/reply", {"csrf_token": token, "fact": f"inspections:{failed}", "reply": REPLY})
    receipt = re.search(r"/proposals/([A-Z0-9-]{19})", browser.get("/owner").text)
    assert receipt is not None and world.decide(receipt[1], "apply").status_code == 303
    said = f"Ý kiến của chủ cơ sở ({today():%d/%m/%Y})"
    for path in (f"/q/{place}", f"/?place={place}", f"/?view=place&place={place}"):
        page = browser.get(path).text
        food = page[page.index("An toàn thực phẩm") :]
        assert food.index("Không đạt") < food.index(said) < food.index(REPLY), path
    data = browser.client.get(f"/q/{place}.json").json()
    told = {"collection": "inspections", "code": failed, "fact_on": "2026-02-03", "reply": REPLY,
            "replied_on": today().isoformat()}  # fmt: skip
    assert data["last_inspection"]["code"] == failed and told in data["replies"]
    # With the fact its reply goes: what a later inspection has overtaken is told nowhere.
    with write_as(world.database, officer, reason="thử") as connection:
        passed = values | {"inspected_on": "2026-03-03", "result": "pass", "signed_on": "2026-03-04"}
        records.create(connection, "inspections", passed, ward_id=officer.ward_id)
    assert REPLY not in browser.get(f"/q/{place}").text and REPLY not in browser.get(f"/q/{place}.json").text


@pytest.mark.parametrize(
    ("reply", "status", "told"),
    [("", 422, "Hãy điền ô"), ("a" * 501, 422, "dài quá 500 ký tự"), ("đảo \u202e ngược", 422, "ký tự không đọc được"),
     ("<script>x</script>", 303, "")],
)  # fmt: skip
def test_replies_are_bounded_and_only_words(world: World, reply: str, status: int, told: str) -> None:
    browser = world.owner(world.ward.places[11])
    page = browser.get("/owner").text
    answer = browser.post(
        "/owner/reply", {"csrf_token": hidden(page, "csrf_token"), "fact": hidden(page, "fact"), "reply": reply}
    )
    assert answer.status_code == status and told in answer.text


def test_an_owner_replies_to_no_other_places_facts(world: World) -> None:
    browser = world.owner(world.ward.places[0])
    token = hidden(browser.get("/owner").text, "csrf_token")
    foreign = world.scalar(
        "SELECT w.code FROM register.warning w JOIN register.establishment e ON e.id = w.establishment_id "
        "WHERE e.code = :place", place=world.ward.places[1],
    )  # fmt: skip
    for fact in (f"warnings:{foreign}", "warnings:", "", "establishments:x", "licences:1", "warnings:1' --"):
        assert browser.post("/owner/reply", {"csrf_token": token, "fact": fact, "reply": REPLY}).status_code == 404
    count = world.scalar("SELECT count(*) FROM register.owner_request")
    own = hidden(browser.get("/owner").text, "fact")
    assert location(browser.post("/owner/reply", {"csrf_token": token, "fact": own, "reply": REPLY}))
    assert world.scalar("SELECT count(*) FROM register.owner_request") == int(str(count)) + 1


def test_only_the_wards_officers_give_codes(world: World) -> None:
    page = f"/staff/establishments/{world.ward.places[0]}/owner-codes"
    assert world.stranger.get(page).status_code == 404
    made = world.stranger.send("/staff/account", page, action="make")
    assert made.status_code == 404 and "secret" not in made.text
    assert f'href="{page}"' in world.officer.get(f"/staff/establishments/{world.ward.places[0]}").text
    assert world.officer.send(page, page, action="burn").status_code == 400


@pytest.mark.parametrize("way", ["change-owner", "edit", "end"])
def test_the_former_owner_is_nobody_once_the_place_has_passed_on(world: World, way: str) -> None:
    officer = add_staff(world.database, f"sang-{way}", "officer")
    with write_as(world.database, officer, reason="thử") as connection:
        entities = [
            records.create(connection, "legal_entities",
                           {"registered_name": name, "legal_form": "household_business"}, ward_id=officer.ward_id).code
            for name in (f"Hộ cũ {way}", f"Hộ mới {way}")
        ]  # fmt: skip
        values = {"name": f"Quán Sang {way}", "sector_group": "food_service", "source": "office",
                  "legal_entity": entities[0], "position_method": "surveyed",
                  "geometry": {"type": "Point", "coordinates": [108.2136, 16.0432]}}  # fmt: skip
        place = records.create(connection, "establishments", values, ward_id=officer.ward_id).code
    signed_in, code = world.owner(place), world.code(place)
    # The new code has signed the owner out; a session of it, and a code that nobody has used, are left.
    assert "Mã dùng một lần" in signed_in.get("/owner").text
    signed_in = world.try_in(place, code)[0]
    form = form_to(signed_in.get("/owner/correct").text, "/owner/correct")
    location(signed_in.client.post("/owner/correct", data=form.values(name="Quán Tôi", reason="Tên đúng của tôi.")))
    receipt = re.search(r"/proposals/([A-Z0-9-]{19})", signed_in.get("/owner").text)
    assert receipt is not None
    secrets = open_secrets(world.database.settings.data_dir)
    with world.database.owner.begin() as owner:
        made = "INSERT INTO register.owner_code (establishment_id, code_hash, made_by, expires_at) SELECT id, :hash, " \
               ":by, now() + interval '1 day' FROM register.establishment WHERE code = :place"  # fmt: skip
        unused = owners._hash(secrets, place, "2222222222")
        owner.execute(text(made), {"hash": unused, "by": officer.staff_id, "place": place})
    # Any other change of the record leaves them alone.
    with write_as(world.database, officer, reason="thử") as connection:
        version = records.get(connection, "establishments", place).version
        records.change(connection, "establishments", place, version, {"name": "Quán Sang tên"})
    assert "Quán Sang tên" in signed_in.get("/owner").text
    with write_as(world.database, officer, reason="thử") as connection:
        version = records.get(connection, "establishments", place).version
        if way == "change-owner":
            life_cycle.change_owner(connection, place, version, legal_entity=entities[1])
        elif way == "edit":
            records.change(connection, "establishments", place, version, {"legal_entity": entities[1]})
        else:
            records.end(connection, "establishments", place, version, "thử")
    assert "Mã dùng một lần" in signed_in.get("/owner").text and signed_in.get("/owner/correct").status_code == 401
    assert world.try_in(place, "22222-22222")[1].status_code == 403
    ids = "SELECT id FROM register.establishment WHERE code = :place"
    assert (
        world.scalar(f"SELECT count(*) FROM account.owner_session WHERE establishment_id = ({ids})", place=place) == 0
    )
    # What was asked for waits for review, by its receipt; the next owner is not shown it.
    assert "Chờ duyệt" in signed_in.get(f"/proposals/{receipt[1]}").text
    if way != "end":
        assert receipt[1] not in world.owner(place).get("/owner").text
    ended = "SELECT bool_and(withdrawn_at IS NOT NULL OR used_at IS NOT NULL) FROM register.owner_code"
    assert world.scalar(f"{ended} WHERE establishment_id = ({ids})", place=place) is True


def test_withdrawing_signs_the_owner_out_and_only_an_officer_of_the_ward_can(world: World) -> None:
    place = world.ward.places[0]
    browser, page = world.owner(place), f"/staff/establishments/{place}/owner-codes"
    far = add_staff(world.database, "xa-nua", "officer", OTHER_WARD)
    with prepare_as(world.database, far) as connection:
        connection.execute(text("SELECT account.end_owner_sessions(:place)"), {"place": place})
    assert "Quán Thử 0" in browser.get("/owner").text
    near = add_staff(world.database, "khao-sat", "surveyor")
    with pytest.raises(DBAPIError), prepare_as(world.database, near) as connection:
        connection.execute(text("SELECT account.end_owner_sessions(:place)"), {"place": place})
    assert "Đã thu hồi." in world.officer.send(page, page, action="withdraw").text
    assert "Mã dùng một lần" in browser.get("/owner").text


def test_a_refused_sign_in_costs_the_same_whatever_was_wrong(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not clocked: hashes made, statements sent, whether the database waits for its disk."""
    place, none, used_up, over = (world.ward.places[number] for number in (1, 2, 3, 4))
    secrets = open_secrets(world.database.settings.data_dir)
    for each in (place, used_up, over):
        world.code(each)
    page = f"/staff/establishments/{none}/owner-codes"
    world.officer.send(page, page, action="withdraw")
    with world.database.owner.begin() as owner:
        ids = "(SELECT id FROM register.establishment WHERE code = :place)"
        owner.execute(text(f"UPDATE register.owner_code SET tries_left = 0 WHERE establishment_id = {ids}"),
                      {"place": used_up})  # fmt: skip
        past = "made_at = made_at - interval '8 days', expires_at = expires_at - interval '8 days'"
        owner.execute(text(f"UPDATE register.owner_code SET {past} WHERE establishment_id = {ids}"), {"place": over})
    hashed: list[str] = []
    lookup_hash = Secrets.lookup_hash
    monkeypatch.setattr(Secrets, "lookup_hash", lambda *given, **more: hashed.append("") or lookup_hash(*given, **more))
    work = {}
    for tried, code in ((place, "2222222222"), (none, "2222222222"), (used_up, "2222222222"), (over, "2222222222"),
                        ("K7M42XP2", "2222222222"), ("-", "2222222222"), ("-", ""), (place, "9" * 64)):  # fmt: skip
        hashed.clear()
        with world.database.staff.begin() as connection:
            with noted(connection) as sent:
                assert owners.sign_in(connection, secrets, tried, code) is None
            wrote = connection.execute(text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")).scalar_one()
        work[tried, code] = (len(hashed), len(sent), wrote)
    assert set(work.values()) == {(1, 1, True)}, work
