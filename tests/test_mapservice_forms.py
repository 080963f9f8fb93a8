"""Every form of every staff page, found in the HTML, with bad input in every field: told there, and kept as typed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import personal_data, proposals
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import PASSWORD, Browser, add_member, location
from tests.staff_forms import FoundForm, StaffPage

VIETNAMESE = re.compile("[ăâđêôơưàảãạáằẳẵặắầẩẫậấèẻẽẹéềểễệếìỉĩịíòỏõọóồổỗộốờởỡợớùủũụúừửữựứỳỷỹỵý]", re.I)
REFUSED = {"control characters": "Quán\x01Thử", "ten kilobytes": "ă" * 5_000}
"""What no field takes, whatever it is for."""
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "quotes": "\"'><img src=x onerror=alert(1)>",
    "emoji": "Quán 🍜 Thử",
    "right to left": "\u202eABC \u200f\u05d0",
    "no such day": "31/02/2024",
    "far-off day": "01/01/9999",
    "number with a comma": "1.234,56",
    "a hundred digits": "9" * 100,
}
"""What may be a text, and must never break a page."""
SECRET = ("password", "current", "new", "repeat", "code")
"""Never shown again."""
PAGES = {
    "record": ("/staff/establishments/{place}", "lan"),
    "record of a surveyor": ("/staff/establishments/{place}", "an"),
    "record without a legal entity": ("/staff/establishments/{bare}", "lan"),
    "new": ("/staff/establishments/new", "lan"),
    **{
        f"step {step}": (f"/staff/establishments/{{place}}/steps/{step}", "lan")
        for step in ("suspend", "close", "not-found", "move", "retire", "change-owner")
    },
    "merge": ("/staff/establishments/{place}/merge?into={bare}", "lan"),
    "views": ("/staff/establishments?sector_group=food_service", "lan"),
    "personal data": ("/staff/legal_entities/{entity}/personal", "lan"),
    "adverse proposal": ("/staff/proposals/{adverse}", "minh"),
    "conflicting proposal": ("/staff/proposals/{conflict}", "minh"),
    "own account": ("/staff/account", "lan"),
    "second factor": ("/staff/account/totp", "lan"),
    "password": ("/staff/password", "lan"),
    "accounts": ("/staff/accounts", "quan"),
    "member": ("/staff/accounts/an", "quan"),
}


@dataclass
class World:
    database: Database
    names: dict[str, str]
    browsers: dict[str, Browser]


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "all_forms", template="base")
    planter = add_staff(own, "planter", "officer")
    ward = fill(own, planter, 4)
    browsers = {}
    for login, role in (("lan", "officer"), ("an", "surveyor"), ("minh", "approver"), ("quan", "admin")):
        add_member(own, login, role)
        browsers[login] = Browser(own)
        location(browsers[login].sign_in(login))
    yield World(own, _names(own, planter, ward, browsers["lan"]), browsers)
    own.dispose()
    drop_database(server, "all_forms")


def _names(database: Database, planter: Actor, ward: SmallWard, officer: Browser) -> dict[str, str]:
    place, bare, third, entity = ward.places[0], ward.places[1], ward.places[2], ward.entities[0]
    with write_as(database, planter, reason="thử") as connection:
        personal_data.keep(connection, open_secrets(database.settings.data_dir), entity, "owner_phone", "0905000111")
        found = {"establishment": place, "inspected_on": "2026-03-01", "agency": "Đoàn thử", "result": "fail",
                 "signed_on": "2026-03-01", "source": "office"}  # fmt: skip
        adverse = proposals.propose(
            connection, planter, collection="inspections", record_code=None, patch=found, reason="thử", source="office"
        )
        clash = proposals.propose(
            connection, planter, collection="establishments", record_code=third,
            patch={"name": "Tên đề xuất", "website": "https://a.example.vn"}, reason="thử", source="office",
        )  # fmt: skip
    record = f"/staff/establishments/{third}"
    form = next(each for each in StaffPage(officer.get(record).text).forms if each.action == record)
    location(officer.client.post(record, data=form.values(name="Tên khác", reason="biển mới")))
    linked = f"/staff/establishments/{bare}"
    form = next(
        each
        for each in StaffPage(officer.get(linked).text).forms
        if each.action.endswith("/legal-entity") and "seen" in each.values()
    )
    location(officer.client.post(form.action, data=form.values(legal_entity="", reason="chưa rõ chủ")))
    page = "/staff/establishments?sector_group=food_service"
    location(officer.send(page, "/staff/establishments/views", query="sector_group=lodging", name="Lưu trú"))
    return {"place": place, "bare": bare, "entity": entity, "adverse": adverse.receipt, "conflict": clash.receipt}


def forms_of(page: StaffPage) -> list[FoundForm]:
    """Those with something to fill in."""
    return [form for form in page.forms if form.typed_into()]


def sent(browser: Browser, form: FoundForm, **typed: str) -> tuple[int, str]:
    """The answer to the form; `current` passwords are judged only when the rest is right, as each wrong one counts.

    Without a reason, which nothing is stored without; what a button says goes along."""
    blank = {name: "" for name in ("reason", "note") if name in form.typed_into() and name not in typed}
    action = "return" if {"note", *typed} == {"note"} else "apply"
    pressed = {"action": action} if ("action", action) in form.buttons else {}
    pressed |= {f"choose.{name.removeprefix('own.')}": "own" for name in typed if name.startswith("own.")}
    values = form.values(**{**pressed, **blank, **typed})
    files = {"photo": ("a.jpg", b"no picture", "image/jpeg")} if form.multipart else None
    answer = browser.client.post(form.action, data=values, files=files)
    return answer.status_code, answer.text


def is_search(form: FoundForm) -> bool:
    """A search takes any words."""
    return form.action.endswith("/find") or "look" in form.values()


@pytest.mark.parametrize("name", PAGES)
def test_bad_input_in_any_field_is_told_there_and_kept(world: World, name: str) -> None:
    address, login = PAGES[name]
    browser = world.browsers[login]
    opened = StaffPage(browser.get(address.format(**world.names)).text)
    found = forms_of(opened)
    assert found, "a page without a form says nothing here"
    wrong = []
    for form in found:
        for why, text in REFUSED.items():
            # All fields at once; a field that another one's mistake has hidden then by itself.
            fields = [field for field in form.typed_into() if field != "current"]
            missed = fields
            if not any(field in ("note", "evidence") for field in fields):
                missed = faults(form, fields, text, *sent(browser, form, **dict.fromkeys(fields, text)))
            for field in missed:
                status, answered = sent(browser, form, **{field: text})
                fault = faults(form, [field], text, status, answered)
                wrong += [f"{form.action} {field}, {why}: {status} {fault[field]}"] if fault else []
    assert not wrong, "\n".join(wrong)


def faults(form: FoundForm, fields: list[str], text: str, status: int, answered: str) -> dict[str, str]:
    """Fields that the answer is silent about, or whose text it has lost."""
    if is_search(form):
        return {} if status in (200, 303) else dict.fromkeys(fields, "refused")
    if status not in (403, 409, 422):
        return dict.fromkeys(fields, "taken")
    page = StaffPage(answered)
    again = page.like(form)
    found = {}
    for field in fields:
        said = page.messages(again, field)
        kept = form.kind(field) in ("checkbox", "radio", "password") or field in SECRET or text in again.holds(field)
        if not (said and any(VIETNAMESE.search(words) for words in said)):
            found[field] = "no message at the field"
        elif not kept:
            found[field] = "not kept"
    return found


@pytest.mark.parametrize("name", PAGES)
def test_hostile_texts_break_no_page(world: World, name: str) -> None:
    address, login = PAGES[name]
    browser = world.browsers[login]
    wrong = []
    for form in forms_of(StaffPage(browser.get(address.format(**world.names)).text)):
        for why, text in HOSTILE.items():
            # All fields at once: what is wrong with one must not hide the others' texts.
            fields = [field for field in form.typed_into() if form.kind(field) in ("text", "textarea", "search")]
            status, answered = sent(
                browser, form, **{field: text for field in fields if field not in ("reason", "note")}
            )
            if status not in (200, 303, 403, 409, 422) or "<script>alert" in answered or "<img src=x" in answered:
                wrong.append(f"{form.action} {why}: {status}")
            elif status == 422 and not is_search(form):
                again = StaffPage(answered).like(form)
                lost = [field for field in fields if field not in (*SECRET, "reason", "note")]
                wrong += [f"{form.action} {field} {why}: not kept" for field in lost if text not in again.holds(field)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("text", [*REFUSED.values(), *HOSTILE.values()])
def test_signing_in_with_anything_is_refused_and_the_login_kept(world: World, text: str) -> None:
    browser = Browser(world.database)
    answer = browser.sign_in(text, PASSWORD)
    assert answer.status_code == 403
    page = StaffPage(answer.text)
    [login] = page.forms[0].holds("login")
    assert login and text.startswith(login) and page.forms[0].holds("password") == [""]
    assert browser.sign_in("nobody", text).status_code == 403
