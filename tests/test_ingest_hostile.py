"""Files made to waste time or memory: refused or read within bounds, each in a process of its own that is measured."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import workbook_writers as write
from tests.workbook_writers import Grid

ROOT = Path(__file__).parent.parent
_SECONDS = 30
_MEGABYTES = 700
_CHILD = r"""
import re, sys, time
from pathlib import Path
from ingest.workbook_reader import read
from ingest.refusal import Refusal
from ingest.columns import recognise
from ingest.records import read_records
def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
started = time.perf_counter()
try:
    sheets = read(Path(sys.argv[1]), sys.argv[1]).sheets
    answer = str(sum(1 for sheet in sheets for _ in read_records(recognise(sheet))))
except Refusal as refusal:
    answer = refusal.code
print(answer, round(time.perf_counter() - started, 2), (peak() - before) // 1024)
"""


def _measured(path: Path) -> tuple[str, float, int]:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer, seconds, megabytes = done.stdout.split()
    print(f"{path.name}: {answer}, {seconds} s, {megabytes} MB")
    return answer, float(seconds), int(megabytes)


def _with_sheet(sheet: bytes) -> bytes:
    return write.changed_parts(write.xlsx(Grid("a", [["STT", "Tên cơ sở"]])), {"xl/worksheets/sheet1.xml": sheet})


_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_TAIL = b"</sheetData></worksheet>"


def _million_empty_rows() -> bytes:
    styled = b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/></row>'
    return _with_sheet(_HEAD + b"".join(styled % (row, row) for row in range(1, 1_048_577)) + _TAIL)


def _all_columns() -> bytes:
    names = [f"Cột {column}" for column in range(16_384)]
    return write.xlsx(Grid("a", [names, list(range(16_384)), list(range(16_384))]))


def _far_corners() -> bytes:
    cell = b'<row r="%d"><c r="%b%d"><v>1</v></c></row>'
    return _with_sheet(_HEAD + cell % (1, b"A", 1) + cell % (1_048_576, b"XFD", 1_048_576) + _TAIL)


def _real_size_is_a_lie() -> bytes:
    """A sheet that unpacks to 1 GB and declares 1 kB."""
    buffer = io.BytesIO(_with_sheet(b""))
    with zipfile.ZipFile(buffer) as source:
        kept = {name: source.read(name) for name in source.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in kept.items():
            if name != "xl/worksheets/sheet1.xml":
                target.writestr(name, data)
        with target.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(_HEAD)
            for _ in range(1024):
                part.write(b" " * 2**20)
    data = bytearray(out.getvalue())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = (1024).to_bytes(4, "little")
    return bytes(data)


def _ods_repeated_values() -> bytes:
    source = write.ods(Grid("a", [["STT", "Tên cơ sở"], [1, "Quán minh họa"]]))
    with zipfile.ZipFile(io.BytesIO(source)) as file:
        content = file.read("content.xml").decode()
    repeated = content.replace("<table:table-row>", '<table:table-row table:number-rows-repeated="1000000">')
    repeated = repeated.replace("<table:table-cell ", '<table:table-cell table:number-columns-repeated="500" ')
    assert repeated != content
    return write.changed_parts(source, {"content.xml": repeated})


def _one_endless_line() -> bytes:
    return b'"' + b"a" * 50_000_000


def _deep_geojson() -> bytes:
    return b'{"type":"FeatureCollection","features":' + b"[" * 200_000


@pytest.mark.parametrize(
    ("name", "make", "answers"),
    [
        ("million_empty_rows.xlsx", _million_empty_rows, {"0", "1", "2"}),
        ("all_columns.xlsx", _all_columns, {"3"}),
        ("far_corners.xlsx", _far_corners, {"2"}),
        ("lying_size.xlsx", _real_size_is_a_lie, {"zip_bomb", "damaged"}),
        ("repeated_values.ods", _ods_repeated_values, {"too_large"}),
        ("endless_line.csv", _one_endless_line, {"unknown_format"}),
        ("deep.geojson", _deep_geojson, {"damaged"}),
    ],
)
def test_time_and_memory_are_bounded(name: str, make: object, answers: set[str], tmp_path: Path) -> None:
    assert callable(make)
    path = tmp_path / name
    path.write_bytes(make())
    answer, seconds, megabytes = _measured(path)
    assert answer in answers
    assert seconds < _SECONDS and megabytes < _MEGABYTES
