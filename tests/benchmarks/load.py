"""A few seconds of load, what came back and what it cost: wrk for HTTP, pgbench for SQL."""

import http.client
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PATHS_SCRIPT = Path(__file__).with_name("cycle_paths.lua")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a few seconds found.

    `cpu_ms` is the time on the processor per answer, of the server with all its processes and of PostgreSQL together;
    `server_cores` and `database_cores` the cores each kept busy; `pss_mb` the server's memory after the run.
    `first_byte_ms` is only known of downloads.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    bytes: float
    errors: int
    server_cores: float = 0.0
    database_cores: float = 0.0
    pss_mb: float = 0.0
    first_byte_ms: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """Processor time per answer, in milliseconds."""
        return (self.server_cores + self.database_cores) * 1000 / self.per_second if self.per_second else 0.0


def http_load(
    base: str, paths: Sequence[str], *, seconds: int, connections: int, header: str | None, server: int, database: int
) -> Measured:
    """`wrk` with two threads over `paths` in turn; `server` and `database` are the process ids whose trees are watched.

    An answer that is neither 2xx nor 3xx counts as an error. Raises RuntimeError when wrk itself fails.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as listed:
        listed.write("\n".join(paths) + "\n")
        listed.flush()
        environment = {**os.environ, "BENCH_PATHS": listed.name}
        if header is not None:
            environment["BENCH_HEADER"] = header
        command = [
            "wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(PATHS_SCRIPT), base,
        ]  # fmt: skip
        before = processor_seconds(server), processor_seconds(database)
        # In a session of its own: a session is scheduled as a group, and no server may share its turns with wrk.
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, start_new_session=True
        )
        after = processor_seconds(server), processor_seconds(database)
    line = done.stdout.rpartition("JSON ")[2]
    if done.returncode or not line.startswith("{"):
        raise RuntimeError(f"wrk failed for {base}: {done.stderr or done.stdout}")
    said = json.loads(line)
    return Measured(
        per_second=said["requests"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        bytes=said["bytes"] / max(1, said["requests"]),
        errors=said["broken"] + said["refused"],
        server_cores=(after[0] - before[0]) / said["seconds"],
        database_cores=(after[1] - before[1]) / said["seconds"],
        pss_mb=memory_mb(server),
    )


def download_load(base: str, path: str, *, seconds: int, server: int, database: int) -> Measured:
    """Downloads one long answer after the other, at least one, over one connection that is made anew each time.

    For answers that take seconds, of which wrk would finish none in a short run.
    """
    address = urlsplit(base)
    whole: list[float] = []
    first: list[float] = []
    received = errors = 0
    before = processor_seconds(server), processor_seconds(database)
    began = time.perf_counter()
    while not whole or time.perf_counter() - began < seconds:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        started = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        received += len(answer.read(1))
        first.append(time.perf_counter() - started)
        while piece := answer.read(1 << 18):
            received += len(piece)
        whole.append(time.perf_counter() - started)
        errors += answer.status != 200
        connection.close()
    elapsed = time.perf_counter() - began
    after = processor_seconds(server), processor_seconds(database)
    return Measured(
        per_second=len(whole) / elapsed,
        p50_ms=statistics.median(whole) * 1000,
        p99_ms=max(whole) * 1000,
        bytes=received / len(whole),
        errors=errors,
        server_cores=(after[0] - before[0]) / elapsed,
        database_cores=(after[1] - before[1]) / elapsed,
        pss_mb=memory_mb(server),
        first_byte_ms=statistics.median(first) * 1000,
    )


def sql_load(
    program: str, address: Sequence[str], script: str, *, seconds: int, clients: int, database: int
) -> Measured:
    """`pgbench` with prepared statements over `script`; its mean latency stands as the median, there is no p99."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [program, *address, "-n", "-Mprepared", f"-c{clients}", "-j2", f"-T{seconds}", "-f", file.name]
        before = processor_seconds(database)
        done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
        busy = processor_seconds(database) - before
    rate, latency = (re.search(pattern, done.stdout) for pattern in (r"tps = ([\d.]+)", r"latency average = ([\d.]+)"))
    if rate is None or latency is None:
        raise RuntimeError(f"pgbench failed: {done.stderr or done.stdout}")
    return Measured(float(rate[1]), float(latency[1]), 0.0, 0.0, 0, database_cores=busy / seconds)


def process_tree(root: int) -> list[int]:
    """The process and all that it started that still run; nothing for 0."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root] if root else []
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, ()))
    return found


def processor_seconds(root: int) -> float:
    """Time on the processor of a process tree so far, ended children included."""
    return sum(_ticks(process_tree(root))) / _TICKS


def _ticks(pids: Iterable[int]) -> Iterable[int]:
    for pid in pids:
        if fields := _stat(pid):
            yield sum(map(int, fields[11:15]))  # user and system, its own and those of children that have ended


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty when the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def memory_mb(root: int) -> float:
    """Proportional set size of a process tree in MB: shared pages count by their share."""
    kilobytes = 0
    for pid in process_tree(root):
        try:
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        kilobytes += int(found[1]) if found else 0
    return kilobytes / 1024
