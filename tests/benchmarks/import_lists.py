"""Long lists for measuring imports: FHRS where it lies (50,200 real rows), and one that is made up, of any length.

The made-up one reads like a ward's: real street names, invented businesses whose names say so, invented numbers.
"""

import gzip
import random
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from postgis.reference_files import read_rows

WARD = "20257"
FHRS = Path(__file__).parents[3] / "shared/data/open/fhrs_london_open.csv.gz"
HEAD = (
    "STT", "Tên hộ kinh doanh", "Họ tên chủ hộ", "Địa chỉ kinh doanh", "Tổ", "Điện thoại", "Mã số thuế",
    "Ngành nghề kinh doanh", "Tình trạng hoạt động", "Số GCN ĐKKD", "Ngày cấp", "VietQR",
)  # fmt: skip
_KINDS = ("Quán", "Tiệm", "Cửa hàng", "Shop", "Tạp hóa", "Nhà thuốc", "Cà phê", "Cơm", "Bún", "Phở", "Salon", "Studio")
_WORDS = (
    "An", "Bình", "Cát", "Diễm", "Gió", "Hạ", "Hoa", "Khánh", "Lan", "Mai", "Nắng", "Ngọc", "Phúc", "Quê", "Sao", "Sen",
    "Tâm", "Thảo", "Trúc", "Tuyết", "Uyên", "Vân", "Xuân", "Yên", "Đông", "Ánh", "Ban", "Chi", "Duyên", "Hương",
)  # fmt: skip
_LINES = (
    "Ăn uống", "Cà phê, giải khát", "Tạp hóa", "Quần áo may sẵn", "Cắt tóc, gội đầu", "Sửa xe máy", "Vật liệu xây dựng",
    "Thuốc tây", "Phòng trọ", "Điện thoại, phụ kiện", "Bún bò", "Trà sữa", "Giặt ủi", "Văn phòng phẩm", "Hoa tươi",
)  # fmt: skip
_STATUSES = ("Đang hoạt động",) * 8 + ("Tạm nghỉ", "Ngừng kinh doanh")


def fhrs(folder: Path) -> Path | None:
    """The real list, unpacked; None where it does not lie."""
    if not FHRS.exists():
        return None
    path = folder / "fhrs.csv"
    path.write_bytes(gzip.decompress(FHRS.read_bytes()))
    return path


def made_up(folder: Path, count: int) -> Path:
    """A workbook of so many rows under two title rows."""
    path = folder / "danh_sach.xlsx"
    rng = random.Random(20257)
    streets = sorted({str(row["street"]) for row in read_rows("house_numbers.csv") if row["ward_code"] == WARD})
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet, day = book.add_worksheet("Danh sách"), book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, ["DANH SÁCH HỘ KINH DOANH (DỮ LIỆU BỊA RA ĐỂ ĐO TỐC ĐỘ)"])
    sheet.write_row(2, 0, HEAD)
    for number in range(1, count + 1):
        name = f"{rng.choice(_KINDS)} Minh Họa {rng.choice(_WORDS)} {rng.choice(_WORDS)} {rng.randint(1, 999)}"
        house = rng.randint(1, 400)
        way = f"K{house}/{rng.randint(1, 60)}" if rng.random() < 0.3 else str(house)
        values = (
            number, name, f"Nguyễn {rng.choice(_WORDS)} {rng.choice(_WORDS)}",
            f"{way} {rng.choice(streets)}, phường Hòa Cường", f"Tổ {rng.randint(1, 312)}",
            f"0905{rng.randrange(10**6):06}" if rng.random() < 0.6 else None,
            f"048{rng.randrange(10**9):09}" if rng.random() < 0.5 else None, rng.choice(_LINES), rng.choice(_STATUSES),
            f"32A8{rng.randrange(10**6):06}" if rng.random() < 0.7 else None,
        )  # fmt: skip
        sheet.write_row(number + 2, 0, values)
        if rng.random() < 0.7:
            sheet.write_datetime(number + 2, 10, date(2015, 1, 1) + timedelta(rng.randrange(4_000)), day)
        sheet.write(number + 2, 11, rng.choice(("x", None, "không")))
    book.close()
    return path
