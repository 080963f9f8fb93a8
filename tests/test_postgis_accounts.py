"""Accounts in plain SQL as the staff role: everybody their own, an administrator the ward's, and all of it noted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers.history import account_timeline
from postgis.actor import Actor, note_source, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import sessions, staff, tokens
from postgis.store.changes import verify
from tests.small_ward import OTHER_WARD, ROLES, WARD, add_staff

SECRETS = (
    "password_hash",
    "totp_secret",
    "totp_last_step",
    "failed_logins",
    "locked_until",
    "token_hash",
    "csrf_token",
)


@pytest.fixture(scope="module")
def accounts(server: Database, base_database: Database) -> Iterator[Database]:
    """Two wards with a member of each role, everyone with a session, a token, and a saved view."""
    base_database.dispose()
    own = create_database(server, "accounts", template="base")
    for ward in (WARD, OTHER_WARD):
        for role in ROLES:
            add_staff(own, f"{role}.{ward}", role, ward, totp_secret=b"sealed")
    with own.owner.begin() as owner:
        for staff_id in owner.execute(text("SELECT id FROM account.staff")).scalars().all():
            sessions.start(owner, staff_id)
            tokens.issue(owner, staff_id, "thử", "write", 9)
            owner.execute(text("INSERT INTO account.saved_view VALUES (DEFAULT, :id, 'x', 'x')"), {"id": staff_id})
    yield own
    own.dispose()
    drop_database(server, "accounts")


def _actor(database: Database, login: str) -> Actor:
    with database.owner.connect() as owner:
        member = staff.find(owner, login)
    assert member is not None
    return Actor(member.id, login, member.display_name, member.role, member.ward_id, member.ward_code)


@contextmanager
def _acting(database: Database, login: str | None) -> Iterator[Connection]:
    """A transaction of the staff role for somebody, rolled back."""
    with database.staff.connect() as connection:
        transaction = connection.begin()
        if login is not None:
            actor = str(_actor(database, login).staff_id)
            connection.execute(text("SELECT set_config('mapservice.staff_id', :id, true)"), {"id": actor})
        yield connection
        transaction.rollback()


def _changed(database: Database, login: str | None, statement: str, **values: Any) -> int | str:
    """How many rows a statement touches for somebody, or the SQLSTATE of its refusal."""
    try:
        with _acting(database, login) as connection:
            return int(connection.execute(text(statement), values).rowcount)
    except DBAPIError as error:
        return str(getattr(error.orig, "pgcode", None))


REFUSED = "42501"
EVERYTHING = [
    "role = 'admin'",
    "role = 'surveyor'",
    "ward_id = (SELECT id FROM register.ward WHERE code = '20275' AND valid_to IS NULL)",
    "password_hash = 'x'",
    "password_hash = 'x', must_change_password = true, password_set_at = now() + interval '1 s'",
    "totp_secret = 'x'",
    "totp_secret = NULL",
    "login = 'mine'",
    "display_name = 'x'",
    "disabled_at = now()",
    "must_change_password = false",
    "failed_logins = 0, locked_until = NULL",
]


@pytest.mark.parametrize("assignment", EVERYTHING)
@pytest.mark.parametrize("role", [None, "surveyor", "officer", "approver"])
def test_nobody_but_an_administrator_changes_somebody_else(
    accounts: Database, role: str | None, assignment: str
) -> None:
    login = role and f"{role}.{WARD}"
    others = f"UPDATE account.staff SET {assignment} WHERE login <> '{login}'"
    assert _changed(accounts, login, others) == 0


@pytest.mark.parametrize("role", ROLES)
def test_nobody_grants_themselves_anything(accounts: Database, role: str) -> None:
    login = f"{role}.{WARD}"
    own = f"UPDATE account.staff SET {{}} WHERE login = '{login}'"
    higher = "officer" if role == "admin" else "admin"
    for refused in (f"role = '{higher}'", EVERYTHING[2], "login = 'mine'", "disabled_at = now()"):
        assert _changed(accounts, login, own.format(refused)) == REFUSED, refused
    for allowed in ("password_hash = 'x', must_change_password = false", "totp_secret = 'x', totp_last_step = 9",
                    "totp_secret = NULL, totp_last_step = NULL", "failed_logins = 0, locked_until = NULL"):  # fmt: skip
        assert _changed(accounts, login, own.format(allowed)) == 1, allowed
    assert _changed(accounts, login, own.format("display_name = 'x'")) == (1 if role == "admin" else REFUSED)


def test_an_administrator_changes_the_own_wards_accounts_and_chooses_no_ones_password(accounts: Database) -> None:
    login = f"admin.{WARD}"
    one = "UPDATE account.staff SET {} WHERE login = 'officer.{}'"
    reset = EVERYTHING[4]
    for allowed in ("role = 'approver'", "display_name = 'x'", reset, "totp_secret = NULL", "disabled_at = now()"):
        assert _changed(accounts, login, one.format(allowed, WARD)) == 1, allowed
        assert _changed(accounts, login, one.format(allowed, OTHER_WARD)) == 0, allowed
    for refused in ("password_hash = 'x'", "totp_secret = 'x'", "login = 'mine'", EVERYTHING[2]):
        assert _changed(accounts, login, one.format(refused, WARD)) == REFUSED, refused


ADD = (
    "INSERT INTO account.staff (login, display_name, role, ward_id, password_hash, must_change_password) "
    "SELECT 'new.one', 'x', 'admin', id, 'x', :temporary FROM register.ward WHERE code = :ward AND valid_to IS NULL"
)


def test_only_an_administrator_adds_accounts_and_only_to_the_own_ward(accounts: Database) -> None:
    for role in (None, *ROLES):
        login = role and f"{role}.{WARD}"
        expected: int | str = 1 if role == "admin" else REFUSED
        assert _changed(accounts, login, ADD, ward=WARD, temporary=True) == expected, role
        assert _changed(accounts, login, ADD, ward=OTHER_WARD, temporary=True) == REFUSED, role
    assert _changed(accounts, f"admin.{WARD}", ADD, ward=WARD, temporary=False) == REFUSED


def test_sessions_and_tokens_are_ones_own_and_begun_for_nobody_else(accounts: Database) -> None:
    holder = "(SELECT id FROM account.staff WHERE login = :holder)"
    begin = (
        "INSERT INTO account.session (token_hash, staff_id, expires_at, csrf_token) "
        f"SELECT 'x', {holder}, now() + interval '1 h', 'x'",
        "INSERT INTO account.token (token_hash, staff_id, label, scope, expires_at) "
        f"SELECT 'x', {holder}, 'x', 'write', now() + interval '1 h'",
        f"INSERT INTO account.saved_view (staff_id, name, query) SELECT {holder}, 'y', 'y'",
    )
    for role in ROLES:
        own, other = f"{role}.{WARD}", "admin" if role == "officer" else "officer"
        for statement in begin:
            assert _changed(accounts, own, statement, holder=own) == 1
            assert _changed(accounts, own, statement, holder=f"{other}.{WARD}") == REFUSED
            assert _changed(accounts, None, statement, holder=own) in (REFUSED, "23502")
        reach = len(ROLES) if role == "admin" else 1
        assert _changed(accounts, own, "DELETE FROM account.session") == reach, "an administrator signs the ward out"
        assert _changed(accounts, own, "UPDATE account.token SET revoked_at = now()") == reach
        assert _changed(accounts, own, "UPDATE account.saved_view SET name = 'z'") == 1
        assert _changed(accounts, own, "DELETE FROM account.saved_view") == 1
    for table in ("session", "saved_view"):
        assert _changed(accounts, None, f"DELETE FROM account.{table}") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account.token SET expires_at = now() + interval '9 years'",
        "UPDATE account.token SET staff_id = 1",
        "UPDATE account.token SET scope = 'write'",
        "UPDATE account.session SET expires_at = now() + interval '9 years'",
        "UPDATE account.session SET staff_id = 1",
        "DELETE FROM account.token",
        "DELETE FROM account.staff",
        "SELECT password_hash FROM account.staff",
        "SELECT totp_secret FROM account.staff",
        "SELECT csrf_token FROM account.session",
        "SELECT token_hash FROM account.token",
        "SELECT * FROM account.staff",
    ],
)
def test_even_an_administrator_cannot(accounts: Database, statement: str) -> None:
    assert _changed(accounts, f"admin.{WARD}", statement) == REFUSED


def test_a_revoked_token_stays_revoked(accounts: Database) -> None:
    with _acting(accounts, f"admin.{WARD}") as connection:
        connection.execute(text("UPDATE account.token SET revoked_at = now()"))
        assert connection.execute(text("UPDATE account.token SET revoked_at = NULL")).rowcount == 0
    assert _changed(accounts, f"admin.{WARD}", "UPDATE account.token SET revoked_at = NULL") == REFUSED


def test_who_is_seen(accounts: Database) -> None:
    for table, by_admin, by_officer in (("staff", 4, 4), ("session", 4, 1), ("token", 4, 1), ("saved_view", 1, 1)):
        seen = f"SELECT count(*) FROM account.{table}"
        for login, expected in ((f"admin.{WARD}", by_admin), (f"officer.{OTHER_WARD}", by_officer), (None, 0)):
            with _acting(accounts, login) as connection:
                assert connection.execute(text(seen)).scalar_one() == expected, (table, login)


@pytest.fixture
def small(database: Database) -> Database:
    for ward, role in ((WARD, "admin"), (WARD, "officer"), (OTHER_WARD, "admin")):
        add_staff(database, f"{role}.{ward}", role, ward)
    return database


def _noted(database: Database) -> list[Any]:
    with database.owner.connect() as owner:
        return list(owner.execute(text("SELECT * FROM register.change ORDER BY seq")))


def test_all_that_is_done_to_an_account_is_noted_with_who_did_it_and_without_any_secret(small: Database) -> None:
    admin, before = _actor(small, f"admin.{WARD}"), len(_noted(small))
    with write_as(small, admin, reason=None) as connection:
        lan = staff.add(
            connection, login="lan", display_name="Lan Thử", role="surveyor", ward_code=WARD, password_hash="$kept$1",
            must_change_password=True,
        )  # fmt: skip
    with write_as(small, admin, reason=None) as connection:
        staff.change(connection, lan, 1, display_name="Lan Thử", role="officer")
        staff.set_password(connection, lan, "$kept$2", must_change=True)
    own = _actor(small, "lan")
    with write_as(small, own, reason=None) as connection:
        staff.set_totp(connection, lan, b"$kept$3", 7)
        secret = tokens.issue(connection, lan, "bảng tính", "read", 9)
    with small.staff.begin() as connection:
        assert tokens.find(connection, secret) is not None
        assert staff.reserve_attempt(connection, "lan") is not None
    with write_as(small, admin, reason=None) as connection:
        staff.set_totp(connection, lan, None)
        staff.disable(connection, lan)
    with write_as(small, admin, reason=None) as connection:
        staff.enable(connection, lan)
    noted = _noted(small)[before:]
    assert [(row.collection, row.record_code.split(":")[0], row.kind, row.actor_name) for row in noted] == [
        ("accounts", "lan", "insert", admin.display_name),
        ("accounts", "lan", "update", admin.display_name),
        ("accounts", "lan", "update", admin.display_name),
        ("accounts", "lan", "update", "Lan Thử"),
        ("tokens", "lan", "insert", "Lan Thử"),
        ("accounts", "lan", "update", admin.display_name),
        ("accounts", "lan", "update", admin.display_name),
        ("tokens", "lan", "update", admin.display_name),
        ("accounts", "lan", "update", admin.display_name),
    ]
    assert {row.ward_id for row in noted} == {admin.ward_id}
    for row in noted:
        assert not {*SECRETS, "last_used_at"} & {*(row.before or {}), *(row.after or {})}
        assert not any(
            word in f"{row.before} {row.after}" for word in ("$kept$", secret, sessions.digest(secret).hex())
        )
    with read_as(small, admin) as connection:
        told = account_timeline(connection, "lan")
    assert [sorted(change.field for change in moment.fields) for moment in reversed(told)][1:] == [
        ["role"], ["password_set_at"], ["has_totp"], ["expires_at", "label", "scope"],
        ["has_totp"], ["disabled_at"], ["revoked_at"], ["disabled_at"],
    ]  # fmt: skip
    with small.owner.connect() as owner:
        assert verify(owner).whole


def test_signing_in_is_no_change_and_takes_no_lock(small: Database) -> None:
    officer = _actor(small, f"officer.{WARD}")
    before = len(_noted(small))
    with small.owner.begin() as writer:
        note_source(writer, reason="a long import")
        with small.staff.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            attempt = staff.reserve_attempt(connection, officer.login)
            assert attempt is not None
            connection.execute(
                text("SELECT set_config('mapservice.staff_id', :id, true)"), {"id": str(officer.staff_id)}
            )
            staff.attempt_succeeded(connection, attempt)
            cookie = sessions.start(connection, officer.staff_id)
        with small.staff.begin() as connection:
            found = sessions.find(connection, cookie)
    assert found is not None and found.actor == officer
    assert len(_noted(small)) == before


def test_only_the_wards_administrators_read_of_accounts(small: Database) -> None:
    told = {}
    for login in (f"admin.{WARD}", f"officer.{WARD}", f"admin.{OTHER_WARD}"):
        with read_as(small, _actor(small, login)) as connection:
            told[login] = len(account_timeline(connection, f"officer.{WARD}"))
            mine = connection.execute(text("SELECT DISTINCT ward_id FROM register.change")).scalars().all()
            assert len(mine) <= 1
    assert told == {f"admin.{WARD}": 1, f"officer.{WARD}": 0, f"admin.{OTHER_WARD}": 0}
    with small.public.connect() as public:
        assert public.execute(text("SELECT count(*) FROM published.changes")).scalar_one() == 0


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE account.staff SET role = 'admin' WHERE role = 'officer'", "it was altered past the history"),
        ("DELETE FROM account.staff WHERE role = 'officer'", "it was removed past the history"),
    ],
)
def test_what_is_done_past_the_history_is_found(small: Database, statement: str, found: str) -> None:
    with small.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement))
    with small.owner.connect() as owner:
        altered = verify(owner).altered
    assert [(each.collection, each.record_code, each.why) for each in altered] == [
        ("accounts", f"officer.{WARD}", found)
    ]
