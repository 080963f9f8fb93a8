"""Find PostgreSQL with PostGIS on this machine, or install it from Debian's (or Ubuntu's) packages.

Installing never makes or starts a cluster: Debian's server package would otherwise create one called `main`, on TCP
port 5432, that nobody asked for.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from postgis.unavailable import StoreUnavailableError

OLDEST_MAJOR = 15
REQUIRED_EXTENSIONS = ("postgis", "unaccent", "pg_trgm", "btree_gist")
SERVER_PROGRAMS = ("initdb", "pg_ctl", "postgres")

_NO_MAIN_CLUSTER = "/etc/postgresql-common/createcluster.d/mapservice.conf"
_APT_LISTS_LOCK_WAIT = 300  # seconds another apt may keep us waiting; dpkg's own lock is waited for by apt itself
_APT = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """One installed PostgreSQL server: its major version, where its programs are, which extensions it lacks."""

    major: int
    bin_dir: Path
    missing: tuple[str, ...]

    def program(self, name: str) -> str:
        """Path of one of its programs, such as `pg_ctl`."""
        return str(self.bin_dir / name)


def installed_servers() -> list[Server]:
    """Every PostgreSQL server on this machine that is new enough, newest first, complete ones before incomplete."""
    candidates = list(Path("/usr/lib/postgresql").glob("*/bin"))
    candidates += _bin_dirs_on_path()
    servers = {server.bin_dir: server for path in candidates if (server := _server_at(path.resolve())) is not None}
    return sorted(servers.values(), key=lambda server: (not server.missing, server.major), reverse=True)


def find_server(major: int | None = None) -> Server | None:
    """The newest complete server (or the one of this major version), None when there is none."""
    for server in installed_servers():
        if not server.missing and major in (None, server.major):
            return server
    return None


def ensure_server(say: Say, major: int | None = None) -> Server:
    """The server to use, installed from packages first when it is missing.

    `major` asks for one version, because a data directory can only be read by the version that made it.
    Raises StoreUnavailableError with the exact command when this process may not install packages.
    """
    if (server := find_server(major)) is not None:
        return server
    packages = _packages_wanted(major)
    if _privilege() is None:
        raise StoreUnavailableError(
            "PostgreSQL with PostGIS is not installed, and this user may not install packages without a password.\n"
            f"Run: {install_command(packages)}"
        )
    if not packages:
        _apt_update(say)
        packages = _packages_wanted(major)
    if not packages:
        wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
        raise StoreUnavailableError(
            f"This machine's package sources offer no PostGIS for {wanted}. Use Debian 12 or Ubuntu 24.04 (or newer), "
            "or set MAPSERVICE_DATABASE_URL to a PostGIS server."
        )
    say(f"PostGIS is not installed: installing {' '.join(packages)} (a few minutes, once) ...")
    _install(packages, say)
    server = find_server(major)
    if server is None:
        raise StoreUnavailableError(
            f"The packages {' '.join(packages)} were installed, but no complete PostGIS server was found. "
            f"Look at: ls /usr/lib/postgresql. Missing: {describe_missing() or 'the server programs'}."
        )
    say(f"PostgreSQL {server.major} with PostGIS is installed.")
    return server


def may_install(major: int) -> bool:
    """Whether this version is on offer, by the package lists as they are, and this user may install it."""
    return _privilege() is not None and shutil.which("apt-cache") is not None and bool(_packages_wanted(major))


def describe_missing() -> str:
    """What the installed servers lack, for people; empty when no server is installed or nothing is missing."""
    return "; ".join(f"PostgreSQL {s.major} lacks {', '.join(s.missing)}" for s in installed_servers() if s.missing)


def install_command(packages: Sequence[str] = ()) -> str:
    """The command a person can type to install what is missing."""
    prefix = "" if os.geteuid() == 0 else "sudo "
    names = " ".join(packages) or "postgresql-postgis"
    return f"{prefix}apt-get update && {prefix}apt-get install -y {names}"


def _bin_dirs_on_path() -> Iterator[Path]:
    if (pg_config := shutil.which("pg_config")) and (answer := _output(pg_config, "--bindir")):
        yield Path(answer)
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent


def _server_at(bin_dir: Path) -> Server | None:
    if not all((bin_dir / name).exists() for name in SERVER_PROGRAMS):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", _output(str(bin_dir / "postgres"), "--version"))
    if match is None or int(match[1]) < OLDEST_MAJOR:
        return None
    share_dir = _output(str(bin_dir / "pg_config"), "--sharedir") or f"/usr/share/postgresql/{match[1]}"
    control_files = Path(share_dir) / "extension"
    missing = tuple(name for name in REQUIRED_EXTENSIONS if not (control_files / f"{name}.control").exists())
    return Server(int(match[1]), bin_dir, missing)


def _packages_wanted(major: int | None) -> list[str]:
    """Package names that complete an installed server, else those of the newest one on offer; empty: none known."""
    if shutil.which("apt-cache") is None:
        raise StoreUnavailableError(
            "PostgreSQL with PostGIS is not installed, and this is not a Debian or Ubuntu machine, so it can't be "
            f"installed from here. Install PostgreSQL {OLDEST_MAJOR} or newer with {', '.join(REQUIRED_EXTENSIONS)}, "
            "or set MAPSERVICE_DATABASE_URL to a PostGIS server."
        )
    listing = _output("apt-cache", "search", "--names-only", r"^postgresql-[0-9]+-postgis-3$")
    offered = sorted({int(found) for found in re.findall(r"^postgresql-(\d+)-postgis-3 ", listing, re.M)}, reverse=True)
    offered = [version for version in offered if version >= OLDEST_MAJOR and major in (None, version)]
    present = [server.major for server in installed_servers()]
    for version in [*(v for v in offered if v in present), *offered]:
        if _has_candidate(f"postgresql-{version}-postgis-3"):
            contrib = f"postgresql-contrib-{version}"  # part of the server package on Debian 10 and later
            return [f"postgresql-{version}-postgis-3", *([contrib] if _has_candidate(contrib) else [])]
    return []


def _has_candidate(package: str) -> bool:
    candidate = re.search(r"Candidate: (\S+)", _output("apt-cache", "policy", package))
    return candidate is not None and candidate[1] != "(none)"


def _install(packages: Sequence[str], say: Say) -> None:
    with _no_main_cluster():
        done = _as_root(*_APT, "--no-install-recommends", "install", *packages)
        if done.returncode and "dpkg --configure -a" in done.stdout:
            say("An earlier installation was interrupted: finishing it first ...")
            _as_root("dpkg", "--force-confold", "--configure", "-a")
            done = _as_root(*_APT, "--no-install-recommends", "install", *packages)
        if done.returncode:  # most often package lists that are older than the archive
            _apt_update(say)
            done = _as_root(*_APT, "--no-install-recommends", "install", *packages)
    if done.returncode:
        raise StoreUnavailableError(
            f"Installing {' '.join(packages)} failed. Run it by hand to see why: {install_command(packages)}\n"
            f"apt-get's last words: {_last_words(done.stdout)}"
        )


def _apt_update(say: Say) -> None:
    say("Reading the package lists (apt-get update) ...")
    deadline = time.monotonic() + _APT_LISTS_LOCK_WAIT
    while True:
        done = _as_root(*_APT, "update")
        if done.returncode == 0:
            return
        if "Could not get lock" not in done.stdout or time.monotonic() > deadline:
            break
        time.sleep(2)
    raise StoreUnavailableError(
        "The package lists can't be read: is the machine connected to its package sources?\n"
        f"apt-get's last words: {_last_words(done.stdout)}"
    )


@contextlib.contextmanager
def _no_main_cluster() -> Iterator[None]:
    """While packages are configured, tell Debian's server package not to create its `main` cluster."""
    directory = os.path.dirname(_NO_MAIN_CLUSTER)  # noqa: PTH120 - a plain string for the shell
    _as_root("sh", "-c", f"mkdir -p {directory} && echo 'create_main_cluster = false' > {_NO_MAIN_CLUSTER}")
    try:
        yield
    finally:
        _as_root("sh", "-c", f"rm -f {_NO_MAIN_CLUSTER}; rmdir {directory} 2>/dev/null || true")


def _privilege() -> tuple[str, ...] | None:
    """What to put before a command to run it as root; None when this user can't without typing a password."""
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ("sudo", "-n")
    return None


def _as_root(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as root in a session of its own, and let it finish even when we are told to stop.

    A package installation cut short by Ctrl-C leaves dpkg half configured, which a person would have to repair.
    """
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a", "LC_ALL=C.UTF-8"]
    process = subprocess.Popen(
        [*(_privilege() or ()), *environment, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        process.communicate()
        raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def _output(*command: str) -> str:
    """Standard output of a quick command, empty when it fails or doesn't exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _last_words(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.startswith(("E:", "dpkg: error"))]
    return " ".join(lines[-3:]) or output.strip()[-300:]
