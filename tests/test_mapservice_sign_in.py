"""Signing in and out: the right password, wrong ones, codes, sessions that end, forms that are not ours, tokens."""

import base64
import io
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from sqlalchemy import text

from mapservice import passwords, totp
from mapservice.asker import COOKIE
from mapservice.onward import safe_next
from postgis.engine import Database
from postgis.store import sessions, staff, tokens
from tests.staff_clients import OTHER_WARD, PASSWORD, Browser, add_member, hidden, location

REFUSED = "Tên đăng nhập hoặc mật khẩu chưa đúng"
ITEMS = "/ogc/collections/establishments/items"


@pytest.fixture
def officer(database: Database) -> int:
    return add_member(database, "lan.nguyen")


@pytest.fixture
def browser(database: Database, officer: int) -> Browser:
    assert officer
    return Browser(database)


def _sql(database: Database, statement: str, **values: object) -> None:
    with database.owner.begin() as connection:
        connection.execute(text(statement), values)


def test_signing_in_leads_on_and_signing_out_ends_it(browser: Browser, database: Database) -> None:
    wanted = browser.get("/staff/account")
    assert location(wanted) == "/staff/sign-in?next=/staff/account"
    answer = browser.sign_in("Lan.Nguyen ", next="/staff/account")
    assert location(answer) == "/staff/account"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert "Secure" not in cookie and "Max-Age" not in cookie and "expires" not in cookie.lower()

    page = browser.get("/staff/account")
    assert page.status_code == 200 and "Người thử lan.nguyen" in page.text and "Cán bộ nghiệp vụ" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert location(browser.get("/staff")) == "/staff/establishments"
    assert location(browser.get("/staff/sign-in")) == "/staff", "who is signed in needs no form"
    with database.owner.connect() as connection:
        kept = connection.execute(text("SELECT token_hash FROM account.session")).scalar_one()
    assert bytes(kept) == sessions.digest(browser.client.cookies[COOKIE])

    left = browser.send("/staff/account", "/staff/sign-out")
    assert location(left) == "/staff/sign-in?done=signed_out"
    assert "Đã đăng xuất." in browser.get(location(left)).text
    browser.client.cookies.set(COOKIE, cookie.split("=")[1].split(";")[0])
    assert location(browser.get("/staff/account")).startswith("/staff/sign-in"), "the old cookie opens nothing"


@pytest.mark.usefixtures("officer")
def test_the_cookie_is_for_https_where_the_service_is(database: Database) -> None:
    browser = Browser(database, public_url="https://map.example")
    assert "Secure" in browser.sign_in("lan.nguyen").headers["set-cookie"]


def test_every_sign_in_begins_a_session_of_its_own(browser: Browser) -> None:
    values = {browser.sign_in("lan.nguyen").cookies[COOKIE] for _ in range(3)}
    assert len(values) == 3 and all(len(value) >= 43 for value in values)


def test_english_stays_english(browser: Browser) -> None:
    page = browser.get("/staff/sign-in?lang=en&next=/staff/account")
    assert "<h1>Sign in</h1>" in page.text and 'action="/staff/sign-in?lang=en"' in page.text
    assert "?next=/staff/account&amp;lang=vi" in page.text
    assert location(browser.get("/staff/account?lang=en")) == "/staff/sign-in?next=/staff/account%3Flang%3Den&lang=en"


@pytest.mark.parametrize("login", ["lan.nguyen", "nobody.here", "locked", "gone", "", "x" * 5000, "đặng", "'; --"])
def test_a_refusal_tells_nothing_about_the_account(browser: Browser, database: Database, login: str) -> None:
    add_member(database, "locked")
    _sql(database, "UPDATE account.staff SET locked_until = now() + interval '1 hour' WHERE login = 'locked'")
    add_member(database, "gone")
    _sql(database, "UPDATE account.staff SET disabled_at = now() WHERE login = 'gone'")
    wrong = PASSWORD if login in ("locked", "gone") else "khong-phai-mat-khau"
    answer = browser.sign_in(login, wrong)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert REFUSED in answer.text and wrong not in answer.text
    if 0 < len(login) < 80 and login.isascii() and "'" not in login:
        assert f'value="{login}"' in answer.text, "what was typed is kept"
    strangers = browser.sign_in("stranger", wrong).text.replace("stranger", "")
    assert re.sub(r' autofocus|value="[^"]*"', "", strangers) == re.sub(
        r' autofocus|value="[^"]*"', "", answer.text.replace(login, "") if login else answer.text
    )


def test_a_stranger_waits_as_long_as_staff(browser: Browser) -> None:
    def seconds(login: str) -> float:
        # Of this process's own work, which a busy machine does not lengthen.
        began = time.process_time()
        browser.sign_in(login, "khong-phai-mat-khau")
        return time.process_time() - began

    seconds("warm.up")
    known, unknown = (min(seconds(login) for _ in range(4)) for login in ("lan.nguyen", "nobody.here"))
    assert 0.5 < known / unknown < 2


def test_five_wrong_ones_lock_for_a_while_and_longer_each_time(browser: Browser, database: Database) -> None:
    for _ in range(4):
        browser.sign_in("lan.nguyen", "sai-roi-sai-roi")
    assert location(browser.sign_in("lan.nguyen")) == "/staff", "four wrong ones are forgiven"
    for number, minutes in ((5, 1), (6, 5), (7, 15), (8, 30), (9, 30)):
        for _ in range(5 if number == 5 else 1):
            assert browser.sign_in("lan.nguyen", "sai-roi-sai-roi").status_code == 403
        assert browser.sign_in("lan.nguyen").status_code == 403, "while locked the right one is refused too"
        with database.owner.begin() as connection:
            row = connection.execute(
                text("SELECT failed_logins, extract(epoch FROM locked_until - now()) / 60 AS m FROM account.staff")
            ).one()
            assert row.failed_logins == number and minutes - 0.2 < row.m <= minutes
            connection.execute(text("UPDATE account.staff SET locked_until = now() - interval '1 second'"))
    assert location(browser.sign_in("lan.nguyen")) == "/staff", "never for good"
    with database.owner.connect() as connection:
        assert connection.execute(text("SELECT failed_logins, locked_until FROM account.staff")).one() == (0, None)


@pytest.mark.usefixtures("officer")
def test_many_guesses_at_once_get_no_more_tries(database: Database) -> None:
    def attempt(_number: int) -> bool:
        with database.staff.begin() as connection:
            return staff.reserve_attempt(connection, "lan.nguyen") is not None

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(60))) == staff.FREE_ATTEMPTS


def test_too_many_at_once_are_asked_to_wait(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_PLACES", passwords.threading.BoundedSemaphore(1))
    with passwords._turn():
        answer = browser.sign_in("lan.nguyen")
        assert answer.status_code == 503 and answer.headers["retry-after"]
        for _ in range(staff.FREE_ATTEMPTS + 1):
            browser.sign_in("lan.nguyen")
    assert location(browser.sign_in("lan.nguyen")) == "/staff", "what was not checked does not count"


def test_nothing_typed_is_logged(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser.sign_in("lan.nguyen", "mat-khau-bi-lo-roi")
        browser.sign_in("lan.nguyen")
        browser.get("/staff/account", Authorization="Bearer ms_khoa-bi-lo")
    lines = "\n".join(str(record.__dict__) for record in caplog.records if record.name.startswith("mapservice"))
    assert "sign-in refused" in lines
    for secret in ("lan.nguyen", "mat-khau-bi-lo-roi", PASSWORD, "ms_khoa", browser.client.cookies[COOKIE]):
        assert secret not in lines


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("/staff/accounts?x=1", "/staff/accounts?x=1"),
        ("https://evil.example/", "/staff"),
        ("//evil.example/", "/staff"),
        ("/\\evil.example", "/staff"),
        ("/a\r\nSet-Cookie: x=1", "/staff"),
        ("javascript:alert(1)", "/staff"),
        ("", "/staff"),
    ],
)
def test_signing_in_leads_to_no_other_site(browser: Browser, target: str, leads: str) -> None:
    assert safe_next(target) == leads
    assert location(browser.sign_in("lan.nguyen", next=target)) == leads


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account.session SET last_seen_at = now() - interval '8 hours 1 minute'",
        "UPDATE account.session SET expires_at = now() - interval '1 second'",
        "UPDATE account.staff SET disabled_at = now()",
        "DELETE FROM account.session",
    ],
)
def test_a_session_ends(browser: Browser, database: Database, change: str) -> None:
    browser.sign_in("lan.nguyen")
    assert browser.get("/staff/account").status_code == 200
    _sql(database, change)
    assert location(browser.get("/staff/account")).startswith("/staff/sign-in")


def test_a_session_lasts_a_day_at_most_and_is_noted_once_a_minute(browser: Browser, database: Database) -> None:
    browser.sign_in("lan.nguyen")
    asked = text(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 AS hours, last_seen_at FROM account.session"
    )
    with database.owner.connect() as connection:
        first = connection.execute(asked).one()
        browser.get("/staff/account")
        assert first.hours == 24 and connection.execute(asked).one() == first, "no write for each request"
        connection.rollback()
        _sql(database, "UPDATE account.session SET last_seen_at = last_seen_at - interval '61 seconds'")
        browser.get("/staff/account")
        assert connection.execute(asked).one().last_seen_at > first.last_seen_at


def test_old_sessions_are_swept(browser: Browser, database: Database) -> None:
    browser.sign_in("lan.nguyen")
    _sql(database, "UPDATE account.session SET expires_at = now() - interval '1 day'")
    browser.client.cookies.clear()
    browser.sign_in("lan.nguyen")
    with database.owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM account.session")).scalar_one() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    ],
)
def test_a_form_on_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in("lan.nguyen")
    proof = browser.proof("/staff/account")
    answer = browser.post("/staff/sign-out", {"csrf_token": proof}, **headers)
    assert answer.status_code == 403 and "Yêu cầu từ trang khác" in answer.text
    assert browser.post("/staff/sign-in", {"login": "lan.nguyen", "password": PASSWORD}, **headers).status_code == 403
    assert browser.get("/staff/account").status_code == 200, "still signed in"


@pytest.mark.usefixtures("officer")
def test_without_fetch_metadata_the_origin_decides(database: Database) -> None:
    browser = Browser(database, public_url="https://map.example")
    del browser.client.headers["sec-fetch-site"]
    form = {"login": "lan.nguyen", "password": PASSWORD}
    assert browser.post("/staff/sign-in", form).status_code == 403, "a browser sends one of the two"
    assert browser.post("/staff/sign-in", form, origin="null").status_code == 403
    assert browser.post("/staff/sign-in", form, origin="http://testserver").status_code == 303
    assert browser.post("/staff/sign-in", form, origin="https://map.example").status_code == 303


@pytest.mark.parametrize("proof", ["", "x", "ừ"])
def test_a_form_without_our_proof_is_refused(browser: Browser, proof: str) -> None:
    browser.sign_in("lan.nguyen")
    answer = browser.post("/staff/sign-out", {"csrf_token": proof})
    assert answer.status_code == 403 and "Biểu mẫu đã cũ" in answer.text
    assert browser.get("/staff/account").status_code == 200


def test_the_proof_of_one_session_is_none_for_another(browser: Browser, database: Database) -> None:
    add_member(database, "binh")
    other = Browser(database)
    other.sign_in("binh")
    browser.sign_in("lan.nguyen")
    assert browser.post("/staff/sign-out", {"csrf_token": other.proof("/staff/account")}).status_code == 403


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"login=%FF", "application/x-www-form-urlencoded", 400),
        (b"login=%00", "application/x-www-form-urlencoded", 400),
        ("login=ừ".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(600)), "application/x-www-form-urlencoded", 400),
        (b"login=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"", "", 415),
    ],
)
def test_what_is_no_form_is_refused(browser: Browser, content: bytes, media_type: str, status: int) -> None:
    answer = browser.client.post("/staff/sign-in", content=content, headers={"content-type": media_type})
    assert answer.status_code == status


def test_after_a_form_of_an_ended_session_people_come_back_to_its_page(browser: Browser) -> None:
    answer = browser.post("/staff/account/tokens", referer="http://testserver/staff/account?x=1")
    assert location(answer) == "/staff/sign-in?next=/staff/account%3Fx%3D1"
    answer = browser.post("/staff/account/tokens", referer="http://evil.example/phish")
    assert location(answer) == "/staff/sign-in?next=/staff"


def test_programs_are_told_to_sign_in(browser: Browser) -> None:
    answer = browser.get("/staff/account", accept="application/json")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"].endswith("sign_in_required")


class Phone:
    """An authenticator app that has scanned the QR code; each look gives the next code, as time would."""

    def __init__(self, secret: bytes) -> None:
        self.secret, self.step = secret, int(time.time() // totp.STEP)

    def code(self) -> str:
        self.step += 1
        return totp.code_at(self.secret, self.step)


def enrol(browser: Browser) -> Phone:
    page = browser.get("/staff/account/totp").text
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert key
    phone = Phone(base64.b32decode(key[1].replace(" ", "")))
    form = {"csrf_token": hidden(page, "csrf_token"), "offer": hidden(page, "offer")}
    wrong = browser.post("/staff/account/totp", {**form, "code": "000 000"})
    assert wrong.status_code == 422 and "Mã chưa đúng" in wrong.text and key[1] in wrong.text
    assert location(browser.post("/staff/account/totp", {**form, "code": totp.code_at(phone.secret, phone.step)}))
    return phone


def test_the_code_from_the_phone_is_needed_once_turned_on(browser: Browser, database: Database) -> None:
    browser.sign_in("lan.nguyen")
    phone = enrol(browser)
    with database.owner.connect() as connection:
        kept = connection.execute(text("SELECT totp_secret FROM account.staff")).scalar_one()
    assert phone.secret not in bytes(kept), "encrypted at rest"

    fresh = Browser(database)
    asked = fresh.sign_in("lan.nguyen", next="/staff/account")
    assert asked.status_code == 200 and "Mã xác thực" in asked.text and "set-cookie" not in asked.headers
    form = {"pending": hidden(asked.text, "pending"), "next": hidden(asked.text, "next")}
    for wrong in ("", "123", "١٢٣٤٥٦", "abcdef", totp.code_at(phone.secret, phone.step)):
        answer = fresh.post("/staff/sign-in/code", {**form, "code": wrong})
        assert answer.status_code == 403 and hidden(answer.text, "pending")
        _sql(database, "UPDATE account.staff SET failed_logins = 0, locked_until = NULL")
    code = phone.code()
    assert location(fresh.post("/staff/sign-in/code", {**form, "code": code})) == "/staff/account"
    assert fresh.get("/staff/account").status_code == 200
    again = Browser(database).post("/staff/sign-in/code", {**form, "code": code})
    assert again.status_code == 403, "a code works once"


def test_guessing_codes_locks_too(browser: Browser) -> None:
    browser.sign_in("lan.nguyen")
    phone = enrol(browser)
    for _ in range(staff.FREE_ATTEMPTS):
        # Knowing the password does not wipe out the wrong codes before it.
        form = {"pending": hidden(browser.sign_in("lan.nguyen").text, "pending")}
        browser.post("/staff/sign-in/code", {**form, "code": "000000"})
    assert browser.post("/staff/sign-in/code", {**form, "code": phone.code()}).status_code == 403
    assert browser.sign_in("lan.nguyen").status_code == 403


def test_a_right_password_on_the_last_try_still_gets_to_the_code(browser: Browser) -> None:
    browser.sign_in("lan.nguyen")
    phone = enrol(browser)
    for _ in range(staff.FREE_ATTEMPTS - 1):
        browser.sign_in("lan.nguyen", "sai-roi-sai-roi")
    form = {"pending": hidden(browser.sign_in("lan.nguyen").text, "pending")}
    assert location(browser.post("/staff/sign-in/code", {**form, "code": phone.code()})) == "/staff"


def test_the_step_between_password_and_code_is_short(
    browser: Browser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in("lan.nguyen")
    phone = enrol(browser)
    pending = hidden(browser.sign_in("lan.nguyen").text, "pending")
    for broken in ("", "x", "é", pending[:-4], pending[4:]):
        answer = browser.post("/staff/sign-in/code", {"pending": broken, "code": phone.code()})
        assert answer.status_code == 403 and "đăng nhập lại từ đầu" in answer.text
    now = time.time()
    monkeypatch.setattr("mapservice.sealed.time.time", lambda: now + 301)
    answer = browser.post("/staff/sign-in/code", {"pending": pending, "code": phone.code()})
    assert answer.status_code == 403 and "đăng nhập lại từ đầu" in answer.text
    monkeypatch.undo()
    _sql(database, "UPDATE account.staff SET password_hash = :kept", kept=passwords.hash_password("mat-khau-khac-han"))
    answer = browser.post("/staff/sign-in/code", {"pending": pending, "code": phone.code()})
    assert "đăng nhập lại từ đầu" in answer.text, "a changed password undoes the first step"


def test_without_its_key_a_second_factor_lets_nobody_in(browser: Browser, database: Database) -> None:
    browser.sign_in("lan.nguyen")
    phone = enrol(browser)
    _sql(database, "UPDATE account.staff SET totp_secret = set_byte(totp_secret, 20, 255 - get_byte(totp_secret, 20))")
    form = {"pending": hidden(browser.sign_in("lan.nguyen").text, "pending")}
    assert browser.post("/staff/sign-in/code", {**form, "code": phone.code()}).status_code == 403


def test_turning_codes_off_needs_the_password(browser: Browser, database: Database) -> None:
    browser.sign_in("lan.nguyen")
    enrol(browser)
    for wrong in ("", "sai-roi-sai-roi"):
        answer = browser.send("/staff/account", "/staff/account/totp/remove", password=wrong)
        assert answer.status_code == 422 and 'id="password-error"' in answer.text
    done = browser.send("/staff/account", "/staff/account/totp/remove", password=PASSWORD)
    assert location(done) == "/staff/account?done=totp_removed"
    assert location(Browser(database).sign_in("lan.nguyen")) == "/staff"


def test_the_offered_secret_is_for_its_owner_only(browser: Browser, database: Database) -> None:
    add_member(database, "binh")
    other = Browser(database)
    other.sign_in("binh")
    browser.sign_in("lan.nguyen")
    offer = hidden(other.get("/staff/account/totp").text, "offer")
    answer = browser.send("/staff/account", "/staff/account/totp", offer=offer, code="123456")
    assert answer.status_code == 422 and "mở đã quá lâu" in answer.text


def test_the_qr_code_is_what_apps_read(browser: Browser) -> None:
    import zxingcpp

    browser.sign_in("lan.nguyen")
    page = browser.get("/staff/account/totp").text
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert picture
    read = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(picture[1]))))[0].text
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert key and read.startswith("otpauth://totp/") and f"secret={key[1].replace(' ', '')}" in read


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    secret = b"12345678901234567890"
    assert totp.code_at(secret, seconds // 30) == code
    assert totp.matching_step(secret, code, now=seconds) == seconds // 30
    assert totp.matching_step(secret, f"{code[:3]} {code[3:]}", now=seconds + 30) == seconds // 30
    assert totp.matching_step(secret, code, now=seconds - 30) == seconds // 30
    assert totp.matching_step(secret, code, now=seconds + 90) is None
    assert totp.matching_step(secret, code, now=seconds, after=seconds // 30) is None


def _token(database: Database, staff_id: int, scope: str = "write") -> str:
    with database.owner.begin() as connection:
        return tokens.issue(connection, staff_id, "thử", scope, 30)


def test_a_token_signs_a_program_in_until_it_ends(browser: Browser, database: Database, officer: int) -> None:
    token = _token(database, officer)
    bearer = {"authorization": f"Bearer {token}", "accept": "application/json", "sec-fetch-site": "cross-site"}
    assert location(browser.get("/staff", **bearer)) == "/staff/establishments"
    with database.owner.connect() as connection:
        row = connection.execute(text("SELECT token_hash, last_used_at FROM account.token")).one()
    assert bytes(row.token_hash) == sessions.digest(token) and row.last_used_at is not None
    assert browser.get("/staff", authorization=f"bearer  {token} ").status_code == 303
    for statement in (
        "UPDATE account.token SET expires_at = now() - interval '1 second'",
        "UPDATE account.token SET expires_at = now() + interval '1 day', revoked_at = now()",
        "UPDATE account.token SET revoked_at = NULL; UPDATE account.staff SET disabled_at = now()",
    ):
        _sql(database, statement)
        answer = browser.get("/staff", **bearer)
        assert answer.status_code == 401 and answer.json()["type"].endswith("invalid_token")
        assert "invalid_token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("wrong", ["", "x", "ms_", "ms_" + "a" * 43, "y" * 9000])
def test_a_wrong_token_is_refused_even_beside_a_session(browser: Browser, wrong: str) -> None:
    browser.sign_in("lan.nguyen")
    assert browser.get("/staff", authorization=f"Bearer {wrong}", accept="*/*").status_code == 401


def test_a_token_makes_no_tokens_and_changes_no_password(browser: Browser, database: Database, officer: int) -> None:
    bearer = {"authorization": f"Bearer {_token(database, officer)}", "accept": "application/json"}
    for path in ("/staff/account", "/staff/password", "/staff/accounts"):
        assert browser.get(path, **bearer).status_code == 401
    assert (
        browser.post("/staff/account/tokens", {"label": "x", "scope": "write", "days": "9"}, **bearer).status_code
        == 401
    )


@pytest.mark.parametrize("days", [0, -1, 366])
def test_no_token_lives_for_ever(database: Database, officer: int, days: int) -> None:
    with database.owner.begin() as connection, pytest.raises(ValueError, match="365"):
        tokens.issue(connection, officer, "thử", "read", days)


def test_staff_of_another_ward_sign_in_to_their_own(browser: Browser, database: Database) -> None:
    add_member(database, "xa", ward=OTHER_WARD)
    browser.sign_in("xa")
    page = browser.get("/staff/account").text
    assert "Người thử xa" in page and "Phường Hòa Cường" not in page
