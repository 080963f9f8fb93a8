"""The embedded PostGIS cluster: one PostgreSQL server per data directory, kept by whoever uses it.

Several processes may use one data directory at the same time (the service, its workers, an import on the command
line). Each holds a shared lock while it does; the last to leave stops the server. Killing a process releases its lock,
so nothing has to be repaired by hand: a server left running is adopted by the next start, a dead one is started again.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from postgis import cluster_home, cluster_process, debian
from postgis.cluster_home import ClusterHome
from postgis.debian import Say, Server
from postgis.unavailable import StoreUnavailableError

logger = logging.getLogger(__name__)

_START_LOCK = "cluster.lock"
_USERS_LOCK = "cluster-users.lock"
_LOCK_LIMIT = 900.0  # seconds another process may take to install packages and make the cluster
_open_locks: set[int] = set()
"""Locks of this process. A child would hold them too, for as long as it lives: it gives its share of them up."""


def _leave_to_parent() -> None:
    for lock in _open_locks:
        os.close(lock)
    _open_locks.clear()


os.register_at_fork(after_in_child=_leave_to_parent)


@dataclass(frozen=True)
class ClusterStatus:
    """What `mapservice doctor` tells about a cluster; None where there is nothing yet."""

    home: Path | None
    sockets: Path | None
    runs_as: str | None
    made_by: int | None
    server: Server | None
    pid: int | None
    answers: bool


class LocalCluster:
    """The embedded PostGIS cluster of one data directory.

    Use it as a context manager: entering installs, creates, starts or adopts whatever is needed; leaving stops the
    server unless another process still uses it. `say` gets one line for everything that takes long. Every failure is
    a StoreUnavailableError whose message says what to do.
    """

    def __init__(self, data_dir: Path, say: Say = logger.info) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._say = say
        self._home: ClusterHome | None = None
        self._server: Server | None = None
        self._users_lock: int | None = None

    @property
    def sockets(self) -> Path:
        """Directory of the Unix socket; what a client gives as its host. Only while the cluster is held."""
        if self._home is None:
            raise StoreUnavailableError("The database has not been started.")
        return self._home.sockets

    def __enter__(self) -> Self:
        self.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def hold(self) -> None:
        """Make the server run and keep it running until `leave`."""
        if self._users_lock is not None:
            return
        self._make_data_dir()
        with self._start_lock():
            self._users_lock = self._open_lock(_USERS_LOCK)
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)  # never waits: exclusive is only taken under the start lock
            try:
                self._ensure_running()
            except BaseException:
                with contextlib.suppress(StoreUnavailableError):
                    self._leave_locked()
                raise

    def leave(self) -> None:
        """Stop using the server; the last process to leave stops it."""
        if self._users_lock is None:
            return
        with self._start_lock():
            self._leave_locked()

    def running(self) -> bool:
        """Whether the server answers, cheaply (no connection is made)."""
        if self._home is None:
            return False
        postmaster = cluster_process.find_postmaster(self._home)
        return postmaster is not None and postmaster.answers

    def restart(self) -> None:
        """Start the server again after it died, unless another process has done so already."""
        with self._start_lock():
            self._ensure_running()

    def status(self) -> ClusterStatus:
        """How things stand, without changing anything."""
        home = cluster_home.locate(self.data_dir)
        made_by = home.made_by() if home else None
        server = debian.find_server(made_by)
        if home is None:
            return ClusterStatus(None, None, None, None, server, None, False)
        postmaster = cluster_process.find_postmaster(home)
        pid, answers = (postmaster.pid, postmaster.answers) if postmaster else (None, False)
        return ClusterStatus(home.path, home.sockets, home.account.name, made_by, server, pid, answers)

    def remove(self) -> None:
        """Stop the server and delete the cluster with all its data. Refused while another process uses it."""
        if not self.data_dir.is_dir():
            return
        with self._start_lock():
            if self._users_lock is None:
                self._users_lock = self._open_lock(_USERS_LOCK)
            if not self._leave_locked():
                raise StoreUnavailableError(f"Another process still uses the database in {self.data_dir}.")
            home = cluster_home.locate(self.data_dir)
            if home is not None:
                if (server := debian.find_server(home.made_by())) is not None:
                    cluster_process.stop(home, server)
                cluster_home.forget(home)

    def _ensure_running(self) -> None:
        found = cluster_home.locate(self.data_dir)
        made_by = found.made_by() if found is not None else None
        # Before anything else: the packages also make the user 'postgres', whom root's cluster belongs to.
        self._server = debian.ensure_server(self._say) if made_by is None else self._server_for(made_by)
        self._home = cluster_home.establish(self.data_dir, self._say)
        if made_by is None and self._home.pgdata.exists():
            raise StoreUnavailableError(
                f"{self._home.pgdata} is not a PostgreSQL data directory (no PG_VERSION). Move it away, or set "
                "MAPSERVICE_DATA_DIR to another directory."
            )
        if made_by is None:
            cluster_process.initialise(self._home, self._server, self._say)
        cluster_process.start(self._home, self._server, self._say)

    def _server_for(self, made_by: int) -> Server:
        """The installed server of the version that made the cluster: no other version can read it."""
        if (server := debian.find_server(made_by)) is not None:
            return server
        if debian.may_install(made_by):
            return debian.ensure_server(self._say, made_by)
        others = ", ".join(str(server.major) for server in debian.installed_servers()) or "none"
        raise StoreUnavailableError(
            f"The database in {self.data_dir} was made by PostgreSQL {made_by}, which is not installed with PostGIS "
            f"(installed: {others}); no other version can read it.\n"
            f"Install it ({debian.install_command([f'postgresql-{made_by}-postgis-3'])}), or set MAPSERVICE_DATA_DIR "
            "to a new directory and restore a backup there."
        )

    def _leave_locked(self) -> bool:
        """Give up our share; stop the server when nobody else has one. Tells whether we were the last."""
        if self._users_lock is None:
            return False
        try:
            try:
                fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if self._home is not None and self._server is not None:
                cluster_process.stop(self._home, self._server)
            return True
        finally:
            fcntl.flock(self._users_lock, fcntl.LOCK_UN)
            _close_lock(self._users_lock)
            self._users_lock = None

    def _make_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailableError(
                f"The data directory {self.data_dir} can't be created ({error.strerror}). "
                "Set MAPSERVICE_DATA_DIR to a directory that you may write to."
            ) from None

    def _open_lock(self, name: str) -> int:
        path = self.data_dir / name
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            _open_locks.add(lock)
            return lock
        except PermissionError:
            owner = path if path.exists() else self.data_dir
            raise cluster_home.another_users(
                self.data_dir, owner.stat().st_uid, cluster_home.own_account().name
            ) from None
        except OSError as error:
            raise StoreUnavailableError(
                f"{path} can't be written ({error.strerror}). Is the disk full or read-only?"
            ) from None

    @contextlib.contextmanager
    def _start_lock(self) -> Iterator[None]:
        """Only one process at a time may create, start or stop the cluster."""
        lock = self._open_lock(_START_LOCK)
        try:
            self._wait_for(lock)
            yield
        finally:
            _close_lock(lock)  # releases the lock too

    def _wait_for(self, lock: int) -> None:
        began, told = time.monotonic(), False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                return
            waited = time.monotonic() - began
            if waited > 2 and not told:
                self._say("Another process is starting or stopping the database: waiting for it ...")
                told = True
            if waited > _LOCK_LIMIT:
                raise StoreUnavailableError(
                    f"Another process has been starting or stopping the database in {self.data_dir} for "
                    f"{_LOCK_LIMIT / 60:.0f} minutes. See which one: fuser -v {self.data_dir / _START_LOCK}"
                )
            time.sleep(0.05)


def _close_lock(lock: int) -> None:
    _open_locks.discard(lock)
    os.close(lock)


class ClusterSupervisor(threading.Thread):
    """Starts the server again when it dies while the service runs, trying more and more slowly while that fails."""

    def __init__(self, cluster: LocalCluster, interval: float = 1.0, longest: float = 30.0) -> None:
        super().__init__(name="cluster-supervisor", daemon=True)
        self._cluster = cluster
        self._interval = interval
        self._longest = longest
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look every `interval` seconds."""
        pause = self._interval
        while not self._stopping.wait(pause):
            pause = self._interval if self._look() else min(2 * pause, self._longest)

    def stop(self) -> None:
        """Stop looking; returns when a restart under way is done, so that it can't undo the stop that follows."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def _look(self) -> bool:
        if self._cluster.running():
            return True
        logger.warning("The database server is gone; starting it again.")
        try:
            self._cluster.restart()
        except (StoreUnavailableError, OSError) as error:
            logger.error("The database server could not be started again: %s", error)
            return False
        logger.warning("The database server runs again.")
        return True
