"""`mapservice serve`: database, migrations, sample data, then the web server, and all of it down again in order.

The database is held for as long as the web server runs, and started again should it die. Ctrl-C and SIGTERM work at any
moment, also while packages are being installed or data loaded.
"""

import contextlib
import gc
import importlib
import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from mapservice import heap
from mapservice.beside import NOBODY, run_preparation
from mapservice.listening import bind, explain, port_trouble
from mapservice.protocol import BoundedHttp
from mapservice.settings import HttpSettings
from mapservice.workers import Workers
from postgis.local_cluster import ClusterSupervisor, LocalCluster
from postgis.settings import DatabaseSettings

GRACE = 10  # seconds that requests under way get to finish
_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_LOADED_ONCE = ("mapservice.app", "uvicorn.lifespan.on", "uvloop", "sqlalchemy.dialects.postgresql.psycopg2")
"""What every worker needs. With one import of prometheus_client among them, which looks for the directory just made."""


def serve(http: HttpSettings, store: DatabaseSettings) -> int:
    """Serve until told to stop; returns the exit code.

    Raises StoreUnavailableError, with a message for people, when the database can't be had.
    """
    if (trouble := port_trouble(http.host, http.port)) is not None:
        print(f"mapservice: {trouble}", file=sys.stderr)
        return 1
    heap.keep_small()
    _export(http, store)
    _silence_access_log()
    with _stop_signals() as signals:
        try:
            with _ready_store(http, store) as first_account:
                return _run(http, store, signals, first_account)
        except _Stopped:
            return 0
        except _Refused:
            return 1


@contextlib.contextmanager
def _ready_store(http: HttpSettings, store: DatabaseSettings) -> Iterator[str | None]:
    """The database, upgraded, filled and kept alive, with the thread that works off imports.

    Gives the command that makes the first account, None when there is one. Raises _Refused when the reason is said.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        cluster = LocalCluster(store.data_dir, _say) if store.database_url is None else None
        if cluster is not None:
            stack.enter_context(cluster)
        prepared = run_preparation()
        if prepared not in (0, NOBODY):
            raise _Refused
        _say(f"The database is ready ({time.monotonic() - began:.1f} s).")
        if cluster is not None:
            supervisor = ClusterSupervisor(cluster)
            supervisor.start()
            stack.callback(supervisor.stop)
        # Not before the preparation: what it may have to make is what this imports.
        jobs = importlib.import_module("mapservice.job_watch").JobWatch(store)
        jobs.start()
        stack.callback(jobs.stop)
        yield _first_account(http, store) if prepared == NOBODY else None
        _say("Stopping ...")


def _first_account(http: HttpSettings, store: DatabaseSettings) -> str:
    """The command that makes the first account."""
    program, here = Path(sys.executable).with_name("mapservice"), Path.cwd()
    program = program.relative_to(here) if program.is_relative_to(here) else program
    usual = store.data_dir == Path(".data").absolute()
    elsewhere = "" if usual else f"MAPSERVICE_DATA_DIR={store.data_dir} "
    return f"{elsewhere}{program} staff add NAME --role admin --ward {http.ward}"


def _run(http: HttpSettings, store: DatabaseSettings, signals: "_StopSignals", first_account: str | None) -> int:
    """Run uvicorn until it is told to stop."""
    try:
        listener = bind(http.host, http.port)
    except OSError as error:
        print(f"mapservice: {explain(error, http.host, http.port)}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        "mapservice.app:create_app_from_environment",
        factory=True,
        host=http.host,
        port=http.port,
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    threading.Thread(target=_announce, args=(http, first_account), name="announce", daemon=True).start()
    with listener:
        if http.workers == 1:
            server = uvicorn.Server(config)
            signals.then(lambda: setattr(server, "should_exit", True))
            server.run([listener])
            return 0 if server.started else 1
        with _metrics_directory(store.data_dir):
            return _run_workers(config, listener, http.workers, signals)


def _run_workers(config: uvicorn.Config, listener: socket.socket, number: int, signals: "_StopSignals") -> int:
    """Several processes on one socket, forked once all that they need is loaded."""
    for module in _LOADED_ONCE:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # else each worker's collector would write to, and so copy, every page that they share
    workers = Workers(number, lambda: uvicorn.Server(config).run([listener]), GRACE)
    signals.then(workers.stop)
    return workers.run()


@contextlib.contextmanager
def _metrics_directory(data_dir: Path) -> Iterator[None]:
    """A fresh directory for prometheus_client; those of services that were killed are removed."""
    parent = data_dir / "prometheus"
    _remove_abandoned(parent)
    own = parent / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    os.environ[_METRICS_VARIABLE] = str(own)
    try:
        yield
    finally:
        del os.environ[_METRICS_VARIABLE]
        shutil.rmtree(own, ignore_errors=True)
        # Again: a worker of a killed service may have written while its directory was being removed above.
        _remove_abandoned(parent)


def _remove_abandoned(parent: Path) -> None:
    for old in parent.glob("[0-9]*"):
        if not Path(f"/proc/{old.name}").exists():
            shutil.rmtree(old, ignore_errors=True)


class _Refused(Exception):
    """The database cannot be made ready; why was told."""


class _Stopped(BaseException):
    """SIGINT or SIGTERM arrived before the web server ran."""


class _StopSignals:
    """What to do on SIGINT and SIGTERM: at first interrupt whatever runs, later what `then` says."""

    def __init__(self) -> None:
        self._action: Callable[[], None] | None = None
        self._seen = False

    def then(self, action: Callable[[], None]) -> None:
        """From now on call `action` (at once, if a signal is already there) instead of interrupting.

        uvicorn takes the signals over while it runs, and raises them again when it has stopped.
        """
        self._action = action
        if self._seen:
            action()

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler. Only the first signal interrupts: a second one must not cut the cleaning up short."""
        first, self._seen = not self._seen, True
        if self._action is not None:
            self._action()
        elif first:
            raise _Stopped


@contextlib.contextmanager
def _stop_signals() -> Iterator[_StopSignals]:
    signals = _StopSignals()
    before = {number: signal.signal(number, signals.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _export(http: HttpSettings, store: DatabaseSettings) -> None:
    """Worker processes make their settings from the environment: give them exactly ours."""
    for name, value in (http.model_dump() | store.model_dump()).items():
        os.environ[f"MAPSERVICE_{name.upper()}"] = "" if value is None else str(value)


def _silence_access_log() -> None:
    """uvicorn's own access log holds addresses as typed, and a search may be somebody's name; ours does not.

    `access_log=False` alone is not enough: it only takes the handlers away, and comes back when logging is set up.
    """
    logging.getLogger("uvicorn.access").disabled = True


def _announce(http: HttpSettings, first_account: str | None) -> None:
    """Print the addresses once the service answers, and how to sign in."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(http.host, http.host)
    while True:
        try:
            with socket.create_connection((host, http.port), timeout=1):
                break
        except OSError:
            time.sleep(0.05)
    base = f"http://[{host}]:{http.port}" if ":" in host else f"http://{host}:{http.port}"
    lines = [
        f"The map runs:      {base}/",
        f"Look-up by code:   {base}/q",
        f"OGC API:           {base}/ogc",
        f"API description:   {base}/ogc/api?f=html",
        f"Staff sign in:     {base}/staff",
        "Stop:              Ctrl-C",
    ]
    if first_account:
        lines.insert(-1, f"                   There is no account yet. In another window:  {first_account}")
    if http.public_url:
        lines.insert(1, f"Its public address: {http.public_url}/")
    _say("\n" + "\n".join(lines) + "\n")


def _say(line: str) -> None:
    print(line, flush=True)
