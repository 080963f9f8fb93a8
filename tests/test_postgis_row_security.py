"""What the role mapservice_staff can do in plain SQL: only its own ward's rows, by the acting person's role.

The catalogue says which relations there are, so that one added later is tried too.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from postgis.actor import Actor, read_as
from postgis.engine import Database, create_database, drop_database
from tests.small_ward import OTHER_WARD, WARD, add_staff, fill

BASE_DATA = {
    # The same for everybody, and public: what the state publishes, and codes without what they stand for.
    "basemap_area", "data_source", "indicator", "lookup_code", "phase", "reference_release", "schema_version",
    "sector_class", "sector_code_collision", "sector_group", "sector_group_class", "shelf_life", "street", "target",
    "ward", "ward_succession",
    # Counts of what is published.
    "tile_cell", "tile_cell_group", "search_word",
    # The installation's, of all its wards: versions, without the keys.
    "sticker_key",
    # Public keys.
    "signing_key",
    # Outlines of H3 cells.
    "h3_cell",
    # Says only that something published was written.
    "published_mark",
}  # fmt: skip
WRITABLE = {
    "legal_entity", "personal_datum", "establishment", "licence", "food_safety_record", "inspection", "warning",
    "payment_acceptance", "digital_use", "model_site", "photo", "outreach", "visit", "proposal",
    "ward_shelf_life", "distinct_pair",
    "import_batch", "import_row", "import_shape", "import_progress", "import_kept_datum",
    "sticker_run", "sticker",
    "citizen_report", "owner_code", "payment_account", "criterion_proof", "work_list",
}  # fmt: skip
ONLY_ADDED_TO = {"sticker_print", "sticker_event", "phase_note", "entered_figure", "work_item", "board_report"}
NEVER_WRITTEN = {
    "change",
    "establishment_fact",
    "establishment_state",
    "adoption_cell",
    "residential_group",
    "report_event",
    "owner_request",
    "payment_check_count",
    "lookup_day",
    "lookup_month",
    "month_end_count",
}
NOT_FOR_SURVEYORS = {
    "personal_datum", "import_batch", "import_row", "import_shape", "import_progress", "import_kept_datum",
    "citizen_report", "report_event", "criterion_proof", "phase_note", "board_report",
}  # fmt: skip
KEYS = {
    "change": "seq", "establishment_fact": "establishment_id", "import_row": "batch_id", "import_shape": "ward_id",
    "import_progress": "batch_id", "import_kept_datum": "batch_id", "owner_request": "receipt",
    "payment_check_count": "establishment_id", "lookup_day": "establishment_id",
    "lookup_month": "ward_id", "month_end_count": "ward_id", "adoption_cell": "cell",
}  # fmt: skip
COLUMNS = {
    "personal_datum": "mask", "ward_shelf_life": "months", "import_batch": "reason", "import_row": "outcome",
    "import_shape": "correction", "import_progress": "done", "import_kept_datum": "mask",
    "sticker_run": "pages_taken", "sticker": "photo_id",
    "citizen_report": "answer", "owner_code": "withdrawn_at", "payment_account": "withdrawn_at",
    "criterion_proof": "withdrawn_reason",
}  # fmt: skip
"""A column to try a change on; elsewhere there is `ended_at`."""

RELATIONS = """
    SELECT c.relname, c.relkind IN ('v', 'm') AS is_view, c.relrowsecurity AS is_secured,
           c.reloptions @> ARRAY['security_invoker=true'] AS as_asker
      FROM pg_class c
     WHERE c.relnamespace = 'register'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY 1
"""


@pytest.fixture(scope="module")
def ward_database(server: Database, base_database: Database) -> Iterator[Database]:
    """Two wards with a row in every table that belongs to a ward."""
    base_database.dispose()
    own = create_database(server, "row_security", template="base")
    for ward in (WARD, OTHER_WARD):
        for role in ("surveyor", "officer", "approver", "admin"):
            actor = add_staff(own, f"{role}.{ward}", role, ward)
            if role == "officer":
                fill(own, actor, 2)
    add_staff(own, "gone", "admin", disabled_at="2026-01-01")
    yield own
    own.dispose()
    drop_database(server, "row_security")


def _actor(database: Database, login: str) -> Actor:
    with database.owner.connect() as connection:
        row = connection.execute(
            text("SELECT s.*, w.code AS ward_code FROM account.staff s JOIN register.ward w ON w.id = s.ward_id "
                 "WHERE login = :login"), {"login": login},
        ).one()  # fmt: skip
    return Actor(row.id, row.login, row.display_name, row.role, row.ward_id, row.ward_code)


def _relations(database: Database) -> list[Any]:
    with database.owner.connect() as connection:
        return list(connection.execute(text(RELATIONS)))


def _secured(database: Database) -> list[str]:
    return [relation.relname for relation in _relations(database) if relation.is_secured]


def _count(connection: Connection, relation: str, where: str = "true") -> int:
    return int(connection.execute(text(f'SELECT count(*) FROM register."{relation}" t WHERE {where}')).scalar_one())


def _of_ward(connection: Connection, relation: str, ward: str) -> str:
    """A condition for the rows of a ward, by the column that leads to it."""
    named = "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 AND NOT attisdropped"
    columns = set(connection.execute(text(named), {"t": f"register.{relation}"}).scalars())
    ids = f"(SELECT id FROM register.ward WHERE code = '{ward}' AND valid_to IS NULL)"
    if "ward_id" in columns:
        return f"t.ward_id IN {ids}"
    if "establishment_id" in columns:
        return f"t.establishment_id IN (SELECT id FROM register.establishment WHERE ward_id IN {ids})"
    for column, parent in (("run_id", "sticker_run"), ("sticker_id", "sticker")):
        if column in columns:
            return f"t.{column} IN (SELECT id FROM register.{parent} WHERE ward_id IN {ids})"
    if "batch_id" in columns:
        return f"t.batch_id IN (SELECT id FROM register.import_batch WHERE ward_id IN {ids})"
    if "report_id" in columns:
        return f"t.report_id IN (SELECT id FROM register.citizen_report WHERE ward_id IN {ids})"
    assert "legal_entity_id" in columns, f"register.{relation}: how does it belong to a ward?"
    return f"t.legal_entity_id IN (SELECT id FROM register.legal_entity WHERE ward_id IN {ids})"


def test_every_table_is_base_data_or_has_row_security(ward_database: Database) -> None:
    for relation in _relations(ward_database):
        if relation.is_view:
            assert relation.as_asker, f"view register.{relation.relname} reads as its owner: past row-level security"
        else:
            assert relation.is_secured != (relation.relname in BASE_DATA), f"register.{relation.relname}"
    with ward_database.owner.connect() as owner:
        policies = set(owner.execute(text("SELECT tablename FROM pg_policies WHERE schemaname = 'register'")).scalars())
    assert policies == set(_secured(ward_database)) == WRITABLE | ONLY_ADDED_TO | NEVER_WRITTEN


@pytest.mark.parametrize("ward", [WARD, OTHER_WARD])
def test_every_secured_table_holds_rows_of_both_wards(ward_database: Database, ward: str) -> None:
    """Without rows the tests below would say nothing."""
    with ward_database.owner.connect() as owner:
        for table in _secured(ward_database):
            assert _count(owner, table, _of_ward(owner, table, ward)) > 0, table


@pytest.mark.parametrize("role", ["surveyor", "officer", "approver", "admin"])
def test_another_wards_staff_get_no_row_of_this_ward(ward_database: Database, role: str) -> None:
    other = _actor(ward_database, f"{role}.{OTHER_WARD}")
    for relation in _relations(ward_database):
        if relation.relname in BASE_DATA:
            continue
        with ward_database.owner.connect() as owner:
            # As owner, so that the condition itself sees every row: ids, not sub-queries under row-level security.
            key = KEYS.get(relation.relname, "id")
            where = _of_ward(owner, relation.relname, WARD)
            rows = owner.execute(text(f'SELECT {key} FROM register."{relation.relname}" t WHERE {where}'))
            ids = set(rows.scalars())
        assert ids, relation.relname
        with read_as(ward_database, other) as connection:
            seen = set(connection.execute(text(f'SELECT {key} FROM register."{relation.relname}"')).scalars())
            assert not seen & ids, f"{relation.relname}: rows of another ward are seen"
            if role != "surveyor" or relation.relname not in NOT_FOR_SURVEYORS:
                assert seen, f"{relation.relname}: the own ward's rows are not seen"


def test_nobody_set_means_no_row(ward_database: Database) -> None:
    for setting in (None, "", "0", "-1", "999999999"):
        with ward_database.staff.connect() as connection:
            if setting is not None:
                connection.execute(text("SELECT set_config('mapservice.staff_id', :id, true)"), {"id": setting})
            for relation in _relations(ward_database):
                if relation.relname not in BASE_DATA:
                    assert _count(connection, relation.relname) == 0, (setting, relation.relname)


def test_who_is_disabled_sees_and_writes_nothing(ward_database: Database) -> None:
    gone = _actor(ward_database, "gone")
    with read_as(ward_database, gone) as connection:
        for relation in _relations(ward_database):
            if relation.relname not in BASE_DATA:
                assert _count(connection, relation.relname) == 0, relation.relname
    with _acting(ward_database, gone) as connection:
        assert connection.execute(text("UPDATE register.establishment SET name = 'x'")).rowcount == 0


def test_the_actor_does_not_outlive_its_transaction(ward_database: Database) -> None:
    with ward_database.staff.connect() as connection:
        with connection.begin():
            _act_as(connection, _actor(ward_database, f"officer.{WARD}"))
            assert _count(connection, "establishment") > 0
        with connection.begin():
            assert _count(connection, "establishment") == 0


def test_surveyors_read_no_personal_data_and_change_no_record(ward_database: Database) -> None:
    surveyor = _actor(ward_database, f"surveyor.{WARD}")
    with _acting(ward_database, surveyor) as connection:
        for table in sorted(NOT_FOR_SURVEYORS):
            assert _count(connection, table) == 0, table
        for table in sorted(WRITABLE - {"proposal"}):
            column = COLUMNS.get(table, "ended_at")
            changed = connection.execute(text(f'UPDATE register."{table}" SET {column} = {column}')).rowcount
            assert changed == 0, table
    with _acting(ward_database, surveyor) as connection, pytest.raises(DBAPIError, match="row-level security"):
        connection.execute(
            text("INSERT INTO register.outreach (establishment_id, kind, done_on, topic, source) "
                 "SELECT id, 'visit', '2026-01-01', 'x', 'office' FROM register.establishment LIMIT 1")
        )  # fmt: skip


def test_surveyors_note_stickers_that_they_saw_alone(ward_database: Database) -> None:
    note = (
        "INSERT INTO register.sticker_event (sticker_id, kind, staff_id) SELECT id, :kind, :staff FROM register.sticker"
    )
    surveyor = _actor(ward_database, f"surveyor.{WARD}")
    for kind in ("lost", "reported", "installed"):
        with _acting(ward_database, surveyor) as connection, pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(text(note), {"kind": kind, "staff": surveyor.staff_id})
    with _acting(ward_database, surveyor) as connection:
        assert connection.execute(text(note), {"kind": "seen", "staff": surveyor.staff_id}).rowcount == 1


@pytest.mark.parametrize(("role", "rows"), [("officer", 0), ("approver", 1), ("admin", 1)])
def test_leaders_choose_how_long_facts_stay_fresh(ward_database: Database, role: str, rows: int) -> None:
    with _acting(ward_database, _actor(ward_database, f"{role}.{WARD}")) as connection:
        assert connection.execute(text("UPDATE register.ward_shelf_life SET months = 7")).rowcount == rows


@pytest.mark.parametrize("role", ["officer", "approver", "admin"])
def test_a_row_cannot_be_moved_or_added_to_another_ward(ward_database: Database, role: str) -> None:
    actor = _actor(ward_database, f"{role}.{WARD}")
    other = {"ward": _actor(ward_database, f"{role}.{OTHER_WARD}").ward_id}
    for table in ("establishment", "legal_entity", "model_site", "proposal"):
        accepted = ", outside_accepted = true" if table == "establishment" else ""
        with _acting(ward_database, actor) as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(text(f"UPDATE register.{table} SET ward_id = :ward{accepted}"), other)
        assert getattr(refused.value.orig, "pgcode", None) == "42501", table
    with _acting(ward_database, actor) as connection, pytest.raises(DBAPIError, match="row-level security"):
        connection.execute(
            text("INSERT INTO register.legal_entity (code, ward_id, registered_name, legal_form) "
                 "VALUES ('LE-X', :ward, 'X', 'enterprise')"), other,
        )  # fmt: skip


def test_a_record_cannot_be_hung_on_another_wards_place(ward_database: Database) -> None:
    officer = _actor(ward_database, f"officer.{WARD}")
    with ward_database.owner.connect() as owner:
        foreign = owner.execute(
            text("SELECT min(id) FROM register.establishment WHERE ward_id <> :ward"), {"ward": officer.ward_id}
        ).scalar_one()
    for statement in (
        "INSERT INTO register.outreach (establishment_id, kind, done_on, topic, source) "
        "VALUES (:place, 'visit', '2026-01-01', 'x', 'office')",
        "UPDATE register.outreach SET establishment_id = :place",
    ):
        with _acting(ward_database, officer) as connection, pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(text(statement), {"place": foreign})


def test_nobody_deletes_a_row_of_the_register(ward_database: Database) -> None:
    for role in ("surveyor", "officer", "approver", "admin"):
        actor = _actor(ward_database, f"{role}.{WARD}")
        for table in [*_secured(ward_database), *sorted(BASE_DATA)]:
            for statement in (f'DELETE FROM register."{table}"', f'TRUNCATE register."{table}"'):
                with _acting(ward_database, actor) as connection, pytest.raises(DBAPIError, match="permission denied"):
                    connection.execute(text(statement))


@pytest.mark.parametrize("table", sorted(NEVER_WRITTEN | BASE_DATA - {"lookup_code", "sticker_key"}))
def test_the_staff_role_writes_no_history_no_facts_no_base_data(ward_database: Database, table: str) -> None:
    admin = _actor(ward_database, f"admin.{WARD}")
    with ward_database.owner.connect() as owner:
        column = owner.execute(
            text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 "
                 "AND attgenerated = '' AND attidentity = '' AND NOT attisdropped ORDER BY attnum LIMIT 1"),
            {"t": f"register.{table}"},
        ).scalar_one()  # fmt: skip
    for statement in (
        f'UPDATE register."{table}" SET "{column}" = "{column}"',
        f'INSERT INTO register."{table}" DEFAULT VALUES',
    ):
        with _acting(ward_database, admin) as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT register.add_changes('establishments', ARRAY['insert'], ARRAY[NULL::jsonb], ARRAY['{}'::jsonb])",
        "SELECT register.refresh_establishment_facts('{1}')",
        "ALTER TABLE register.establishment DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE register.change DISABLE TRIGGER only_added",
        "ALTER TABLE register.establishment DISABLE TRIGGER ALL",
        "DROP POLICY staff_reads ON register.establishment",
        "CREATE POLICY all_of_it ON register.establishment FOR ALL TO mapservice_staff USING (true)",
        "ALTER POLICY staff_reads ON register.establishment USING (true)",
        "CREATE OR REPLACE FUNCTION account.actor_ward() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "CREATE FUNCTION register.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE register.mine (a int)",
        "CREATE VIEW public.mine AS SELECT 1",
        "GRANT mapservice_owner TO mapservice_staff",
        "SET ROLE mapservice_owner",
        "SET SESSION AUTHORIZATION mapservice_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE mapservice_staff BYPASSRLS",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_staff_role_cannot_widen_its_rights(ward_database: Database, statement: str) -> None:
    admin = _actor(ward_database, f"admin.{WARD}")
    with _acting(ward_database, admin) as connection, pytest.raises(DBAPIError):
        connection.execute(text(statement))


def test_the_staff_role_passes_nothing_on_to_the_public(ward_database: Database) -> None:
    """A GRANT without the right to grant is a warning in PostgreSQL, not an error: what counts is what comes of it."""
    with _acting(ward_database, _actor(ward_database, f"admin.{WARD}")) as connection:
        connection.execute(text("GRANT SELECT ON register.establishment TO mapservice_public"))
        found = "SELECT has_table_privilege('mapservice_public', 'register.establishment', 'SELECT')"
        assert connection.execute(text(found)).scalar_one() is False


AS_OWNER = """
    SELECT n.nspname || '.' || p.proname AS name, p.proconfig::text LIKE '%search_path=%pg_temp%' AS is_pinned,
           has_schema_privilege('mapservice_staff', n.oid, 'USAGE')
           AND has_function_privilege('mapservice_staff', p.oid, 'EXECUTE') AS by_staff,
           has_schema_privilege('mapservice_public', n.oid, 'USAGE')
           AND has_function_privilege('mapservice_public', p.oid, 'EXECUTE') AS by_public
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname IN ('register', 'account', 'published') AND p.prosecdef
"""


def test_what_runs_with_the_owners_rights_is_known(ward_database: Database) -> None:
    """Such a function is a door through row-level security: whoever adds one says here who may call it."""
    with ward_database.owner.connect() as owner:
        functions = list(owner.execute(text(AS_OWNER)))
    by_anybody = {
        "published.proposal", "published.register_head", "published.report",
        "published.rollout_proofs", "published.rollout_register", "published.rollout_use", "published.touched",
        "published.words_from", "published.words_near", "published.words_with",
        "published.day_is_final", "published.indicator_counts", "published.indicator_trend",
        "published.payment_adoption",
    }  # fmt: skip
    assert {found.name for found in functions if found.by_public} == by_anybody
    assert {found.name for found in functions if found.by_staff} == by_anybody | {
        "account.actor_id", "account.actor_ward", "account.actor_role", "account.reserve_attempt",
        "account.end_owner_session", "account.end_owner_sessions", "account.owner_holder", "account.owner_sign_in",
        "register.owner_requests", "register.propose_as_owner", "register.check_payment",
        "account.session_holder", "account.sweep_sessions", "account.token_holder", "register.count_lookups",
        "register.forget_lookups", "register.forget_reports", "register.is_to_visit",
        # Counts what nobody can change any more, and nothing that its caller says.
        "register.keep_month_ends",
        "register.count_written",
        # States are never written by hand; their cells come from Python, and only where there are none.
        "register.points_without_cells", "register.note_cells", "register.note_outlines",
        "register.day_is_final", "register.head_at",
        "register.forget_import_data", "register.forget_import_rows",
        "register.forget_personal_datum", "register.propose_anonymously",
        "register.report_anonymously", "register.reports_full",
        "register.withdraw_anonymously", "register.withdraw_import_proposals",
    }  # fmt: skip
    assert [found.name for found in functions if not found.is_pinned] == [], (
        "whose search_path can be chosen by the caller"
    )


class _acting:  # noqa: N801 - reads as a word in `with`
    """A transaction of the staff role for an actor, rolled back."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self.connection = database.staff.connect()
        self.transaction = self.connection.begin()
        _act_as(self.connection, actor)

    def __enter__(self) -> Connection:
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.transaction.rollback()
        self.connection.close()


def _act_as(connection: Connection, actor: Actor) -> None:
    connection.execute(text("SELECT set_config('mapservice.staff_id', :id, true)"), {"id": str(actor.staff_id)})
