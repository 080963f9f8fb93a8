"""The test bed: one embedded PostGIS server, our service on it in several settings, and the others beside."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from postgis.engine import Database, open_database
from postgis.settings import DatabaseSettings
from tests.benchmarks import entrants, growth_data, peers, register_rows
from tests.benchmarks.contest import FRONTED, OURS, OURS_UNCACHED
from tests.benchmarks.peer_config import Store
from tests.benchmarks.peers import Peer, PeersMissing
from tests.conftest import start_service, stop_service
from tests.nginx_front import nginx_before

PLACES = 20_000
UNCACHED = {"MAPSERVICE_CACHE_MB": "0"}


def folder() -> Path:
    """Where the environments of the others and the bench's register are kept between runs."""
    found = Path(os.environ.get("MAPSERVICE_BENCH_DIR", ".bench")).absolute()
    found.mkdir(mode=0o755, parents=True, exist_ok=True)
    return found


@contextlib.contextmanager
def laid(places: int = PLACES, *, anew: bool = False, without: str = "") -> Iterator[entrants.Field]:
    """Everything set up and running. The register of the last run is used again when it holds as many places.

    What bears a name in which the pattern `without` is found is left out.

    Raises PeersMissing with what to install.
    """
    peers.check()
    kept = folder()
    peers.install(kept)
    data_dir = kept / "register"
    if anew:
        shutil.rmtree(data_dir, ignore_errors=True)
    with ExitStack() as stack:
        address = DatabaseSettings(data_dir=data_dir, database_url=None)
        # Our own service makes the database; it stays up beneath the others and is measured last.
        left_out = re.compile(without or "$.")
        ours = {OURS: stack.enter_context(_service(data_dir, OURS))}
        database = stack.enter_context(open_database(address))
        _fill(database, places)
        register_rows.make_narrow_tables(database)
        for wanted in ("W1", "W1P"):
            _list_tiles(database, wanted)
        for name, settings in (OURS_UNCACHED, UNCACHED), (f"{OURS} 2w", {"MAPSERVICE_WORKERS": "2"}):
            if not left_out.search(name):
                ours[name] = stack.enter_context(_service(data_dir, name, **settings))
        if not left_out.search(FRONTED):
            front = stack.enter_context(nginx_before(ours[OURS].base, workers=2))
            ours[FRONTED] = Peer(FRONTED, front.url, front.pid, entrants.OUR_PATHS)
        store = _store(database)
        found = stack.enter_context(peers.running(kept, store, left_out))
        with database.owner.connect() as connection:
            identifiers = register_rows.identifiers(connection)
        database.dispose()
        yield entrants.Field(
            ours, found, kept / "conf/static", _postmaster(database), _pgbench(database), _address(store), identifiers
        )


@contextlib.contextmanager
def _service(data_dir: Path, name: str, **settings: str) -> Iterator[Peer]:
    service = start_service(data_dir, MAPSERVICE_SAMPLE="none", **settings)
    try:
        yield Peer(name, service.url, service.process.pid, entrants.OUR_PATHS)
    finally:
        stop_service(service)


def _fill(database: Database, places: int) -> None:
    with database.owner.connect() as connection:
        held = connection.execute(text("SELECT count(*) FROM published.establishments")).scalar_one()
    if held == places:
        return
    if held:
        raise PeersMissing(f"The bench's register holds {held} places instead of {places}: run again with --anew.")
    print(f"· Filling a register with {places} places")
    growth_data.fill(database, places)


def _list_tiles(database: Database, wanted: str) -> None:
    table = f"{register_rows.SCHEMA}.tiles_{wanted.lower()}"
    rows = [{"i": i, "z": z, "x": x, "y": y} for i, (z, x, y) in enumerate(entrants.tile_list(wanted))]
    with database.administrator() as connection:
        connection.execute(text(f"CREATE TABLE {table} (i int PRIMARY KEY, z int, x int, y int)"))
        connection.execute(text(f"INSERT INTO {table} VALUES (:i, :z, :x, :y)"), rows)
        connection.execute(text(f"VACUUM ANALYZE {table}"))


def _store(database: Database) -> Store:
    url = database.url
    return Store(str(url.query["host"]), int(str(url.query["port"])), database.name, str(url.username))


def _address(store: Store) -> Sequence[str]:
    return ("-h", store.sockets, "-p", str(store.port), "-U", store.user, "-d", store.database)


def _postmaster(database: Database) -> int:
    assert database.cluster is not None
    pid = database.cluster.status().pid
    assert pid is not None
    return pid


def _pgbench(database: Database) -> str:
    assert database.cluster is not None
    server = database.cluster.status().server
    assert server is not None
    return server.program("pgbench")
