"""The abstract tests of the OGC standards by their identifiers, and the README's table of them.

Each test of `tests/test_standards_*.py` names the abstract tests that it transcribes: `@CORE.test("root-op")`. The
table is made from these names, so that it says neither more nor less than what runs: `python -m tests.standards`
writes it.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

SPEC = "http://www.opengis.net/spec"
README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- standards: begin -->", "<!-- standards: end -->"
_Test = TypeVar("_Test", bound=Callable[..., Any])


@dataclass(eq=False)
class ConformanceClass:
    """A conformance class: its standard, its identifier below /conf/, and who tests what of it."""

    standard: str
    title: str
    uri: str
    not_tested: dict[str, str] = field(default_factory=dict)
    """Abstract tests without a test here, and why."""
    tests: dict[str, list[str]] = field(default_factory=dict)
    """The tests by the abstract tests that they transcribe."""

    def test(self, *names: str) -> Callable[[_Test], _Test]:
        """Marks a test as the transcription of these abstract tests of the class."""

        def mark(function: _Test) -> _Test:
            for name in names:
                self.tests.setdefault(name, []).append(f"{function.__module__}.{function.__name__}")
            return function

        return mark


CLASSES: list[ConformanceClass] = []


def conformance_class(standard: str, path: str, title: str, **not_tested: str) -> ConformanceClass:
    """A new conformance class; `path` as in `ogcapi-features-1/1.0/conf/core`."""
    left_out = {name.replace("_", "-"): reason for name, reason in not_tested.items()}
    found = ConformanceClass(standard, title, f"{SPEC}/{path}", left_out)
    CLASSES.append(found)
    return found


def conforms_to(client: httpx.Client) -> list[str]:
    """The conformance classes that the service declares."""
    found: list[str] = get(client, "/ogc/conformance").json()["conformsTo"]
    return found


def get(client: httpx.Client, address: str, accept: str = "application/json", /, **query: str) -> httpx.Response:
    """A successful GET in the media type that was asked for."""
    answer = client.get(address, params=query or None, headers={"Accept": accept})
    assert answer.status_code == 200, (address, query, answer.text[:500])
    assert media_type(answer) == accept.split(",")[0], (address, answer.headers["content-type"])
    return answer


def media_type(answer: httpx.Response) -> str:
    """The media type without its parameters."""
    return answer.headers.get("content-type", "").partition(";")[0].strip()


def links_of(document: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    """The links of a document with that relation."""
    return [link for link in document["links"] if link["rel"] == rel]


def table() -> str:
    """The table as it stands in the README: one row for each conformance class."""
    for path in sorted(Path(__file__).parent.glob("test_standards_*.py")):
        importlib.import_module(f"tests.{path.stem}")
    lines = ["| standard | conformance class | abstract tests that pass |", "|---|---|---|"]
    for found in sorted(CLASSES, key=lambda each: each.standard):
        names = ", ".join(found.tests)
        left_out = "".join(f"; not {name}: {reason}" for name, reason in found.not_tested.items())
        lines.append(f"| {found.standard} | {found.title} | {len(found.tests)}: {names}{left_out} |")
    return "\n".join(lines)


def written_table() -> str:
    """The table that the README has."""
    found = re.search(f"{re.escape(BEGIN)}\n(.*?)\n{re.escape(END)}", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"README.md has no {BEGIN}"
    return found[1]


def _write() -> None:
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(f"{BEGIN}\n{written_table()}\n", f"{BEGIN}\n{table()}\n"), encoding="utf-8")


if __name__ == "__main__":
    # By its own name: run as a script it would keep a second list of classes.
    importlib.import_module("tests.standards")._write()
