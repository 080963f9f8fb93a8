"""Entered figures: a form for officers, what it refuses, what is told of it on the board; nothing is overwritten."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from postgis.engine import Database
from tests.register_api import Api, register_api
from tests.staff_clients import Browser, add_member

PAGE = "/staff/figures/entered"
GOOD = {"indicator": "ocop_online", "as_of": "30/09/2026", "numerator": "59.996", "denominator": "100.000",
        "source": "Phòng Kinh tế", "document": "12/BC-KT"}  # fmt: skip


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "entered_figures", places=6) as found:
        # As in a ward whose plan has one that the register cannot measure.
        with found.database.owner.begin() as connection:
            connection.execute(
                text("INSERT INTO register.indicator (ward_code, code, title, unit, report, source, position) "
                     "VALUES ('20257', 'ocop_online', 'Sản phẩm OCOP', '%', 'monthly', 'thử', 9)")
            )  # fmt: skip
            connection.execute(
                text("INSERT INTO register.target (ward_code, indicator_code, due, comparator, value) "
                     "VALUES ('20257', 'ocop_online', '2026-12-31', 'at_least', 60)")
            )  # fmt: skip
        yield found


@pytest.fixture(scope="module")
def officer(api: Api) -> Browser:
    add_member(api.database, "nhap-so-lieu", "officer")
    found = Browser(api.database)
    assert found.sign_in("nhap-so-lieu").status_code == 303
    return found


def told(api: Api) -> dict[str, object]:
    found: dict[str, object] = next(e for e in api.get("/indicators")["indicators"] if e["code"] == "ocop_online")
    return found


def test_a_figure_from_entry_to_board(api: Api, officer: Browser) -> None:
    assert told(api)["value"] is None and "Chưa nhập" in officer.get("/board").text
    assert officer.send(PAGE, PAGE, **GOOD).headers["location"] == f"{PAGE}?done=saved"
    found = told(api)
    assert found["value"] == pytest.approx(59.996) and found["met"] is False, "not as if it were 60"
    assert found["entered"] == {"source": "Phòng Kinh tế", "document": "12/BC-KT"} and found["as_of"] == "2026-09-30"
    assert "59,996\xa0%" in officer.get("/board/indicators/ocop_online").text
    assert officer.send(PAGE, PAGE, **GOOD).headers["location"] == f"{PAGE}?done=unchanged"
    alone = {**GOOD, "numerator": "", "denominator": "", "value": "61,5"}
    assert officer.send(PAGE, PAGE, **alone).headers["location"] == f"{PAGE}?done=saved"
    assert (told(api)["value"], told(api)["denominator"]) == (61.5, None)
    page = officer.get(PAGE).text
    assert page.count("Đã thay") == 1 and "Người thử nhap-so-lieu" in page
    assert "nhap-so-lieu" not in api.ask("GET", "/indicators").text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"indicator": ""}, "Hãy điền ô Chỉ tiêu"),
        ({"indicator": "digital_platform_use"}, "Hãy điền ô Chỉ tiêu"),
        ({"as_of": "31/02/2026"}, "Chưa đọc được ngày"),
        ({"as_of": "01/01/2099"}, "ngày"),
        ({"source": ""}, "Hãy điền ô Nguồn"),
        ({"denominator": ""}, "Hãy điền ô Tổng số"),
        ({"numerator": "", "denominator": ""}, "Hãy điền ô Tỷ lệ"),
        ({"numerator": "nhiều"}, "Chưa đọc được số"),
        ({"numerator": "100.001"}, "Số đạt phải từ 0"),
        ({"denominator": "9999999999"}, "Tổng số phải từ 1"),
        ({"denominator": "0", "numerator": "0"}, "Tổng số phải từ 1"),
        ({"value": "75"}, "không khớp với hai số đếm"),
        ({"numerator": "", "denominator": "", "value": "101"}, "Tỷ lệ phải từ 0 đến 100"),
        ({"source": "x" * 301}, "dài quá 300"),
    ],
)
def test_what_is_refused(officer: Browser, changed: dict[str, str], words: str) -> None:
    answer = officer.send(PAGE, PAGE, **{**GOOD, **changed})
    assert answer.status_code == 422 and words in answer.text
    for name, value in changed.items():
        if value and name != "indicator":
            assert f'value="{value}"' in answer.text, "what was typed is kept"


def test_surveyors_read_and_write_none(api: Api) -> None:
    add_member(api.database, "khao-sat", "surveyor")
    surveyor = Browser(api.database)
    surveyor.sign_in("khao-sat")
    assert '<form method="post" action="/staff/figures/entered"' not in surveyor.get(PAGE).text
    proof = surveyor.proof("/staff/account")
    assert surveyor.post(PAGE, {**GOOD, "csrf_token": proof}).status_code == 403
    with api.database.staff.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(text("UPDATE register.entered_figure SET value = 99"))
