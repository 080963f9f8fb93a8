"""The personal data pages as an officer meets them: masks, a stated purpose, one look, and the log of it."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from mapservice.app import create_app
from mapservice.asker import COOKIE
from mapservice.settings import HttpSettings
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.store import records, sessions
from postgis.vocabulary import PERSONAL_FIELDS
from tests.small_ward import add_staff

VALUES = {
    "owner_name": "Trần Thị Thử",
    "owner_phone": "0905 000 111",
    "owner_email": "chu.quan@example.vn",
    "personal_id": "048090009876",
    "household_tax_code": "8000000011-001",
    "home_address": "K999/9 Đường Không Có Thật",
    "birth_date": "30/11/1980",
}
WRONG = {
    "owner_name": "x" * 301,
    "owner_phone": "0905 000",
    "owner_email": "chu quan",
    "personal_id": "0480900098765",
    "household_tax_code": "4.80E+10",
    "home_address": "x" * 301,
    "birth_date": "31/02/1980",
}


class Browser:
    """A signed-in browser on the application."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self.client = TestClient(create_app(HttpSettings(sample="none"), database), follow_redirects=False)
        with database.owner.begin() as connection:
            cookie = sessions.start(connection, actor.staff_id)
            found = sessions.find(connection, cookie)
        assert found is not None
        self.csrf_token = found.csrf_token
        self.client.cookies.set(COOKIE, cookie)
        self.headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}

    def get(self, address: str) -> httpx.Response:
        return self.client.get(address, headers=self.headers)

    def post(self, address: str, **form: str) -> httpx.Response:
        return self.client.post(address, headers=self.headers, data={"csrf_token": self.csrf_token, **form})


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


@pytest.fixture
def browser(database: Database, officer: Actor) -> Iterator[Browser]:
    browser = Browser(database, officer)
    with browser.client:
        yield browser


@pytest.fixture
def page(database: Database, officer: Actor) -> str:
    with write_as(database, officer, reason="thử") as connection:
        values = {"registered_name": "Hộ kinh doanh <Thử>", "legal_form": "household_business"}
        code = records.create(connection, "legal_entities", values, ward_id=officer.ward_id).code
    return f"/staff/legal_entities/{code}/personal"


def _words(answer: httpx.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def test_a_value_is_kept_masked_shown_for_a_purpose_and_the_reading_is_on_record(browser: Browser, page: str) -> None:
    assert "Chưa có dữ liệu cá nhân nào." in _words(browser.get(page))
    for field, value in VALUES.items():
        kept = browser.post(f"{page}/{field}", value=value, reason="chủ quán báo")
        assert (kept.status_code, kept.headers["location"]) == (303, f"{page}?done=kept")
    shown = browser.get(f"{page}?done=kept")
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    words = _words(shown)
    assert "Đã lưu, được mã hóa." in words and "048*****9876" in words and "09*****111" in words
    assert not any(value in words for value in VALUES.values())
    assert "Hộ kinh doanh <Thử>" in words and "<Thử>" not in shown.text

    revealed = browser.post(f"{page}/owner_phone/reveal", purpose="gọi báo giấy sắp hết hạn")
    assert revealed.status_code == 200 and revealed.headers["cache-control"] == "no-store"
    assert "0905000111" in _words(revealed) and "gọi báo giấy sắp hết hạn" in _words(revealed)
    assert "30/11/1980" in _words(browser.post(f"{page}/birth_date/reveal", purpose="đối chiếu giấy tờ"))
    log = _words(browser.get("/staff/reveals"))
    assert "gọi báo giấy sắp hết hạn" in log and "Điện thoại của chủ" in log and "0905000111" not in log


@pytest.mark.parametrize("field", PERSONAL_FIELDS)
def test_a_wrong_value_is_told_beside_its_box_and_kept_in_it(browser: Browser, page: str, field: str) -> None:
    answer = browser.post(f"{page}/{field}", value=WRONG[field], reason="thử")
    assert answer.status_code == 422 and answer.headers["cache-control"] == "no-store"
    assert f'id="keep-{field}-error"' in answer.text and 'aria-invalid="true"' in answer.text
    assert f'value="{WRONG[field]}"' in answer.text and 'value="thử"' in answer.text
    assert "personal.errors" not in answer.text
    assert "Not saved yet" in _words(browser.post(f"{page}/{field}?lang=en", value=WRONG[field], reason="thử"))


@pytest.mark.parametrize("purpose", ["", "abc", "x" * 301])
def test_without_a_purpose_the_page_asks_for_one(browser: Browser, page: str, purpose: str) -> None:
    browser.post(f"{page}/owner_phone", value="0905000111", reason="thử")
    answer = browser.post(f"{page}/owner_phone/reveal", purpose=purpose)
    assert answer.status_code == 422
    assert "Hãy ghi mục đích" in _words(answer) and "0905000111" not in answer.text
    assert "Chưa có lần xem nào." in _words(browser.get("/staff/reveals"))


def test_a_reason_is_asked_for(browser: Browser, page: str) -> None:
    for address in (f"{page}/owner_phone", f"{page}/owner_phone/remove"):
        answer = browser.post(address, value="0905000111")
        assert answer.status_code == 422
    browser.post(f"{page}/owner_phone", value="0905000111", reason="thử")
    answer = browser.post(f"{page}/owner_phone/remove", reason=" ")
    assert answer.status_code == 422 and "Hãy điền ô này." in _words(answer)
    assert browser.post(f"{page}/owner_phone/remove", reason="chủ quán yêu cầu").status_code == 303
    assert "09*****111" not in browser.get(page).text


def test_what_is_not_there_is_said_to_be_so(browser: Browser, page: str) -> None:
    assert browser.get("/staff/legal_entities/LE00000000/personal").status_code == 404
    assert browser.post(f"{page}/owner_phone/reveal", purpose="kiểm tra").status_code == 404
    assert browser.post(f"{page}/bank_account", value="1", reason="thử").status_code == 404
    assert browser.get("/staff/reveals?before=x").status_code == 400
    assert browser.get(f"{page}?foo=1").status_code == 400


def test_a_form_of_another_session_is_refused(browser: Browser, page: str) -> None:
    assert browser.post(f"{page}/owner_phone", csrf_token="x", value="0905000111", reason="thử").status_code == 403
    assert browser.post(f"{page}/owner_phone/reveal", csrf_token="", purpose="kiểm tra").status_code == 403


def test_a_value_of_another_key_is_a_clear_problem(browser: Browser, page: str, database: Database) -> None:
    browser.post(f"{page}/owner_phone", value="0905000111", reason="thử")
    with database.owner.begin() as connection:
        connection.execute(text(r"UPDATE register.personal_datum SET ciphertext = '\x01' || repeat('a', 60)::bytea"))
    answer = browser.post(f"{page}/owner_phone/reveal", purpose="kiểm tra")
    assert answer.status_code == 500 and "secret.key" in _words(answer)


def test_the_log_has_pages(browser: Browser, page: str) -> None:
    browser.post(f"{page}/owner_phone", value="0905000111", reason="thử")
    for number in range(51):
        assert browser.post(f"{page}/owner_phone/reveal", purpose=f"lần thứ {number:02d}").status_code == 200
    first = browser.get("/staff/reveals")
    following = re.search(r"/staff/reveals\?before=\d+", first.text)
    assert following and "lần thứ 50" in first.text and "lần thứ 00" not in first.text
    assert "lần thứ 00" in browser.get(following[0]).text
