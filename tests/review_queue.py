"""A ward with a queue of proposals of every sort, for the tests of the review screens. Everything invented."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from mapservice.app import create_app
from mapservice.middleware import Observe
from mapservice.settings import HttpSettings
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.store import proposals, records, sessions, suggestions
from tests.small_ward import MIDDLE, OTHER_WARD, WARD, add_staff

BASIS = {"legal_basis": "Luật Tiếp cận thông tin 2016, điều 17 khoản 1 điểm i", "evidence": "Biên bản 12/BB (minh họa)"}
NAMES = (
    "Bún Mắm Bà Minh Họa",
    "Cà Phê Ví Dụ",
    "Tạp Hóa Thử Nghiệm",
    "Tiệm May Mẫu",
    "Phở Bò Minh Họa",
    "Nhà Thuốc Ví Dụ",
)
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&lt;"


@dataclass
class Queue:
    """What `fill_queue` has made."""

    database: Database
    staff: dict[str, Actor]
    places: list[str] = field(default_factory=list)
    receipts: dict[str, list[str]] = field(default_factory=dict)

    def cookie(self, login: str) -> str:
        """The cookie of a signed-in browser."""
        with self.database.owner.begin() as connection:
            return sessions.start(connection, self.staff[login].staff_id)

    def propose(self, login: str, collection: str, code: str | None, patch: dict[str, Any], **more: Any) -> str:
        """A proposal of a member of staff; returns its receipt."""
        actor = self.staff[login]
        with write_as(self.database, actor, reason=None) as connection:
            values = {"reason": "Khảo sát tại chỗ", "source": "field_survey", **more}
            return proposals.propose(
                connection, actor, collection=collection, record_code=code, patch=patch, **values
            ).receipt

    def suggest(self, place: str, patch: dict[str, Any], kind: str = "owner", **more: Any) -> str:
        """A proposal of somebody without an account; returns its receipt."""
        with self.database.staff.begin() as connection:
            values = {"collection": "establishments", "reason": "Nhờ phường sửa giúp", **more}
            return suggestions.suggest(connection, establishment=place, patch=patch, proposer_kind=kind, **values)

    def edit(self, collection: str, code: str, **values: Any) -> None:
        """What an officer changes meanwhile."""
        with write_as(self.database, self.staff["officer"], reason="sửa") as connection:
            version = records.get(connection, collection, code).version
            records.change(connection, collection, code, version, values)

    def add(self, collection: str, **values: Any) -> str:
        """A record; returns its code."""
        officer = self.staff["officer"]
        with write_as(self.database, officer, reason="thử") as connection:
            return records.create(connection, collection, values, ward_id=officer.ward_id).code


def new_ward(database: Database, places: int) -> Queue:
    """Staff of every role, one of another ward, and places without anything."""
    staff = {role: add_staff(database, role, role) for role in ("surveyor", "officer", "approver", "admin")}
    staff["elsewhere"] = add_staff(database, "elsewhere", "approver", OTHER_WARD)
    queue = Queue(database, staff)
    lon, lat = MIDDLE[WARD]
    for number in range(places):
        point = [round(lon + number % 20 * 0.0001, 6), round(lat + number // 20 * 0.0001, 6)]
        queue.places.append(
            queue.add(
                "establishments",
                name=f"{NAMES[number % len(NAMES)]} {number + 1}",
                sector_group="food_service",
                address=f"{number + 1} Đường Minh Họa, phường Hòa Cường",
                operating_status="active",
                opening_hours="Mo-Su 07:00-21:00",
                geometry={"type": "Point", "coordinates": point},
                position_method="surveyed",
                source="office",
            )
        )
    return queue


def fill_queue(queue: Queue, count: int) -> None:
    """`count` proposals: of 10 one is adverse, one in conflict, four normal, four of low risk."""
    for number in range(count):
        place = queue.places[number % len(queue.places)]
        sort, receipt = _one(queue, place, number)
        queue.receipts.setdefault(sort, []).append(receipt)


def _one(queue: Queue, place: str, number: int) -> tuple[str, str]:
    day = f"2026-{number % 9 + 1:02d}-12"
    turn = number % 10
    if turn == 0:
        found = {"establishment": place, "inspected_on": day, "agency": "Đoàn kiểm tra liên ngành (minh họa)",
                 "result": "fail", "signed_on": day, "official_words": "Bếp chưa có lưới chắn côn trùng."}  # fmt: skip
        return "adverse", queue.propose("surveyor", "inspections", None, found, reason="Kiểm tra định kỳ", **BASIS)
    if turn == 1:
        made = queue.propose("surveyor", "establishments", place, {"name": f"Quán Đổi Tên {number}", "stall": "A12"})
        queue.edit("establishments", place, name=f"Quán Tên Khác {number}")
        return "conflict", made
    if turn == 2:
        licence = {"establishment": place, "kind": "alcohol_retail", "number": f"{number}/GP", "issued_on": day,
                   "expires_on": f"2031-{number % 9 + 1:02d}-12", "checked_on": day}  # fmt: skip
        return "normal", queue.propose("surveyor", "licences", None, licence)
    if turn == 3:
        patch = {"address": f"K{number}/5 Đường Minh Họa, phường Hòa Cường", "name": f"Bún Mắm Cô Ví Dụ {number}"}
        return "normal", queue.suggest(place, patch, reason="Quán mới sang tên")
    if turn == 4:
        lon, lat = MIDDLE[WARD]
        point = {"type": "Point", "coordinates": [lon + 0.0008, lat + 0.0003]}
        return "normal", queue.suggest(place, {"geometry": point}, "volunteer", reason="Chấm lệch sang nhà bên")
    if turn == 5:
        status = {"operating_status": "suspended", "suspended_until": "2027-02-01", "status_reason": "Sửa nhà"}
        return "normal", queue.propose("surveyor", "establishments", place, status)
    if turn == 6:
        return "low", queue.suggest(place, {"opening_hours": "Mo-Sa 05:30-20:30"}, reason="Đổi giờ mở cửa")
    if turn == 7:
        return "low", queue.suggest(place, {"website": f"https://vi-du-{number}.example.vn"}, reason="Thêm trang web")
    if turn == 8:
        return "low", queue.suggest(place, {"offering": "Mì Quảng, bún mắm, chè"}, "citizen", reason="Thiếu món")
    paid = {"method": ("vietqr", "momo", "zalopay")[number // 10 % 3], "accepted": True}
    return "low", queue.suggest(place, paid, "volunteer", collection="payment_acceptances", reason="Có mã QR ở quầy")


@contextmanager
def serving(database: Database, port: int = 0) -> Iterator[str]:
    """The service on this database, in this process; gives its address."""
    application = Observe(create_app(HttpSettings(), database))
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, bound = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{bound}"
    finally:
        server.should_exit = True
        thread.join()
