"""Start, find and stop the server process of one embedded cluster, whatever state the last stop left it in."""

import contextlib
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from postgis.cluster_config import PORT, SUPERUSER, write_config
from postgis.cluster_home import ClusterHome, own_account
from postgis.debian import Say, Server
from postgis.unavailable import StoreUnavailableError

_START_LIMIT = 600.0  # seconds; replaying the write-ahead log after a crash can take minutes on a slow disk
_ORPHAN_PATIENCE = 2.0  # seconds for backends of a killed server to notice by themselves
_ORPHAN_LIMIT = 60.0
_LEFTOVER_LIMIT = 30.0
_KEPT_MEMORY = str(8 * 2**20)  # bytes
_MEMORY = {"MALLOC_TRIM_THRESHOLD_": _KEPT_MEMORY, "MALLOC_MMAP_THRESHOLD_": _KEPT_MEMORY}
"""What glibc is told: a backend that gives the memory of each query back to the system gets it again, page by page,
for the next, which is a quarter of the time that a tile of a thousand places takes."""
_STOP_LIMIT = 60  # seconds for a fast shutdown, then an immediate one (the next start replays the log)


@dataclass(frozen=True)
class Postmaster:
    """The running server of a cluster, from its postmaster.pid: `ready`, or still `starting` or `stopping`."""

    pid: int
    sockets: Path
    state: str

    @property
    def answers(self) -> bool:
        """Whether clients can connect: it said so, and its socket is still there (a cleaner of /tmp may remove it)."""
        return self.state == "ready" and (self.sockets / f".s.PGSQL.{PORT}").is_socket()


def find_postmaster(home: ClusterHome) -> Postmaster | None:
    """The live server of this cluster, None when there is none; a left-over postmaster.pid is not enough.

    A server is ours when its working directory is the cluster's: process numbers get reused, by anything.
    """
    try:
        lines = (home.pgdata / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if pid not in _processes(home, [pid]):
        return None
    sockets = Path(lines[4]) if len(lines) > 4 and lines[4] else home.sockets
    return Postmaster(pid, sockets, lines[7].strip() if len(lines) > 7 else "starting")


def initialise(home: ClusterHome, server: Server, say: Say) -> None:
    """Make the cluster, all or nothing: in a directory of its own that is renamed into place when complete."""
    _remove_leftovers(home)
    say(f"Creating the database in {home.path} ...")
    fresh = home.path / f"new-{os.getpid()}"
    options = ("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=peer", "--no-instructions")
    done = home.account.run(server.program("initdb"), "-D", str(fresh), "-U", SUPERUSER, *options)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StoreUnavailableError(
            f"The database can't be created in {home.path} (initdb failed). Is the disk full or read-only?\n"
            f"Its last words: {_last_words(done.stdout)}"
        )
    configure(home, fresh)
    fresh.rename(home.pgdata)
    directory = os.open(home.path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def configure(home: ClusterHome, pgdata: Path) -> None:
    """Bring the configuration files up to date; takes effect at the next start of the server."""
    users = (own_account().name, home.account.name)
    write_config(pgdata, home.sockets, users, home.account.uid, home.account.gid)


def start(home: ClusterHome, server: Server, say: Say) -> Postmaster:
    """The running server: adopted when it runs already, else started. Call under the start lock.

    Waits for one that starts or stops, ends the orphans of one that was killed, and removes a stale lock file.
    Raises StoreUnavailableError with the server's own last words.
    """
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        found = find_postmaster(home)
        if found is not None and found.answers:
            return found
        if found is not None and found.state == "ready":
            stop(home, server)  # its socket is gone: nobody can reach it
        elif found is not None:
            time.sleep(0.05)  # starting or stopping
        else:
            _end_orphans(home, say)
            _remove_stale_locks(home)
            _launch(home, server)
    raise StoreUnavailableError(
        f"The database server did not become ready within {_START_LIMIT:.0f} seconds. It may still be replaying its "
        f"log after a crash: try again later, and look at {home.log_dir}."
    )


def stop(home: ClusterHome, server: Server) -> None:
    """Stop the server: clients are disconnected, everything committed is on disk. Does nothing when none runs."""
    for mode in ("fast", "immediate"):
        if find_postmaster(home) is None:
            return
        home.account.run(
            server.program("pg_ctl"), "stop", "-D", str(home.pgdata), "-m", mode, "-w", "-t", str(_STOP_LIMIT)
        )
    if (left := find_postmaster(home)) is not None:
        raise StoreUnavailableError(f"The database server (process {left.pid}) does not stop; look at {home.log_dir}.")


def _remove_leftovers(home: ClusterHome) -> None:
    """Remove what an initdb left whose caller was killed; it may still be running, and gives up once its files go."""
    deadline = time.monotonic() + _LEFTOVER_LIMIT
    while leftovers := list(home.path.glob("new-*")):
        for leftover in leftovers:
            shutil.rmtree(leftover, ignore_errors=True)
        if time.monotonic() > deadline:
            raise StoreUnavailableError(f"Left-over files can't be removed: {', '.join(map(str, leftovers))}.")


def _launch(home: ClusterHome, server: Server) -> None:
    configure(home, home.pgdata)
    log = home.log_dir / "start.log"  # for what it says before its own logging begins
    log.unlink(missing_ok=True)
    already = {path: path.stat().st_size for path in home.log_dir.iterdir()}
    command = (server.program("pg_ctl"), "start", "-D", str(home.pgdata), "-l", str(log), "-w", "-t", "60")
    done = home.account.run(*command, **_MEMORY)
    if done.returncode == 0 or find_postmaster(home) is not None:
        return
    words = done.stdout
    for path in sorted(home.log_dir.iterdir(), key=lambda path: path.stat().st_mtime):
        words += path.read_bytes()[already.get(path, 0) :].decode(errors="replace")
    if "is still in use" in words or re.search(r'lock file "\S+" already exists', words):
        time.sleep(0.1)  # the last processes of a killed server are still leaving
        return
    raise StoreUnavailableError(
        f"The database server did not start. Its last words: {_last_words(words)}\nMore is in {home.log_dir}."
    )


def _end_orphans(home: ClusterHome, say: Say) -> None:
    """End what a killed postmaster left: its backends hold shared memory, and a new server must not join them.

    Most notice within milliseconds; one in the middle of a long query does not. Nothing they do can be committed
    safely any more, and the next start replays the log.
    """
    waited = time.monotonic()
    while (orphans := _processes(home)) and find_postmaster(home) is None:
        age = time.monotonic() - waited
        if age > _ORPHAN_LIMIT:
            raise StoreUnavailableError(
                f"Processes of a killed database server do not end: {', '.join(map(str, orphans))}."
            )
        if age > _ORPHAN_PATIENCE:
            if age < _ORPHAN_PATIENCE + 0.1:
                say(f"Ending {len(orphans)} processes that a killed database server left behind ...")
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT if age < 2 * _ORPHAN_PATIENCE else signal.SIGKILL)
        time.sleep(0.05)


def _remove_stale_locks(home: ClusterHome) -> None:
    """Remove lock files that name a process which is not a server of this cluster.

    PostgreSQL itself removes them when that process is gone, but gives up when the number has been reused by the same
    user (usual after a container restarts), or still names a zombie. No process of the cluster runs at this point.
    """
    for lock in (home.pgdata / "postmaster.pid", home.sockets / f".s.PGSQL.{PORT}.lock"):
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(lock.read_text().split()[0])
            if Path(f"/proc/{pid}").exists() and pid not in _processes(home, [pid]):
                lock.unlink()


def _processes(home: ClusterHome, among: list[int] | None = None) -> list[int]:
    """Numbers of the running PostgreSQL processes that work in this cluster's directory."""
    pids = among if among is not None else [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    try:
        status = home.pgdata.stat()
    except FileNotFoundError:
        return []
    wanted = f"{status.st_dev}:{status.st_ino}"
    servers = [pid for pid in pids if _is_postgres(pid, home.account.uid)]
    return [pid for pid, directory in _working_directories(home, servers).items() if directory == wanted]


def _is_postgres(pid: int, uid: int) -> bool:
    with contextlib.suppress(OSError):  # gone meanwhile
        process = Path(f"/proc/{pid}")
        return (process / "comm").read_text().startswith("postgres") and process.stat().st_uid == uid
    return False


def _working_directories(home: ClusterHome, pids: list[int]) -> dict[int, str]:
    """The working directory of each process as device:inode; left out are those that are gone, and zombies.

    Root in a container usually lacks the right to look at another user's processes (CAP_SYS_PTRACE), so what is denied
    is asked again as the user whose processes they are.
    """
    found, denied = {}, []
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/cwd").stat()
            found[pid] = f"{status.st_dev}:{status.st_ino}"
        except PermissionError:
            denied.append(pid)
        except OSError:
            continue
    if denied and os.geteuid() == 0 and home.account.uid != 0:
        told = home.account.run("stat", "-L", "-c", "%n %d:%i", *(f"/proc/{pid}/cwd" for pid in denied)).stdout
        found |= {int(pid): directory for pid, directory in re.findall(r"^/proc/(\d+)/cwd (\d+:\d+)$", told, re.M)}
    return found


def _last_words(text: str) -> str:
    """The last lines that say what went wrong, without dates and process numbers."""
    lines = [re.sub(r"^[\d-]+ [\d:.]+ \S+ \[\d+\] ", "", line.strip()) for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|HINT|error|invalid|could not|denied|No space", line)]
    return "\n".join((telling or lines or ["(none)"])[-3:])
