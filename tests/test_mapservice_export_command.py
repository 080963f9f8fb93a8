"""`mapservice export`: files that GDAL (and Arrow) read back with what the page holds, whole or not at all."""

import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from layers.formats import FORMATS
from mapservice import export_command
from mapservice.cli import main
from postgis.engine import Database

FILTERS = ("sector_group=lodging", "ward=20257")
Run = Callable[..., int]


@pytest.fixture
def run(demo_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setattr(export_command, "open_database", lambda _store: nullcontext(demo_database))
    monkeypatch.setenv("MAPSERVICE_DATA_DIR", str(tmp_path))
    return lambda *arguments: main(["export", "establishments", *map(str, arguments)])


def _codes(path: Path) -> list[str]:
    """As GDAL's own command reads them; of GeoParquet, which Debian's GDAL does not know, as Arrow does."""
    if path.suffix == ".parquet":
        found: list[str] = pq.read_table(path).column("code").to_pylist()
        return found
    listed = subprocess.run(["ogrinfo", "-ro", "-al", "-geom=NO", path], capture_output=True, text=True, check=True)
    mark = "  code (String) = "
    return [line.removeprefix(mark) for line in listed.stdout.splitlines() if line.startswith(mark)]


@pytest.mark.parametrize("form", list(FORMATS))
def test_gdal_reads_each_format(run: Run, client: httpx.Client, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"places.{FORMATS[form].suffix}"
    assert run(*FILTERS, "-o", path) == 0
    page = client.get(f"/ogc/collections/establishments/items?{'&'.join(FILTERS)}&limit=1000").json()
    wanted = [feature["id"] for feature in page["features"]]
    assert len(wanted) > 20
    assert sorted(_codes(path)) == sorted(wanted)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["-o", "x.dwg"], 1), (["-o", "missing/x.csv"], 1), (["unknown=1", "-o", "x.csv"], 1), ([], 2)],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], code: int,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    try:
        ended = run(*arguments)
    except SystemExit as stopped:
        ended = int(stopped.code or 0)
    assert ended == code
    assert capsys.readouterr().err.strip()
    assert not list(tmp_path.glob("*.csv")) + list(tmp_path.glob(".export-*"))
