"""Calls the whole API at random, as anybody and as an officer who writes: no 5xx, no status or form that is not told.

    .venv/bin/python -m tests.benchmarks.schemathesis_run [--calls 20000]

Starts a service of its own on a new database with the demo sample and throws both away. Prints the counts by status and
what failed; exit 1 when anything did. The suite runs a small share of it (tests/test_schemathesis.py).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from layers.collections import STAFF_COLLECTIONS
from tests.conftest import Service, start_service, stop_service

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
)  # fmt: skip
OPERATIONS = 62
"""About how many the API has: what `--calls` is shared among."""
WARD = "20257"


@dataclass
class Tried:
    """What came back from a run."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(self.counts.values())

    def by_status(self) -> dict[str, int]:
        """Calls by status."""
        found: Counter[str] = Counter()
        for name, count in self.counts.items():
            found[name.rsplit(" ", 1)[1]] += count
        return dict(sorted(found.items()))


def try_all(
    url: str, examples: int, *, token: str | None = None, seed: int | None = None, phases: str = "coverage,fuzzing"
) -> Tried:
    """Calls every operation at random, about `examples` times each; `coverage` adds the odd ones, some hundred each."""
    folder = Path(tempfile.mkdtemp(prefix="schemathesis-"))
    try:
        tried = folder / "tried.json"
        tried.write_text(json.dumps({"codes": _codes(url, token)}), encoding="utf-8")
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.benchmarks.schemathesis_hooks",
            "MAPSERVICE_TRIED": str(tried),
            "MAPSERVICE_CALLS": str(folder / "calls.json"),
        }
        command = [
            str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/ogc/api?f=json", "--url", url,
            "--checks", ",".join(CHECKS), "--phases", phases, "--max-examples", str(examples),
            "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off",
            "--report", "junit", "--report-junit-path", str(folder / "report.xml"), "--request-timeout", "60",
            *(["--header", f"Authorization: Bearer {token}"] if token else []),
            *(["--seed", str(seed)] if seed is not None else []),
        ]  # fmt: skip
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=_ROOT)
        counted = folder / "calls.json"
        counts = Counter(json.loads(counted.read_text(encoding="utf-8"))) if counted.exists() else Counter()
        failures = [] if done.returncode == 0 else [done.stdout[-20_000:] + done.stderr[-4_000:]]
        return Tried(counts, failures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_ROOT = Path(__file__).parent.parent.parent


def _codes(url: str, token: str | None) -> dict[str, list[str]]:
    """Codes that exist: of records, of proposals' receipts."""
    found: dict[str, list[str]] = {}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for collection in STAFF_COLLECTIONS:
            page = client.get(f"/ogc/collections/{collection}/items", params={"limit": "40"})
            if page.status_code == 200:
                found[collection] = [feature["id"] for feature in page.json()["features"]]
        if token:
            body = {"collection": "establishments", "patch": {"name": "Thử"}, "reason": "thử"}
            for code in found.get("establishments", [])[:5]:
                made = client.post("/proposals", json={**body, "id": code})
                if made.status_code == 201:
                    found.setdefault("receipts", []).append(made.json()["receipt"])
    return {kind: codes for kind, codes in found.items() if codes}


def officer_token(service: Service) -> str:
    """The bearer token of an officer of the ward, made by the commands."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSERVICE_")}
    environment["MAPSERVICE_DATA_DIR"] = str(service.data_dir)

    def run(*arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "mapservice.cli", *arguments]
        done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("staff", "add", "tester", "--role", "officer", "--ward", WARD, "--password-stdin", given="mot-hai-ba-bon-nam\n")
    return run("token", "tester", "--days", "2").splitlines()[-1].split()[-1]


def main() -> int:
    """Runs it all and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--sample", default="demo")
    wanted = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="mapservice-schemathesis-"))
    root.chmod(0o755)
    whole = Tried()
    try:
        service = start_service(root / "data", MAPSERVICE_SAMPLE=wanted.sample)
        try:
            tokens = [None, officer_token(service)]
            turn = 0
            while whole.calls < wanted.calls and not whole.failures:
                left = wanted.calls - whole.calls
                examples = max(20, left // OPERATIONS // 2)
                done = try_all(service.url, examples, token=tokens[turn % 2], seed=turn)
                whole.counts += done.counts
                whole.failures += done.failures
                turn += 1
                print(f"turn {turn}: {done.calls} calls, {whole.calls} in all", file=sys.stderr, flush=True)
        finally:
            stop_service(service)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(json.dumps({"calls": whole.calls, "by_status": whole.by_status(), "failed": len(whole.failures)}, indent=1))
    for failure in whole.failures:
        print(failure)
    return 1 if whole.failures else 0


if __name__ == "__main__":
    sys.exit(main())
