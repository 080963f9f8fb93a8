"""Lists of places to visit on their pages: made in two clicks, noted with one tap, told back to the board.

Two people at once, sent twice, without the right, of another ward."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from layers import indicators
from postgis.actor import read_as
from postgis.engine import Database
from postgis.today import today
from tests.register_api import Api, register_api
from tests.small_ward import WARD
from tests.work_ward import INDICATOR, STREET, add_street, plan

PAGE = "/board/work"
KEY = "k" * 20
FORM = ("indicator", "scope", "code", "title", "due_on", "responsibility", "product", "expected_result")


class Desk:
    """The pages as staff use them, with a token in place of a session."""

    def __init__(self, api: Api, shops: dict[str, str]) -> None:
        self.api, self.shops = api, shops
        page = self.get(f"{PAGE}/new?{urlencode({'indicator': INDICATOR, 'scope': 'street', 'code': STREET})}")
        self.form = {name: _input(page, name) for name in FORM}

    def post(self, path: str, who: str, **fields: Any) -> httpx.Response:
        body = urlencode(fields, doseq=True)
        headers = {
            "Authorization": f"Bearer {self.api.tokens[who]}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer: httpx.Response = self.api.client.post(path, content=body, headers=headers, follow_redirects=False)
        return answer

    def get(self, path: str, who: str = "officer") -> str:
        answer = self.api.ask("GET", path, who, Accept="text/html")
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def make(self, who: str = "officer", assignee: str = "surveyor", **fields: Any) -> httpx.Response:
        """As the form that the gap leads to sends it."""
        given = {**self.form, "key": token_urlsafe(18), "assignee": assignee}
        sent = {**given, "standing": ["no", "refused", "not_surveyed"], **fields}
        return self.post(PAGE, who, **sent)

    def list(self, **fields: Any) -> str:
        answer = self.make(**fields)
        assert answer.status_code == 303, answer.text
        return str(httpx.URL(answer.headers["location"]).path)

    def tap(self, place: str, result: str, who: str = "surveyor", **fields: Any) -> httpx.Response:
        page = self.get(place, who)
        sent = {"key": _input(page, "key"), "version": _input(page, "version"), "result": result, **fields}
        return self.post(place, who, **sent)

    def position(self, path: str, shop: str) -> str:
        found = re.search(rf'{path}/places/(\d+)">Quán số {shop}<', self.get(path))
        assert found, shop
        return f"{path}/places/{found[1]}"

    def count(self, table: str, shop: str) -> int:
        with self.api.database.owner.connect() as owner:
            return int(owner.exec_driver_sql(
                f"SELECT count(*) FROM register.{table} t JOIN register.establishment e ON e.id = t.establishment_id "
                "WHERE e.code = %s AND t.updated_at > now() - interval '1 hour' AND t.source = 'field_survey'",
                (self.shops[shop],),
            ).scalar_one())  # fmt: skip

    def figure(self) -> indicators.Figure:
        with read_as(self.api.database, self.api.actors["officer"]) as connection:
            found = indicators.by(connection, WARD, today(), "then", INDICATOR, "street")
            return dict(found)[STREET]


def _input(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1].replace("&#34;", '"').replace("&amp;", "&")


@pytest.fixture(scope="module")
def _api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "work_pages", 1) as api:
        plan(api.database, WARD)
        yield api


@pytest.fixture
def desk(_api: Api) -> Iterator[Desk]:
    yield Desk(_api, add_street(_api.database, _api.actors["officer"]))
    with _api.database.owner.begin() as owner:
        owner.exec_driver_sql("UPDATE register.work_list SET ended_at = now(), end_reason = 'x' WHERE ended_at IS NULL")
        owner.exec_driver_sql(
            "UPDATE register.establishment SET ended_at = now(), end_reason = 'x' "
            "WHERE street_name = %s AND ended_at IS NULL",
            (STREET,),
        )


def test_from_the_gap_to_the_list_in_two_clicks(desk: Desk) -> None:
    board = desk.get(f"{PAGE}?{urlencode({'indicator': INDICATOR, 'scope': 'street'})}")
    assert f"còn 3 cơ sở ở {STREET} để đạt 50\u00a0%" in board
    link = re.search(r'href="(/board/work/new\?[^"]+)"', board)
    assert link and quote(STREET) in link[1].replace("+", "%20")
    form = desk.get(link[1].replace("&amp;", "&"))
    assert "9 cơ sở theo thứ tự đi" in form and "Chưa khảo sát (6)" in form and "Từ chối trả lời (1)" in form
    path = desk.list()
    page = desk.get(f"{path}?done=made")
    assert "Đã giao việc." in page and "Đã đến 0/9" in page
    for title in ("Người thực hiện", "Việc", "Thời hạn", "Trách nhiệm", "Sản phẩm", "Kết quả cần đạt"):
        assert f"<dt>{title}</dt>" in page, title
    names = re.findall(r">(Quán số \d+)<", page)
    assert [name.split()[-1] for name in names if name in names[:9]][:9] in (
        ["5", "7", "9", "11", "12", "10", "8", "6", "4"], ["4", "6", "8", "10", "12", "11", "9", "7", "5"],
    )  # fmt: skip
    assert "Danh sách của tôi" in desk.get(PAGE, "surveyor")


def test_sent_twice_makes_one_list(desk: Desk) -> None:
    first, second = desk.make(key=KEY), desk.make(key=KEY)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert desk.make(key=KEY, title="Việc khác").status_code == 403


def test_of_two_officers_the_second_gets_what_is_left(desk: Desk) -> None:
    path = desk.list(limit="5")
    assert "Đã đến 0/5" in desk.get(path)
    assert "Đã đến 0/4" in desk.get(desk.list(who="approver", key=KEY[::-1] + "2"))
    answer = desk.make(key="z" * 20)
    assert answer.status_code == 422
    assert "đã nằm trong danh sách đang làm" in answer.text


def test_what_a_colleague_writes_while_a_list_waits_for_its_turn_counts(desk: Desk) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 20257002"
    owner = desk.api.database.owner
    with ThreadPoolExecutor(1) as other:
        with owner.begin() as colleague:
            colleague.exec_driver_sql("SELECT pg_advisory_xact_lock(20257002)")
            made = other.submit(desk.list)
            deadline = monotonic() + 10
            while monotonic() < deadline:
                with owner.connect() as watcher:
                    if watcher.exec_driver_sql(waiting).scalar_one():
                        break
            else:
                raise AssertionError("the list does not wait for its turn")
            colleague.exec_driver_sql(
                "UPDATE register.establishment SET ended_at = now(), end_reason = 'x' WHERE code = %s",
                (desk.shops["5"],),
            )
        path = made.result(30)
    assert "Đã đến 0/8" in desk.get(path)
    assert not re.search(r">Quán số 5<", desk.get(path))


def test_one_tap_of_an_officer_is_in_the_figures_at_once(desk: Desk) -> None:
    path = desk.list()
    before = desk.figure()
    answer = desk.tap(
        desk.position(path, "9"), "accepts", "officer", method=["vietqr", "momo"], transactions="yes", document="12/BB"
    )
    assert answer.status_code == 303 and "/places/" in answer.headers["location"], answer.text
    after = desk.figure()
    assert (after.yes, after.not_surveyed) == (before.yes + 1, before.not_surveyed - 1)  # type: ignore[operator]
    assert (desk.count("visit", "9"), desk.count("payment_acceptance", "9")) == (1, 2)
    page = desk.get(path)
    assert "Đã đến 1/9" in page and "Đạt: 1" in page
    with desk.api.database.owner.connect() as owner:
        rows = owner.exec_driver_sql(
            "SELECT p.method, p.evidence_level, p.has_transactions, p.document FROM register.payment_acceptance p "
            "JOIN register.establishment e ON e.id = p.establishment_id WHERE e.code = %s ORDER BY 1",
            (desk.shops["9"],),
        ).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [("momo", "observed", True, "12/BB"), ("vietqr", "observed", True, "12/BB")]
    desk.tap(desk.position(path, "8"), "cash_only", "officer")
    assert (desk.figure().no, desk.figure().not_surveyed) == ((after.no or 0) + 1, (after.not_surveyed or 0) - 1)


def test_surveyors_note_visits_and_propose_what_they_learnt(desk: Desk) -> None:
    path = desk.list()
    before = desk.figure()
    for shop, result in (("9", "refused"), ("8", "nobody_there"), ("7", "not_found")):
        assert desk.tap(desk.position(path, shop), result).status_code == 303
        assert desk.count("visit", shop) == 1
    assert desk.figure().refused == (before.refused or 0) + 1, "refused is no no"
    assert desk.figure().no == before.no
    answer = desk.tap(desk.position(path, "10"), "accepts", method="vietqr")
    assert answer.status_code == 303 and "done=proposed" in answer.headers["location"]
    assert (desk.count("visit", "10"), desk.count("payment_acceptance", "10")) == (1, 0)
    assert desk.figure().yes == before.yes, "what waits for review counts for nothing"
    page = desk.get(path)
    for words in ("Đã đến 4/9", "Từ chối: 1", "Không gặp ai: 1", "Không tìm thấy: 1", "Đã ghi, chờ duyệt: 1"):
        assert words in page, words
    waiting = [each for each in desk.api.get("/proposals", "officer")["proposals"] if each["state"] == "pending"]
    mine = [each for each in waiting if each["patch"].get("establishment") == desk.shops["10"]]
    assert [(each["collection"], each["patch"]["method"], each["risk"]) for each in mine] == [
        ("payment_acceptances", "vietqr", "normal")
    ]


def test_a_tap_sent_twice_notes_one_visit(desk: Desk) -> None:
    place = desk.position(desk.list(), "9")
    sent = {"key": KEY + "tap", "version": "0", "result": "accepts", "method": "vietqr"}
    first, second = desk.post(place, "officer", **sent), desk.post(place, "officer", **sent)
    assert (first.status_code, second.status_code) == (303, 303)
    assert (desk.count("visit", "9"), desk.count("payment_acceptance", "9")) == (1, 1)
    other = desk.post(place, "officer", **{**sent, "result": "refused", "version": "999"})
    assert other.status_code == 409
    assert desk.count("visit", "9") == 1


def test_who_comes_second_to_a_place_is_told(desk: Desk) -> None:
    place = desk.position(desk.list(), "9")
    old = desk.get(place)
    assert desk.tap(place, "nobody_there", "officer").status_code == 303
    late = desk.post(place, "officer", key=_input(old, "key"), version=_input(old, "version"), result="refused")
    assert late.status_code == 409 and "Đồng nghiệp vừa ghi kết quả" in late.text and "Không gặp ai" in late.text
    assert desk.count("visit", "9") == 1
    again = desk.post(
        place, "officer", key=_input(late.text, "key"), version=_input(late.text, "version"), result="refused"
    )
    assert again.status_code == 303
    assert desk.count("visit", "9") == 2


def test_without_the_right_nothing_is_noted(desk: Desk) -> None:
    path = desk.list(assignee="approver")
    place = desk.position(path, "9")
    assert "Danh sách này giao cho" in desk.get(place, "surveyor")
    for who, status in (("surveyor", 403), ("other", 404), ("reader", 403)):
        answer = desk.post(place, who, key=KEY, version="0", result="refused")
        assert answer.status_code == status, who
    assert desk.count("visit", "9") == 0
    for who, status in (("surveyor", 403), ("other", 404), ("reader", 403)):
        assert desk.post(path, who, version="1", do="close", outcome="x").status_code == status, who
    assert desk.make(who="surveyor").status_code == 403
    for address in (path, place):
        assert desk.api.ask("GET", address, "other").status_code == 404
        assert desk.api.ask("GET", address).status_code == 401
    assert STREET not in desk.get(f"{PAGE}?scope=street", "other")


def test_a_list_is_handed_on_and_closed_and_late_hands_are_told(desk: Desk) -> None:
    path = desk.list()
    page = desk.get(path)
    said = {name: _input(page, name) for name in ("title", "due_on", "responsibility", "product", "expected_result")}
    assert desk.post(path, "officer", version="1", assignee="approver", **said).status_code == 303
    late = desk.post(path, "officer", version="1", assignee="surveyor", **said)
    assert late.status_code == 409 and "Đồng nghiệp vừa sửa" in late.text
    wrong = desk.post(path, "officer", version="2", assignee="nobody", **{**said, "due_on": "31/02/2027"})
    assert wrong.status_code == 422 and "31/02/2027" in wrong.text and "Không có cán bộ này" in wrong.text
    assert desk.post(path, "officer", version="2", do="close", outcome="").status_code == 422
    assert desk.post(path, "officer", version="2", do="close", outcome="Thêm 3 cơ sở đạt").status_code == 303
    place = re.search(rf"{path}/places/1", desk.get(path))
    assert place is None, "nothing is noted on a closed list"
    assert desk.post(f"{path}/places/1", "officer", key=KEY, version="0", result="refused").status_code == 403
    assert "Thêm 3 cơ sở đạt" in desk.get(path) and "Danh sách đã kết thúc" in desk.get(f"{PAGE}?closed=1")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"indicator": "x"}, 400), ({"indicator": "retail_cashless_share"}, 400), ({"scope": "ward"}, 400),
        ({"scope": "residential_group"}, 400), ({"code": ""}, 400), ({"code": "x" * 999}, 400), ({"limit": "0"}, 422),
        ({"limit": "-1"}, 422), ({"limit": "9" * 40}, 422), ({"due_on": "mai"}, 422),
        ({"title": ""}, 422), ({"title": "x" * 300}, 422), ({"assignee": "other"}, 422), ({"assignee": ""}, 422),
        ({"code": "Đường không có"}, 422),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_makes_nothing(desk: Desk, fields: dict[str, str], status: int) -> None:
    answer = desk.make(**fields)
    assert answer.status_code == status, answer.text[:300]
    assert "Chưa có danh sách nào đang làm." in desk.get(PAGE)


def test_bad_addresses_and_results_are_told(desk: Desk) -> None:
    path = desk.list()
    for address in (f"{PAGE}/x", f"{PAGE}/999999999", f"{PAGE}/{'9' * 20}", f"{PAGE}/%00", f"{path}/places/0",
                    f"{path}/places/99", f"{path}/places/x"):  # fmt: skip
        assert desk.api.ask("GET", address, "officer").status_code == 404, address
    assert desk.api.ask("GET", f"{PAGE}?x=1", "officer").status_code == 400
    place = desk.position(path, "9")
    assert desk.tap(place, "x", "officer").status_code == 400
    assert "Hãy chọn ít nhất một cách thanh toán" in desk.tap(place, "accepts", "officer").text
    assert desk.tap(place, "accepts", "officer", method="vietqr", document="x" * 101).status_code == 422
    assert desk.tap(place, "accepts", "officer", method="gold").status_code == 422
    assert desk.count("visit", "9") == 0, "nothing of a refused form stays"
