"""Where the embedded cluster lives, and as which operating-system user its server runs.

PostgreSQL refuses to run as root, so root's cluster runs as the `postgres` user, which often can't enter root's
directories (a checkout under /root, a private temporary directory). Such a cluster lives in /var/lib/mapservice and a
small file in the data directory says where.
"""

import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postgis.cluster_config import PORT
from postgis.debian import Say
from postgis.unavailable import StoreUnavailableError

ELSEWHERE = Path("/var/lib/mapservice")
RECORD = "cluster.json"
_SHORT = Path("/tmp")  # not gettempdir(): TMPDIR may be long, which is the trouble to avoid
_SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, without the closing NUL


@dataclass(frozen=True)
class Account:
    """An operating-system user."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, in a session of its own so that Ctrl-C reaches only us. Never raises on failure.

        Output goes through a file, not a pipe: pg_ctl leaves a server behind that would hold a pipe open. Of our own
        environment it is told nothing.
        """
        me = os.geteuid()
        drop: dict[str, Any] = {} if me == self.uid else {"user": self.uid, "group": self.gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **environment},
                umask=0o077,
                start_new_session=True,
                **drop,
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read())


@dataclass(frozen=True)
class ClusterHome:
    """The directory of one embedded cluster: `data` (PGDATA), `log`, and usually the sockets."""

    data_dir: Path
    path: Path
    sockets: Path
    account: Account

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's data directory."""
        return self.path / "data"

    @property
    def log_dir(self) -> Path:
        """Where the server logs, one file per weekday."""
        return self.path / "log"

    def made_by(self) -> int | None:
        """Major version of PostgreSQL that made the cluster; None when there is none, or none that we may look at."""
        with contextlib.suppress(FileNotFoundError, PermissionError, ValueError):
            return int((self.pgdata / "PG_VERSION").read_text())
        return None


def own_account() -> Account:
    """The operating-system user this process runs as."""
    uid = os.geteuid()
    if (name := _user_name(uid)) is None:
        raise StoreUnavailableError(
            f"The operating-system user number {uid} has no name, which PostgreSQL needs. "
            "Add it to /etc/passwd or run the service as another user."
        )
    return Account(name, uid, os.getegid())


def server_account() -> Account:
    """The user the database server runs as: ourselves, or `postgres` when we are root."""
    me = own_account()
    if me.uid != 0:
        return me
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise StoreUnavailableError(
            "PostgreSQL will not run as root, and this machine has no user 'postgres' to run it as. "
            "Create one (adduser --system --group postgres), or run the service as an ordinary user."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def locate(data_dir: Path) -> ClusterHome | None:
    """The home of this data directory's cluster as far as it exists; changes nothing. For looking, not for starting."""
    record = _read_record(data_dir)
    path = Path(record.get("home", data_dir / "postgis"))
    if not path.is_dir():
        return None
    uid, gid = path.stat().st_uid, path.stat().st_gid
    sockets = Path(record.get("sockets", path / "run"))
    return ClusterHome(data_dir, path, sockets, Account(_user_name(uid) or f"number {uid}", uid, gid))


def establish(data_dir: Path, say: Say) -> ClusterHome:
    """The home of this data directory's cluster, its directories made where missing. Call under the start lock.

    Raises StoreUnavailableError when it belongs to another user, is gone, or is another directory's.
    """
    account = server_account()
    record = _read_record(data_dir)
    if "home" in record:
        path = Path(record["home"])
        _check_recorded(data_dir, path)
    else:
        path = _choose(data_dir, account, say)
        if path.parent == ELSEWHERE:
            _write_record(data_dir, home=str(path))
    _check_owner(data_dir, path, account)
    for directory in (path / "log", path / "run"):
        _make_private(directory, account)
    return ClusterHome(data_dir, path, _sockets(data_dir, path, account), account)


def forget(home: ClusterHome) -> None:
    """Delete a stopped cluster with all its data, and the note of where it was."""
    shutil.rmtree(home.path, ignore_errors=True)
    if home.sockets.parent == _SHORT:
        shutil.rmtree(home.sockets, ignore_errors=True)
    (home.data_dir / RECORD).unlink(missing_ok=True)


def abandoned() -> list[Path]:
    """Clusters kept elsewhere whose data directory no longer exists; what of them this user may see."""
    found = []
    with contextlib.suppress(OSError):
        for note in sorted(ELSEWHERE.glob("*/belongs-to")):
            if not Path(note.read_text(encoding="utf-8")).exists():
                found.append(note.parent)
    return found


def _choose(data_dir: Path, account: Account, say: Say) -> Path:
    path = data_dir / "postgis"
    if path.exists():
        return path
    _make_private(path, account)
    if account.run("test", "-w", str(path), "-a", "-x", str(path)).returncode == 0:
        return path
    path.rmdir()
    elsewhere = ELSEWHERE / secrets.token_hex(6)
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    _make_private(elsewhere, account)
    (elsewhere / "belongs-to").write_text(str(data_dir), encoding="utf-8")
    say(f"The user '{account.name}', who runs the database, can't enter {data_dir}: it is kept in {elsewhere}.")
    return elsewhere


def _check_recorded(data_dir: Path, path: Path) -> None:
    """A cluster kept elsewhere must still be there and still be ours: two data directories may not share one."""
    note = data_dir / RECORD
    if not path.is_dir():
        raise StoreUnavailableError(
            f"{note} says that the database is in {path}, but there is nothing. Put it back if it was moved; "
            f"to begin with an empty database instead, delete {note}."
        )
    belongs_to = path / "belongs-to"
    other = Path(belongs_to.read_text(encoding="utf-8")) if belongs_to.exists() else data_dir
    if other == data_dir:
        return
    if _read_record(other).get("home") == str(path):
        raise StoreUnavailableError(
            f"{data_dir} is a copy of {other}, and both point to the same database in {path}. "
            f"Delete {note} to give the copy an empty database of its own, or use a backup to copy the data."
        )
    belongs_to.write_text(str(data_dir), encoding="utf-8")  # the data directory was renamed or moved


def _check_owner(data_dir: Path, path: Path, account: Account) -> None:
    for place in (path, path / "data"):
        with contextlib.suppress(FileNotFoundError):
            if (uid := place.stat().st_uid) != account.uid:
                raise another_users(data_dir, uid, account.name)


def another_users(data_dir: Path, uid: int, wanted: str) -> StoreUnavailableError:
    """The refusal for a data directory whose files belong to someone else."""
    owner = _user_name(uid) or f"number {uid}"
    who = "root" if owner == "postgres" else owner
    return StoreUnavailableError(
        f"The database in {data_dir} belongs to the user '{owner}', but would now be run by '{wanted}'. "
        f"Start the service as {who}, as before, or set MAPSERVICE_DATA_DIR to another directory."
    )


def _sockets(data_dir: Path, path: Path, account: Account) -> Path:
    """A private directory for the socket whose path PostgreSQL and its clients can use."""
    inside = path / "run"
    name = os.fsencode(inside / f".s.PGSQL.{PORT}")
    # A comma would name two directories to PostgreSQL and two hosts to its clients; quotes would need escaping.
    if len(name) <= _SOCKET_PATH_LIMIT and not re.search(rb"[,'\"\\\n]", name):
        return inside
    if recorded := _read_record(data_dir).get("sockets"):
        with contextlib.suppress(FileExistsError):
            Path(recorded).mkdir(mode=0o700)  # cleaned away; the same again, since clients hold on to the address
            _give(Path(recorded), account)
        if _is_private(Path(recorded), account):
            return Path(recorded)
    made = Path(tempfile.mkdtemp(prefix="mapservice-", dir=_SHORT))
    _give(made, account)
    _write_record(data_dir, sockets=str(made))
    return made


def _is_private(path: Path, account: Account) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and stat.S_IMODE(status.st_mode) == 0o700


def _make_private(path: Path, account: Account) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    _give(path, account)


def _give(path: Path, account: Account) -> None:
    if os.geteuid() != account.uid:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _read_record(data_dir: Path) -> dict[str, str]:
    try:
        record: dict[str, str] = json.loads((data_dir / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise StoreUnavailableError(
            f"{data_dir / RECORD} can't be read: it must name the directory of the database, such as "
            f'{{"home": "{ELSEWHERE}/…"}}.'
        ) from None
    return record


def _write_record(data_dir: Path, **entries: str) -> None:
    temporary = data_dir / f"{RECORD}.new"
    temporary.write_text(json.dumps(_read_record(data_dir) | entries, indent=2) + "\n", encoding="utf-8")
    temporary.replace(data_dir / RECORD)
