"""/proposals and /staff/proposals over HTTP: receipts, rights, conflicts, plain forms, and input that means harm."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from mapservice.asker import COOKIE
from postgis.actor import read_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import proposals, records, tokens
from tests.review_queue import BASIS, HOSTILE, Queue, fill_queue, new_ward, serving

NUMBERS = count(1)


@dataclass
class Served:
    queue: Queue
    url: str
    tokens: dict[str, str]
    places: Iterator[str]

    def client(self, login: str | None = None, **headers: str) -> httpx.Client:
        """A program: with a member of staff's token, or nobody's."""
        known = {"Authorization": f"Bearer {self.tokens[login]}"} if login else {}
        return httpx.Client(base_url=self.url, headers={"Accept": "application/json", **known, **headers}, timeout=30)

    def browser(self, login: str) -> httpx.Client:
        """A signed-in browser."""
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        cookies = {COOKIE: self.queue.cookie(login)}
        return httpx.Client(base_url=self.url, headers=headers, cookies=cookies, timeout=30)

    def state(self, receipt: str) -> str:
        with read_as(self.queue.database, self.queue.staff["officer"]) as connection:
            return proposals.get(connection, receipt).state

    def record(self, place: str) -> records.Record:
        with read_as(self.queue.database, self.queue.staff["officer"]) as connection:
            return records.get(connection, "establishments", place)

    def normal(self) -> str:
        """A proposal that any reviewer may apply."""
        return self.queue.propose("surveyor", "establishments", next(self.places), {"name": f"Tên {next(NUMBERS)}"})

    def adverse(self, login: str = "surveyor", **more: Any) -> str:
        patch = {
            "establishment": next(self.places),
            "issued_on": "2026-03-01",
            "headline": "Tạm dừng",
            "agency": "Đoàn",
        }
        return self.queue.propose(login, "warnings", None, patch, **more)


@pytest.fixture(scope="module")
def served(server: Database, base_database: Database) -> Iterator[Served]:
    base_database.dispose()
    own = create_database(server, "proposals_http", template="base")
    queue = new_ward(own, 70)
    with own.owner.begin() as connection:
        keys = {
            name: tokens.issue(connection, actor.staff_id, "thử", "write", 1) for name, actor in queue.staff.items()
        }
        keys["reader"] = tokens.issue(connection, queue.staff["approver"].staff_id, "đọc", "read", 1)
    with serving(own) as url:
        yield Served(queue, url, keys, iter(queue.places))
    own.dispose()
    drop_database(server, "proposals_http")


def asked(place: str, **more: Any) -> dict[str, Any]:
    return {
        "collection": "establishments", "id": place, "patch": {"website": f"https://{next(NUMBERS)}.example.vn"},
        "reason": "Thêm trang web", "proposer_kind": "owner", **more,
    }  # fmt: skip


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:mapservice:problem:{code}"
    return document


def test_an_owner_proposes_and_follows_the_receipt_to_its_end(served: Served) -> None:
    place = next(served.places)
    with served.client() as anybody, served.client("officer") as officer:
        made = anybody.post("/proposals", json=asked(f"{place[:4]}-{place[4:].lower()}"))
        assert made.status_code == 201
        receipt = made.json()["receipt"]
        assert made.headers["location"] == f"/proposals/{receipt}"
        seen = anybody.get(f"/proposals/{receipt.lower().replace('-', '')}").json()
        assert (seen["state"], seen["establishment"], seen["may_withdraw"]) == ("pending", place, True)
        assert [change["field"] for change in seen["changes"]] == ["website"]
        assert not {"proposer", "decider", "reason", "evidence", "patch"} & set(seen)
        sent_back = officer.post(f"/proposals/{receipt}/return", json={"note": "Trang này không mở được"})
        assert sent_back.json() == {"receipt": receipt, "state": "returned"}
        seen = anybody.get(f"/proposals/{receipt}").json()
        assert (seen["state"], seen["decision_note"]) == ("returned", "Trang này không mở được")
        assert served.queue.staff["officer"].display_name not in json.dumps(seen)
        page = anybody.get(f"/proposals/{receipt}", headers={"Accept": "text/html"})
        assert "Đã trả lại" in page.text
        assert "Trang này không mở được" in page.text
        assert served.queue.staff["officer"].display_name not in page.text
        english = anybody.get(f"/proposals/{receipt}?lang=en", headers={"Accept": "text/html"}).text
        assert "Sent back" in english
        assert page.headers["cache-control"] == "no-store"
        problem(anybody.get("/proposals/2222-2222-2222-2222"), 404, "unknown_proposal")
        problem(anybody.get("/proposals/xyz"), 404, "unknown_proposal")


def test_an_owner_takes_it_back_on_the_page(served: Served) -> None:
    with served.client(Accept="text/html") as anybody:
        receipt = anybody.post(
            "/proposals", json=asked(next(served.places)), headers={"Accept": "application/json"}
        ).json()["receipt"]  # fmt: skip
        assert "Rút lại đề xuất" in anybody.get(f"/proposals/{receipt}").text
        answer = anybody.post(f"/proposals/{receipt}/withdraw")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/proposals/{receipt}")
        page = anybody.get(f"/proposals/{receipt}").text
        assert "Đã rút lại" in page
        assert "Rút lại đề xuất</button>" not in page
        again = anybody.post(f"/proposals/{receipt}/withdraw", headers={"Accept": "application/json"})
        problem(again, 403, "not_yours_to_withdraw")


def test_what_staff_proposed_shows_no_content_to_others(served: Served) -> None:
    receipt = served.adverse(reason="nội dung dự thảo", **BASIS)
    with served.client() as anybody, served.client("elsewhere") as other, served.client("approver") as approver:
        for reader in (anybody, other):
            seen = reader.get(f"/proposals/{receipt}").json()
            assert (seen["changes"], seen["decision_note"], seen["may_withdraw"]) == ([], None, False)
            assert (seen["collection"], seen["establishment"], seen["establishment_name"]) == (None, None, None)
            assert "dự thảo" not in json.dumps(seen, ensure_ascii=False)
        page = anybody.get(f"/proposals/{receipt}", headers={"Accept": "text/html"}).text
        assert "chỉ cán bộ phường xem được" in page
        assert "Tạm dừng" not in page
        problem(anybody.post(f"/proposals/{receipt}/withdraw"), 403, "not_yours_to_withdraw")
        whole = approver.get(f"/proposals/{receipt}").json()
        assert whole["reason"] == "nội dung dự thảo"
        assert whole["proposer"] == served.queue.staff["surveyor"].display_name


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"patch": None}, {"patch"}),
    ({"patch": {}}, {"patch"}),
    ({"patch": []}, {"patch"}),
    ({"patch": {"name": 7}}, {"name"}),
    ({"patch": {"name": {"a": 1}}}, {"name"}),
    ({"patch": {"owner_phone": "0905000000"}}, {"owner_phone"}),
    ({"patch": {"geometry": {"type": "Point", "coordinates": [1e400, 16]}}}, {"geometry"}),
    ({"patch": {"geometry": {"type": "Point", "coordinates": ["108", 16]}}}, {"geometry"}),
    ({"patch": {"operating_status": ["closed"]}}, {"operating_status"}),
    ({"reason": ""}, {"reason"}),
    ({"reason": "x" * 2001}, {"reason"}),
    ({"reason": 5}, {"reason"}),
    ({"id": 5}, {"id"}),
    ({"id": None}, {"id"}),
    ({"collection": "staff"}, {"collection"}),
    ({"collection": ["establishments"]}, {"collection"}),
    ({"proposer_kind": "staff"}, {"proposer_kind"}),
    ({"proposer_kind": "import"}, {"proposer_kind"}),
    ({"source": "gossip"}, {"source"}),
    ({"base_version": "1"}, {"base_version"}),
    ({"risk": "low", "state": "applied"}, {"risk", "state"}),
]


@pytest.mark.parametrize(
    ("change", "pointers"), WRONG, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:40]
)
def test_what_is_wrong_is_said_on_its_field(served: Served, change: dict[str, Any], pointers: set[str]) -> None:
    body = asked(served.queue.places[-1], **change).copy()
    # The standard's JSON has no infinity: 1e400 is how it reaches us.
    text = json.dumps(body).replace("Infinity", "1e400")
    with served.client() as anybody:
        answer = anybody.post("/proposals", content=text, headers={"Content-Type": "application/json"})
    document = problem(answer, 422, "invalid_proposal")
    assert {error["pointer"] for error in document["errors"]} == pointers
    assert all(error["detail"] for error in document["errors"])


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"reason": NaN}', "application/json", 400),
        (b'{"reason": "\\u0000"}', "application/json", 400),
        (b'{"\\u0000": 1}', "application/json", 400),
        (b'{"reason": "\\ud800"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "application/json", 400),
        (b'{"reason": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"collection=establishments", "application/x-www-form-urlencoded", 415),
        (b'{"reason": "' + b"x" * 300_000 + b'"}', "application/json", 413),
        (b"", "application/json", 422),
        (b"{}", "application/json", 422),
    ],
)
def test_a_body_that_cannot_be_read_is_no_accident(served: Served, body: bytes, media_type: str, status: int) -> None:
    receipt = served.queue.suggest(served.queue.places[-1], {"name": f"N{next(NUMBERS)}"})
    with served.client("officer", **{"Content-Type": media_type}) as officer:
        assert officer.post("/proposals", content=body).status_code == status
        if status != 422:
            assert officer.post(f"/proposals/{receipt}/apply", content=body).status_code == status
        officer.post(f"/proposals/{receipt}/reject", json={"note": "dọn"}, headers={"Content-Type": "application/json"})


def test_places_that_are_not_there(served: Served) -> None:
    with served.client() as anybody, served.client("officer") as officer:
        for unknown in ("22222222", "not a code", "' OR 1=1 --", "é" * 50):
            problem(anybody.post("/proposals", json=asked(unknown)), 404, "unknown_feature")
            problem(officer.post("/proposals", json=asked(unknown, proposer_kind="staff")), 404, "unknown_feature")
        legal = {**asked(served.queue.places[0]), "collection": "legal_entities"}
        problem(anybody.post("/proposals", json=legal), 401, "sign_in_required")


ROLES = ("surveyor", "officer", "approver", "admin", "elsewhere", "reader", None)


@pytest.mark.parametrize(
    ("action", "adverse", "statuses"),
    [
        ("apply", False, (403, 200, 200, 200, 404, 403, 401)),
        ("apply", True, (403, 403, 200, 200, 404, 403, 401)),
        ("return", False, (403, 200, 200, 200, 404, 403, 401)),
        ("reject", True, (403, 200, 200, 200, 404, 403, 401)),
        ("withdraw", False, (200, 403, 403, 403, 403, 403, 403)),
    ],
)
def test_who_may_decide(served: Served, action: str, adverse: bool, statuses: tuple[int, ...]) -> None:
    receipt = None
    for login, status in zip(ROLES, statuses, strict=True):
        if receipt is None or served.state(receipt) != "pending":
            receipt = served.adverse(**BASIS) if adverse else served.normal()
        with served.client(login) as client:
            answer = client.post(f"/proposals/{receipt}/{action}", json={} if action == "apply" else {"note": "vì thế"})
        assert answer.status_code == status, (login, answer.text)


def test_who_sees_the_queue(served: Served) -> None:
    for login, status in zip(ROLES, (200, 200, 200, 200, 200, 200, 401), strict=True):
        with served.client(login) as client:
            assert client.get("/proposals").status_code == status, login
    receipt = served.adverse("approver")
    with served.client("surveyor") as surveyor, served.client("elsewhere") as other:
        own = surveyor.get("/proposals?limit=200").json()["proposals"]
        assert {row["proposer"] for row in own} <= {served.queue.staff["surveyor"].display_name}
        assert receipt not in {row["receipt"] for row in own}
        assert other.get("/proposals").json()["proposals"] == []


def test_the_queue_is_filtered_and_paged(served: Served) -> None:
    for _ in range(4):
        served.normal()
    served.adverse()
    with served.client("officer") as officer:
        first = officer.get("/proposals", params={"limit": 2}).json()
        assert first["proposals"][0]["risk"] == "adverse"
        found, link = first["proposals"], first["links"]
        while link:
            page = officer.get(link[0]["href"]).json()
            found, link = found + page["proposals"], page["links"]
        receipts = [row["receipt"] for row in found]
        assert len(receipts) == len(set(receipts)) >= 5
        whole = officer.get("/proposals", params={"limit": 200}).json()["proposals"]
        assert receipts == [row["receipt"] for row in whole]
        place = found[-1]["establishment"]
        some = officer.get("/proposals", params={"establishment": place, "collection": "establishments"}).json()
        assert {row["establishment"] for row in some["proposals"]} == {place}
        applied = officer.get("/proposals", params={"state": "applied"}).json()["proposals"]
        assert all(row["decider"] and row["state"] == "applied" for row in applied)
        for query in ("nope=1", "state=gone", "risk=high", "limit=0", "limit=x", "state=pending&state=applied"):
            assert officer.get(f"/proposals?{query}").status_code == 400, query
        assert officer.get("/proposals?after=%27--").status_code == 200
        browser = officer.get("/proposals", headers={"Accept": "text/html"})
        assert (browser.status_code, browser.headers["location"]) == (303, "/staff/proposals")


def test_a_conflict_comes_with_both_values_and_is_settled_on_what_was_seen(served: Served) -> None:
    place = next(served.places)
    receipt = served.queue.propose("surveyor", "establishments", place, {"name": "Đề xuất", "stall": "A1"})
    served.queue.edit("establishments", place, name="Hiện nay")
    with served.client("officer") as officer:
        conflict = problem(officer.post(f"/proposals/{receipt}/apply"), 409, "proposal_conflicts")
        assert [each["field"] for each in conflict["conflicts"]] == ["name"]
        assert (conflict["conflicts"][0]["current"], conflict["conflicts"][0]["wanted"]) == ("Hiện nay", "Đề xuất")
        choice = {"resolutions": {"name": "wanted"}}
        blind = problem(officer.post(f"/proposals/{receipt}/apply", json=choice), 422, "invalid_proposal")
        assert blind["errors"][0]["pointer"] == "seen_version"
        for wrong in ({"name": "theirs"}, {"name": {"value": 1, "x": 2}}, {"stall": "wanted"}, ["name"]):
            body = {"resolutions": wrong, "seen_version": conflict["seen_version"]}
            problem(officer.post(f"/proposals/{receipt}/apply", json=body), 422, "invalid_proposal")
        body = {"resolutions": {"name": {"value": "Cả hai"}}, "seen_version": conflict["seen_version"]}
        assert officer.post(f"/proposals/{receipt}/apply", json=body).status_code == 200
        assert served.record(place).values["name"] == "Cả hai"
        assert served.record(place).values["stall"] == "A1"
        problem(officer.post(f"/proposals/{receipt}/apply"), 409, "already_decided")
        problem(officer.post(f"/proposals/{receipt}/return", json={"note": "x"}), 409, "already_decided")


def test_an_adverse_fact_over_http(served: Served) -> None:
    bare = served.adverse()
    own = served.adverse("approver", **BASIS)
    with served.client("approver") as approver:
        document = problem(approver.post(f"/proposals/{bare}/apply"), 422, "basis_needed")
        assert {error["pointer"] for error in document["errors"]} == {"legal_basis", "evidence"}
        problem(approver.post(f"/proposals/{own}/apply"), 403, "second_person_needed")
        assert approver.post(f"/proposals/{bare}/apply", json=BASIS).status_code == 200
        shown = approver.get(f"/proposals/{own}").json()
        assert (shown["against"], shown["may_withdraw"]) == ("second_person_needed", True)
    with served.client("officer") as officer:
        problem(officer.post(f"/proposals/{own}/apply"), 403, "approver_needed")
        problem(officer.post(f"/proposals/{own}/return", json={}), 422, "invalid_proposal")


def test_staff_propose_from_an_old_snapshot(served: Served) -> None:
    place = next(served.places)
    served.queue.edit("establishments", place, offering="Phở")
    body = {"collection": "establishments", "id": place, "patch": {"offering": "Bún"}, "reason": "ghi tại chỗ"}
    with served.client("surveyor") as surveyor, served.client("officer") as officer:
        problem(surveyor.post("/proposals", json={**body, "base_version": 1}), 409, "proposal_outdated")
        made = surveyor.post("/proposals", json={**body, "base_version": 1, "base": {"offering": None}})
        receipt = made.json()["receipt"]
        problem(officer.post(f"/proposals/{receipt}/apply"), 409, "proposal_conflicts")
        missing = surveyor.post("/proposals", json={**body, "base": {"name": "x"}})
        assert problem(missing, 422, "invalid_proposal")["errors"][0]["code"] == "base_missing"
        heard = surveyor.post(
            "/proposals", json={**body, "proposer_kind": "owner", "patch": {"website": "https://a.vn"}}
        )
        shown = officer.get(f"/proposals/{heard.json()['receipt']}").json()
        assert (shown["proposer_kind"], shown["risk"]) == ("owner", "low")


def test_a_session_decides_only_from_our_own_pages(served: Served) -> None:
    receipt = served.normal()
    with served.browser("officer") as browser:
        for site in ("cross-site", "same-site"):
            answer = browser.post(
                f"/proposals/{receipt}/apply", headers={"Sec-Fetch-Site": site, "Accept": "application/json"}
            )
            problem(answer, 403, "cross_site")
        page = browser.get("/staff/proposals").text
        for token in ("", "wrong"):
            form = {"csrf_token": token, "action": "apply"}
            assert browser.post(f"/staff/proposals/{receipt}", data=form).status_code == 403
            bulk = {"csrf_token": token, "receipt": receipt}
            assert browser.post("/staff/proposals/apply", data=bulk).status_code == 403
        assert served.state(receipt) == "pending"
        form = {"csrf_token": csrf(page), "action": "apply"}
        assert browser.post(f"/staff/proposals/{receipt}", data=form).status_code == 303
        assert served.state(receipt) == "applied"


def test_the_queue_works_as_plain_forms(served: Served) -> None:
    first, second = served.normal(), served.normal()
    with served.browser("officer") as browser:
        page = browser.get("/staff/proposals?collection=establishments&risk=normal")
        assert page.headers["cache-control"] == "no-store"
        token = csrf(page.text)
        card = page.text.split(f'id="p-{first}"')[1].split("</article>")[0]
        following = re.search(r'name="next" value="([^"]*)"', card)
        kept = re.search(r'name="query" value="([^"]*)"', card)
        assert following
        assert kept
        assert following[1] == second
        form = {"csrf_token": token, "action": "apply", "next": second, "query": html.unescape(kept[1])}
        answer = browser.post(f"/staff/proposals/{first}", data=form)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/staff/proposals?risk=normal&collection=establishments#p-{second}"
        unsaid = browser.post(f"/staff/proposals/{second}", data={"csrf_token": token, "action": "return", "note": " "})
        assert unsaid.status_code == 422
        assert 'role="alert"' in unsaid.text
        done = browser.post(
            f"/staff/proposals/{second}", data={"csrf_token": token, "action": "return", "note": "Thiếu ảnh"}
        )
        assert done.status_code == 303
        assert (
            browser.post(f"/staff/proposals/{second}", data={"csrf_token": token, "action": "burn"}).status_code == 400
        )
        late = browser.post(f"/staff/proposals/{second}", data={"csrf_token": token, "action": "apply"})
        assert late.status_code == 409
        assert "đã được áp dụng, trả lại" in late.text
        evil = browser.post(
            f"/staff/proposals/{served.normal()}",
            data={"csrf_token": token, "action": "apply", "next": "//evil.example", "query": "lang=xx&state=//evil"},
        )
        assert evil.headers["location"].startswith("/staff/proposals")
        assert "#" not in evil.headers["location"]


def test_a_refused_form_keeps_what_was_typed(served: Served) -> None:
    receipt = served.adverse()
    typed = {"legal_basis": f"Điều 17 {HOSTILE}", "evidence": ""}
    with served.browser("approver") as browser:
        token = csrf(browser.get("/staff/proposals").text)
        page = browser.post(f"/staff/proposals/{receipt}", data={"csrf_token": token, "action": "apply", **typed})
        assert page.status_code == 422
        assert html.escape(typed["legal_basis"], quote=True) in page.text.replace("&#34;", "&quot;").replace(
            "&#39;", "&#x27;"
        )
        assert "<script>alert" not in page.text


def test_a_conflict_is_chosen_on_a_plain_form_with_a_day_as_people_write_it(served: Served) -> None:
    place = next(served.places)
    receipt = served.queue.propose("surveyor", "establishments", place, {"opened_on": "2020-01-01"})
    served.queue.edit("establishments", place, opened_on="2021-01-01")
    with served.browser("officer") as browser:
        page = browser.get(f"/staff/proposals/{receipt}").text
        assert "01/01/2021" in page
        assert "01/01/2020" in page
        seen = re.search(r'name="seen_version" value="(\d+)"', page)
        assert seen
        form = {"csrf_token": csrf(page), "action": "apply", "seen_version": seen[1], "choose.opened_on": "own"}
        wrong = browser.post(f"/staff/proposals/{receipt}", data={**form, "own.opened_on": "31/02/2024"})
        assert wrong.status_code == 422
        assert "31/02/2024" in wrong.text
        right = browser.post(f"/staff/proposals/{receipt}", data={**form, "own.opened_on": "28/02/2024"})
        assert right.status_code == 303
    assert served.record(place).values["opened_on"] == "2024-02-28"


def test_many_of_low_risk_are_applied_together(served: Served) -> None:
    low = [served.queue.suggest(next(served.places), {"website": f"https://{n}.vn"}) for n in range(3)]
    taken = served.queue.suggest(next(served.places), {"website": "https://taken.vn"})
    served.queue.edit(
        "establishments",
        served.queue.places[served.queue.places.index(next(served.places)) - 1],
        website="https://other.vn",
    )
    normal = served.normal()
    with served.browser("officer") as browser:
        token = csrf(browser.get("/staff/proposals").text)
        page = browser.post(
            "/staff/proposals/apply", data={"csrf_token": token, "receipt": [*low, taken, normal, "x", low[0]]}
        ).text
        assert "Đã áp dụng 3 đề xuất." in page
        assert taken in page
        assert [served.state(receipt) for receipt in (*low, taken, normal)] == ["applied"] * 3 + ["pending"] * 2
        none = browser.post("/staff/proposals/apply", data={"csrf_token": token})
        assert "Chưa chọn đề xuất nào" in none.text
    with served.browser("surveyor") as browser:
        token = csrf(browser.get("/staff/proposals").text)
        assert browser.post("/staff/proposals/apply", data={"csrf_token": token, "receipt": taken}).status_code == 403


def test_hostile_text_stays_text(served: Served) -> None:
    place = next(served.places)
    receipt = served.queue.suggest(
        place, {"name": HOSTILE, "offering": "</textarea><b>"}, reason=HOSTILE, evidence=HOSTILE
    )
    with served.browser("officer") as browser:
        pages = [browser.get("/staff/proposals").text, browser.get(f"/staff/proposals/{receipt}").text]
        token = csrf(pages[0])
        form = {"csrf_token": token, "action": "return", "note": HOSTILE}
        assert browser.post(f"/staff/proposals/{receipt}", data=form).status_code == 303
        pages.append(browser.get("/staff/proposals?state=returned").text)
    with served.client(Accept="text/html") as anybody:
        pages.append(anybody.get(f"/proposals/{receipt}").text)
    for page in pages:
        assert "alert(" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "</textarea><b>" not in page


def test_the_screen_speaks_in_words(served: Served) -> None:
    fill_queue(served.queue, 10)
    with served.browser("approver") as browser:
        page = browser.get("/staff/proposals").text
        told = ("Bất lợi", "Cần người thứ hai", "Không đạt", "12/01/2026", "Giấy phép bán lẻ rượu", "Hai bên cùng sửa")
        for words in (*told, "Tạm ngừng", "Thứ Hai–thứ Bảy", "VietQR", "dời "):
            assert words in page, words
        for code in ("alcohol_retail", "2026-01-12", "None", "vietqr<", "Mo-Sa"):
            assert code not in re.sub(r'"[^"]*"', "", page), code
        english = browser.get("/staff/proposals?lang=en").text
        assert "Second person needed" in english
    with served.browser("surveyor") as browser:
        page = browser.get("/staff/proposals").text
        assert "Đề xuất của tôi" in page
        assert 'value="apply"' not in page
        assert 'value="withdraw"' in page
    with httpx.Client(base_url=served.url, headers={"Accept": "text/html"}) as anybody:
        answer = anybody.get("/staff/proposals")
        assert (answer.status_code, answer.headers["location"]) == (303, "/staff/sign-in?next=/staff/proposals")


def test_too_many_are_refused_for_a_while(served: Served) -> None:
    place = next(served.places)
    with served.client() as anybody:
        for _ in range(20):
            assert anybody.post("/proposals", json=asked(place)).status_code == 201
        answer = anybody.post("/proposals", json=asked(place))
        problem(answer, 429, "too_many_proposals")
        assert int(answer.headers["retry-after"]) > 0
