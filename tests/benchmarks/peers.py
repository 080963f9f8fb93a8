"""The other servers: set up outside our lock files, started beside ours on the same PostGIS server, ended again.

`MAPSERVICE_BENCH_DIR` (`.bench`) keeps their Python environments and configuration. Their own releases are pinned, what
they depend on is not.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import peer_config
from tests.benchmarks.peer_config import Ports, Store
from tests.benchmarks.register_rows import SCHEMA
from tests.conftest import free_port

ENVIRONMENTS = {
    "tipg": ("tipg==1.6.1", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0"),
    "pygeoapi": ("pygeoapi==0.21.0", "gunicorn==27.0.1", "psycopg2-binary==2.9.13", "geoalchemy2", "sqlalchemy"),
}
PROGRAMS = {"wrk": "wrk", "nginx": "nginx", "/usr/lib/cgi-bin/mapserv": "cgi-mapserver"}
"""What is run, and the Debian package that has it."""
_PATIENCE = 60  # seconds for one of them to answer
_HERE = Path(__file__).parent


class PeersMissing(Exception):
    """Something that the benchmark needs is not on this machine; the message says what and how to get it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test. `paths` are templates: tile `{z}` `{x}` `{y}`, page `{bbox}`, one `{id}`, whole."""

    name: str
    base: str
    pid: int
    paths: Mapping[str, str]
    headers: str | None = None


def check() -> None:
    """Raises PeersMissing when a program is not there."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        raise PeersMissing(
            f"The benchmark needs {', '.join(missing)}.\n"
            f"Run: apt-get install --no-install-recommends {' '.join(missing)}"
        )


def install(folder: Path) -> None:
    """Makes the Python environments that are missing. Raises PeersMissing when pip cannot."""
    for name, packages in ENVIRONMENTS.items():
        environment = folder / name
        stamp = environment / "packages"
        if stamp.is_file() and stamp.read_text() == "\n".join(packages):
            continue
        print(f"· Installing {packages[0]} into {environment}")
        if not (environment / "bin/pip").is_file():
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeersMissing(f"{packages[0]} cannot be installed:\n{done.stderr[-1000:]}")
        stamp.write_text("\n".join(packages))


@contextmanager
def running(folder: Path, store: Store, left_out: re.Pattern[str]) -> Iterator[dict[str, Peer]]:
    """All but those left out started and answering, and nginx, which also fronts MapServer; by name."""
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    conf = folder / "conf"
    peer_config.write(conf, store, ports, as_root=os.geteuid() == 0)
    with ExitStack() as stack:
        starter = _Starter(stack, conf)
        wanted: dict[str, Callable[[str], Peer]] = {
            "tipg 1w": partial(_tipg, starter, folder, store, ports.tipg, 1),
            "tipg 2w": partial(_tipg, starter, folder, store, ports.tipg_two, 2),
            "pygeoapi 2w, patched": partial(_pygeoapi, starter, folder, conf, ports.pygeoapi),
            "MapServer 2p": partial(_mapserver, starter, conf, ports.nginx),
        }
        found = [start(name) for name, start in wanted.items() if not left_out.search(name)]
        front = starter.start("nginx", ["nginx", "-c", str(conf / "nginx.conf"), "-p", str(conf)])
        found.append(Peer("nginx static", f"http://127.0.0.1:{ports.nginx}", front, {}))
        for peer in found:
            if peer.paths:
                wait(peer.base + peer.paths["tile"].format(z=14, x=0, y=0))
        yield {peer.name: peer for peer in found}


class _Starter:
    """Starts servers, each with a log of its own, and ends them with the stack."""

    def __init__(self, stack: ExitStack, conf: Path) -> None:
        self.stack = stack
        self.conf = conf

    def start(self, name: str, command: Sequence[str], **environment: str) -> int:
        """Starts a command in a session of its own; returns its process id."""
        log = self.stack.enter_context((self.conf / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            list(command), env={**os.environ, **environment}, cwd=_HERE, stdout=log, stderr=log, start_new_session=True
        )
        self.stack.callback(_end, process)
        return process.pid


def _tipg(starter: _Starter, folder: Path, store: Store, port: int, workers: int, name: str) -> Peer:
    places = f"/collections/{SCHEMA}.places"
    pid = starter.start(
        name.replace(" ", "-"),
        [
            str(folder / "tipg/bin/uvicorn"), "tipg.main:app", "--port", str(port), "--workers", str(workers),
            "--log-level", "warning", "--no-access-log",
        ],
        DATABASE_URL=f"postgresql://{store.user}@{store.sockets.replace('/', '%2F')}:{store.port}/{store.database}",
        TIPG_DB_SCHEMAS=f'["{SCHEMA}"]',
        TIPG_DB_TABLES=f'["{SCHEMA}.places_3857","{SCHEMA}.places_4326"]',
        TIPG_TILE_BUFFER="64",
        TIPG_MAX_FEATURES_PER_TILE="100000",
        TIPG_MAX_FEATURES_PER_QUERY="100000",
    )  # fmt: skip
    return Peer(
        name,
        f"http://127.0.0.1:{port}",
        pid,
        {
            "tile": f"{places}_3857/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}",
            "page": f"{places}_4326/items?limit=100&bbox={{bbox}}&f=geojson",
            "one": f"{places}_4326/items/{{id}}?f=geojson",
            "whole": f"{places}_4326/items?limit={{count}}&f=geojson",
        },
    )


def _pygeoapi(starter: _Starter, folder: Path, conf: Path, port: int, name: str) -> Peer:
    bin_dir = folder / "pygeoapi/bin"
    settings = {"PYGEOAPI_CONFIG": str(conf / "pygeoapi.yml"), "PYGEOAPI_OPENAPI": str(conf / "openapi.yml")}
    described = [
        str(bin_dir / "pygeoapi"), "openapi", "generate", str(conf / "pygeoapi.yml"),
        "--output-file", str(conf / "openapi.yml"),
    ]  # fmt: skip
    subprocess.run(described, env={**os.environ, **settings}, check=True, capture_output=True)
    pid = starter.start(
        "pygeoapi",
        [
            str(bin_dir / "gunicorn"), "-w2", "-kgthread", "--threads=8", f"-b127.0.0.1:{port}", "--log-level=error",
            "pygeoapi_patch:APP",
        ],
        **settings,
    )  # fmt: skip
    return Peer(
        name,
        f"http://127.0.0.1:{port}",
        pid,
        {
            "tile": "/collections/places/tiles/WebMercatorQuad/{z}/{y}/{x}?f=mvt",
            "page": "/collections/places/items?limit=100&bbox={bbox}&f=json",
            "one": "/collections/places/items/{id}?f=json",
            "whole": "/collections/places/items?limit={count}&f=json",
        },
    )


def _mapserver(starter: _Starter, conf: Path, port: int, name: str) -> Peer:
    script, sockets = _HERE / "fastcgi_workers.py", conf / "mapserver.sock"
    pid = starter.start(
        "mapserver",
        [sys.executable, str(script), str(sockets), "2", "/usr/lib/cgi-bin/mapserv"],
        MAPSERVER_CONFIG_FILE=str(conf / "mapserver.conf"),
    )
    return Peer(
        name,
        f"http://127.0.0.1:{port}",
        pid,
        {
            "tile": "/ms/{z}/{x}/{y}",
            "page": "/ogc/collections/places/items?limit=100&bbox={bbox}&f=json",
            "one": "/ogc/collections/places/items/{id}?f=json",
            "whole": "/wfs?service=WFS&version=2.0.0&request=GetFeature&typenames=places&outputformat=geojson"
            "&count={count}&srsname=EPSG:4326",
        },
    )


def wait(address: str) -> None:
    """Until something answers there, whatever it says. Raises PeersMissing after a minute."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise PeersMissing(f"Nothing answers at {address}; look at the logs in the benchmark's folder.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a server with all its processes: it leads a session of its own."""
    if process.poll() is None:
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
