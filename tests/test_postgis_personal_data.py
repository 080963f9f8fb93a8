"""Personal data: encrypted at rest, found by keyed hash, revealed with a purpose that stays on record, forgotten."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database
from postgis.errors import Forbidden, InvalidValues, NotFound
from postgis.secrets import Secrets, Undecipherable
from postgis.store import personal_data, records
from postgis.vocabulary import PERSONAL_FIELDS
from tests.small_ward import OTHER_WARD, add_staff

SECRETS = Secrets(b"k" * 32)
VALUES = {
    "owner_name": "Trần Thị Thử",
    "owner_phone": "0905 000 111",
    "owner_email": "chu.quan@example.vn",
    "personal_id": "048090009876",
    "household_tax_code": "8000000011-001",
    "home_address": "K999/9 Đường Không Có Thật",
    "birth_date": "31/12/1980",
}


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


@pytest.fixture
def entity(database: Database, officer: Actor) -> str:
    return _entity(database, officer, "household_business")


def _entity(database: Database, actor: Actor, legal_form: str) -> str:
    with write_as(database, actor, reason="thử") as connection:
        values = {"registered_name": "Hộ kinh doanh Thử", "legal_form": legal_form}
        return records.create(connection, "legal_entities", values, ward_id=actor.ward_id).code


def _keep(database: Database, actor: Actor, entity: str, field: str, raw: str) -> str:
    with write_as(database, actor, reason="thử") as connection:
        return personal_data.keep(connection, SECRETS, entity, field, raw).mask


def _reveal(database: Database, actor: Actor, entity: str, field: str, purpose: str = "gọi chủ quán") -> str:
    with write_as(database, actor, reason=None) as connection:
        return personal_data.reveal(connection, SECRETS, actor, entity, field, purpose)


def _as_owner(database: Database, statement: str, **values: Any) -> list[Any]:
    with database.owner.connect() as connection:
        return list(connection.execute(text(statement), values))


def test_a_value_of_every_field_is_kept_masked_and_revealed(database: Database, officer: Actor, entity: str) -> None:
    for field, raw in VALUES.items():
        _keep(database, officer, entity, field, raw)
    with read_as(database, officer) as connection:
        shown = {found.field: found.mask for found in personal_data.masked(connection, entity)}
    assert list(shown) == list(PERSONAL_FIELDS)
    assert shown["personal_id"] == "048*****9876"
    for field in VALUES:
        assert _reveal(database, officer, entity, field)
    assert _reveal(database, officer, entity, "owner_phone") == "0905000111"
    assert _reveal(database, officer, entity, "birth_date") == "1980-12-31"


def test_nothing_readable_is_stored(database: Database, officer: Actor, entity: str) -> None:
    for field, raw in VALUES.items():
        _keep(database, officer, entity, field, raw)
    plain = [_reveal(database, officer, entity, field) for field in VALUES]
    with database.owner.connect() as connection:
        tables = connection.execute(
            text("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
                 "WHERE table_schema IN ('register', 'account') AND table_type = 'BASE TABLE'")
        ).scalars().all()  # fmt: skip
        for table in tables:
            for value in plain:
                # As text, and as bytes: what is stored as bytea prints in hexadecimal.
                found = connection.execute(
                    text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || :plain || '%' "
                         "OR t::text LIKE '%' || :hex || '%'"),
                    {"plain": value, "hex": value.encode().hex()},
                ).scalar_one()  # fmt: skip
                assert found == 0, table


def test_equal_values_share_a_hash_within_a_field_only(database: Database, officer: Actor, entity: str) -> None:
    second = _entity(database, officer, "household_business")
    _keep(database, officer, entity, "owner_phone", "0905 000 111")
    _keep(database, officer, second, "owner_phone", "+84 905000111")
    for field in ("personal_id", "household_tax_code"):
        _keep(database, officer, entity, field, "048090009876")
    rows = _as_owner(database, "SELECT field, lookup_hash, ciphertext FROM register.personal_datum")
    assert len({bytes(row.lookup_hash) for row in rows if row.field == "owner_phone"}) == 1
    assert len({bytes(row.ciphertext) for row in rows}) == len(rows)
    assert len({bytes(row.lookup_hash) for row in rows}) == 3
    other_key = Secrets(b"o" * 32)
    assert other_key.lookup_hash("0905000111", kind="owner_phone") not in {bytes(row.lookup_hash) for row in rows}


def test_a_ciphertext_opens_only_in_its_place_and_with_its_key(database: Database, officer: Actor, entity: str) -> None:
    second = _entity(database, officer, "household_business")
    _keep(database, officer, entity, "owner_phone", "0905000111")
    _keep(database, officer, second, "owner_phone", "0905000222")
    with database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.personal_datum SET ciphertext = (SELECT ciphertext FROM register.personal_datum "
                 "ORDER BY id LIMIT 1)")
        )  # fmt: skip
    assert _reveal(database, officer, entity, "owner_phone") == "0905000111"
    with pytest.raises(Undecipherable):
        _reveal(database, officer, second, "owner_phone")
    with write_as(database, officer, reason=None) as connection, pytest.raises(Undecipherable):
        personal_data.reveal(connection, Secrets(b"o" * 32), officer, entity, "owner_phone", "thử chìa khác")


def test_the_history_says_that_not_what(database: Database, officer: Actor, entity: str) -> None:
    _keep(database, officer, entity, "owner_phone", "0905000111")
    _keep(database, officer, entity, "owner_phone", "0905 000 111")  # the same: no change
    _keep(database, officer, entity, "owner_phone", "0905000222")
    with write_as(database, officer, reason="chủ quán yêu cầu xoá") as connection:
        personal_data.forget(connection, entity, "owner_phone")
    of_personal_data = "collection = 'personal_data' AND record_code = :code"
    rows = _as_owner(
        database, f"SELECT * FROM register.change WHERE {of_personal_data} ORDER BY seq", code=f"{entity}:owner_phone"
    )
    assert [row.kind for row in rows] == ["insert", "update", "delete"]
    assert rows[-1].reason == "chủ quán yêu cầu xoá" and rows[-1].actor_id == officer.staff_id
    for row in rows:
        for state in (row.before, row.after):
            assert set(state or {}) <= {"id", "field", "legal_entity_id"}
    assert _as_owner(database, "SELECT broken_seq FROM register.verify_changes()")[0].broken_seq is None


def test_what_is_forgotten_is_gone(database: Database, officer: Actor, entity: str) -> None:
    _keep(database, officer, entity, "owner_phone", "0905000111")
    with write_as(database, officer, reason="thử") as connection:
        personal_data.forget(connection, entity, "owner_phone")
        with pytest.raises(NotFound):
            personal_data.forget(connection, entity, "owner_phone")
    assert _as_owner(database, "SELECT * FROM register.personal_datum") == []
    with pytest.raises(NotFound):
        _reveal(database, officer, entity, "owner_phone")


def test_each_reading_is_on_record_with_its_purpose(database: Database, officer: Actor, entity: str) -> None:
    approver = add_staff(database, "approver", "approver")
    _keep(database, officer, entity, "owner_phone", "0905000111")
    _reveal(database, officer, entity, "owner_phone", "  hẹn   kiểm tra ")
    _reveal(database, approver, entity, "owner_phone", "đối chiếu hồ sơ")
    with read_as(database, approver) as connection:
        found, following = personal_data.reveals(connection)
        assert [(read.login, read.field, read.purpose, read.entity) for read in found] == [
            ("approver", "owner_phone", "đối chiếu hồ sơ", entity),
            ("officer", "owner_phone", "hẹn kiểm tra", entity),
        ]
        assert following is None
        first, following = personal_data.reveals(connection, limit=1)
        rest, end = personal_data.reveals(connection, before=following, limit=1)
        assert [*first, *rest] == found and end is None
    with read_as(database, officer) as connection:
        own, _ = personal_data.reveals(connection)
    assert [read.login for read in own] == ["officer"], "an officer sees their own readings, not a colleague's"


@pytest.mark.parametrize("purpose", ["", "   ", "abc", " a b ", "x" * 301])
def test_without_a_purpose_nothing_is_revealed_or_logged(
    database: Database, officer: Actor, entity: str, purpose: str
) -> None:
    _keep(database, officer, entity, "owner_phone", "0905000111")
    with pytest.raises(InvalidValues) as refused:
        _reveal(database, officer, entity, "owner_phone", purpose)
    assert [(error.field, error.code) for error in refused.value.errors] == [("purpose", "purpose")]
    assert _as_owner(database, "SELECT * FROM account.reveal") == []


def test_the_log_of_readings_cannot_be_altered_or_written_for_others(
    database: Database, officer: Actor, entity: str
) -> None:
    colleague = add_staff(database, "colleague", "officer")
    _keep(database, officer, entity, "owner_phone", "0905000111")
    _reveal(database, officer, entity, "owner_phone")
    for statement in ("UPDATE account.reveal SET purpose = 'chuyện khác'", "DELETE FROM account.reveal"):
        with write_as(database, officer, reason=None) as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement))
        with database.owner.connect() as connection, pytest.raises(DBAPIError, match="only ever added"):
            connection.execute(text(statement))
    forged = """INSERT INTO account.reveal (staff_id, legal_entity_id, field, purpose)
                SELECT :staff_id, id, 'owner_phone', 'không phải tôi' FROM register.legal_entity"""
    with write_as(database, officer, reason=None) as connection, pytest.raises(DBAPIError, match="row-level security"):
        connection.execute(text(forged), {"staff_id": colleague.staff_id})


def test_surveyors_and_other_wards_get_nothing(database: Database, officer: Actor, entity: str) -> None:
    _keep(database, officer, entity, "owner_phone", "0905000111")
    surveyor = add_staff(database, "surveyor", "surveyor")
    with read_as(database, surveyor) as connection:
        assert personal_data.masked(connection, entity) == []
        assert personal_data.find_by_identifier(connection, SECRETS, "0905000111") == []
    with pytest.raises(Forbidden):
        _reveal(database, surveyor, entity, "owner_phone")
    for field in ("owner_phone", "owner_email"):
        with pytest.raises(Forbidden):
            _keep(database, surveyor, entity, field, VALUES[field])
    with write_as(database, surveyor, reason="thử") as connection, pytest.raises(Forbidden):
        personal_data.forget(connection, entity, "owner_phone")

    stranger = add_staff(database, "stranger", "admin", OTHER_WARD)
    with read_as(database, stranger) as connection:
        assert personal_data.find_by_identifier(connection, SECRETS, "0905000111") == []
        assert personal_data.reveals(connection) == ([], None)
        with pytest.raises(NotFound):
            personal_data.masked(connection, entity)
    for act in (_reveal, _keep):
        with pytest.raises(NotFound):
            act(database, stranger, entity, "owner_phone", "0905000999")
    with write_as(database, stranger, reason="thử") as connection, pytest.raises(NotFound):
        personal_data.forget(connection, entity, "owner_phone")
    assert len(_as_owner(database, "SELECT * FROM register.personal_datum")) == 1


def test_a_number_is_found_however_it_is_written(database: Database, officer: Actor, entity: str) -> None:
    second = _entity(database, officer, "household_business")
    firm = _entity(database, officer, "enterprise")
    _keep(database, officer, entity, "owner_phone", "0905000111")
    _keep(database, officer, second, "owner_phone", "0905000111")
    _keep(database, officer, entity, "personal_id", "048090009876")
    _keep(database, officer, second, "household_tax_code", "048090009876")
    _keep(database, officer, entity, "household_tax_code", "8000000011-001")
    with write_as(database, officer, reason="thử") as connection:
        records.change(connection, "legal_entities", firm, 1, {"tax_code": "0100 109 106"})

    def found(typed: str) -> list[str]:
        with read_as(database, officer) as connection:
            return personal_data.find_by_identifier(connection, SECRETS, typed)

    both = sorted([entity, second])
    assert found("+84 905.000.111") == both
    assert found("048 090 009 876") == found("48090009876") == both
    assert found("8000000011001") == [entity]
    assert found("0100109106") == found("100109106") == [firm]
    for missing in ("0905000112", "048090009877", "8000000011", "quán cà phê", "", "%", "0905"):
        assert found(missing) == []


@pytest.mark.parametrize("field", PERSONAL_FIELDS)
def test_a_wrong_value_is_refused_on_its_field_and_never_repeated(
    database: Database, officer: Actor, entity: str, field: str
) -> None:
    wrong = "048090009\x07876"
    with pytest.raises(InvalidValues) as refused:
        _keep(database, officer, entity, field, wrong)
    assert [error.field for error in refused.value.errors] == [field]
    assert "048090009" not in repr(refused.value.errors) + str(refused.value)
    assert refused.value.__cause__ is None


def test_no_personal_number_becomes_a_public_tax_code(database: Database, officer: Actor) -> None:
    firm = _entity(database, officer, "enterprise")
    for typed in ("048090009876", "048 090 009 876", "48090009876", "'048090009876", "200000001"):
        with write_as(database, officer, reason="thử") as connection, pytest.raises(InvalidValues) as refused:
            records.change(connection, "legal_entities", firm, 1, {"tax_code": typed})
        assert [(error.field, error.code, error.values) for error in refused.value.errors] == [
            ("tax_code", "personal_number", {})
        ]
    for typed in ("048090009876", "048 090 009 876"):
        with write_as(database, officer, reason="thử") as connection, pytest.raises(InvalidValues) as refused:
            records.change(connection, "legal_entities", firm, 1, {"registration_number": typed})
        assert [error.code for error in refused.value.errors] == ["may_be_personal_id"]


@pytest.mark.parametrize(
    ("legal_form", "typed", "kept"),
    [
        ("enterprise", "0100109106", None),
        ("enterprise", "048090009876", "048090009876"),
        ("household_business", "8000000011", "8000000011"),
        ("household_business", "048090009876", "048090009876"),
        ("household_business", "", None),
        ("household_business", None, None),
    ],
)
def test_a_number_typed_as_tax_code_goes_where_it_belongs(
    database: Database, officer: Actor, legal_form: str, typed: str | None, kept: str | None
) -> None:
    code = _entity(database, officer, legal_form)
    values, number = personal_data.split_personal_number({"tax_code": typed, "registered_name": "Thử"}, legal_form)
    assert values == {"tax_code": None if kept else typed, "registered_name": "Thử"}
    with write_as(database, officer, reason="thử") as connection:
        records.change(connection, "legal_entities", code, 1, values)
        if number is not None:
            personal_data.keep(connection, SECRETS, code, "household_tax_code", number)
    if kept:
        assert _reveal(database, officer, code, "household_tax_code") == kept
    tax_codes = _as_owner(database, "SELECT tax_code FROM register.legal_entity WHERE code = :code", code=code)
    assert tax_codes[0].tax_code == (None if kept else typed or None)


def test_an_unknown_field_or_entity_is_refused(database: Database, officer: Actor, entity: str) -> None:
    with pytest.raises(InvalidValues):
        _keep(database, officer, entity, "bank_account", "0123456789")
    with pytest.raises(NotFound):
        _keep(database, officer, "LE00000000", "owner_phone", "0905000111")
    with pytest.raises(NotFound):
        _reveal(database, officer, entity, "owner_phone")
    assert _as_owner(database, "SELECT * FROM account.reveal") == [], "what is not there has not been read"
