"""/board: figures against targets on a page, for anybody and for staff, of any day; one indicator; one to embed."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from mapservice import board_inside
from postgis.engine import Database
from postgis.today import today
from tests.register_api import Api, code_of, register_api
from tests.staff_clients import Browser, add_member

DETAIL = "/board/indicators/digital_platform_use"


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "board_pages", places=6) as found:
        yield found


@pytest.fixture(scope="module")
def officer(api: Api) -> Browser:
    add_member(api.database, "ban-dieu-hanh", "officer")
    found = Browser(api.database)
    assert found.sign_in("ban-dieu-hanh").status_code == 303
    return found


def page(client: TestClient, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_first_line(api: Api) -> None:
    found = page(api.client, "/board")
    assert found.count('<article class="board-figure') == 3
    assert "Sử dụng nền tảng số" in found and "100,0\xa0%" in found and "cần 50\xa0%" in found
    assert "chưa khảo sát 0,0\xa0%" in found and "còn" in found
    assert "Trong số doanh nghiệp" in found and "Phụ lục 1, II.6" in found, "definition and source, one click away"
    assert "Chưa dự báo: cần ít nhất 4 mốc" in found
    assert "Use of digital platforms" in page(api.client, "/board?lang=en")


def test_nothing_known_is_no_zero(api: Api) -> None:
    day = (today() - timedelta(days=500)).isoformat()
    found = page(api.client, f"/board?as_of={day}")
    assert "Chưa rõ" in found and "0,0\xa0%" not in found and "Đã chốt" in found
    assert found.count("Chưa kết luận được") == 3


def test_day_and_what_was_known(officer: Browser) -> None:
    yesterday = today() - timedelta(days=1)
    for known, words in (("then", "đúng như sổ ghi khi đó"), ("now", "kể cả phần ghi sổ muộn")):
        found = officer.get(f"/board?as_of={yesterday:%d/%m/%Y}&known={known}").text
        assert words in found and f'value="{yesterday:%d/%m/%Y}"' in found
        assert f'value="{known}" selected' in found
    assert "100,0\xa0%" in found, "checked in January, so known now to have been so yesterday"
    wrong = officer.get("/board?as_of=31/02/2026")
    assert wrong.status_code == 422 and 'value="31/02/2026"' in wrong.text and 'role="alert"' not in wrong.text
    assert officer.get("/board?known=perhaps").status_code == 400
    assert officer.get("/board?ward=99999").status_code == 404
    assert officer.get("/board?colour=red").status_code == 400


def test_wards_of_other_plans(api: Api) -> None:
    found = page(api.client, "/board?ward=00367")
    assert found.count('<article class="board-figure') == 3 and found.count('<th scope="row">') == 10
    assert "chưa đặt chỉ tiêu" in page(api.client, "/board?ward=10603")


def test_parts_are_for_staff_of_the_ward(api: Api, officer: Browser) -> None:
    assert "Từng phần" not in page(api.client, DETAIL)
    found = officer.get(f"{DETAIL}?group=sector_group").text
    assert "Từng phần" in found and '<th scope="row">Ăn uống' in found and "Không có cơ sở nào" in found
    assert officer.get(f"{DETAIL}?group=owner").status_code == 400
    assert officer.get("/board/indicators/retail_cashless_share").status_code == 404
    assert "Từng phần" not in officer.get(f"{DETAIL}?ward=20275".replace("digital_platform_use", "x")).text


def test_all_parts_are_one_click_away(api: Api, officer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    api.add_place(name="Quán Cà Phê Một Mình", sector_group="cafe_drinks", legal_form="household_business")
    monkeypatch.setattr(board_inside, "MOST_PARTS", 1)
    few = officer.get(f"{DETAIL}?group=sector_group").text
    link = re.search(r'href="([^"]*all=1[^"]*)">Xem tất cả', few)
    assert link is not None and few.count('<th scope="row">') == 1
    every = officer.get(html.unescape(link[1]).split("#")[0]).text
    assert every.count('<th scope="row">') > 1 and "Xem tất cả" not in every


def test_what_got_lost(api: Api, officer: Browser) -> None:
    place = code_of(api.add_place(name="Quán Bỏ Quét Mã", street_name="Núi Thành"))
    address = "/board/indicators/model_site_payment_method"
    with api.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.establishment SET model_site_id = m.id FROM register.model_site m "
                                "WHERE m.code = :site AND establishment.code = :code"),
                           {"site": api.ward.codes["model_sites"][0], "code": place})  # fmt: skip
    says = {"establishment": place, "accepted": True, "evidence_level": "observed", "source": "office"}
    api.add("payment_acceptances", **says, method="momo", checked_on="2026-09-01")
    with api.database.administrator() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text(
                "UPDATE register.establishment_state SET known_from = known_from - interval '100 days' "
                "WHERE code = :code"
            ),
            {"code": place},
        )
        connection.execute(text("UPDATE register.establishment_state SET known_to = known_to - interval '100 days' "
                                "WHERE code = :code AND known_to <> 'infinity'"), {"code": place})  # fmt: skip
    assert "Quán Bỏ Quét Mã" not in officer.get(address).text
    api.add("payment_acceptances", **says, method="cash_only", checked_on="2026-11-01")
    found = officer.get(address).text
    assert "Quán Bỏ Quét Mã" in found.partition("Đã có, nay không còn")[2]
    assert "Quán Bỏ Quét Mã" not in page(api.client, address)


def test_the_widget_alone_may_be_framed(api: Api) -> None:
    widget = api.client.get("/board/widget?indicator=digital_platform_use")
    assert widget.status_code == 200 and "frame-ancestors *" in widget.headers["content-security-policy"]
    assert "<script" not in widget.text and "<form" not in widget.text and 'target="_top"' in widget.text
    for path in ("/board", DETAIL):
        board = api.client.get(path, headers={"Accept": "text/html"})
        assert "frame-ancestors 'self'" in board.headers["content-security-policy"]
    assert api.client.get("/board/widget?indicator=nothing").status_code == 404


def test_the_widget_tells_officers_no_more(api: Api, officer: Browser) -> None:
    address = "/board/widget?indicator=model_site_payment_method"
    assert officer.get(address).text == page(api.client, address)
    assert "dưới 5 cơ sở" in page(api.client, address)
