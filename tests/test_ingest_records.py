"""Nothing lost: whatever a sheet holds, each row comes out once, and each cell ends mapped, kept or refused."""

import datetime
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.columns import correct, recognise
from ingest.header_words import fields
from ingest.records import Record, Skipped, read_records
from ingest.workbook import Area, CellError, Row, Sheet, Value, Workbook, raw_text
from ingest.workbook_reader import read
from tests import workbook_writers as write
from tests.workbook_corpus import COLUMNS, USUAL, grid, headers, rows

_WORDS = st.sampled_from([
    *(COLUMNS[name][0] for name in COLUMNS),
    *("Tổ 12", "I. Phường Bình Thuận", "Tổng cộng", "Cộng", "Ghi chú:", "STT", '"', "-nt-", "A. Ăn uống", "(1)", "1"),
    *("Người lập biểu", "Ph­êng Hßa C­êng", "Hoä kinh doanh", "x", "#N/A", "12/4 Tiểu La"),
])  # fmt: skip
_VALUES: st.SearchStrategy[Value | None] = st.one_of(
    st.none(),
    _WORDS,
    st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace()),
    st.integers(-(10**13), 10**13),
    st.floats(-1e300, 1e300),
    st.booleans(),
    st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)),
    st.just(CellError("#N/A")),
)
_AREAS = st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4)).map(
    lambda area: Area(area[0], area[1], area[0] + area[2], area[1] + area[3])
)


def _sheet(values: list[list[Value | None]], merged: list[Area], hidden: frozenset[int]) -> Sheet:
    def each() -> Iterator[Row]:
        return (Row(number, list(line)) for number, line in enumerate(values, start=1))

    unvalued = ((2, 3), (5, 1))
    return Sheet("Trang", each, tuple(merged), hidden_rows=hidden, formulas_without_value=unvalued)


@given(
    st.lists(st.lists(_VALUES, max_size=8), max_size=14),
    st.lists(_AREAS, max_size=3),
    st.frozensets(st.integers(1, 14), max_size=4),
    st.booleans(),
)
@settings(max_examples=250, deadline=None)
def test_nothing_is_lost(
    values: list[list[Value | None]], merged: list[Area], hidden: frozenset[int], with_header: bool
) -> None:
    if with_header:
        values = [list(headers()), *values]
    sheet = _sheet(values, merged, hidden)
    table = recognise(sheet)
    found = list(read_records(table))
    assert [row.row for row in found] == list(range(1, len(values) + 1))
    known = set(fields())
    for row, given_values in zip(found, values, strict=True):
        cells = {column: value for column, value in enumerate(given_values, start=1) if value is not None}
        assert row.cells == cells
        if isinstance(row, Skipped):
            assert row.reason != "blank" or not cells
            continue
        assert set(row.values) <= known
        mapped = {column.number: column.field for column in table.columns if column.field}
        for column, value in cells.items():
            if isinstance(value, CellError):
                assert column in row.refused
            elif column in mapped:
                under = row.values[mapped[column] or ""]
                # Numbers and dates as they are; texts too, unless they were decoded or stand for the cell above.
                assert value in under or isinstance(value, str)
                assert len(under) >= 1
            else:
                assert column in row.kept
        assert set(row.carried) <= set(mapped) and row.hidden == (row.row in hidden)


@given(st.lists(st.lists(_VALUES, max_size=5), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_workbook_gives_back_what_was_written(values: list[list[Value | None]]) -> None:
    """Through a real file: all cells come back, where they were, with the same text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    sheet = book.add_worksheet("Trang")
    date = book.add_format({"num_format": "dd/mm/yyyy"})
    written: dict[tuple[int, int], Value] = {}
    for row, line in enumerate(values, start=1):
        for column, value in enumerate(line, start=1):
            if value is None or (isinstance(value, str) and not _writable(value)):
                continue
            if isinstance(value, CellError):
                sheet.write_formula(row - 1, column - 1, "=NA()", None, value.name)
            elif isinstance(value, datetime.date):
                sheet.write_datetime(row - 1, column - 1, value, date)
            else:
                sheet.write(row - 1, column - 1, value)
            written[row, column] = value
    book.close()
    found = {
        (cell.row, cell.column): cell.value
        for row in read(buffer.getvalue(), "a.xlsx").sheets[0].rows()
        for cell in row.cells()
    }
    assert found.keys() == written.keys()
    for place, value in written.items():
        if isinstance(value, str | bool | CellError | datetime.date):
            assert found[place] == value, place
        else:
            assert found[place] == pytest.approx(float(value), rel=1e-15)


def _writable(text: str) -> bool:
    """Whether XML can hold a text as it is: no control characters, and nothing that Excel writes as an escape."""
    return all(letter.isprintable() for letter in text) and "_x" not in text and text == text.strip()


def _read(data: bytes, name: str = "a.xlsx") -> Workbook:
    return read(data, name)


def test_rows_and_columns_count_as_on_screen() -> None:
    table = recognise(
        _read(write.xlsx(grid([[None] * 9], [[None, None, *row] for row in [headers(), *rows(2)]]))).sheets[0]
    )
    record = next(row for row in read_records(table) if isinstance(row, Record))
    assert record.row == 3 and min(record.cells) == 3


def test_names_that_look_like_group_rows_are_records() -> None:
    """In a narrow table, where each row has few cells."""
    names = ["I Love Coffee", "Chợ Minh Họa 2", "V Coffee", "Tổ ấm Minh Họa", "C. Hạnh Minh Họa", "Tổng hợp Minh Họa"]
    lines = [["Tên cơ sở", "Địa chỉ", "Điện thoại"], *([name, "12 Tiểu La", None] for name in names)]
    found = list(read_records(recognise(_read(write.xlsx(grid(lines))).sheets[0])))
    assert [row.values["name"] for row in found if isinstance(row, Record)] == [(name,) for name in names]


def test_a_correction_holds_for_the_next_file_of_the_same_shape() -> None:
    first = recognise(_read(write.xlsx(grid([headers()], rows(6)))).sheets[0])
    key = next(column.key for column in first.columns if column.field == "note")
    correction = {key: "penalty", first.columns[1].key: None}
    correct(first, correction)
    next_month = _read(write.xlsx(grid([["Danh sách tháng sau"]], [headers()], rows(9, start=7)))).sheets[0]
    second = recognise(next_month)
    assert second.signature == first.signature
    correct(second, correction)
    assert [column.field for column in second.columns] == [column.field for column in first.columns]
    assert second.columns[1].field is None and second.columns[-1].field == "penalty"
    assert second.columns[-1].by_person and second.columns[-1].confidence == 1.0
    other = recognise(_read(write.xlsx(grid([headers(USUAL[:-1])], rows(6)))).sheets[0])
    assert other.signature != first.signature


def test_a_field_given_to_another_column_is_freed() -> None:
    table = recognise(_read(write.xlsx(grid([headers()], rows(6)))).sheets[0])
    correct(table, {table.columns[6].key: "name"})
    assert [column.number for column in table.columns if column.field == "name"] == [7]
    assert table.columns[1].runner_up is not None and table.columns[1].runner_up[0] == "name"


def test_each_column_says_how_sure_it_is_and_what_else_it_could_be() -> None:
    table = recognise(_read(write.xlsx(grid([headers()], rows(6)))).sheets[0])
    for column in table.columns:
        assert column.field and 0.5 <= column.confidence < 1
    unsure = recognise(_read(write.text(grid(rows(12, ("name", "address", "phone")))), "a.csv").sheets[0])
    assert all(0.5 <= column.confidence < 0.8 for column in unsure.columns)
    assert any(column.runner_up for column in unsure.columns)


def test_lists_and_holes_of_geojson_are_cells_too() -> None:
    features = [
        {
            "type": "Feature",
            "geometry": None,
            "properties": {"name": "Quán minh họa", "phones": ["0905000001", "0905000002"]},
        },
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [108.2, 16.04]}, "properties": {"name": None}},
    ]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    rows = list(read(data, "a.geojson").sheets[0].rows())
    assert rows[1].values == ["Quán minh họa", "0905000001; 0905000002", None, None, None]
    assert rows[2].values == [None, None, 108.2, 16.04, None]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (48012345678.0, "48012345678"),
        (0.1, "0.1"),
        (datetime.date(2025, 1, 2), "02/01/2025"),
        (datetime.datetime(2025, 1, 2, 8, 30), "02/01/2025 08:30:00"),
        (True, "TRUE"),
        (CellError("#N/A"), "#N/A"),
        (" a ", " a "),
    ],
)
def test_raw_text(value: Any, text: str) -> None:
    assert raw_text(value) == text
