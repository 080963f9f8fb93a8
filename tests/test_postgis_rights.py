"""The public role reads what is published and nothing else: every relation and function of the catalogue is tried."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from postgis.engine import Database

RELATIONS = """
    SELECT n.nspname, c.relname
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY (:schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     ORDER BY 1, 2
"""


def _relations(connection: Connection, *schemas: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(text(RELATIONS), {"schemas": list(schemas)})]


def test_public_role_reads_no_relation_of_register_or_account(database: Database) -> None:
    with database.owner.begin() as owner:
        # Later tables are made without a thought for grants: they must be shut by themselves.
        owner.execute(text("CREATE TABLE account.made_later (secret text)"))
        owner.execute(text("CREATE TABLE register.made_later (secret text)"))
        hidden = _relations(owner, "register", "account")
    assert len(hidden) > 20
    assert {schema for schema, _ in hidden} == {"register", "account"}
    for schema, name in hidden:
        with database.public.connect() as public, pytest.raises(DBAPIError, match="permission denied"):
            public.execute(text(f'SELECT * FROM {schema}."{name}" LIMIT 1'))


def test_public_role_reads_every_published_view(demo_database: Database) -> None:
    with demo_database.owner.connect() as owner:
        views = _relations(owner, "published")
    assert len(views) >= 9
    with demo_database.public.connect() as public:
        for _, name in views:
            public.execute(text(f"SELECT * FROM published.{name} LIMIT 1")).all()


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE mapservice_owner",
        "SET ROLE mapservice_staff",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "CREATE TABLE published.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE TEMP TABLE mine (a int)",
        "UPDATE published.establishments SET name = 'x'",
        "DELETE FROM published.wards",
        "SELECT register.refresh_establishment_facts('{1}')",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_public_role_cannot_widen_its_rights(demo_database: Database, statement: str) -> None:
    with demo_database.public.connect() as public, pytest.raises(DBAPIError):
        public.execute(text("SET default_transaction_read_only = off"))
        public.commit()
        public.execute(text(statement))


def test_staff_role_owns_nothing(demo_database: Database) -> None:
    with demo_database.staff.connect() as staff, pytest.raises(DBAPIError):
        staff.execute(text("DROP TABLE register.establishment"))
