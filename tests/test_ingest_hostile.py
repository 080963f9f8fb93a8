"""Files made to waste time or memory: refused or read within bounds, each in a process of its own that is measured."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import workbook_writers as write
from tests.workbook_corpus import FOLDER
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


def _announced_texts() -> bytes:
    """Announces four thousand million texts: the quick reader would set aside a terabyte, and end the process."""
    return write.changed_parts(
        write.xlsx(Grid("a", [["STT", "Tên cơ sở"]])),
        {"xl/sharedStrings.xml": '<sst uniqueCount="4294967295"><si><t>STT</t></si><si><t>x</t></si></sst>'},
    )


def _rows_upwards() -> bytes:
    """The last row comes first: the quick reader would take the grid's height for less than nothing."""
    cell = b'<row r="%d"><c r="A%d"><v>1</v></c></row>'
    return _with_sheet(_HEAD + cell % (9, 9) + cell % (1, 1) + _TAIL)


@pytest.mark.alone
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
        ("announced_texts.xlsx", _announced_texts, {"damaged"}),
        ("rows_upwards.xlsx", _rows_upwards, {"damaged"}),
    ],
)
def test_time_and_memory_are_bounded(name: str, make: object, answers: set[str], tmp_path: Path) -> None:
    assert callable(make)
    path = tmp_path / name
    path.write_bytes(make())
    answer, seconds, megabytes = _measured(path)
    assert answer in answers
    assert seconds < _SECONDS and megabytes < _MEGABYTES


_MUTATED = r"""
import collections, io, random, sys, zipfile
from pathlib import Path
from ingest.columns import recognise
from ingest.records import read_records
from ingest.refusal import Refusal
from ingest.workbook_reader import read
from tests.workbook_writers import archive
pick = random.Random(4)
NUMBERS = (b"9", b"99999", b"0", b"-1", b"1048576", b"4294967295")

def spoilt(data):
    place, other = pick.randrange(len(data)), pick.randrange(len(data))
    way = pick.choice(("flip", "cut", "zero", "move", "number"))
    if way == "flip":
        for _ in range(pick.choice((1, 3, 20))):
            data[pick.randrange(len(data))] = pick.randrange(256)
    elif way == "cut":
        del data[place:]
    elif way == "zero":
        data[place : place + 64] = bytes(64)
    elif way == "move":
        data[place : place + 100], data[other : other + 100] = data[other : other + 100], data[place : place + 100]
    else:
        digits = [at for at in range(place, min(place + 200, len(data))) if 48 <= data[at] <= 57]
        for at in digits[:1]:
            data[at : at + 1] = pick.choice(NUMBERS)
    return bytes(data)

def spoilt_within(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    name = pick.choice([name for name in parts if parts[name] and len(parts[name]) < 100_000])
    return archive(parts | {name: spoilt(bytearray(parts[name]))})

paths = sorted(path for path in Path(sys.argv[1]).iterdir() if path.suffix not in (".md", ".json"))
answers = collections.Counter()
for turn in range(int(sys.argv[2])):
    path = pick.choice(paths)
    data = path.read_bytes()
    try:
        data = spoilt_within(data) if turn % 2 else spoilt(bytearray(data))
    except (zipfile.BadZipFile, OverflowError):
        continue
    try:
        for sheet in read(data, path.name).sheets:
            for _ in read_records(recognise(sheet)):
                pass
        answers["read"] += 1
    except Refusal as refusal:
        answers[refusal.code] += 1
    except BaseException as error:
        raise SystemExit(f"turn {turn}, {path.name}: {type(error).__name__}: {error}")
print(dict(answers))
"""


def test_damage_of_any_kind_is_refused_or_read_never_a_crash() -> None:
    """In a process of its own: a reader written in Rust ends the process where it runs out of memory."""
    done = subprocess.run(
        [sys.executable, "-c", _MUTATED, str(FOLDER), "2000"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    assert "'read'" in done.stdout and "'damaged'" in done.stdout
