"""Reports to draw: a usual one, an empty one, and one whose every word is too long. Everything in them is invented."""

import math
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from postgis.today import VIETNAM
from web.brief import TEXTS, Ahead, Breakdown, BriefData, BriefFigure, BriefMap, Cell, Part, Share

MONTHS = (*(date(2026, month, 28) for month in range(1, 10)), date(2026, 10, 31))
TITLE = "Doanh nghiệp, hộ kinh doanh sử dụng nền tảng số (quản trị, bán hàng, thanh toán, hóa đơn điện tử...)"
DEFINITION = "Trong số doanh nghiệp, hộ kinh doanh đang có trên địa bàn. Có: dùng ít nhất một công cụ số."
LONG = "Tổ dân phố Hòa Cường Bắc số 112 (sáp nhập từ tổ 45, 46, 47), khu chung cư Ữẵng Nghĩa \U0001f600 한글 "


def share(population: int, yes: int, denominator: int, refused: int) -> Share:
    unknown = population - denominator
    return Share(
        population, yes, denominator, unknown, refused,
        100 * yes / denominator if denominator else None,
        100 * yes / population if population else None,
        100 * (yes + unknown) / population if population else None,
    )  # fmt: skip


def figure(code: str, title: str, **changes: Any) -> BriefFigure:
    trend = tuple((day, share(9500, 2000 + 200 * n, 6000 + 150 * n, 40)) for n, day in enumerate(MONTHS))
    values: dict[str, Any] = {
        "code": code, "title": title, "definition": DEFINITION, "source": "Phụ lục 1, II.6",
        "now": share(9500, 4100, 7500, 40), "before": share(9500, 3900, 7350, 40),
        "target": 50.0, "comparator": "at_least", "due": date(2026, 12, 31), "met": True, "trend": trend,
        "ahead": Ahead(date(2026, 12, 31), 56.2, 54, 58, "Đường thẳng qua 10 mốc cuối tháng gần nhất."),
        "no_forecast": "",
    }  # fmt: skip
    return BriefFigure(**{**values, **changes})


def _cell(column: int, row: int) -> Cell:
    x, y = 108.2 + 0.004 * column + 0.002 * (row % 2), 16.03 + 0.0034 * row
    ring = tuple((x + 0.0022 * math.cos(math.pi / 3 * k), y + 0.0021 * math.sin(math.pi / 3 * k)) for k in range(7))
    surveyed = column * row % 17
    return Cell(f"8965a{column:02}{row:02}", ring, 20 + column * row, surveyed, surveyed * (column + row) // 24)


_OUTLINE = tuple(
    (108.217 + 0.024 * math.cos(t / 10 * math.pi), 16.05 + 0.024 * math.sin(t / 10 * math.pi)) for t in range(21)
)
_GROUPS = (
    *((f"Tổ dân phố {n}", share(30 + n % 7, 10 + n % 5, 20 + n % 6, n % 3)) for n in range(1, 40)),
    ("", share(12, 1, 4, 0)),
)
_CODES = tuple(name for name, _ in _GROUPS)
WIDTHS = (70.0, 22.0, 20.0, 22.0, 26.0)
HEADINGS = ("Tổ dân phố", "Cơ sở", "Có", "Chưa rõ", "Còn thiếu")
NOTE = "Chỉ tiêu “Sử dụng nền tảng số”, số liệu đến hết ngày 31/10/2026."
_GROUP_ROWS = tuple((name, each.population, each.yes, each.unknown, 5) for name, each in _GROUPS[:-1])
_PARTS = (
    Part("rollout", "Tiến độ triển khai", NOTE, ("Tiêu chí", "Cần", "Đo được", "Kết luận", "Minh chứng"),
         (("Giai đoạn 1", "31/12/2026", "", "1 trên 2 tiêu chí đạt", ""),
          ("Cơ sở có tên và địa chỉ", "ít nhất 95 %", "97,5 %", "Đạt", "9.262/9.500 cơ sở"),
          ("Tem QR đã in", "ít nhất 90 %", "Không tính lại được", "Không kết luận", "")),
         (50, 27, 26, 25, 32), (("names_and_addresses", 95, 9262, 9500, True), ("qr_issued", 90, None, None, None)),
         None, (0,), (("Cơ sở có tên và địa chỉ", "Tỷ lệ cơ sở có cả tên và địa chỉ."),),
         (("Tiêu chí", "Cần", "Đo được"), ("Cơ sở có tên và địa chỉ", 95, 97.5), ("Tem QR đã in", 90, None))),
    Part("quality", "Chất lượng dữ liệu", NOTE, ("Chỉ số", "Cơ sở", "Đạt", "Chưa đạt", "Chưa rõ", "Tỷ lệ (%)"),
         (("Đúng: Vị trí dùng được", 9500, 9000, 400, 100, 95.74468),
          ("Sống: Giấy phép", 9500, 0, 0, 9500, None)),
         (66, 20, 18, 19, 18, 19), (("position", 9500, 9000, 400),)),
    Part("missing", "Còn thiếu theo tổ dân phố", NOTE, HEADINGS, _GROUP_ROWS, WIDTHS,
         tuple((code, 5) for code in _CODES[:-1]), 10),
    Part("sites", "Mô hình điểm", "Sổ chưa ghi mô hình điểm nào của phường."),
)  # fmt: skip
_ENTERED = figure(
    "retail_cashless_share", "Thanh toán không dùng tiền mặt trong bán lẻ",
    now=Share(None, None, None, None, None, 41.5, None, None), before=None, target=75.0, met=False, trend=(),
    ahead=None,
    no_forecast="Chưa dự báo.", entered="Báo cáo của ngân hàng · 12/BC-KT",
)  # fmt: skip
SAMPLE = BriefData(
    ward="20257", ward_name="phường Hòa Cường", place="Hòa Cường", kind="monthly", period="2026-10",
    first=date(2026, 10, 1), last=date(2026, 10, 31), as_of=date(2026, 10, 31),
    moment=datetime(2026, 10, 31, 23, 59, 59, 999999, VIETNAM), known="then", provisional=False,
    head=(123456, "ab" * 32),
    figures=(figure("digital_platform_use", TITLE), _ENTERED),
    breakdowns=(Breakdown("residential_group", "digital_platform_use", "Sử dụng nền tảng số", _GROUPS, _CODES),),
    map=BriefMap((_OUTLINE,), tuple(_cell(column, row) for column in range(10) for row in range(12))),
    parts=_PARTS,
    texts={"results": "Phường đã ra quân khảo sát 12 tổ dân phố.\n\nĐã tập huấn hai lớp."}, texts_version=3,
)  # fmt: skip
EMPTY = replace(
    SAMPLE, provisional=True, figures=(), breakdowns=(), map=None, parts=(), texts={}, texts_version=0, head=(0, "")
)
EXTREME = replace(
    SAMPLE,
    ward_name="phường " + "Thượng Nghĩa Đông Hòa " * 3,
    place="Thượng Nghĩa Đông Hòa",
    provisional=True,
    illustrative=True,
    figures=(
        figure("no_target", TITLE * 3, target=None, comparator=None, due=None, met=None),
        *(figure(f"wide_{n}", "Chỉ tiêu " + "W" * 90) for n in range(4)),
    ),
    breakdowns=(
        Breakdown(
            "residential_group", "no_target", "Sử dụng nền tảng số",
            tuple((LONG * 2 if n % 50 == 0 else f"Tổ {n}", share(1_234_567, 10, 1_000_000, 5)) for n in range(300)),
            tuple(f"20257-{n:03}" for n in range(300)),
        ),
    ),
    parts=(
        replace(_PARTS[0], title=LONG * 3, rows=((LONG * 4, LONG, LONG, LONG, "=HYPERLINK(1)"),) * 40, note=LONG * 20),
        replace(_PARTS[1], rows=tuple((f"=1+{n}", n, n, n, n, n / 3) for n in range(100)), most=90),
    ),
    texts=dict.fromkeys(TEXTS, ("Nội dung rất dài " * 60 + "\n") * 3),
)  # fmt: skip
ALL = {"sample": SAMPLE, "empty": EMPTY, "extreme": EXTREME}
