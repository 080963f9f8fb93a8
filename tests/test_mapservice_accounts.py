"""Accounts: passwords that are good enough, an administrator's screens, one's own page, the command line, rights."""

import io
import re

import pytest
from sqlalchemy import text

from layers.collections import COLLECTIONS
from mapservice import passwords, rights
from mapservice.cli import main
from mapservice.rights import RIGHTS, can
from postgis.actor import Actor
from postgis.engine import Database
from postgis.store import tokens
from postgis.store.record_types import RECORD_TYPES
from postgis.vocabulary import STAFF_ROLES
from tests.staff_clients import OTHER_WARD, PASSWORD, WARD, Browser, add_member, hidden, location

NEW = "xoài xanh muối ớt"


@pytest.fixture
def admin(database: Database) -> Browser:
    add_member(database, "quantri", "admin")
    browser = Browser(database)
    browser.sign_in("quantri")
    return browser


def _one(database: Database, statement: str) -> object:
    with database.owner.connect() as connection:
        return connection.execute(text(statement)).scalar_one()


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngan9kytu", "too_short"),
        ("", "too_short"),
        ("á" * 201, "too_long"),
        ("lan.nguyen", "is_login"),
        ("Lan.Nguyen.1990", "is_login"),
        ("lannguyen!!!", "is_login"),
        ("matkhau123", "too_common"),
        ("Mật Khẩu 2026", "too_common"),
        ("M@tkhau12345".replace("@", "a"), "too_common"),
        ("password12", "too_common"),
        ("anhyeuem99", "too_common"),
        ("Phường Hòa Cường 2026", "too_common"),
        ("1234567890", "too_common"),
        ("0905123456", "too_common"),
        ("aaaaaaaaaaaa", "too_common"),
        ("abcabcabcabc", "too_common"),
        ("qwertyuiop", "too_common"),
        ("zyxwvutsrqponm", None),
        ("com-ga-ba-buoi", None),
        ("trời mưa nhẹ quá", None),
        ("đi chợ Mới mua cá", None),
    ],
)
def test_passwords_that_are_tried_first_are_refused(password: str, why: str | None) -> None:
    assert passwords.weakness(password, "lan.nguyen") == why


def test_a_password_is_the_same_however_the_keyboard_composes_it() -> None:
    kept = passwords.hash_password("xoài xanh muối ớt")
    assert kept.startswith("$argon2id$")
    assert passwords.verify(kept, "xoa\u0300i xanh muo\u0302\u0301i o\u031b\u0301t")
    assert passwords.verify(kept, "xoài\u00a0xanh muối ớt")
    assert not passwords.verify(kept, "xoai xanh muoi ot")
    assert not passwords.verify(None, "x") and not passwords.verify("-", "x")


def test_temporary_passwords_differ_and_are_good_enough() -> None:
    made = {passwords.temporary_password() for _ in range(200)}
    assert len(made) == 200
    assert not any(passwords.weakness(password, "lan") for password in made)


def test_a_new_colleague_signs_in_with_a_password_of_their_own(admin: Browser, database: Database) -> None:
    form = {"display_name": "  Lê  Thị Thử ", "login": "le.thu", "role": "officer"}
    added = admin.send("/staff/accounts", "/staff/accounts", **form)
    assert added.status_code == 200 and "Lê Thị Thử" in added.text and "chưa đổi mật khẩu tạm" in added.text
    temporary = added.text.split('<code class="secret large">')[1].split("<")[0]
    assert temporary not in admin.get("/staff/accounts").text, "shown once"

    theirs = Browser(database)
    assert location(theirs.sign_in("le.thu", temporary)) == "/staff"
    for path in ("/staff", "/staff/account", "/staff/account/totp"):
        assert location(theirs.get(path)) == "/staff/password", "first a password of one's own"
    assert theirs.get("/staff/account", accept="application/json").status_code == 403
    assert "do người khác đặt" in theirs.get("/staff/password").text
    changed = theirs.send("/staff/password", "/staff/password", current=temporary, new=NEW, repeat=NEW)
    assert location(changed) == "/staff"
    assert theirs.get("/staff/account").status_code == 200
    assert Browser(database).sign_in("le.thu", temporary).status_code == 403
    assert location(Browser(database).sign_in("le.thu", NEW)) == "/staff"
    assert location(theirs.sign_in("le.thu", NEW)) == "/staff"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"display_name": " "}, "display_name", "Hãy điền ô này."),
        ({"display_name": "x" * 101}, "display_name", "dài quá 100 ký tự"),
        ({"login": ""}, "login", "Hãy điền ô này."),
        ({"login": "Có Dấu"}, "login", "chữ thường không dấu"),
        ({"login": "a"}, "login", "2 đến 40 ký tự"),
        ({"login": "-abc"}, "login", "bắt đầu bằng"),
        ({"login": "quantri"}, "login", "đã có người dùng"),
        ({"login": "<script>"}, "login", "chữ thường không dấu"),
        ({"role": ""}, "role", "Hãy chọn một vai trò"),
        ({"role": "root"}, "role", "Hãy chọn một vai trò"),
    ],
)
def test_what_is_wrong_stands_on_its_field_and_what_was_typed_stays(
    admin: Browser, database: Database, change: dict[str, str], field: str, words: str
) -> None:
    form = {"display_name": "Lê Thị Thử", "login": "le.thu", "role": "officer", **change}
    answer = admin.send("/staff/accounts", "/staff/accounts", **form)
    assert answer.status_code == 422
    message = answer.text.split(f'id="{field}-error">')[1].split("</p>")[0]
    assert words in message and answer.text.count('class="error"') == 1
    if field != "role":
        assert f'aria-describedby="{field}-error' in answer.text
    for name in ("display_name", "login"):
        typed = form[name].strip().replace("<", "&lt;").replace(">", "&gt;")
        assert f'name="{name}" value="{typed}"' in answer.text
    assert _one(database, "SELECT count(*) FROM account.staff") == 1


@pytest.mark.parametrize(
    ("new", "repeat", "field", "words"),
    [
        ("", "", "new", "Hãy điền ô này."),
        ("ngan", "ngan", "new", "ít nhất 10 ký tự"),
        ("x" * 300, "x" * 300, "new", "dài quá 200 ký tự"),
        ("quantri1234", "quantri1234", "new", "tên đăng nhập"),
        ("matkhau1234", "matkhau1234", "new", "dễ bị đoán ra"),
        (PASSWORD, PASSWORD, "new", "trùng mật khẩu hiện tại"),
        (NEW, "khác", "repeat", "chưa giống nhau"),
    ],
)
def test_a_weak_new_password_is_refused_on_its_field(
    admin: Browser, new: str, repeat: str, field: str, words: str
) -> None:
    answer = admin.send("/staff/password", "/staff/password", current=PASSWORD, new=new, repeat=repeat)
    assert answer.status_code == 422
    assert words in answer.text.split(f'id="{field}-error">')[1].split("</p>")[0]
    assert PASSWORD not in answer.text and (not new or new not in answer.text), "passwords are never shown back"


def test_a_wrong_current_password_counts_as_an_attempt(admin: Browser, database: Database) -> None:
    answer = admin.send("/staff/password", "/staff/password", current="sai-roi-sai-roi", new=NEW, repeat=NEW)
    assert answer.status_code == 422 and 'id="current-error"' in answer.text
    assert _one(database, "SELECT failed_logins FROM account.staff") == 1


def test_changing_the_password_signs_every_other_browser_out(admin: Browser, database: Database) -> None:
    other = Browser(database)
    other.sign_in("quantri")
    assert "2 máy đang đăng nhập" in admin.get("/staff/account").text
    before = dict(admin.client.cookies)
    done = admin.send("/staff/password", "/staff/password", current=PASSWORD, new=NEW, repeat=NEW)
    assert location(done) == "/staff/account?done=password_changed"
    assert "Đã đổi mật khẩu." in admin.get(location(done)).text
    assert dict(admin.client.cookies) != before, "this browser's session is a new one too"
    assert location(other.get("/staff/account")).startswith("/staff/sign-in")


def test_disabling_ends_everything_at_once(admin: Browser, database: Database) -> None:
    officer = add_member(database, "lan")
    with database.owner.begin() as connection:
        token = tokens.issue(connection, officer, "thử", "write", 30)
    theirs = Browser(database)
    theirs.sign_in("lan")
    assert theirs.get("/staff/account").status_code == 200
    done = admin.send("/staff/accounts/lan", "/staff/accounts/lan/disable")
    assert location(done) == "/staff/accounts/lan?done=disabled"
    assert "Đã khóa tài khoản." in admin.get(location(done)).text
    assert location(theirs.get("/staff/account")).startswith("/staff/sign-in")
    assert theirs.sign_in("lan").status_code == 403
    bearer = {"authorization": f"Bearer {token}", "accept": "*/*"}
    assert theirs.get("/staff", **bearer).status_code == 401

    assert location(admin.send("/staff/accounts/lan", "/staff/accounts/lan/enable")).endswith("done=enabled")
    assert theirs.get("/staff", **bearer).status_code == 401, "tokens stay revoked"
    assert location(theirs.sign_in("lan")) == "/staff"


def test_an_administrator_resets_signs_out_and_revokes(admin: Browser, database: Database) -> None:
    officer = add_member(database, "lan")
    theirs = Browser(database)
    theirs.sign_in("lan")
    with database.owner.begin() as connection:
        tokens.issue(connection, officer, "thử", "write", 30)
    page = admin.get("/staff/accounts/lan").text
    assert "1 máy đang đăng nhập" in page and "1 khóa truy cập đang dùng được" in page
    for action in ("sessions/end", "tokens/revoke"):
        location(admin.send("/staff/accounts/lan", f"/staff/accounts/lan/{action}"))
    page = admin.get("/staff/accounts/lan").text
    assert "0 máy đang đăng nhập" in page and "0 khóa truy cập" in page
    with database.owner.begin() as connection:
        connection.execute(text("UPDATE account.staff SET totp_secret = 'x', locked_until = now() + interval '1 hour'"))
    assert location(admin.send("/staff/accounts/lan", "/staff/accounts/lan/totp/remove")).endswith("totp_removed")
    reset = admin.send("/staff/accounts/lan", "/staff/accounts/lan/password")
    temporary = reset.text.split('<code class="secret large">')[1].split("<")[0]
    assert reset.headers["cache-control"] == "no-store"
    assert theirs.sign_in("lan").status_code == 403
    assert location(theirs.sign_in("lan", temporary)) == "/staff", "the lock-out is lifted too"
    assert location(theirs.get("/staff/account")) == "/staff/password"


def test_the_members_page_tells_what_was_done_and_by_whom(
    admin: Browser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ("staff", "add", "lan", "--role", "surveyor", "--ward", WARD, "--password-stdin")
    assert _run(database, monkeypatch, *add, stdin=f"{PASSWORD}\n") == 0
    assert _run(database, monkeypatch, "token", "lan", "--label", "bảng tính <b>") == 0
    page = admin.get("/staff/accounts/lan").text
    told = page.split('<section class="panel" id="history">')[1]
    assert told.count("người ghi: người vận hành máy chủ") == 2
    assert "mapservice staff add" in told and "Thêm: tài khoản" in told and "Khảo sát viên" in told
    assert "Thêm: khóa truy cập" in told and "bảng tính &lt;b&gt;" in told and "Đọc và ghi" in told
    form = {"version": hidden(page, "version"), "display_name": "Lan Thử", "role": "officer"}
    location(admin.send("/staff/accounts/lan", "/staff/accounts/lan", **form))
    reset = admin.send("/staff/accounts/lan", "/staff/accounts/lan/password")
    for action in ("tokens/revoke", "disable", "enable"):
        location(admin.send("/staff/accounts/lan", f"/staff/accounts/lan/{action}"))
    page = admin.get("/staff/accounts/lan").text
    told = page.split('<section class="panel" id="history">')[1]
    assert told.count("người ghi: Người thử quantri") == 5
    assert re.search(r"<del>Khảo sát viên</del>.*<ins>Cán bộ nghiệp vụ</ins>", told)
    for words in (
        "Đặt mật khẩu lúc",
        "Phải đổi mật khẩu khi đăng nhập",
        "Thu hồi lúc",
        "Khóa tài khoản lúc",
        "<ins>–<",
    ):
        assert words in told, words
    temporary = reset.text.split('<code class="secret large">')[1].split("<")[0]
    assert temporary not in told and "argon2" not in page
    assert "History of the account" in admin.get("/staff/accounts/lan?lang=en").text
    assert "History of the account" not in admin.get("/staff/account?lang=en").text


def test_two_administrators_do_not_overwrite_each_other(admin: Browser, database: Database) -> None:
    add_member(database, "lan")
    form = {"version": "1", "display_name": "Lan Mới", "role": "approver"}
    assert location(admin.send("/staff/accounts/lan", "/staff/accounts/lan", **form)).endswith("done=changed")
    late = admin.send("/staff/accounts/lan", "/staff/accounts/lan", **{**form, "display_name": "Lan Muộn"})
    assert late.status_code == 409 and "Người khác vừa sửa" in late.text and "Lan Mới" in late.text
    for version in ("", "x", "-1", "9" * 30):
        form["version"] = version
        assert admin.send("/staff/accounts/lan", "/staff/accounts/lan", **form).status_code == 409
    wrong = admin.send("/staff/accounts/lan", "/staff/accounts/lan", version="2", display_name="", role="x")
    assert wrong.status_code == 422 and 'id="display_name-error"' in wrong.text and 'id="role-error"' in wrong.text
    assert _one(database, "SELECT role || display_name FROM account.staff WHERE login = 'lan'") == "approverLan Mới"


def test_a_role_taken_away_counts_at_once(admin: Browser, database: Database) -> None:
    add_member(database, "hai", "admin")
    second = Browser(database)
    second.sign_in("hai")
    assert second.get("/staff/accounts").status_code == 200
    form = {"version": "1", "display_name": "Hai", "role": "surveyor"}
    location(admin.send("/staff/accounts/hai", "/staff/accounts/hai", **form))
    assert second.get("/staff/accounts").status_code == 403


def test_administrators_cannot_shut_themselves_out(admin: Browser, database: Database) -> None:
    for action in ("disable", "enable", "password", "totp/remove", "sessions/end", "tokens/revoke"):
        assert admin.send("/staff/accounts", f"/staff/accounts/quantri/{action}").status_code == 403
    form = {"version": "1", "display_name": "Tôi", "role": "officer"}
    answer = admin.send("/staff/accounts", "/staff/accounts/quantri", **form)
    assert answer.status_code == 422 and "Không tự đổi vai trò" in answer.text
    assert location(admin.send("/staff/accounts", "/staff/accounts/quantri", version="1", display_name="Tôi"))
    assert _one(database, "SELECT display_name || role FROM account.staff") == "Tôiadmin"


def test_accounts_of_another_ward_do_not_exist(admin: Browser, database: Database) -> None:
    add_member(database, "xa", ward=OTHER_WARD)
    assert "Người thử xa" not in admin.get("/staff/accounts").text
    assert admin.get("/staff/accounts/xa").status_code == 404
    assert admin.get("/staff/accounts/nobody").status_code == 404
    for action in ("", "/disable", "/password", "/sessions/end", "/tokens/revoke", "/totp/remove", "/enable"):
        form = {"version": "1", "display_name": "x", "role": "admin"}
        assert admin.send("/staff/accounts", f"/staff/accounts/xa{action}", **form).status_code == 404
    taken = admin.send("/staff/accounts", "/staff/accounts", display_name="x", login="xa", role="officer")
    assert taken.status_code == 422, "a login is one person's in the whole installation"


@pytest.mark.parametrize("role", ["surveyor", "officer", "approver"])
def test_others_do_not_administer(database: Database, role: str) -> None:
    add_member(database, "lan", role)
    browser = Browser(database)
    browser.sign_in("lan")
    assert "/staff/accounts" not in browser.get("/staff/account").text
    assert browser.get("/staff/accounts").status_code == 403
    assert browser.get("/staff/accounts/lan").status_code == 403
    form = {"display_name": "x", "login": "moi", "role": "admin"}
    assert browser.send("/staff/account", "/staff/accounts", **form).status_code == 403
    form["version"] = "1"
    assert browser.send("/staff/account", "/staff/accounts/lan", **form).status_code == 403
    assert _one(database, "SELECT count(*) FROM account.staff") == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"scope": "admin"}, "scope"),
        ({"days": ""}, "days"),
        ({"days": "0"}, "days"),
        ({"days": "366"}, "days"),
        ({"days": "1e2"}, "days"),
        ({"days": "٣"}, "days"),
        ({"days": "9" * 5000}, "days"),
    ],
)
def test_a_token_is_asked_for_properly(admin: Browser, change: dict[str, str], field: str) -> None:
    form = {"label": "bảng tính", "scope": "write", "days": "30", **change}
    answer = admin.send("/staff/account", "/staff/account/tokens", **form)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    if field != "label":
        assert 'value="bảng tính"' in answer.text


def test_one_makes_and_revokes_ones_own_tokens(admin: Browser, database: Database) -> None:
    made = admin.send("/staff/account", "/staff/account/tokens", label="bảng <b>tính", scope="read", days="30")
    token = made.text.split('<code class="secret">')[1].split("<")[0]
    assert 'href="/staff?lang=en"' in made.text, "the language switch leads to a page, not to the form's address"
    assert made.status_code == 200 and token.startswith("ms_") and "bảng &lt;b&gt;tính" in made.text
    assert token not in admin.get("/staff/account").text
    program = Browser(database)
    bearer = {"authorization": f"Bearer {token}", "accept": "*/*"}
    assert program.get("/staff", **bearer).status_code == 303
    other = add_member(database, "lan")
    with database.owner.begin() as connection:
        theirs = tokens.issue(connection, other, "của Lan", "read", 30)
    for number in (1, 2, 999):
        location(admin.send("/staff/account", f"/staff/account/tokens/{number}/revoke"))
    assert program.get("/staff", **bearer).status_code == 401
    assert program.get("/staff", authorization=f"Bearer {theirs}").status_code == 303, "only one's own"
    assert "đã thu hồi" in admin.get("/staff/account").text


def test_one_signs_out_everywhere(admin: Browser, database: Database) -> None:
    other = Browser(database)
    other.sign_in("quantri")
    assert location(admin.send("/staff/account", "/staff/account/sessions/end")).startswith("/staff/sign-in")
    for browser in (admin, other):
        assert location(browser.get("/staff/account")).startswith("/staff/sign-in")


def test_the_table_of_rights_knows_every_role_and_collection() -> None:
    assert set(RIGHTS) == set(STAFF_ROLES)
    assert set(RECORD_TYPES) <= rights.RECORDS
    assert set(COLLECTIONS) <= rights.SUBJECTS
    for role in STAFF_ROLES:
        assert set(RIGHTS[role]) <= set(rights.VERBS)
        assert all(subjects <= rights.SUBJECTS for subjects in RIGHTS[role].values())
    with pytest.raises(ValueError, match="no such right"):
        can(None, "read", "establishment")


@pytest.mark.parametrize(
    ("verb", "subject", "who"),
    [
        ("read", "establishments", "nobody surveyor officer approver admin other read_token"),
        ("propose", "establishments", "nobody surveyor officer approver admin other"),
        ("read", "register", "surveyor officer approver admin read_token"),
        ("read", "legal_entities", "surveyor officer approver admin read_token"),
        ("propose", "outreach", "surveyor officer approver admin"),
        ("create", "establishments", "officer approver admin"),
        ("change", "licences", "officer approver admin"),
        ("end", "warnings", "officer approver admin"),
        ("export", "register", "officer approver admin read_token"),
        ("review", "proposals", "officer approver admin"),
        ("review", "adverse_proposals", "approver admin"),
        ("reveal", "personal_data", "officer approver admin"),
        ("administer", "accounts", "admin"),
    ],
)
def test_who_may_do_what(verb: str, subject: str, who: str) -> None:
    def actor(role: str, ward: str = WARD, scope: str = "write") -> Actor:
        return Actor(1, "lan", "Lan", role, 1, ward, scope)

    askers = {role: actor(role) for role in STAFF_ROLES} | {
        "nobody": None,
        "other": actor("admin", OTHER_WARD),
        "read_token": actor("officer", scope="read"),
    }
    may = {name for name, asker in askers.items() if can(asker, verb, subject, ward_code=WARD)}
    assert may == set(who.split())
    assert can(actor("admin", OTHER_WARD), verb, subject), "in one's own ward"


def _run(database: Database, monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "") -> int:
    """The command on the test's own database."""
    from contextlib import nullcontext

    monkeypatch.setattr("mapservice.staff_commands.open_database", lambda _settings: nullcontext(database))
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    return main(arguments)


def test_the_command_line_makes_the_first_account(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add = ("staff", "add", "quantri", "--role", "admin", "--ward", WARD, "--password-stdin")
    assert _run(database, monkeypatch, *add, stdin=f"{PASSWORD}\n") == 0
    assert PASSWORD not in capsys.readouterr().out
    browser = Browser(database)
    assert location(browser.sign_in("quantri")) == "/staff"
    assert browser.get("/staff/accounts").status_code == 200

    assert _run(database, monkeypatch, "token", "quantri", "--days", "7", "--scope", "read") == 0
    token = capsys.readouterr().out.strip()
    assert browser.get("/staff", authorization=f"Bearer {token}").status_code == 303
    assert _one(database, "SELECT scope || (expires_at::date - created_at::date) FROM account.token") == "read7"

    password = ("staff", "password", "quantri", "--password-stdin")
    assert _run(database, monkeypatch, *password, stdin=f"{NEW}\r\n") == 0
    assert location(browser.get("/staff/account")).startswith("/staff/sign-in")
    assert location(browser.sign_in("quantri", NEW)) == "/staff"


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("staff", "add", "Lan", "--role", "officer", "--password-stdin"), PASSWORD, "can't be a login"),
        (("staff", "add", "lan", "--role", "officer", "--password-stdin"), "ngan", "at least 10"),
        (("staff", "add", "lan", "--role", "officer", "--password-stdin"), "matkhau123", "easily guessed"),
        (("staff", "add", "lan", "--role", "officer", "--ward", "1", "--password-stdin"), PASSWORD, "no ward '1'"),
        (("staff", "add", "co.roi", "--role", "officer", "--password-stdin"), PASSWORD, "already"),
        (("staff", "add", "lan", "--role", "officer"), PASSWORD, "--password-stdin"),
        (("staff", "password", "khong.co", "--password-stdin"), PASSWORD, "no account"),
        (("token", "khong.co"), "", "no account"),
    ],
)
def test_the_command_line_says_why_it_refuses(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    stdin: str,
    words: str,
) -> None:
    add_member(database, "co.roi")
    assert _run(database, monkeypatch, *arguments, stdin=stdin) == 1
    said = capsys.readouterr().err
    assert said.startswith("mapservice: ") and words in said and (not stdin or stdin not in said)


@pytest.mark.parametrize(
    "arguments",
    [("staff",), ("staff", "add", "lan"), ("token",), ("token", "lan", "--days", "366"), ("token", "x", "y")],
)
def test_wrong_usage_is_exit_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
