"""The corpus of tests/data/workbooks: small files that this script makes, each for one trap or several together.

    python -m tests.workbook_corpus        writes the files and manifest.json anew

Every establishment, person and number in them is invented. The manifest says for each file what a person reads in it:
where the header stands, the field of each column, how many rows are records, and why the others are not.
"""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.workbook_writers import Grid

FOLDER = Path(__file__).parent / "data" / "workbooks"
Maker = Callable[[int], Any]

_STREETS = ("Núi Thành", "Tiểu La", "Lê Thanh Nghị", "Phan Đăng Lưu", "Nại Nam", "Nguyễn Hữu Thọ", "2 Tháng 9")
_OWNERS = ("Nguyễn Văn Mẫu", "Trần Thị Thử", "Lê Minh Họa", "Phạm Thị Ví Dụ", "Hoàng Văn Dụng", "Đặng Thị Giả Định")
_LINES = ("Bán cà phê, giải khát", "Bán phở, bún", "Tạp hóa", "May mặc quần áo", "Sửa chữa xe máy", "Cắt tóc nam nữ")
_FIRST = datetime.date(2019, 3, 14)

COLUMNS: dict[str, tuple[str, str, Maker]] = {
    # By a short name: the header, the field it means, and the value of row i.
    "stt": ("STT", "row_number", lambda i: i),
    "name": ("Tên cơ sở", "name", lambda i: f"Quán minh họa {i:04d}"),
    "sign": ("Bảng hiệu", "name", lambda i: f"Tiệm minh họa {i:04d}"),
    "registered": ("Tên hộ kinh doanh", "registered_name", lambda i: f"Hộ kinh doanh Minh Họa {i:04d}"),
    "owner": ("Họ và tên chủ hộ", "owner_name", lambda i: _OWNERS[i % 6]),
    "address": ("Địa chỉ kinh doanh", "address", lambda i: f"{('', 'K')[i % 2]}{i * 7}/{i} {_STREETS[i % 7]}"),
    "phone": ("Điện thoại", "phone", lambda i: f"0905{i:06d}"),
    "tax": ("Mã số thuế", "tax_code", lambda i: f"{8000000000 + i * 11}"),
    "id": ("Số CCCD", "personal_id", lambda i: f"048{i:09d}"),
    "licence": ("Số GCN ĐKKD", "licence_number", lambda i: f"32A8{i:06d}"),
    "issued": ("Ngày cấp", "licence_issued_on", lambda i: _FIRST + datetime.timedelta(days=37 * i)),
    "issued_text": ("Ngày cấp", "licence_issued_on", lambda i: f"{i % 28 + 1:02d}/{i % 12 + 1:02d}/2021"),
    "line": ("Ngành nghề kinh doanh", "business_line", lambda i: _LINES[i % 6]),
    "group": ("Tổ dân phố", "residential_group", lambda i: f"Tổ {i % 9 + 1}"),
    "ward": ("Phường", "ward", lambda i: ("Hòa Cường Bắc", "Hòa Thuận Tây")[i % 2]),
    "capital": ("Vốn kinh doanh (đồng)", "capital", lambda i: 10_000_000 * i),
    "status": ("Tình trạng hoạt động", "operating_status", lambda i: ("Đang hoạt động", "Tạm ngừng")[i % 5 == 0]),
    "note": ("Ghi chú", "note", lambda i: "đã đối chiếu" if i % 4 == 0 else None),
}
USUAL = ("stt", "name", "owner", "address", "phone", "line", "note")


class Case:
    """One file: its bytes and what a person reads in it."""

    def __init__(self, data: bytes, traps: str, sheets: list[dict[str, Any]] | None = None, **more: Any) -> None:
        self.data = data
        self.expected: dict[str, Any] = {"traps": traps} | ({"sheets": sheets} if sheets is not None else {}) | more


def headers(names: tuple[str, ...] = USUAL) -> list[Any]:
    return [COLUMNS[name][0] for name in names]


def fields(names: tuple[str, ...] = USUAL) -> dict[str, str]:
    return {str(column): COLUMNS[name][1] for column, name in enumerate(names, start=1)}


def rows(count: int, names: tuple[str, ...] = USUAL, start: int = 1) -> list[list[Any]]:
    return [[COLUMNS[name][2](i) for name in names] for i in range(start, start + count)]


def reading(
    header: list[int], found: dict[str, str], records: int, skipped: dict[str, int] | None = None, **more: Any
) -> dict[str, Any]:
    """What a person reads in a sheet. `skipped` leaves out the header's rows and blank ones, which all files have."""
    return {"header_rows": header, "fields": found, "records": records, "skipped": skipped or {}, **more}


def grid(*parts: list[list[Any]], name: str = "Danh sách", **more: Any) -> Grid:
    return Grid(name, [row for part in parts for row in part], **more)


def write_all() -> None:
    """Write the corpus anew."""
    from tests.workbook_cases import cases

    FOLDER.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for name, case in cases().items():
        (FOLDER / name).write_bytes(case.data)
        manifest[name] = case.expected
    for path in FOLDER.iterdir():
        if path.name not in manifest and path.name not in ("manifest.json", "README.md"):
            path.unlink()
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (FOLDER / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_all()
