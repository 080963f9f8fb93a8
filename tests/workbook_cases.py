"""The files of the corpus, by name. See tests/workbook_corpus.py."""

import datetime
import io
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy
import openpyxl
import shapely
from pyogrio import raw as gis

from tests import workbook_writers as write
from tests.old_encodings import encode
from tests.workbook_corpus import COLUMNS, USUAL, Case, fields, grid, headers, reading, rows
from tests.workbook_writers import Grid

_WIDTH = len(USUAL)


def _row(*values: Any, width: int = _WIDTH) -> list[Any]:
    return [*values, *[None] * (width - len(values))]


def cases() -> dict[str, Case]:
    return _headers() | _groups() | _encodings() | _texts() | _values() | _formats() | _subjects() | _refused()


def _headers() -> dict[str, Case]:
    found = {"plain.xlsx": Case(write.xlsx(grid([headers()], rows(8))), "nothing unusual", [reading([1], fields(), 8)])}
    titles = [
        _row("UBND PHƯỜNG HÒA CƯỜNG"),
        _row("DANH SÁCH CƠ SỞ KINH DOANH (MINH HỌA)"),
        _row("Thời điểm: tháng 6 năm 2026"),
        _row(),
    ]
    merged = [(1, 1, 1, 3), (2, 1, 2, _WIDTH), (3, 1, 3, _WIDTH)]
    found["titles_above.xlsx"] = Case(
        write.xlsx(grid(titles, [headers()], rows(8), merged=merged)),
        "title rows and a blank row above the header",
        [reading([5], fields(), 8, {"title": 3})],
    )
    two = [
        ["STT", "Tên cơ sở", "Giấy chứng nhận ĐKKD", None, "Giấy chứng nhận ATTP", None, "Ghi chú"],
        [None, None, "Số", "Ngày cấp", "Số", "Ngày cấp", None],
    ]
    spans = [(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4), (1, 5, 1, 6), (1, 7, 2, 7)]
    data = [
        [i, f"Quán minh họa {i:04d}", f"32A8{i:06d}", f"{i:02d}/03/2022", f"{i}/2023/ATTP-HC", f"{i:02d}/05/2023", None]
        for i in range(1, 9)
    ]
    meant = dict(
        zip(
            "1234567",
            (
                "row_number",
                "name",
                "licence_number",
                "licence_issued_on",
                "food_safety_number",
                "food_safety_issued_on",
                "note",
            ),
            strict=True,
        )
    )
    found["two_row_header.xlsx"] = Case(
        write.xlsx(grid(two, data, merged=spans)), "merged header over two rows", [reading([1, 2], meant, 8)]
    )
    found["two_row_header.csv"] = Case(
        write.text(grid(two, data)), "header over two rows, without merged cells", [reading([1, 2], meant, 8)]
    )
    numbered = [*two, [f"({i})" for i in range(1, 8)]]
    found["numbered_columns.xls"] = Case(
        write.xls(
            grid([_row("BIỂU 01 (MINH HỌA)")], numbered, data, merged=[(t + 1, a, b + 1, c) for t, a, b, c in spans])
        ),
        "two-row header with a row that numbers the columns",
        [reading([2, 3], meant, 8, {"title": 1, "column_numbers": 1})],
    )
    three = [
        ["STT", "Thông tin cơ sở", None, None, "Giấy tờ", None, "Ghi chú"],
        [None, "Tên cơ sở", "Địa chỉ", "Điện thoại", "CCCD", None, None],
        [None, None, None, None, "Số", "Ngày cấp", None],
    ]
    found["three_row_header.xlsx"] = Case(
        write.xlsx(
            grid(
                three,
                [
                    [
                        i,
                        f"Quán minh họa {i}",
                        f"{i * 3} Tiểu La",
                        f"0905{i:06d}",
                        f"048{i:09d}",
                        f"{i:02d}/01/2021",
                        None,
                    ]
                    for i in range(1, 7)
                ],
                merged=[
                    (1, 1, 3, 1),
                    (1, 2, 1, 4),
                    (1, 5, 1, 6),
                    (1, 7, 3, 7),
                    (2, 2, 3, 2),
                    (2, 3, 3, 3),
                    (2, 4, 3, 4),
                    (2, 5, 2, 6),
                ],
            )
        ),
        "header over three rows; the date of an identity card is no licence's",
        [
            reading(
                [1, 2, 3],
                {
                    "1": "row_number",
                    "2": "name",
                    "3": "address",
                    "4": "phone",
                    "5": "personal_id",
                    "6": "personal_id_issued_on",
                    "7": "note",
                },
                6,
            )
        ],
    )
    bare = ["STT", "TEN CO SO", "HO TEN CHU HO", "DIA CHI KD", "SO DT", "NGANH NGHE KD", "GHI CHU"]
    found["no_diacritics.xlsx"] = Case(
        write.xlsx(grid([bare], rows(8))), "header without diacritics", [reading([1], fields(), 8)]
    )
    names = ("stt", "sign", "owner", "address", "phone", "tax", "licence", "line", "note")
    short = ["TT", "B.hiệu", "Chủ CS", "Đ/c", "SĐT", "MST", "GPKD", "NN KD", "GC"]
    short[1], short[2] = "Tên bảng hiệu", "Tên chủ cơ sở"
    found["abbreviations.xlsx"] = Case(
        write.xlsx(grid([short], rows(8, names))), "abbreviated header", [reading([1], fields(names), 8)]
    )
    typed = [
        "Số TT",
        "Tên cở sở",
        "Họ và tên chủ  hộ",
        "Điạ chỉ\nkinh doanh",
        "Điện thọai",
        "Nghành nghề kinh doanh",
        "Ghi chú:",
    ]
    found["misspelt.xlsx"] = Case(
        write.xlsx(grid([typed], rows(8))), "misspelt header, line breaks", [reading([1], fields(), 8)]
    )
    names = ("name", "owner", "address", "phone", "line")
    found["no_header.csv"] = Case(
        write.text(grid(rows(12, names))),
        "no header at all: only the cells tell",
        [reading([], {"1": "name", "2": "owner_name", "3": "address", "4": "phone", "5": "business_line"}, 12)],
    )
    moved = [[None, None, None, *row] for row in [headers(), *rows(3), _row(), *rows(3, start=4)]]
    blank: list[list[Any]] = [[None] * 10, [None] * 10]
    found["off_corner.xlsx"] = Case(
        write.xlsx(grid(blank, moved)),
        "the table starts in D3, with a blank row in it",
        [reading([3], {str(int(k) + 3): v for k, v in fields().items()}, 6)],
    )
    wrong = headers()
    wrong[3], wrong[4] = wrong[4], wrong[3]
    found["heads_swapped.xlsx"] = Case(
        write.xlsx(grid([wrong], rows(10))),
        "two headers swapped by mistake: the cells say otherwise",
        [reading([1], fields(), 10)],
    )
    return found


def _groups() -> dict[str, Case]:
    found = {}
    body: list[list[Any]] = []
    for number in (12, 13, 15):
        body += [_row(f"Tổ {number}"), *rows(4, start=number)]
    merged = [(row, 1, row, _WIDTH) for row in (2, 7, 12)]
    found["groups_merged.xlsx"] = Case(
        write.xlsx(grid([headers()], body, merged=merged)),
        "group rows merged over the table",
        [reading([1], fields(), 12, {"group": 3}, last_groups=["Tổ 15"])],
    )
    found["groups_bare.csv"] = Case(
        write.text(grid([headers()], body)),
        "group rows in the first column, nothing merged",
        [reading([1], fields(), 12, {"group": 3}, last_groups=["Tổ 15"])],
    )
    nested = [
        _row("I", "Phường Bình Thuận"),
        _row(None, "Tổ 1"),
        *rows(3),
        _row(None, "Tổ 2"),
        *rows(2, start=4),
        _row(None, "Cộng", None, None, 5),
        _row("II", "Phường Hòa Thuận Tây"),
        _row(None, "Tổ 1"),
        *rows(3, start=6),
        _row(None, "Tổng cộng", None, None, 8),
        _row(),
        _row(None, None, None, None, "Hòa Cường, ngày 30 tháng 6 năm 2026"),
        _row("Người lập biểu", None, None, None, "TM. ỦY BAN NHÂN DÂN"),
    ]
    found["groups_nested.xlsx"] = Case(
        write.xlsx(grid([headers()], nested)),
        "wards in Roman numbers, groups within them, totals, date and signatures at the foot",
        [
            reading(
                [1], fields(), 8, {"group": 5, "total": 2, "footer": 2}, last_groups=["Phường Hòa Thuận Tây", "Tổ 1"]
            )
        ],
    )
    streets = [_row("A. Tuyến đường Núi Thành"), *rows(3), _row("B. Tuyến đường Tiểu La"), *rows(3, start=4)]
    found["groups_streets.xls"] = Case(
        write.xls(grid([headers()], streets)),
        "groups by street, lettered",
        [reading([1], fields(), 6, {"group": 2}, last_groups=["Tuyến đường Tiểu La"])],
    )
    totals = [*rows(5), _row("Tổng cộng: 05 hộ"), _row("Ghi chú: danh sách minh họa, không có thật")]
    found["totals.ods"] = Case(
        write.ods(grid([headers()], totals)),
        "total and remark at the foot",
        [reading([1], fields(), 5, {"total": 1, "footer": 1})],
    )
    pages = [*rows(5), headers(), *rows(5, start=6), headers(), *rows(2, start=11)]
    found["header_on_each_page.xlsx"] = Case(
        write.xlsx(grid([headers()], pages)),
        "the header again on each printed page",
        [reading([1], fields(), 12, {"repeated_header": 2})],
    )
    other = [["STT", "Tên chợ", "Số quầy", "Ghi chú"], [1, "Chợ minh họa", "12", None]]
    found["second_table.xlsx"] = Case(
        write.xlsx(grid([headers()], rows(5), [[]], other)),
        "another table below the first",
        [reading([1], fields(), 5, {"second_table": 2})],
    )
    names = ("stt", "owner", "name", "address", "line")
    shared: list[list[Any]] = rows(6, names)
    shared[1][1] = shared[4][1] = None
    found["merged_down.xlsx"] = Case(
        write.xlsx(grid([headers(names)], shared, merged=[(2, 2, 3, 2), (5, 2, 6, 2)])),
        "one owner merged over two establishments",
        [reading([1], fields(names), 6, second={"owner_name": COLUMNS["owner"][2](1)})],
    )
    ditto = rows(4)
    ditto[1][3], ditto[2][3] = '"', "-nt-"
    found["ditto.xlsx"] = Case(
        write.xlsx(grid([headers()], ditto)),
        "ditto marks for the address above",
        [reading([1], fields(), 4, second={"address": COLUMNS["address"][2](1)})],
    )
    return found


def _encodings() -> dict[str, Case]:
    def old(encoding: str, count: int = 12) -> Grid:
        def cell(value: Any) -> Any:
            return encode(value, encoding) if isinstance(value, str) else value

        return grid([[cell(value) for value in row] for row in [headers(), *rows(count)]])

    expected = reading([1], fields(), 12, first={"name": "Quán minh họa 0001", "owner_name": COLUMNS["owner"][2](1)})
    found = {
        "tcvn3.xlsx": Case(write.xlsx(old("tcvn3")), "TCVN3 (ABC fonts), header too", [expected]),
        "tcvn3.xls": Case(write.xls(old("tcvn3")), "TCVN3 in an old workbook", [expected]),
        "vni.xlsx": Case(write.xlsx(old("vni")), "VNI, header too", [expected]),
        "viqr.csv": Case(write.text(old("viqr")), "VIQR", [expected]),
        "nfd.xlsx": Case(write.xlsx(old("nfd")), "decomposed letters, as from macOS", [expected]),
        "eth.xlsx": Case(write.xlsx(old("eth")), "U+00D0 for Đ", [expected]),
        "tcvn3_bytes.csv": Case(
            write.text(old("tcvn3"), encoding="latin-1"), "TCVN3 as bytes of a text file", [expected]
        ),
        "vni_bytes.csv": Case(write.text(old("vni"), ";", "cp1252"), "VNI as bytes, semicolons", [expected]),
    }
    mixed = [headers(), *rows(12)]
    for place, line in enumerate(mixed[1:]):
        encoding = ("tcvn3", "vni", "", "nfd")[place % 4]
        if encoding:
            line[:] = [encode(value, encoding) if isinstance(value, str) else value for value in line]
    found["mixed.xlsx"] = Case(write.xlsx(grid(mixed)), "four encodings in one sheet, row by row", [expected])
    twice = [
        [value.encode().decode("latin-1") if isinstance(value, str) else value for value in row]
        for row in [headers(), *rows(12)]
    ]
    found["read_wrongly.xlsx"] = Case(write.xlsx(grid(twice)), "UTF-8 once read as Windows-1252", [expected])
    return found


def _texts() -> dict[str, Case]:
    table = grid([headers()], rows(8))
    expected = [reading([1], fields(), 8, first={"name": "Quán minh họa 0001"})]
    plain = write.text(table).decode()
    loose = plain.replace("Quán minh họa 0003", '"Quán minh họa 0003').encode()
    return {
        "utf16.txt": Case(write.text(table, "\t", "utf-16"), "UTF-16 with tabs, Excel's Unicode text", expected),
        "semicolon_bom.csv": Case(write.text(table, ";", "utf-8-sig"), "semicolons, byte order mark", expected),
        "sep_line.csv": Case(
            b"sep=;\r\n" + write.text(table, ";"), "Excel's sep line", [expected[0] | {"header_rows": [2]}]
        ),
        "tabs.tsv": Case(write.text(table, "\t"), "tabs", expected),
        "pipes.txt": Case(write.text(table, "|"), "pipes", expected),
        "cp1258.csv": Case(_to_1258(plain), "Windows-1258 bytes", expected),
        "open_quote.csv": Case(loose, "a quotation mark that is never closed", [reading([1], fields(), 8)]),
        "few_bad_bytes.csv": Case(
            plain.encode().replace("đã đối".encode(), b"\x93 \xe1\xbb"), "UTF-8 with broken bytes", expected
        ),
    }


def _to_1258(text: str) -> bytes:
    """As Windows writes it: vowels with their shape in one byte, the tone as a second."""
    import unicodedata

    written = bytearray()
    for letter in text:
        try:
            written += letter.encode("cp1258")
        except UnicodeEncodeError:
            full = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in full if mark in "\u0300\u0301\u0303\u0309\u0323"]
            base = unicodedata.normalize("NFC", "".join(mark for mark in full if mark not in tones))
            written += (base + "".join(tones)).encode("cp1258")
    return bytes(written)


def _values() -> dict[str, Case]:
    names = ("stt", "name", "owner", "phone", "tax", "id", "licence", "issued", "capital")
    lost = rows(8, names)
    for line in lost:
        line[3], line[4], line[5] = int(line[3]), int(line[4]), int(line[5])
    found = {
        "lost_zeros.xlsx": Case(
            write.xlsx(grid([headers(names)], lost)),
            "phones, tax codes and personal IDs as numbers, leading zeros lost",
            [reading([1], fields(names), 8)],
        )
    }
    dates = rows(6, names)
    for line, value in zip(
        dates, (45000, "15.03.2021", "2021-03-15", "31/02/2022", "tháng 3/2021", "01/04/22"), strict=True
    ):
        line[7] = value
    found["dates.xlsx"] = Case(
        write.xlsx(grid([headers(names)], dates)),
        "dates as serials, texts and impossible",
        [reading([1], fields(names), 6)],
    )
    broken = rows(6)
    broken[2][5] = ("=VLOOKUP(A1,B1:C2,2,0)", "#N/A")
    broken[3][5] = ("=1/0", "#DIV/0!")
    found["formula_errors.xlsx"] = Case(
        write.xlsx(grid([headers()], broken)), "errors of formulas", [reading([1], fields(), 6, refused_cells=2)]
    )
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in [headers(), *rows(6)]:
        sheet.append(line)
    sheet["F3"] = '="Bán "&"phở"'
    book.properties.created = book.properties.modified = datetime.datetime(2026, 1, 1)
    found["formula_without_value.xlsx"] = Case(
        _saved(book), "a formula whose value was never stored", [reading([1], fields(), 6, refused_cells=1)]
    )
    names = ("stt", "name", "id", "address", "phone")
    found["hidden.xlsx"] = Case(
        write.xlsx(
            grid([headers(names)], rows(8, names), hidden_columns=(3,), hidden_rows=(4, 5)),
            Grid("Lưu", [headers(names), *rows(3, names)], hidden=True),
        ),
        "a hidden column of personal IDs, hidden rows, a hidden sheet",
        [
            reading([1], fields(names), 8, hidden_columns=[3], hidden_records=2),
            reading([1], fields(names), 3, hidden=True),
        ],
    )
    found["several_sheets.xlsx"] = Case(
        write.xlsx(
            Grid("Hướng dẫn", [["Hướng dẫn điền biểu (minh họa)"], ["Mỗi phường cũ một trang."]]),
            Grid("Bình Thuận", [headers(), *rows(4)]),
            Grid("Hòa Thuận Tây", [_row("DANH SÁCH MINH HỌA"), headers(), *rows(5)]),
        ),
        "one sheet for each old ward, and one with instructions only",
        [reading([], {}, 0, {"no_table": 2}), reading([1], fields(), 4), reading([2], fields(), 5, {"title": 1})],
    )
    far = Grid("Danh sách", [headers(), *rows(6)])
    buffer = write.xlsx(far)
    found["far_cell.xlsx"] = Case(
        _with_far_cell(buffer),
        "a stray blank-looking cell in XFD1048576",
        [reading([1], fields(), 6, {"lone_text": 1})],
    )
    return found


def _saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return write.changed_parts(buffer.getvalue(), {})


def _with_far_cell(source: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(source)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    cell = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>.</t></is></c></row></sheetData>'
    return write.changed_parts(source, {"xl/worksheets/sheet1.xml": sheet.replace("</sheetData>", cell)})


def _formats() -> dict[str, Case]:
    table = grid([headers()], rows(8))
    expected = [reading([1], fields(), 8)]
    old = write.xls(table)
    damaged = bytearray(old)
    damaged[0x2C:0x30] = struct.pack("<I", 7)
    found = {
        "old.xls": Case(old, "Excel 97", expected),
        "old_damaged.xls": Case(bytes(damaged), "Excel 97 with a wrong count of sectors", expected),
        "table.ods": Case(
            write.ods(table, rows_after=1_048_000), "LibreOffice, a million repeated blank rows", expected
        ),
        "table.xlsb": Case(write.xlsb(table), "binary workbook (dates as text: this writer has no styles)", expected),
        "really_xlsx.xls": Case(write.xlsx(table), "xlsx with the ending xls", expected, notes=["other_ending"]),
        "really_csv.xlsx": Case(write.text(table), "csv with the ending xlsx", expected, notes=["other_ending"]),
    }
    names = ["Tên cơ sở", "Địa chỉ", "Ngành nghề"]
    columns = [
        numpy.array([row[place] for row in rows(6, ("name", "address", "line"))], dtype=object) for place in range(3)
    ]
    points = numpy.array(
        [shapely.to_wkb(shapely.Point(108.21 + i / 1000, 16.04 + i / 1000)) for i in range(6)], dtype=object
    )
    fields_read = {"1": "name", "2": "address", "3": "business_line", "4": "lon", "5": "lat", "6": "geometry"}
    for ending, driver in (("gpkg", "GPKG"), ("geojson", "GeoJSON")):
        found[f"points.{ending}"] = Case(
            _layer(f"points.{ending}", driver, names, columns, points),
            f"points in {driver}",
            [reading([1], fields_read, 6)],
        )
    shapes = _layer("points.shp", "ESRI Shapefile", ["TEN_CS", "DIA_CHI", "NGANH"], columns, points)
    found["points_shapefile.zip"] = Case(
        shapes, "zipped Shapefile: short names in capitals", [reading([1], fields_read, 6)]
    )
    places = "".join(
        f"<Placemark><name>Quán minh họa {i}</name><description>{i * 3} Tiểu La</description>"
        f"<Point><coordinates>{108.21 + i / 1000},{16.04 + i / 1000}</coordinates></Point></Placemark>"
        for i in range(1, 7)
    )
    kml = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{places}</Document></kml>'
    found["points.kml"] = Case(
        kml.encode(), "KML", [reading([1], {"2": "name", "3": "address", "13": "lon", "14": "lat"}, 6, partly=True)]
    )
    return found


def _layer(name: str, driver: str, names: list[str], columns: list[Any], points: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        more = {"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}
        gis.write(path, points, columns, names, crs="EPSG:4326", geometry_type="Point", driver=driver, **more)
        if driver != "ESRI Shapefile":
            return path.read_bytes()
        return write.archive({part.name: part.read_bytes() for part in sorted(Path(folder).iterdir())})


def _subjects() -> dict[str, Case]:
    def case(trap: str, head: list[str], meant: list[str], line: Any, count: int = 8, titles: int = 0) -> Case:
        above = [[f"BIỂU MINH HỌA {i}"] for i in range(1, titles + 1)]
        found = {str(place): field for place, field in enumerate(meant, start=1) if field}
        expected = reading([titles + 1], found, count, {"title": titles} if titles else {})
        return Case(write.xlsx(grid(above, [head], [line(i) for i in range(1, count + 1)])), trap, [expected])

    return {
        "market_traders.xlsx": case(
            "a market board's list of stalls",
            ["STT", "Họ tên tiểu thương", "Chợ", "Khu hàng", "Số sạp", "Mặt hàng", "Điện thoại", "QR"],
            ["row_number", "owner_name", "market", "market_section", "stall", "business_line", "phone", "vietqr"],
            lambda i: [
                i,
                COLUMNS["owner"][2](i),
                "Chợ minh họa",
                "Hàng khô",
                f"{i:02d}A",
                "Thịt, cá",
                f"0914{i:06d}",
                "x",
            ],
        ),
        "food_safety.xlsx": case(
            "words of a district's food safety register",
            [
                "TT",
                "Tên cơ sở",
                "Chủ cơ sở",
                "Địa chỉ",
                "Loại hình cơ sở",
                "Ngày ký cam kết",
                "Số cấp",
                "Ngày cấp",
                "Ngày kiểm tra",
                "Kết quả",
                "Hình thức xử lý",
                "Hàn the",
            ],
            [
                "row_number",
                "name",
                "owner_name",
                "address",
                "business_line",
                "commitment_signed_on",
                "licence_number",
                "licence_issued_on",
                "inspected_on",
                "inspection_result",
                "penalty",
                "quick_test",
            ],
            lambda i: [
                i,
                f"Quán minh họa {i}",
                COLUMNS["owner"][2](i),
                f"{i * 5} Nại Nam",
                "Thức ăn đường phố",
                f"{i:02d}/02/2019",
                f"{i}/2019",
                f"{i:02d}/03/2019",
                f"{i:02d}/09/2019",
                ("Đạt", "Chưa đạt")[i % 4 == 0],
                "Không",
                "Âm tính",
            ],
            titles=2,
        ),
        "tax_office.xlsx": case(
            "the tax team's list",
            [
                "STT",
                "Mã số thuế",
                "Tên người nộp thuế",
                "Địa chỉ",
                "Ngành nghề kinh doanh",
                "Mã ngành",
                "Doanh thu khoán",
                "Số thuế phải nộp",
                "Trạng thái NNT",
            ],
            [
                "row_number",
                "tax_code",
                "registered_name",
                "address",
                "business_line",
                "sector_code",
                "revenue",
                "tax_amount",
                "operating_status",
            ],
            lambda i: [
                i,
                f"{8000000000 + i * 11}",
                COLUMNS["owner"][2](i),
                f"{i * 9} Núi Thành",
                "Bán lẻ tạp hóa",
                "4711",
                15_000_000 * i,
                225_000 * i,
                "NNT đang hoạt động",
            ],
        ),
        "licensing_system.xlsx": case(
            "the grid of an old district licensing system",
            [
                "Số GCN ĐKKD",
                "Ngày Cấp",
                "Ngày hết hạn",
                "Họ tên",
                "Bảng hiệu",
                "Địa chỉ kinh doanh",
                "Mặt hàng kinh doanh",
                "Vốn KD",
                "Tình trạng",
            ],
            [
                "licence_number",
                "licence_issued_on",
                "licence_expires_on",
                "owner_name",
                "name",
                "address",
                "business_line",
                "capital",
                "operating_status",
            ],
            lambda i: [
                f"32A8{i:06d}",
                f"{i:02d}/04/2015",
                None,
                COLUMNS["owner"][2](i),
                f"Quán minh họa {i}",
                f"{i * 9} Núi Thành",
                "Ăn uống",
                20_000_000,
                "Đang hoạt động",
            ],
        ),
        "digital_survey.xlsx": case(
            "a survey form on payments and invoices",
            [
                "STT",
                "Tên cửa hàng",
                "Số nhà",
                "Tên đường",
                "Tổ",
                "Chuyển khoản",
                "Mã QR",
                "Máy POS",
                "Ví điện tử",
                "Hóa đơn điện tử",
                "Phần mềm bán hàng",
                "Sàn TMĐT",
                "Ngày khảo sát",
                "Người khảo sát",
            ],
            [
                "row_number",
                "name",
                "house_number",
                "street_name",
                "residential_group",
                "bank_transfer",
                "vietqr",
                "pos_card",
                "wallet",
                "e_invoice",
                "sales_software",
                "marketplace",
                "surveyed_on",
                "surveyed_by",
            ],
            lambda i: [
                i,
                f"Tiệm minh họa {i}",
                f"{i * 3}",
                "Tiểu La",
                i,
                "Có",
                "Có",
                "Không",
                "x",
                "Không",
                "Không",
                "ShopeeFood",
                f"{i:02d}/06/2026",
                "Nguyễn Văn Mẫu",
            ],
        ),
        "vn2000.xlsx": case(
            "surveyed points in VN-2000: X is the northing",
            ["STT", "Tên điểm kinh doanh", "Địa chỉ", "X (m)", "Y (m)"],
            ["row_number", "name", "address", "northing", "easting"],
            lambda i: [i, f"Quán minh họa {i}", f"{i} Tiểu La", 1_774_837.19 + i, 550_362.21 + i],
        ),
        "coordinates.xlsx": case(
            "latitude and longitude in one cell; two phones in one cell",
            ["STT", "Tên quán", "Địa chỉ", "Tọa độ", "Số điện thoại liên hệ"],
            ["row_number", "name", "address", "coordinates", "phone"],
            lambda i: [
                i,
                f"Quán minh họa {i}",
                f"{i} Tiểu La",
                f"16.04{i:03d}, 108.21{i:03d}",
                f"0905{i:06d} - 0914{i:06d}",
            ],
        ),
        "english_export.csv": Case(
            write.text(
                grid(
                    [["id", "business_name", "address", "phone", "email", "opening_hours", "latitude", "longitude"]],
                    [
                        [
                            f"a{i}",
                            f"Illustration Shop {i}",
                            f"{i} Tieu La street",
                            f"+8490500{i:04d}",
                            f"shop{i}@example.com",
                            "08:00-21:00",
                            16.04 + i / 1000,
                            108.21 + i / 1000,
                        ]
                        for i in range(1, 9)
                    ],
                )
            ),
            "another program's export, in English",
            [
                reading(
                    [1],
                    {
                        "1": "external_id",
                        "2": "name",
                        "3": "address",
                        "4": "phone",
                        "5": "email",
                        "6": "opening_hours",
                        "7": "lat",
                        "8": "lon",
                    },
                    8,
                )
            ],
        ),
        "all_at_once.xls": _all_at_once(),
    }


def _all_at_once() -> Case:
    """Titles, a two-row header, TCVN3, groups, totals, a hidden column and signatures, in an old workbook."""

    def old(value: Any) -> Any:
        return encode(value, "tcvn3") if isinstance(value, str) else value

    lines: list[list[Any]] = [
        ["UBND QUẬN (MINH HỌA)"],
        ["Danh sách hộ kinh doanh cá thể"],
        [],
        ["STT", "Họ và tên chủ hộ", "Địa chỉ", "CCCD", "Giấy phép kinh doanh", None, "Ghi chú"],
        [None, None, None, None, "Số", "Ngày cấp", None],
        ["I. Phường Bình Thuận"],
        ["Tổ 12"],
        *[
            [i, COLUMNS["owner"][2](i), f"K{i}/4 Núi Thành", f"048{i:09d}", f"32A8{i:06d}", f"{i:02d}/03/2014", None]
            for i in range(1, 6)
        ],
        ["Cộng tổ 12: 5 hộ"],
        ["II. Phường Hòa Thuận Tây"],
        *[
            [i, COLUMNS["owner"][2](i), f"{i}/4 Tiểu La", f"048{i:09d}", f"32A8{i:06d}", f"{i:02d}/03/2014", "nghỉ"]
            for i in range(6, 9)
        ],
        ["Tổng cộng", None, None, None, 8],
        [None, "Người lập biểu"],
    ]
    merged = [
        (4, 1, 5, 1),
        (4, 2, 5, 2),
        (4, 3, 5, 3),
        (4, 4, 5, 4),
        (4, 5, 4, 6),
        (4, 7, 5, 7),
        (1, 1, 1, 7),
        (2, 1, 2, 7),
    ]
    table = Grid("Danh s¸ch", [[old(value) for value in line] for line in lines], merged=merged, hidden_columns=(4,))
    meant = {
        "1": "row_number",
        "2": "owner_name",
        "3": "address",
        "4": "personal_id",
        "5": "licence_number",
        "6": "licence_issued_on",
        "7": "note",
    }
    skipped = {"title": 2, "group": 3, "total": 2, "footer": 1}
    expected = reading(
        [4, 5],
        meant,
        8,
        skipped,
        hidden_columns=[4],
        last_groups=["Phường Hòa Thuận Tây"],
        first={"owner_name": COLUMNS["owner"][2](1)},
    )
    return Case(
        write.xls(table), "titles, two-row header, TCVN3, groups, totals, a hidden column, signature", [expected]
    )


def _refused() -> dict[str, Case]:
    table = grid([headers()], rows(4))
    workbook = write.xlsx(table)
    old = write.xls(table)
    locked = old.replace(
        "Workbook".encode("utf-16-le") + bytes(48) + b"\x12\x00",
        "EncryptedPackage".encode("utf-16-le") + bytes(32) + b"\x22\x00",
    )
    entities = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>'
    declared = bytearray(workbook)
    place = declared.rfind(b"PK\x01\x02")
    declared[place + 24 : place + 28] = struct.pack("<I", 2**30)
    return {
        "macros.xlsm": Case(
            write.changed_parts(workbook, {"xl/vbaProject.bin": b"\xd0\xcf"}), "macros", refused="macros"
        ),
        "external_links.xlsx": Case(
            write.changed_parts(workbook, {"xl/externalLinks/externalLink1.xml": "<externalLink/>"}),
            "links to another workbook",
            refused="external_links",
        ),
        "password.xlsx": Case(locked, "asks for a password", refused="password"),
        "truncated.xlsx": Case(workbook[: len(workbook) // 2], "cut off", refused="truncated"),
        "truncated.xls": Case(old[: len(old) // 3], "cut off", refused="truncated"),
        "zip_bomb.xlsx": Case(
            write.changed_parts(workbook, {"xl/worksheets/sheet1.xml": b"<worksheet>" + bytes(70 * 2**20)}),
            "70 MB of zeros in 70 KB",
            refused="zip_bomb",
        ),
        "declared_1gb.xlsx": Case(bytes(declared), "declares a part of 1 GB", refused="zip_bomb"),
        "entities.xlsx": Case(
            write.changed_parts(workbook, {"xl/workbook.xml": entities + "<workbook/>"}),
            "XML entities",
            refused="xml_entities",
        ),
        "web_page.xls": Case(
            "<html><body><table><tr><td>Tên</td></tr></table></body></html>".encode(),
            "a web page named xls",
            refused="web_page",
        ),
        "letter.xlsx": Case(write.archive({"word/document.xml": "<x/>"}), "a Word file", refused="no_table"),
        "scan.xlsx": Case(b"%PDF-1.7\n" + bytes(range(256)), "a PDF", refused="no_table"),
        "map.dgn": Case(b"\x08\x09\xfe\x02" + bytes(1532), "MicroStation", refused="cad"),
        "map.dwg": Case(b"AC1032" + bytes(500), "AutoCAD", refused="cad"),
        "empty.csv": Case(b"\r\n\r\n", "nothing in it", refused="empty"),
        "files.zip": Case(write.archive({"a.xlsx": workbook}), "a zip of files", refused="archive"),
    }
