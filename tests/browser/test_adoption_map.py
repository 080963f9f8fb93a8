"""The adoption map in a real browser: map and table say the same, with and without JavaScript, and as one file."""

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESK, PHONE, check_page, watched_page

PAGE = "/board/adoption"


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_map_and_table_follow_form_and_slider(live_server: str, browser: Browser, size: dict[str, int]) -> None:
    told = httpx.get(f"{live_server}{PAGE}?f=json").json()
    with watched_page(browser, viewport=size, locale="vi-VN") as page:
        page.goto(live_server + PAGE)
        expect(page.locator("#adoption-map")).to_have_attribute("data-shown", str(len(told["parts"])), timeout=60_000)
        assert page.locator("#adoption-figures tbody tr[data-code]").count() == len(told["parts"])
        check_page(page)
        page.locator("#adoption-slider").focus()
        page.keyboard.press("ArrowLeft")
        before = page.locator("#adoption-as_of").input_value()
        assert before < told["as_of"]
        then = httpx.get(f"{live_server}{PAGE}?f=json&as_of={before}").json()
        expect(page.locator("#adoption-map")).to_have_attribute("data-shown", str(len(then["parts"])))
        expect(page.locator("#adoption-figures tbody tr[data-code]")).to_have_count(len(then["parts"]))
        expect(page.locator("#announce")).not_to_be_empty()
        with page.expect_response(lambda answer: "sector_group=food_service" in answer.url and answer.ok):
            page.select_option("#adoption-sector_group", "food_service")


def test_the_table_needs_no_script(live_server: str, browser: Browser) -> None:
    with watched_page(browser, viewport=PHONE, java_script_enabled=False) as page:
        page.goto(live_server + PAGE)
        page.select_option("#adoption-sector_group", "food_service")
        page.click("#adoption form button")
        assert "sector_group=food_service" in page.url
        expect(page.locator("#adoption-figures tbody tr[data-code]").first).to_be_visible()


def test_one_file_asks_nobody(live_server: str, browser: Browser, tmp_path: Path) -> None:
    answer = httpx.get(f"{live_server}/board/map.html", timeout=60)
    assert answer.headers["content-disposition"].startswith("attachment")
    file = tmp_path / "map.html"
    file.write_bytes(answer.content)
    told = json.loads(httpx.get(f"{live_server}{PAGE}?f=geojson").content)["features"]
    asked: list[str] = []
    context = browser.new_context(viewport=PHONE, offline=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())
    expect(page.locator(".folium-map path.leaflet-interactive")).to_have_count(len(told))
    assert page.locator("tbody tr").count() == len(told)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == [] and faults == []
    suppressed = [each for each in told if each["properties"]["suppressed"]]
    text = page.locator("tbody").inner_text()
    assert suppressed and all(each["properties"]["name"] in text for each in suppressed)
    check_page(page)
    context.close()
