"""The house keeps its shape: where SQL, HTTP and words may stand, and how long a file may get."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("mapservice", "layers", "ingest", "web", "postgis")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s.+\sSET|DELETE\s+FROM|CREATE\s+(TABLE|VIEW))\b", re.S)
VIETNAMESE = re.compile("[ăâđêôơưàảãạáằẳẵặắầẩẫậấèẻẽẹéềểễệếìỉĩịíòỏõọóồổỗộốờởỡợớùủũụúừửữựứỳỷỹỵý]", re.I)


def _strings(path: Path) -> list[tuple[int, str]]:
    """String literals that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                documentation.add(statement.value)
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_subject(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 330, f"{lines} lines: look for the seam"


def test_sql_stands_only_in_postgis_and_layers() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] not in ("postgis", "layers")
        for line, text in _strings(path)
        if SQL.search(text)
    ]
    assert not found


def test_words_for_people_stand_only_in_web_and_ingest() -> None:
    # app.py names the product in OpenAPI, cli.py in its help.
    allowed = {ROOT / "mapservice" / "app.py", ROOT / "mapservice" / "cli.py"}
    # Comments on tables name the Vietnamese term for whoever reads the catalogue.
    allowed |= set((ROOT / "postgis" / "tables").glob("*.py"))
    found = [
        f"{path.relative_to(ROOT)}:{line} {text[:40]!r}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] in ("mapservice", "layers", "postgis") and path not in allowed
        for line, text in _strings(path)
        if VIETNAMESE.search(text)
    ]
    assert not found


def test_engines_are_made_in_one_place() -> None:
    found = [path for path in FILES if re.search(r"\bcreate_engine\(", path.read_text(encoding="utf-8"))]
    assert found == [ROOT / "postgis" / "engine.py"]


def test_migrations_have_unique_numbers_in_a_row() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "postgis" / "migrations" / "versions").glob("*.py"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_lock_file_names_an_index() -> None:
    for path in [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]:
        assert not re.search(r"(https?|file)://", path.read_text(encoding="utf-8")), path


def test_pages_call_no_outside_host() -> None:
    outside = re.compile(r"""(?:src|srcset|action)=["']https?://|url\(["']?https?://|<link[^>]+href=["']https?://""")
    found = []
    for folder in ("templates", "static/css", "static/js"):
        for path in (ROOT / "web" / folder).rglob("*"):
            if path.is_file() and outside.search(path.read_text(encoding="utf-8")):
                found.append(path.relative_to(ROOT))
    assert not found


def test_docker_compose_file_is_right() -> None:
    """No Docker engine runs here: the file is checked, not run."""
    command = _compose_command()
    done = subprocess.run([*command, "config"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "postgis/postgis" in done.stdout and "readyz" in done.stdout


def _compose_command() -> list[str]:
    for command in (["docker", "compose"], ["docker-compose"]):
        try:
            if subprocess.run([*command, "version"], capture_output=True, timeout=60, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            continue
    pytest.fail("Neither `docker compose` nor docker-compose is here: apt-get install docker-compose")
