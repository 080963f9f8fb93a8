"""The public map as people use it, in a real browser against the running service with the demo sample."""

import re
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import check_width, watched_page

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
DRAWN = "#map[data-state=drawn]"
READY = "html[data-ready]"
ITEMS = "**/ogc/collections/establishments/items?*"
TILES = "**/ogc/collections/establishments/tiles/**"


def open_map(page: Page, address: str) -> None:
    """Opens the map and waits until it is drawn."""
    page.goto(address)
    page.locator(DRAWN).wait_for(state="attached")


def folded(text: str) -> str:
    """A name without marks, and with i for y, as people type it."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold().replace("y", "i")


def first_place(live_server: str, **query: str) -> dict[str, Any]:
    """The first feature that a query of the API finds."""
    found = httpx.get(f"{live_server}/ogc/collections/establishments/items", params={"limit": 1, **query}, timeout=30)
    feature: dict[str, Any] = found.json()["features"][0]
    return feature


def names(page: Page) -> list[str]:
    """The names in the list."""
    return page.locator("#results .card-name").all_inner_texts()


@pytest.mark.parametrize(
    ("typed", "accented"), [("my quang", "Mì Quảng"), ("banh mi", "Bánh mì"), ("ca phe", "Cà phê"), ("pho", "Phở")]
)
def test_search_without_marks_finds_names_with_marks(
    browser_page: Page, live_server: str, typed: str, accented: str
) -> None:
    open_map(browser_page, live_server)
    browser_page.fill("#q", typed)
    expect(browser_page.locator("#count")).to_contain_text("Tìm thấy")
    found = names(browser_page)
    assert any(accented in name for name in found), found
    assert all(folded(typed).split()[0] in folded(name) for name in found[:5]), found
    expect(browser_page.locator("#announce")).to_contain_text("Tìm thấy")
    assert parse_qs(urlsplit(browser_page.url).query)["q"] == [typed]


def test_a_filter_changes_list_tiles_and_address(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, live_server)
    before = browser_page.locator("#count").inner_text()
    browser_page.click("details.filter >> nth=0 >> summary")
    with browser_page.expect_request(
        lambda request: "/tiles/" in request.url and "sector_group=lodging&" in f"{request.url}&"
    ):
        browser_page.check('input[name=sector_group][value="lodging"]')
    expect(browser_page.locator("#count")).not_to_have_text(before)
    lines = browser_page.locator("#results .card-kind")
    expect(lines.first).to_contain_text("Lưu trú")
    assert all("Lưu trú" in line for line in lines.all_inner_texts())
    assert "sector_group=lodging" in browser_page.url
    expect(browser_page.locator("details.filter >> nth=0 >> [data-count]")).to_have_text("1")
    browser_page.click("#clear-filters")
    expect(browser_page.locator("#clear-filters")).to_be_hidden()
    assert "sector_group" not in browser_page.url


def test_a_permalink_restores_search_filters_and_view(browser_page: Page, live_server: str) -> None:
    link = f"{live_server}/?q=ca+phe&sector_group=cafe_drinks&payment_methods=vietqr,momo#16/16.05/108.215"
    open_map(browser_page, link)
    expect(browser_page.locator("#q")).to_have_value("ca phe")
    assert browser_page.locator('input[value="cafe_drinks"]').is_checked()
    assert browser_page.locator('input[value="momo"]').is_checked()
    assert all("Cà phê" in line for line in browser_page.locator("#results .card-kind").all_inner_texts())
    assert urlsplit(browser_page.url).fragment.startswith("16/16.05")


def test_back_and_forward_walk_through_places(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, live_server)
    name = names(browser_page)[0]
    browser_page.click("#results .card-name >> nth=0")
    expect(browser_page.locator("#place-pane h2")).to_have_text(name)
    assert "place=" in browser_page.url
    browser_page.go_back()
    expect(browser_page.locator("#list-pane")).to_be_visible()
    browser_page.go_forward()
    expect(browser_page.locator("#place-pane h2")).to_have_text(name)


def test_a_place_opens_with_its_facts_and_its_qr_page(browser_page: Page, live_server: str) -> None:
    place = first_place(live_server, q="my quang", illustrative="true")
    open_map(browser_page, f"{live_server}/?place={place['id']}")
    panel = browser_page.locator("#place-pane")
    expect(panel.locator("h2")).to_have_text(place["properties"]["name"])
    expect(panel).to_contain_text("Dữ liệu minh họa")
    expect(panel).to_contain_text(f"{place['id'][:4]}-{place['id'][4:]}")
    expect(browser_page.locator(".maplibregl-marker")).to_have_count(1)
    assert browser_page.evaluate("document.querySelector('.place-code img').naturalWidth") > 0
    panel.get_by_role("link", name="Mở trang tra cứu").click()
    browser_page.wait_for_url(f"**/q/{place['id']}")
    expect(browser_page.locator("h1").first).to_contain_text(place["properties"]["name"])


def test_a_click_on_the_map_opens_the_place(browser_page: Page, live_server: str) -> None:
    place = first_place(live_server, q="khach san", illustrative="true")
    lon, lat = place["geometry"]["coordinates"]
    open_map(browser_page, f"{live_server}/#19.5/{lat}/{lon}")
    box = browser_page.locator("#map").bounding_box()
    assert box
    browser_page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(browser_page.locator("#place-pane h2")).to_be_focused()
    assert "place=" in browser_page.url


def test_keys_alone_are_enough(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, live_server)
    browser_page.keyboard.press("/")
    expect(browser_page.locator("#q")).to_be_focused()
    browser_page.keyboard.type("banh mi")
    expect(browser_page.locator("#count")).to_contain_text("Tìm thấy")
    browser_page.keyboard.press("ArrowDown")
    browser_page.keyboard.press("ArrowDown")
    second = browser_page.locator("#results .card-name").nth(1)
    expect(second).to_be_focused()
    name = second.inner_text()
    browser_page.keyboard.press("Enter")
    expect(browser_page.locator("#place-pane h2")).to_have_text(name)
    expect(browser_page.locator("#place-pane h2")).to_be_focused()
    browser_page.keyboard.press("Escape")
    expect(second).to_be_focused()
    browser_page.keyboard.press("ArrowUp")
    browser_page.keyboard.press("ArrowUp")
    expect(browser_page.locator("#q")).to_be_focused()


def test_the_list_follows_the_map(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, f"{live_server}/#17/16.045/108.215")
    count = browser_page.locator("#count")
    expect(count).to_contain_text("trong khung bản đồ")
    distances = browser_page.locator("#results .card-distance").all_inner_texts()
    assert distances
    metres = [float(text[:-2]) for text in distances if text.endswith(" m")]
    assert metres == sorted(metres)
    before = count.inner_text()
    browser_page.focus(".maplibregl-canvas")
    for _ in range(3):
        browser_page.keyboard.press("-")
        browser_page.wait_for_timeout(400)
    expect(count).not_to_have_text(before)


def test_archipelagos_carry_their_names_when_zoomed_out(browser_page: Page, live_server: str) -> None:
    with browser_page.expect_response("**/ogc/tiles/WebMercatorQuad/5/*/*") as answer:
        open_map(browser_page, f"{live_server}/#5.2/14/111")
    assert answer.value.ok
    tiles = [
        httpx.get(f"{live_server}/ogc/collections/basemap_areas/tiles/WebMercatorQuad/5/{y}/{x}", timeout=30).content
        for x in (25, 26)
        for y in (14, 15)
    ]
    content = b"".join(tiles)
    assert "Quần đảo Hoàng Sa (Đà Nẵng, Việt Nam)".encode() in content
    assert "Quần đảo Trường Sa (Khánh Hòa, Việt Nam)".encode() in content
    layer = next(
        layer
        for layer in httpx.get(f"{live_server}/ogc/styles/map", timeout=30).json()["layers"]
        if layer["id"] == "archipelago-names"
    )
    assert layer["layout"]["text-allow-overlap"] is True
    assert layer["maxzoom"] >= 9


def test_english_by_choice(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, live_server)
    browser_page.get_by_role("link", name="English").click()
    browser_page.locator(DRAWN).wait_for(state="attached")
    expect(browser_page.locator("html")).to_have_attribute("lang", "en")
    browser_page.fill("#q", "ca phe")
    expect(browser_page.locator("#count")).to_contain_text("places found")
    expect(browser_page.locator("#results .card-kind").first).to_contain_text("Cafés and drinks")
    browser_page.click("#results .card-name >> nth=0")
    expect(browser_page.locator("#place-pane")).to_contain_text("Open the look-up page")
    assert "lang=en" in browser_page.url


def test_nothing_found_says_what_to_do(browser_page: Page, live_server: str) -> None:
    open_map(browser_page, live_server)
    browser_page.fill("#q", "zzzzqqqqxxxx")
    expect(browser_page.locator("#results .card")).to_have_count(0)
    expect(browser_page.locator("#list-message")).to_be_visible()
    expect(browser_page.locator("#list-message")).to_contain_text("Hãy thử ít từ hơn")


def test_a_failed_list_can_be_tried_again(browser: Browser, live_server: str) -> None:
    with watched_page(browser, expected=("Failed to load resource",)) as page:
        open_map(page, live_server)
        page.route(ITEMS, lambda route: route.abort())
        page.fill("#q", "pho")
        message = page.locator("#list-message")
        expect(message).to_contain_text("Không tải được danh sách")
        page.unroute(ITEMS)
        message.get_by_role("button", name="Thử lại").click()
        expect(page.locator("#count")).to_contain_text("Tìm thấy")
        expect(message).to_be_hidden()


def test_failed_tiles_can_be_tried_again(browser: Browser, live_server: str) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, body="")

    with watched_page(browser, expected=("Failed to load resource",)) as page:
        page.route(TILES, refuse)
        page.goto(live_server)
        alert = page.locator("#map-alert")
        expect(alert).to_contain_text("Một phần bản đồ chưa tải được")
        page.unroute(TILES)
        with page.expect_response(TILES) as answer:
            alert.get_by_role("button", name="Thử lại").click()
        assert answer.value.ok
        expect(alert).to_be_hidden()


def test_without_webgl_the_list_is_the_page(browser_page: Page, live_server: str) -> None:
    browser_page.add_init_script(
        "const original = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind.startsWith('webgl') ? null : original.call(this, kind, ...rest); };"
    )
    browser_page.goto(live_server)
    expect(browser_page.get_by_text("Trình duyệt này không vẽ được bản đồ")).to_be_visible()
    expect(browser_page.locator("#results .card").first).to_be_visible()
    expect(browser_page.locator(".map-area")).to_be_hidden()
    browser_page.fill("#q", "pho")
    expect(browser_page.locator("#count")).to_contain_text("Tìm thấy")


def test_on_a_phone_the_list_is_a_sheet(phone_page: Page, live_server: str) -> None:
    open_map(phone_page, live_server)
    handle = phone_page.locator("#sheet-handle")
    expect(handle).to_have_attribute("aria-expanded", "false")
    expect(phone_page.locator("#results .card").first).to_be_hidden()
    handle.tap()
    expect(handle).to_have_attribute("aria-expanded", "true")
    expect(phone_page.locator("#results .card").first).to_be_visible()
    phone_page.locator("#filters-toggle").tap()
    expect(phone_page.locator("#filters")).to_be_visible()
    width = phone_page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_without_scripts_search_filters_paging_and_places_work(plain_page: Page, live_server: str) -> None:
    plain_page.goto(live_server)
    expect(plain_page.locator(".map-area")).to_be_hidden()
    expect(plain_page.locator("#results .card")).to_have_count(20)
    plain_page.fill("#q", "my quang")
    plain_page.get_by_role("button", name="Tìm", exact=True).click()
    assert any("Mì Quảng" in name for name in names(plain_page))
    plain_page.click("details.filter >> nth=1 >> summary")
    plain_page.check('input[name=payment_methods][value="vietqr"]')
    plain_page.check('input[name=payment_methods][value="momo"]')
    plain_page.locator("details.filter >> nth=1").get_by_role("button", name="Lọc").click()
    assert all(re.search("VietQR|MoMo", line) for line in plain_page.locator(".card-kind").all_inner_texts())
    plain_page.goto(f"{live_server}/?view=list")
    first = names(plain_page)
    assert len(first) == 50
    plain_page.get_by_role("link", name="Trang sau").click()
    second = names(plain_page)
    assert len(second) == 50
    assert not set(first) & set(second)
    plain_page.click("#results .card-name >> nth=0")
    expect(plain_page.locator(".place h2")).to_have_text(second[0])


def test_hostile_and_broken_addresses_get_a_sentence(browser: Browser, live_server: str) -> None:
    queries = {
        "sector_group=khong_co": "không nhận giá trị",
        "accepts_cashless=maybe": "không nhận giá trị",
        "view=list&cursor=%22%3E": "Dấu trang",
        "bbox=1,2,3": "bbox",
        "q=" + "a" * 300: "tối đa 200 ký tự",
        "q=%00": "ký tự không đọc được",
    }
    with watched_page(browser, expected=("400 (Bad Request)",)) as page:
        for query, words in queries.items():
            answer = page.goto(f"{live_server}/?{query}")
            assert answer
            assert answer.status == 400, query
            expect(page.locator("#list-message")).to_contain_text(words)
    with watched_page(browser, expected=("404 (Not Found)",)) as page:
        answer = page.goto(f"{live_server}/?place=%3Cscript%3E")
        assert answer
        assert answer.status == 404
        expect(page.locator("#place-pane h2")).to_have_text("Không có nơi này")
    assert httpx.get(f"{live_server}/?fbclid=abc&utm_source=zalo", timeout=30).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?view=list",
        "/?q=pho&sector_group=food_service",
        "/?place={code}",
        "/about",
        "/about/data",
        "/open-data",
        "/?lang=en",
        "/q/{code}",
        "/q/{code}?lang=en",
        "/q/abc",
        "/q",
        "/about",
        "/about/data",
        "/open-data",
        "/ogc?f=html",
        "/ogc/collections?f=html",
        "/ogc/collections/establishments/items?f=html&limit=5",
        "/ogc/collections/establishments/items/{code}?f=html",
        "/ogc/collections/establishments/schema?f=html",
        "/ogc/api?f=html",
    ],
)
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_no_serious_violation(browser: Browser, live_server: str, path: str, size: str) -> None:
    code = first_place(live_server, q="my quang", illustrative="true")["id"]
    options: dict[str, Any] = {"viewport": {"width": 360, "height": 640}} if size == "phone" else {}
    wanted = ("404",) if path == "/q/abc" else ()
    with watched_page(browser, wanted, bypass_csp=True, **options) as page:
        page.goto(live_server + path.format(code=code))
        if path == "/" or (path.startswith("/?") and "view" not in path):
            page.locator(DRAWN).wait_for(state="attached")
        check_width(page)
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            f"{each['id']} ({each['impact']}): {each['help']}: {[node['target'] for node in each['nodes'][:4]]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious, "\n".join(serious)


def test_first_visit_stays_within_its_budget_on_slow_4g(
    browser: Browser, live_server: str, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """1.6 Mbit/s and 150 ms, nothing cached: bytes are asserted, times depend on the machine and are reported."""
    with watched_page(browser) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750},
        )
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(live_server, wait_until="commit")
        page.locator(READY).wait_for(state="attached")
        interactive = page.evaluate("performance.now()")
        page.locator(DRAWN).wait_for(state="attached")
        drawn = page.evaluate("performance.now()")
        page.wait_for_timeout(2_000)  # The bold fonts come last.
        requests, received = len(sizes), sum(sizes)
        page.fill("#q", "my quang")
        asked = page.evaluate("performance.now()")
        expect(page.locator("#count")).to_contain_text("Tìm thấy")
        answered = page.evaluate("performance.now()") - asked
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    report = {
        "first_visit_bytes": round(received),
        "requests": requests,
        "first_paint_ms": round(painted),
        "interactive_ms": round(interactive),
        "map_drawn_ms": round(drawn),
        "search_answer_ms": round(answered),
    }
    for name, value in report.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\nslow 4G, first visit: {report}")
    assert received < 1_000_000
    assert requests > 20, "the tiles are not counted"
