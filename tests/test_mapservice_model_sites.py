"""Model sites stall by stall: who is missing and why, the evidence, the outline; the public learns that they exist."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from postgis.actor import write_as
from postgis.engine import Database
from postgis.store import records
from tests.register_api import Api, register_api
from tests.small_ward import MIDDLE, WARD

PAGE = "/board/model-sites"
LON, LAT = MIDDLE[WARD]
DAY = "2026-03-04"


class Market:
    """A market with a stall of every kind; `add` writes records as an officer does."""

    def __init__(self, api: Api) -> None:
        self.api, self.officer = api, api.actors["officer"]
        ring = [[LON, LAT], [LON + 0.001, LAT], [LON + 0.001, LAT + 0.001], [LON, LAT + 0.001], [LON, LAT]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        self.code = self.add("model_sites", kind="market", name="Chợ Đủ Loại", geometry=shape)
        self.stalls = {stall: self.stall(stall) for stall in ("A-2", "A-10", "B-1", "B-2", "B-3", "B-4", "C-1", "C-2")}
        self.pay("A-2", "vietqr", "observed", has_transactions=True, document="07/BB-KT")
        self.pay("A-10", "vietqr", "declared", has_transactions=True)
        self.pay("B-1", "momo", "observed", has_transactions=False)
        self.pay("B-2", "momo", "observed")
        self.pay("B-3", "vietqr", "observed", checked_on="2026-03-01", has_transactions=True)
        self.pay("B-3", "cash_only", "observed")
        self.add("visits", establishment=self.stalls["C-1"], visited_on=DAY, outcome="refused", source="field_survey")
        closed = self.stall("Z-9")
        with write_as(api.database, self.officer, reason="thử") as connection:
            records.change(connection, "establishments", closed, 1, {"operating_status": "closed"})

    def add(self, collection: str, **values: Any) -> str:
        with write_as(self.api.database, self.officer, reason="thử") as connection:
            return records.create(connection, collection, values, ward_id=self.officer.ward_id).code

    def stall(self, stall: str) -> str:
        point = {"type": "Point", "coordinates": [LON + 0.0005, LAT + 0.0005]}
        return self.add(
            "establishments", name=f"Sạp {stall}", sector_group="grocery", source="office", position_method="surveyed",
            operating_status="active", geometry=point, model_site=self.code, stall=stall,
        )  # fmt: skip

    def pay(self, stall: str, method: str, evidence: str, **more: Any) -> None:
        values = {"accepted": True, "checked_on": DAY, "source": "field_survey", **more}
        self.add(
            "payment_acceptances", establishment=self.stalls[stall], method=method, evidence_level=evidence, **values
        )

    def get(self, path: str = "", who: str | None = "officer") -> str:
        answer = self.api.ask("GET", f"{PAGE}{path}", who, Accept="text/html")
        assert answer.status_code == 200, answer.text[:300]
        return answer.text

    def post(self, path: str, who: str = "officer", **fields: Any) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.api.tokens[who]}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer: httpx.Response = self.api.client.post(
            f"{PAGE}{path}", content=urlencode(fields), headers=headers, follow_redirects=False
        )
        return answer

    def version(self) -> str:
        found = re.search(r'name="version" value="(\d+)"', self.get(f"/{self.code}"))
        assert found
        return found[1]


@pytest.fixture(scope="module")
def market(server: Database, base_database: Database) -> Iterator[Market]:
    with register_api(server, base_database, "model_site_pages", 1) as api:
        yield Market(api)


def _rows(page: str) -> dict[str, str]:
    """The table's rows by stall, as plain text."""
    rows = re.findall(r'<tr><td data-title="Quầy">([^<]*)</td>(.*?)</tr>', page, re.S)
    return {stall: " ".join(re.sub(r"<[^>]+>", " ", row).split()) for stall, row in rows}


def test_every_stall_says_why(market: Market) -> None:
    rows = _rows(market.get(f"/{market.code}"))
    assert list(rows) == ["A-2", "A-10", "B-1", "B-2", "B-3", "B-4", "C-1", "C-2"], (
        "by number; what is gone counts no more"
    )
    expected = {
        "A-2": "Có nhận và có giao dịch", "A-10": "Có giao dịch, mới nghe khai báo",
        "B-1": "Có nhận, chưa có giao dịch",
        "B-2": "Có nhận, chưa rõ giao dịch", "B-3": "Chỉ nhận tiền mặt", "B-4": "Chưa khảo sát",
        "C-1": "Từ chối cung cấp", "C-2": "Chưa khảo sát",
    }  # fmt: skip
    for stall, words in expected.items():
        assert words in rows[stall], stall
    assert "biên bản số 07/BB-KT" in rows["A-2"] and "đã thấy giao dịch" in rows["A-2"] and "04/03/2026" in rows["A-2"]
    assert "VietQR" not in rows["B-3"], "what a later check ended is no evidence"
    assert "Chưa kiểm tra" in rows["B-4"] and "Từ chối ngày 04/03/2026" in rows["C-1"]


def test_the_figures_are_the_boards_and_add_up(market: Market) -> None:
    page = market.get(f"/{market.code}")
    counts = {words: int(number) for number, words in re.findall(r"<strong>(\d+)</strong> ([^<]+)</li>", page)}
    assert sum(counts.values()) == 8 and counts["Chưa khảo sát"] == 2 and counts["Từ chối cung cấp"] == 1
    # Active: yes 2, no 2 (cash only, no transactions), unknown 4. Method: yes 4, no 1, unknown 3.
    assert "có 2, không 2, chưa rõ 4" in page and "từ 25,0 % đến 75,0 %" in page and "<strong>50,0 %</strong>" in page
    assert "có 4, không 1, chưa rõ 3" in page and "<strong>80,0 %</strong>" in page
    targets = re.findall(r"<li>Đến (\S+): <strong>([\d,]+ %)</strong> · <span[^>]*>([^<]+)<", page)
    assert targets == [
        ("31/12/2026", "60 %", "còn thiếu 3 quầy"), ("31/12/2028", "80 %", "còn thiếu 5 quầy"),
        ("31/12/2030", "100 %", "còn thiếu 6 quầy"), ("31/12/2028", "100 %", "còn thiếu 4 quầy"),
    ]  # fmt: skip
    link = re.search(r'href="(/board/work/new[^"]+)"', page)
    assert link
    answer = market.api.ask("GET", link[1].replace("&amp;", "&"), "officer")
    assert answer.status_code == 200 and "6 cơ sở theo thứ tự đi" in answer.text
    assert "due=2026-12-31" in link[1] and re.search("còn 3 cơ sở ở .* để đạt 60", answer.text)
    later = market.api.ask("GET", link[1].replace("&amp;", "&").replace("2026-12-31", "2028-12-31"), "officer").text
    assert re.search("còn 5 cơ sở ở .* để đạt 80", later) and 'name="due" value="2028-12-31"' in later
    wrong = market.api.ask("GET", link[1].replace("&amp;", "&").replace("2026-12-31", "2027-01-01"), "officer")
    assert wrong.status_code == 400, "no such target"


def test_everybody_is_told_only_that_the_sites_exist(market: Market) -> None:
    page = market.get("", None)
    assert "Chợ Đủ Loại" in page and "%" not in re.sub(r"<style.*?</style>", "", page.split("<main")[1])
    for secret in ("07/BB-KT", "Sạp", "Chưa khảo sát", "/board/model-sites/"):
        assert secret not in page, secret
    assert market.api.ask("GET", f"{PAGE}/{market.code}").status_code == 401
    for path in (
        "payment_acceptances/items?limit=1000",
        "payment_acceptances/schema",
        "establishments/items?limit=1000",
    ):
        answer = market.api.ask("GET", f"/ogc/collections/{path}")
        assert answer.status_code == 200 and "BB-KT" not in answer.text and '"document"' not in answer.text, path
    changes = market.api.get("/changes?since=0&limit=1000")
    assert "BB-KT" not in json.dumps(changes) and "document" not in json.dumps(changes)
    assert "BB-KT" not in market.api.ask("GET", f"/q/{market.stalls['A-2']}.json").text
    own = market.api.get("/ogc/collections/payment_acceptances/items?limit=1000", "officer")
    assert "07/BB-KT" in json.dumps(own)
    assert "BB-KT" not in json.dumps(market.api.get("/ogc/collections/payment_acceptances/items?limit=1000", "other"))


def test_another_wards_staff_see_none_of_it(market: Market) -> None:
    assert "Chợ Đủ Loại" not in market.get("", "other")
    assert market.api.ask("GET", f"{PAGE}/{market.code}", "other").status_code == 404
    sent = {"version": market.version(), "reason": "thử", "geometry": json.dumps(_square(0.0004))}
    for who, status in (("other", 404), ("surveyor", 403), ("reader", 403)):
        assert market.post(f"/{market.code}/outline", who, **sent).status_code == status, who
    assert market.post("", "surveyor", name="x", kind="market", reason="thử").status_code == 403


def _square(size: float, lon: float = LON, lat: float = LAT) -> dict[str, Any]:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_the_outline_is_drawn_once_by_whom_saw_it(market: Market) -> None:
    sent = {"version": market.version(), "reason": "đo lại", "geometry": json.dumps(_square(0.0008))}
    assert market.post(f"/{market.code}/outline", **sent).status_code == 303
    late = market.post(f"/{market.code}/outline", **{**sent, "geometry": json.dumps(_square(0.0006))})
    assert late.status_code == 409 and "Đồng nghiệp vừa sửa mô hình này" in late.text
    feature = json.dumps({"type": "Feature", "properties": {}, "geometry": _square(0.001)})
    assert (
        market.post(f"/{market.code}/outline", version=market.version(), reason="x", geometry=feature).status_code
        == 303
    )
    with market.api.database.owner.connect() as owner:
        shape = owner.exec_driver_sql(
            "SELECT public.ST_XMax(geom) FROM register.model_site WHERE code = %s", (market.code,)
        ).scalar_one()
    assert shape == pytest.approx(LON + 0.001)


@pytest.mark.parametrize(
    "geometry",
    [
        "", "x", "[]", "null", "{}", '{"type": "Polygon"}', '{"type": "Point", "coordinates": [108.2, 16.0]}',
        '{"type": "FeatureCollection", "features": []}', '{"type": "Polygon", "coordinates": [[[1e999, 0]]]}',
        '{"type": "Feature", "geometry": null}', "[" * 15_000, json.dumps(_square(0.001, 105.8, 21.0)),
        '{"type": "LineString", "coordinates": [[108.2, 16.0]]}', json.dumps(_square(5, 105, 15)),
    ],
)  # fmt: skip
def test_what_is_no_outline_is_told_and_changes_nothing(market: Market, geometry: str) -> None:
    before = market.version()
    answer = market.post(f"/{market.code}/outline", version=before, reason="thử", geometry=geometry)
    assert answer.status_code == 422, answer.text[:300]
    assert market.version() == before
    assert market.post("", name="Chợ Sai", kind="market", reason="thử", geometry=geometry).status_code == 422
    assert "Chợ Sai" not in market.get()


def test_a_street_is_taken_as_the_map_has_it(market: Market) -> None:
    page = market.get()
    streets = re.findall(r'<option value="([^"]+)">', page.split('id="streets"')[1])
    assert streets
    answer = market.post("", name="Tuyến phố Thử", kind="street", reason="theo kế hoạch", street=streets[0])
    assert answer.status_code == 303, answer.text[:500]
    shown = market.get(httpx.URL(answer.headers["location"]).path.removeprefix(PAGE) + "?done=made")
    assert "Tuyến phố Thử" in shown and "Chưa có quầy nào" in shown and "dài" in shown
    wrong = market.post("", name="Tuyến khác", kind="street", reason="thử", street="Đường không có")
    assert wrong.status_code == 422 and "Bản đồ của phường chưa vẽ đường này" in wrong.text
    assert market.post("", name="", kind="x", reason="", street=streets[0]).status_code == 422
    assert market.post(f"/{market.code}/outline", version="x", reason="thử", street=streets[0]).status_code == 409


def test_pages_of_no_site_are_told(market: Market) -> None:
    for path in ("/MS2222", "/%00", "/" + "x" * 300):
        assert market.api.ask("GET", f"{PAGE}{path}", "officer").status_code == 404
    assert market.api.ask("GET", f"{PAGE}?x=1").status_code == 400
