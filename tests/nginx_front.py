"""Debian's nginx with `docs/nginx.conf` before a running service: only the ports and the folder of the cache differ."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import free_port

CONFIG = Path(__file__).parent.parent / "docs" / "nginx.conf"
AROUND = """
daemon off; pid {folder}/pid; error_log {folder}/error.log warn; worker_processes {workers}; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {config}
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """A running nginx: its address and its process."""

    url: str
    pid: int


@contextlib.contextmanager
def nginx_before(service: str, *, workers: int = 1) -> Iterator[Front]:
    """nginx with the project's configuration before the service at this address. Raises RuntimeError with its words."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="nginx-test-", dir="/tmp"))
    folder.chmod(0o755)
    config = CONFIG.read_text(encoding="utf-8")
    for theirs, ours in (
        ("server 127.0.0.1:8000;", f"server {service.removeprefix('http://')};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx/mapservice", f"{folder}/cache"),
    ):
        assert config.count(theirs) == 1, theirs
        config = config.replace(theirs, ours)
    user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
    whole = folder / "nginx.conf"
    whole.write_text(AROUND.format(folder=folder, config=config, user=user, workers=workers), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(whole), "-p", str(folder)], stderr=subprocess.PIPE)
    try:
        _until_it_answers(process, port)
        yield Front(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
            return
        time.sleep(0.05)
    process.terminate()
    assert process.stderr is not None
    raise RuntimeError(f"nginx did not start: {process.stderr.read().decode(errors='replace')}")
