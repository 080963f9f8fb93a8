"""Connections to the store: one small pool for each database role, and the only place that makes engines.

Anonymous requests get `public`, which can read the schema `published` and nothing else; staff requests get `staff`,
under row-level security; `owner` is for migrations and loading.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from postgis import bootstrap, cells
from postgis.cluster_config import OWNER_ROLE, PORT, PUBLIC_ROLE, STAFF_ROLE, SUPERUSER
from postgis.debian import Say
from postgis.liveness import look_before_use
from postgis.local_cluster import LocalCluster
from postgis.replicas import Replica, Replicas, written_position
from postgis.settings import DatabaseSettings
from postgis.unavailable import StoreAwayError

logger = logging.getLogger(__name__)

DATABASE_NAME = "mapservice"
_MAINTENANCE_DATABASE = "postgres"
PATIENCE_S = 30.0  # for a server of somebody else's to come up, as in `docker compose up`

# current_date decides whether a licence is valid: it must be Vietnam's, whatever the server's clock is set to.
_EVERYWHERE = {"timezone": "Asia/Ho_Chi_Minh", "client_encoding": "UTF8"}
# Tile and feature queries are short and differ in their bounding box: parallel workers and compilation cost more than
# they save on two cores, and a generic plan picks the wrong index for most boxes.
_READING = {
    "default_transaction_read_only": "on",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
}


class Database:
    """One database, and a pool of connections to it for each role. Pools are made on first use."""

    def __init__(self, url: URL, settings: DatabaseSettings, cluster: LocalCluster | None = None) -> None:
        """`url` is the administrator's; with a `cluster` each role logs in by itself, else by SET ROLE after it."""
        self.url = url
        self.settings = settings
        self.cluster = cluster
        self._making = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the database."""
        return self.url.database or DATABASE_NAME

    @cached_property
    def owner(self) -> Engine:
        """For migrations and loading: owns the database and every schema. No time limit, few connections."""
        return self._engine(OWNER_ROLE, {}, pool_size=min(2, self.settings.pool_size))

    @cached_property
    def public(self) -> Engine:
        """For everybody: reads what is published, nothing else, and not for long.

        In autocommit, since most answers are one statement: BEGIN and ROLLBACK would be two more round trips. Answers
        that need one snapshot of several choose an isolation level of their own.
        """
        options = _READING | {
            "statement_timeout": str(self.settings.statement_timeout_ms),
            "idle_in_transaction_session_timeout": "60000",
        }
        return self._engine(PUBLIC_ROLE, options, pool_size=self.settings.pool_size, isolation_level="AUTOCOMMIT")

    @cached_property
    def staff(self) -> Engine:
        """For staff requests: reads and writes the register under row-level security."""
        options = {
            "statement_timeout": str(self.settings.staff_statement_timeout_ms),
            "idle_in_transaction_session_timeout": "60000",
            "jit": "off",
        }
        return self._engine(STAFF_ROLE, options, pool_size=self.settings.pool_size)

    @cached_property
    def replicas(self) -> Replicas:
        """The read replicas of the settings, watched from the first use on."""
        servers = [Database(_external_url(url), self.settings) for url in self.settings.replicas]
        return Replicas(self._watcher(), [Replica(server.public, server._watcher()) for server in servers])

    def _replica(self, since: str | None) -> Replica | None:
        if not self.settings.replicas:
            return None
        with self._making:
            replicas = self.replicas
        return replicas.choose(written_position(since))

    @contextlib.contextmanager
    def reading(self, since: str | None = None) -> Iterator[Connection]:
        """A connection as the public to whichever server may answer: a fresh replica if there is one, else the primary.

        `since` is what `position` said after the asker's last write: only who holds that write answers.
        """
        replica = self._replica(since)
        connection: Connection | None = None
        if replica is not None:
            try:
                connection = replica.engine.connect()
            except (OperationalError, PoolTimeoutError):
                self.replicas.leave_out(replica)
        with connection or self.public.connect() as found:
            yield found

    def position(self) -> str | None:
        """How far the primary has come, for `reading`; None where there are no replicas."""
        if not self.settings.replicas:
            return None
        with self.public.connect() as connection:
            return str(connection.execute(text("SELECT pg_current_wal_insert_lsn()")).scalar_one())

    def named(self, name: str) -> "Database":
        """Another database on the same server."""
        return Database(self.url.set(database=name), self.settings, self.cluster)

    def dispose(self) -> None:
        """Close every pooled connection."""
        replicas: Replicas | None = self.__dict__.pop("replicas", None)
        if replicas is not None:
            replicas.stop()
            replicas.primary.dispose()
            for replica in replicas.replicas:
                replica.engine.dispose()
                replica.watcher.dispose()
        for role in ("owner", "public", "staff"):
            if (engine := self.__dict__.pop(role, None)) is not None:
                engine.dispose()

    @contextlib.contextmanager
    def administrator(self, name: str | None = None) -> Iterator[Connection]:
        """A connection in autocommit as the superuser (embedded) or the URL's user; `name`: to another database."""
        engine = create_engine(
            self.url.set(database=name or self.name),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
            connect_args={"connect_timeout": 10, "application_name": "mapservice administrator"},
        )
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _watcher(self) -> Engine:
        """One connection that asks how far the server has come, and gives up soon."""
        options = {"statement_timeout": "500"}
        return self._engine(PUBLIC_ROLE, options, pool_size=1, connect_timeout=2, isolation_level="AUTOCOMMIT")

    def _engine(
        self,
        role: str,
        options: Mapping[str, str],
        pool_size: int,
        connect_timeout: int = 10,
        isolation_level: IsolationLevel | None = None,
    ) -> Engine:
        """A pool whose every connection acts as `role`.

        It is smaller than the 40 worker threads on purpose: waiting for a free connection costs nothing, while a query
        more than the cores can run slows all the others. `pool_timeout` bounds the wait.
        """
        given = self.url.query.get("options", "")
        chosen = dict(_EVERYWHERE) | dict(options)
        if self.cluster is None:
            chosen["role"] = role
        flags = [given if isinstance(given, str) else " ".join(given)]
        flags += [f"-c {name}={value}" for name, value in chosen.items()]
        engine = create_engine(
            self.url if self.cluster is None else self.url.set(username=role),
            isolation_level=isolation_level,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=self.settings.pool_timeout,
            pool_use_lifo=True,
            use_native_hstore=False,
            connect_args={
                "options": " ".join(flags).strip(),
                "application_name": role.replace("_", " "),
                "connect_timeout": connect_timeout,
            },
        )
        look_before_use(engine)
        if role != PUBLIC_ROLE:
            cells.fill_before_commit(engine)
        return engine


@contextlib.contextmanager
def open_database(
    settings: DatabaseSettings, say: Say = logger.info, *, prepare: bool = True, patience: float = PATIENCE_S
) -> Iterator[Database]:
    """The database of these settings, ready for migrations, for as long as the context lasts.

    Without a URL the embedded cluster is installed, created, started or adopted as needed, and stopped afterwards
    unless another process uses it. `prepare=False` leaves a database as it is, for looking only; `patience` is how long
    a server may take to come up, in seconds. Raises StoreUnavailableError with a message for people; StoreAwayError for
    a server that does not answer.
    """
    with prepared_database(settings, say) as database:
        if prepare:
            _prepare(database, say, patience)
        else:
            _look(database)
        yield database


@contextlib.contextmanager
def prepared_database(settings: DatabaseSettings, say: Say = logger.info) -> Iterator[Database]:
    """The same where another process sees to it that it is ready: its server may be away for now."""
    with contextlib.ExitStack() as stack:
        if settings.database_url is None:
            cluster = stack.enter_context(LocalCluster(settings.data_dir, say))
            database = _embedded(cluster, settings)
        else:
            database = Database(_external_url(settings.database_url), settings)
        stack.callback(database.dispose)
        yield database


def create_database(database: Database, name: str, template: str | None = None) -> Database:
    """Create a database beside `database`, empty or as a copy of `template` (which nobody may be connected to)."""
    with database.administrator(_MAINTENANCE_DATABASE) as connection:
        bootstrap.create_database(connection, name, template)
    created = database.named(name)
    if template is None:
        with created.administrator() as connection:
            bootstrap.prepare_database(connection)
    return created


def drop_database(database: Database, name: str) -> None:
    """Drop a database beside `database`, disconnecting whoever uses it."""
    with database.administrator(_MAINTENANCE_DATABASE) as connection:
        bootstrap.drop_database(connection, name)


def _embedded(cluster: LocalCluster, settings: DatabaseSettings) -> Database:
    # The port is given although nothing listens on it: it names the socket file, and PGPORT must not rename it.
    address = {"host": str(cluster.sockets), "port": str(PORT)}
    url = URL.create("postgresql+psycopg2", username=SUPERUSER, database=DATABASE_NAME, query=address)
    return Database(url, settings, cluster)


def _external_url(given: str) -> URL:
    """SQLAlchemy 2.1 reads plain `postgresql://` as psycopg 3, and `postgres://` not at all."""
    url = make_url(given.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg2")
    return url if url.database else url.set(database=DATABASE_NAME)


def _prepare(database: Database, say: Say, patience: float) -> None:
    """Roles, database, extensions and rights, each made where missing."""
    login = database.cluster is not None
    try:
        if _exists(database, say, patience):
            with database.administrator() as connection:
                if bootstrap.is_ready(connection, login=login):
                    return
        else:
            with database.administrator(_MAINTENANCE_DATABASE) as connection:
                bootstrap.wait_for_turn(connection)
                bootstrap.create_roles(connection, login=login)
                bootstrap.create_database(connection, database.name)
        with database.administrator() as connection:
            bootstrap.wait_for_turn(connection)
            bootstrap.create_roles(connection, login=login)
            bootstrap.prepare_database(connection)
    except OperationalError as error:
        raise _unreachable(database, error) from None


def _look(database: Database) -> None:
    """Only make sure that it can be reached."""
    try:
        with database.administrator():
            pass
    except OperationalError as error:
        raise _unreachable(database, error) from None


def _exists(database: Database, say: Say, patience: float) -> bool:
    """Whether the database exists; waits a while for a server that is still starting."""
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            with database.administrator():
                return True
        except OperationalError as error:
            words = str(error.orig)
            if f'database "{database.name}" does not exist' in words:
                return False
            starting = "Connection refused" in words or "starting up" in words or "No such file" in words
            if not starting or time.monotonic() > deadline:
                raise
        if not told:
            say(f"Waiting for the database server at {_address(database)} ...")
            told = True
        time.sleep(0.5)


def _unreachable(database: Database, error: OperationalError) -> StoreAwayError:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    hint = "Check MAPSERVICE_DATABASE_URL." if database.cluster is None else f"Look at {database.settings.data_dir}."
    return StoreAwayError(
        f"The database server at {_address(database)} can't be used. {hint}\n"
        f"Its words: {lines[0] if lines else type(error).__name__}"
    )


def _address(database: Database) -> str:
    """Host and port for people; never the password."""
    host = database.url.host or database.url.query.get("host") or "localhost"
    return f"{host}:{database.url.port}" if database.url.port else str(host)
