"""Invented warnings to the public: a few live ones, and some that were lifted."""

from datetime import date, timedelta
from random import Random
from typing import Any

from ingest.demo.businesses import SOURCE, Business
from ingest.demo.days import between, days_before

AGENCY = "Ủy ban nhân dân phường"

FAILED = (
    "Không đạt điều kiện an toàn thực phẩm",
    "Cơ sở đang khắc phục theo yêu cầu của đoàn kiểm tra. Người dân nên cân nhắc trước khi sử dụng cho đến khi có kết "
    "quả kiểm tra lại.",
)
FOOD = (
    (
        "Phát hiện thực phẩm không rõ nguồn gốc",
        "Không sử dụng sản phẩm không có nhãn mua tại cơ sở. Nếu đã mua, hãy giữ lại bao bì và báo cho phường.",
    ),
    (
        "Đang xác minh phản ánh về nghi ngờ ngộ độc thực phẩm",
        "Nếu có triệu chứng bất thường sau khi ăn uống tại cơ sở, hãy đến cơ sở y tế gần nhất và báo cho phường.",
    ),
    (
        "Nước đá, nước uống chưa bảo đảm vệ sinh",
        "Không dùng nước đá tại cơ sở cho đến khi có kết quả kiểm nghiệm mới.",
    ),
)
ANY = (
    (
        "Mã QR thanh toán từng bị dán đè",
        "Kiểm tra tên người nhận trước khi chuyển khoản; chỉ quét mã do nhân viên của cơ sở đưa.",
    ),
    (
        "Giá bán chưa được niêm yết rõ ràng",
        "Hỏi giá trước khi mua và giữ lại hóa đơn; nếu có tranh chấp, hãy phản ánh với phường.",
    ),
)

_LIVE_AFTER_FAILURE = 0.5
_FAILURE_DAYS = 150
_LIVE = 0.002
_LIFTED = 0.004


def warnings(business: Business, failed_on: date | None, as_of: date, rng: Random) -> list[dict[str, Any]]:
    """The warnings about a business, earlier ones first. Live ones only about places that are open."""
    rows = []
    words = FOOD + ANY if business.trade.food else ANY
    if rng.random() < _LIFTED:
        first = max(business.opened_on, days_before(as_of, 700))
        lifted_on = between(rng, first, days_before(business.last_day(as_of), 1))
        issued_on = max(business.opened_on, days_before(lifted_on, rng.randint(3, 45)))
        rows.append(_row(rng.choice(words), issued_on, max(issued_on, lifted_on)))
    if business.status != "active":
        return rows
    if failed_on and (as_of - failed_on).days <= _FAILURE_DAYS and rng.random() < _LIVE_AFTER_FAILURE:
        rows.append(_row(FAILED, min(as_of, failed_on + timedelta(days=rng.randint(0, 5))), None))
    elif rng.random() < _LIVE:
        rows.append(_row(rng.choice(words), between(rng, max(business.opened_on, days_before(as_of, 60)), as_of), None))
    return rows


def _row(words: tuple[str, str], issued_on: date, lifted_on: date | None) -> dict[str, Any]:
    headline, instruction = words
    return {
        "issued_on": issued_on,
        "lifted_on": lifted_on,
        "headline": headline,
        "instruction": instruction,
        "agency": AGENCY,
        "source": SOURCE,
    }
