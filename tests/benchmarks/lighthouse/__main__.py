"""Lighthouse on the look-up page: performance, accessibility, best practices, first contentful paint.

    .venv/bin/python -m tests.benchmarks.lighthouse                              every variant, both networks
    .venv/bin/python -m tests.benchmarks.lighthouse --only good,warned --runs 1  a look

On the demo's register, with Debian's Chromium and a telephone's processor (a quarter of this one), over two simulated
networks. Lighthouse charges each with four round trips before the first byte: two for the name, one to connect, one to
ask; what a page can do about it begins after that. Its 185 MB are installed once in MAPSERVICE_BENCH_DIR (.bench).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.bed import folder
from tests.benchmarks.lookup import settle
from tests.benchmarks.lookup_variants import variants
from tests.conftest import start_service, stop_service

HERE = Path(__file__).parent
SETUP = str(Path(__file__).parents[3] / "scripts/setup.sh")
NETWORKS = {"300 ms, 700 kbit/s": (300, 700), "400 ms, 400 kbit/s": (400, 400)}
"""Round trip and throughput: what Lighthouse calls regular 3G, and one that is slower still."""
ROUND_TRIPS = 4
CATEGORIES = ("performance", "accessibility", "best-practices")
TIMES = {"FCP": "first-contentful-paint", "LCP": "largest-contentful-paint", "TBT": "total-blocking-time"}
LEAST_PERFORMANCE, MOST_FCP_MS = 95, 1_500
PATIENCE_S = 180


def measure(wanted: Sequence[str], runs: int) -> list[dict[str, Any]]:
    """A row for each page and network: the median of so many runs. Raises RuntimeError where Lighthouse fails."""
    program = _installed()
    with ExitStack() as stack:
        root = Path(f"/tmp/mapservice-bench-{os.getpid()}")
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.mkdir(mode=0o755)
        service = start_service(root / "data", MAPSERVICE_SAMPLE="demo")
        stack.callback(stop_service, service)
        pages = variants(root / "data")
        settle(root / "data")
        _run(program, f"{service.url}/q", *next(iter(NETWORKS.values())))  # what starts for the first time is slow
        rows = []
        for name in wanted or pages:
            for lang in ("vi", "en"):
                path = pages[name] if lang == "vi" else f"{pages[name]}{'&' if '?' in pages[name] else '?'}lang=en"
                for network, (rtt, kbps) in NETWORKS.items():
                    found = [_run(program, f"{service.url}{path}", rtt, kbps) for _ in range(runs)]
                    rows.append({"page": name, "lang": lang, "network": network, "rtt": rtt, **_middle(found)})
                    print(_line(rows[-1]), file=sys.stderr)
    return rows


def _installed() -> str:
    """The program, as the lock file beside this pins it."""
    place = folder() / "lighthouse"
    program, lock = place / "node_modules/.bin/lighthouse", HERE / "package-lock.json"
    stamp = place / "installed.json"
    if not program.exists() or not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        place.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place)
        command = [SETUP, "with-node", "npm", "ci", "--prefix", str(place), "--silent", "--no-audit", "--no-fund"]
        subprocess.run(command, check=True)
        shutil.copy(lock, stamp)
    return str(program)


def _run(program: str, address: str, rtt: int, kbps: int) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [
            SETUP, "with-node", program, address, "--quiet", "--output=json", f"--output-path={file.name}",
            f"--only-categories={','.join(CATEGORIES)}", "--form-factor=mobile", "--throttling-method=simulate",
            f"--throttling.rttMs={rtt}", f"--throttling.throughputKbps={kbps}", "--throttling.cpuSlowdownMultiplier=4",
            "--ignore-status-code", "--chrome-flags=--headless=new --no-sandbox",
        ]  # fmt: skip
        environment = {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(f"lighthouse failed at {address}: {done.stderr[-2000:]}")
        said = json.loads(Path(file.name).read_text())
    scores = {name: round(100 * (said["categories"][name]["score"] or 0)) for name in CATEGORIES}
    times = {short: said["audits"][name]["numericValue"] for short, name in TIMES.items()}
    asked = {each["id"] for name in CATEGORIES[1:] for each in said["categories"][name]["auditRefs"] if each["weight"]}
    failed = sorted(name for name in asked if said["audits"][name]["score"] not in (1, None))
    network = said["audits"]["network-requests"]["details"]["items"]
    return {**scores, **times, "failed": failed, "requests": len(network),
            "bytes": sum(each["transferSize"] for each in network)}  # fmt: skip


def _middle(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    figures = (*CATEGORIES, *TIMES, "requests", "bytes")
    return {name: statistics.median(each[name] for each in found) for name in figures} | {"failed": found[0]["failed"]}


def _line(row: dict[str, Any]) -> str:
    scores = "".join(f"{row[name]:6.0f}" for name in CATEGORIES)
    times = f"{row['FCP']:8.0f}{row['LCP']:8.0f}{row['TBT']:6.0f}{row['FCP'] - ROUND_TRIPS * row['rtt']:8.0f}"
    asked = f"{row['bytes']:8.0f} {row['requests']:.0f} {' '.join(row['failed'])}"
    return f"{row['page']:18}{row['lang']:4}{row['network']:20}{scores}{times}{asked}"


def report(rows: Sequence[dict[str, Any]]) -> None:
    """The same for people, with the goals."""
    print(f"\n{'page':18}{'':4}{'network':20}{'perf':>6}{'a11y':>6}{'best':>6}{'FCP ms':>8}{'LCP':>8}{'TBT':>6}"
          f"{'- trips':>8}{'bytes':>8} requests")  # fmt: skip
    for row in rows:
        print(_line(row))
    for network in NETWORKS:
        there = [row for row in rows if row["network"] == network]
        print(f"\n{network}")
        for goal, value, holds in (
            (f"performance at least {LEAST_PERFORMANCE}", least := min(row["performance"] for row in there),
             least >= LEAST_PERFORMANCE),
            ("accessibility 100", least := min(row["accessibility"] for row in there), least == 100),
            (f"first contentful paint at most {MOST_FCP_MS} ms", most := max(row["FCP"] for row in there),
             most <= MOST_FCP_MS),
        ):  # fmt: skip
            print(f"{'holds' if holds else 'FALLS SHORT':12}{goal}: {value:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="some of the pages")
    parser.add_argument("--runs", type=int, default=3, help="of each, of which the median counts")
    given = parser.parse_args()
    report(measure(given.only, given.runs))
