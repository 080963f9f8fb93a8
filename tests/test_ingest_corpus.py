"""Every file of tests/data/workbooks is read as the manifest beside it says: header, columns, rows, refusals."""

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from ingest.columns import Table, recognise
from ingest.records import Record, Skipped, read_records
from ingest.refusal import Refusal
from ingest.workbook_reader import read
from tests.workbook_corpus import FOLDER

MANIFEST: dict[str, dict[str, Any]] = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
READ = sorted(name for name, expected in MANIFEST.items() if "sheets" in expected)
REFUSED = sorted(name for name, expected in MANIFEST.items() if "refused" in expected)


@cache
def _read(name: str) -> tuple[list[str], list[tuple[Table, list[Record | Skipped]]]]:
    workbook = read(FOLDER / name, name)
    tables = [recognise(sheet) for sheet in workbook.sheets]
    return [code for code, _ in workbook.notes], [(table, list(read_records(table))) for table in tables]


def _right_and_all(name: str) -> tuple[int, int, list[str]]:
    right = total = 0
    wrong = []
    _, tables = _read(name)
    for (table, _), expected in zip(tables, MANIFEST[name]["sheets"], strict=True):
        found = {str(column.number): column for column in table.columns}
        for number, field in expected["fields"].items():
            total += 1
            got = found[number].field if number in found else None
            right += got == field
            if got != field:
                wrong.append(f"{found[number].header if number in found else number!r}: {got} instead of {field}")
        if not expected.get("partly"):
            extra = [column for key, column in found.items() if column.field and key not in expected["fields"]]
            total += len(extra)
            wrong += [f"{column.header!r}: {column.field} instead of nothing" for column in extra]
    return right, total, wrong


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(MANIFEST) >= 40
    assert {path.name for path in FOLDER.iterdir()} == {*MANIFEST, "manifest.json", "README.md"}


@pytest.mark.parametrize("name", READ)
def test_rows_are_read_or_skipped_with_the_reason_a_person_gives(name: str) -> None:
    notes, tables = _read(name)
    assert set(MANIFEST[name].get("notes", [])) <= set(notes)
    for (table, rows), expected in zip(tables, MANIFEST[name]["sheets"], strict=True):
        skipped = Counter(row.reason for row in rows if isinstance(row, Skipped))
        records = [row for row in rows if isinstance(row, Record)]
        assert list(table.header_rows) == expected["header_rows"]
        assert {reason: count for reason, count in skipped.items() if reason not in ("header", "blank")} == expected[
            "skipped"
        ], [(row.row, row.reason, list(row.cells.values())[:3]) for row in rows if isinstance(row, Skipped)]
        assert len(records) == expected["records"]
        assert sum(len(record.refused) for record in records) == expected.get("refused_cells", 0)
        assert sorted(table.sheet.hidden_columns) == expected.get("hidden_columns", [])
        assert sum(record.hidden for record in records) == expected.get("hidden_records", 0)
        assert table.sheet.hidden == expected.get("hidden", False)
        if "last_groups" in expected:
            assert [group.text for group in records[-1].groups] == expected["last_groups"]
        for place, key in ((0, "first"), (1, "second")):
            for field, value in expected.get(key, {}).items():
                assert records[place].values[field] == (value,)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_safe_table_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        for sheet in read(FOLDER / name, name).sheets:
            list(sheet.rows())
    assert refusal.value.code == MANIFEST[name]["refused"]


def test_columns_are_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    shares = {name: _right_and_all(name) for name in READ}
    right, total = (sum(share[place] for share in shares.values()) for place in (0, 1))
    with capsys.disabled():
        print(f"\ncolumns right: {right} of {total} ({right / total:.1%}) in {len(shares)} files")
        for name, (good, count, wrong) in shares.items():
            if good < count:
                print(f"  {name}: {good} of {count}; {'; '.join(wrong)}")
    assert right / total >= 0.97


@pytest.mark.parametrize("name", READ)
def test_nothing_is_lost(name: str) -> None:
    """Each row comes out once; each cell that is not empty is mapped, kept or refused."""
    for table, rows in _read(name)[1]:
        given = {row.number: {cell.column: cell.value for cell in row.cells()} for row in table.sheet.rows()}
        assert [row.row for row in rows] == list(given)
        for row in rows:
            assert row.cells == given[row.row]
            if isinstance(row, Record):
                mapped = {column.number for column in table.columns if column.field}
                for column in row.cells:
                    assert (column in mapped) + (column in row.kept) + (column in row.refused) >= 1
