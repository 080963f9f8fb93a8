"""What a database needs before the first migration: roles, the database itself, extensions, and who may connect.

Safe to repeat, and quick when there is nothing to do. Schemas and tables are the migrations' business.
"""

import psycopg2.errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from postgis import reference_systems
from postgis.cluster_config import OWNER_ROLE, PUBLIC_ROLE, STAFF_ROLE
from postgis.debian import OLDEST_MAJOR, REQUIRED_EXTENSIONS
from postgis.unavailable import StoreUnavailableError

ROLES = (OWNER_ROLE, PUBLIC_ROLE, STAFF_ROLE)
PREPARATION_LOCK = 20257_000  # advisory: two services that start at once prepare one after the other

_READY = """
    SELECT (SELECT count(*) FROM pg_roles
             WHERE rolname = ANY(:roles) AND (rolcanlogin OR NOT :login)
               AND pg_has_role(current_user, oid, :privilege)) = cardinality(CAST(:roles AS text[]))
       AND (SELECT count(*) FROM pg_extension WHERE extname = ANY(:extensions))
           = cardinality(CAST(:extensions AS text[]))
       AND (SELECT coalesce(bool_and(has_database_privilege(oid, current_database(), 'CONNECT')), false)
              FROM pg_roles WHERE rolname = ANY(:roles))
       AND (SELECT coalesce(bool_and(has_database_privilege(oid, current_database(), 'CREATE')), false)
              FROM pg_roles WHERE rolname = :owner)
"""

_MAY_CREATE = "SELECT has_database_privilege(:owner, current_database(), 'CREATE')"

# default_transaction_read_only and the timeout are a second line of defence for whoever logs in as this role.
_ROLE_DEFAULTS = {
    PUBLIC_ROLE: ("default_transaction_read_only = on", "statement_timeout = '30s'"),
    STAFF_ROLE: ("idle_in_transaction_session_timeout = '60s'",),
}


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other session prepares this database; the turn ends with the session."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": PREPARATION_LOCK})


def is_ready(connection: Connection, *, login: bool) -> bool:
    """Whether roles, extensions and rights are all in place; `login` when the roles must be able to log in."""
    parameters = {
        "roles": list(ROLES),
        "owner": OWNER_ROLE,
        "extensions": list(REQUIRED_EXTENSIONS),
        "login": login,
        "privilege": _privilege(connection),
    }
    ready = bool(connection.execute(text(_READY), parameters).scalar_one())
    return ready and reference_systems.are_listed(connection)


def create_roles(connection: Connection, *, login: bool) -> None:
    """Make the three roles where missing.

    `login`: each logs in by itself (embedded cluster). Otherwise the connected user becomes a member and takes the
    role on after connecting. Raises StoreUnavailableError with the statements for the server's administrator when the
    connected user may not do this.
    """
    try:
        for role in ROLES:
            _create_role(connection, role, login=login)
            if not login and not _has_role(connection, role):
                connection.exec_driver_sql(f"GRANT {role} TO CURRENT_USER")
    except ProgrammingError as error:
        _raise_unless_forbidden(error)
        user = connection.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
        statements = " ".join(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user};" for role in ROLES)
        raise StoreUnavailableError(
            f"The database user {user} may not create roles. Ask the administrator of the database server to run:\n"
            f"{statements}\n(leave out CREATE ROLE for roles that exist already)"
        ) from None


def create_database(connection: Connection, name: str, template: str | None = None) -> None:
    """Create a database that mapservice_owner owns and strangers can't connect to; nothing happens when it exists.

    The connection must be in autocommit. `template` names a database to copy, which nobody may be connected to.
    """
    if connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first():
        return
    # FILE_COPY costs two checkpoints but copies a filled template far faster than sending each page through the log.
    source = f"TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else "TEMPLATE template0 ENCODING 'UTF8'"
    try:
        connection.exec_driver_sql(f"CREATE DATABASE {_quoted(name)} {source} OWNER {OWNER_ROLE}")
    except ProgrammingError as error:
        _raise_unless_forbidden(error)
        raise StoreUnavailableError(
            f"The database '{name}' does not exist and this user may not create it. "
            f"Ask the administrator of the database server to run: CREATE DATABASE {_quoted(name)} OWNER {OWNER_ROLE};"
        ) from None
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {_quoted(name)} TO {PUBLIC_ROLE}, {STAFF_ROLE}")


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database and disconnect whoever uses it; for tests and for undoing a restore. Needs autocommit."""
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def prepare_database(connection: Connection) -> None:
    """Extensions and rights inside the connected database; the connection must be in autocommit."""
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    if version < OLDEST_MAJOR:
        raise StoreUnavailableError(f"The database server is PostgreSQL {version}; {OLDEST_MAJOR} or newer is needed.")
    for extension in REQUIRED_EXTENSIONS:
        _create_extension(connection, extension)
    _list_reference_systems(connection)
    name = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
    try:
        connection.exec_driver_sql(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {name} TO {OWNER_ROLE}")
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {name} TO {PUBLIC_ROLE}, {STAFF_ROLE}")
    except ProgrammingError as error:
        _raise_unless_forbidden(error)
    if not connection.execute(text(_MAY_CREATE), {"owner": OWNER_ROLE}).scalar_one():
        raise StoreUnavailableError(
            f"The role {OWNER_ROLE} may not create schemas in the database {name}. Ask the administrator of the "
            f"database server to run: GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {name} TO {OWNER_ROLE};"
        )


def _create_role(connection: Connection, role: str, *, login: bool) -> None:
    """Two services may do this at the same moment on one server, each with a database of its own: not an error."""
    found = connection.execute(text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
    if found is not None:
        if login and not found.rolcanlogin:
            connection.exec_driver_sql(f"ALTER ROLE {role} LOGIN")
        return
    defaults = "".join(f"ALTER ROLE {role} SET {setting}; " for setting in _ROLE_DEFAULTS.get(role, ()))
    attributes = f"{'LOGIN' if login else 'NOLOGIN'} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    if not login:  # a CREATEROLE user may not even say NOSUPERUSER before PostgreSQL 16
        attributes = "NOLOGIN"
    connection.exec_driver_sql(
        f"DO $$ BEGIN CREATE ROLE {role} {attributes}; {defaults}"
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def _create_extension(connection: Connection, name: str) -> None:
    known = connection.execute(
        text("SELECT installed_version FROM pg_available_extensions WHERE name = :name"), {"name": name}
    ).first()
    if known is None:
        raise StoreUnavailableError(
            f"The database server does not have the extension '{name}'. Install PostGIS and PostgreSQL's contrib "
            "modules on it (on Debian: postgresql-postgis)."
        )
    if known.installed_version is not None:
        return
    try:
        connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public")
    except ProgrammingError as error:
        _raise_unless_forbidden(error)
        raise StoreUnavailableError(
            f"The database user may not create the extension '{name}'. Ask the administrator of the database server "
            f"to run in this database: CREATE EXTENSION {name} SCHEMA public;"
        ) from None


def _list_reference_systems(connection: Connection) -> None:
    if reference_systems.are_listed(connection):
        return
    try:
        reference_systems.add(connection)
    except ProgrammingError as error:
        _raise_unless_forbidden(error)
        user = connection.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
        raise StoreUnavailableError(
            f"The database user {user} may not add coordinate reference systems. Ask the administrator of the database "
            f"server to run in this database: GRANT INSERT ON public.spatial_ref_sys TO {user};"
        ) from None


def _has_role(connection: Connection, role: str) -> bool:
    query = text("SELECT pg_has_role(current_user, :role, :privilege)")
    return bool(connection.execute(query, {"role": role, "privilege": _privilege(connection)}).scalar_one())


def _privilege(connection: Connection) -> str:
    """What pg_has_role must be asked: since PostgreSQL 16 a member may lack the right to SET ROLE."""
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    return "SET" if version >= 160_000 else "MEMBER"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _raise_unless_forbidden(error: DBAPIError) -> None:
    if not isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
        raise error
