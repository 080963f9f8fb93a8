"""Pages: escaping, dates and numbers, addresses, assets and their marks, the map page without a browser."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from layers.styles import style
from web import assets, render
from web.lookup import place_name
from web.map_page import Listing, Search, Surroundings, food_words, map_page, payment_words, place_page
from web.render import format_ago, format_code, format_date, local, with_query
from web.sectors import FAMILIES

STATIC = Path(assets.__file__).parent / "static"
WARD = {"code": "20257", "name": "Hòa Cường", "name_en": "Hoa Cuong", "kind": "ward"}
AROUND = Surroundings(WARD, (108.18, 16.02, 108.24, 16.07), date(2026, 11, 21), illustrative=True)


def made_up(**properties: Any) -> dict[str, Any]:
    """A place with every public property and what is told of one that somebody opens; names are invented."""
    return {
        "code": "K7M42XPA",
        "name": "Quán minh họa 0001",
        "name_en": None,
        "kind": "restaurant",
        "legal_form": "household_business",
        "sector_group": "food_service",
        "offering": None,
        "address": "1 Đường Minh Họa",
        "stall": None,
        "operating_status": "active",
        "licence_status": "valid",
        "licence_valid_until": None,
        "food_safety_status": "certified",
        "food_safety_valid_until": date(2028, 3, 31),
        "last_inspection_result": "pass",
        "last_inspection_on": date(2026, 6, 1),
        "last_inspection": None,
        "food_safety_agency": None,
        "live_warning": False,
        "payment_methods": ["vietqr", "bank_transfer"],
        "payment_checked_on": date(2026, 9, 1),
        "accepts_cashless": "yes",
        "opening_hours": "Mo-Su 06:00-21:00",
        "website": None,
        "verified_on": date(2026, 9, 1),
        "source": "demo",
        "illustrative": True,
        "lon": 108.21,
        "lat": 16.04,
        **properties,
    }


def page(*places: dict[str, Any], view: str = "map", lang: str = "vi", q: str = "", **chosen: tuple[str, ...]) -> str:
    return map_page(view, Search(q, chosen), Listing(places, len(places)), AROUND, lang)


def test_what_people_typed_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    html = page(made_up(name=hostile, address=hostile), q=hostile)
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_data_for_scripts_cannot_end_the_script_element() -> None:
    html = page(made_up())
    block = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html, re.S)
    assert block
    data = json.loads(block[1])
    assert data["ward"] == "20257"
    assert "<" not in block[1]
    assert data["codes"]["payment_method"]["vietqr"] == "VietQR"


def test_no_inline_scripts_and_no_other_host() -> None:
    for html in (page(made_up()), page(made_up(), view="list"), place_page(made_up(), AROUND, "vi")):
        for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S):
            assert not body.strip() or 'type="application/json"' in attributes
        assert not re.search(r"\son\w+=", html)
        assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", html)


def test_a_name_that_the_context_lacks_raises() -> None:
    with pytest.raises(UndefinedError):
        render.render("error.html", "vi")


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("view", ["map", "list"])
def test_an_empty_register_still_has_a_page(view: str, lang: str) -> None:
    nothing = Surroundings(None, None, None, illustrative=False)
    html = map_page(view, Search("", {}), Listing((), 0), nothing, lang)
    assert f'<html lang="{lang}">' in html
    assert 'id="list-message">' in html


def test_a_refused_search_says_why_and_keeps_the_words() -> None:
    html = map_page("map", Search("phở", {}), Listing((), problem="Tham số không đúng."), AROUND, "vi")
    assert "Tham số không đúng." in html
    assert 'value="phở"' in html


def test_invented_places_are_marked_on_every_page() -> None:
    assert page(made_up()).count("Dữ liệu minh họa") >= 2
    assert "Illustration data" in place_page(made_up(), AROUND, "en")


def test_unknown_is_said_and_never_reads_like_no() -> None:
    unknown = made_up(payment_methods=[], accepts_cashless="unknown", food_safety_status="unknown")
    assert payment_words(unknown, "vi") == "Thanh toán: chưa rõ"
    assert food_words(unknown, "vi") == "ATTP: chưa rõ"
    assert food_words({**unknown, "sector_group": "fashion"}, "vi") == ""
    assert payment_words(made_up(payment_methods=None, accepts_cashless="no"), "vi") == "Chỉ tiền mặt"


def test_food_line_names_the_month_only_of_papers_that_hold() -> None:
    assert food_words(made_up(), "vi") == "ATTP: có giấy chứng nhận đến 3/2028"
    assert food_words(made_up(food_safety_status="missing"), "en") == "Food safety: no document yet"
    checked = {"food_safety_valid_until": None, "food_safety_checked_on": date(2026, 5, 4)}
    assert food_words(made_up(**checked), "vi") == "ATTP: có giấy chứng nhận, kiểm tra 5/2026"
    assert food_words(made_up(**{**checked, "food_safety_checked_on": None}), "vi") == "", "no praise without a date"


def test_what_officers_found_outweighs_what_is_held() -> None:
    failed = made_up(last_inspection_result="c", last_inspection_on=date(2026, 5, 4))
    assert food_words(failed, "vi") == "ATTP: loại C (không đạt), kiểm tra 5/2026"
    assert food_words({**failed, "live_warning": True}, "vi") == ""


def test_a_place_without_a_name_is_called_by_its_kind() -> None:
    assert place_name(made_up(name=None, kind="cafe"), "vi") == "Quán cà phê (chưa rõ tên)"
    assert place_name(made_up(name=None, kind="no_such_kind"), "vi") == "Ăn uống (chưa rõ tên)"


def test_ticked_boxes_and_links_carry_the_search() -> None:
    html = page(made_up(), q="phở", sector_group=("food_service", "market"), operating_status=("active", "closed"))
    assert '<input type="checkbox" name="sector_group" value="market" checked>' in html
    assert re.search(r'name="operating_status" value="[^"]*closed[^"]*" checked', html)
    assert "sector_group=food_service,market" in html
    assert "q=ph%E1%BB%9F" in html


def test_what_is_asked_leaves_out_the_gone_and_the_benches() -> None:
    asked = Search("", {}).asked
    assert "closed" not in asked["operating_status"]
    assert "public_place" not in asked["sector_group"].split(",")
    assert "sector_group" not in Search("công viên", {}).asked
    assert Search("", {"sector_group": ("public_place",)}).asked["sector_group"] == "public_place"


def test_dates_and_codes_as_people_write_them() -> None:
    assert format_date(date(2026, 12, 31)) == "31/12/2026"
    assert format_date("2026-12-31") == "31/12/2026"
    # The last evening of the year in UTC is already next year in Vietnam.
    assert format_date(datetime(2026, 12, 31, 18, tzinfo=UTC)) == "01/01/2027"
    assert format_date("2026-12-31T18:00:00+00:00") == "01/01/2027"
    assert format_code("K7M42XPA") == "K7M4-2XPA"


@pytest.mark.parametrize(
    ("day", "vietnamese", "english"),
    [
        (date(2026, 11, 21), "hôm nay", "today"),
        (date(2026, 11, 20), "hôm qua", "yesterday"),
        (date(2026, 10, 1), "cách đây 51 ngày", "51 days ago"),
        (date(2025, 9, 12), "cách đây 14 tháng", "14 months ago"),
        (date(2020, 1, 1), "cách đây 6 năm", "6 years ago"),
        (date(2026, 12, 31), "còn 40 ngày", "40 days left"),
        (date(2028, 3, 31), "còn 16 tháng", "16 months left"),
    ],
)
def test_how_long_ago(day: date, vietnamese: str, english: str) -> None:
    today = date(2026, 11, 21)
    assert format_ago(day, "vi", today) == vietnamese
    assert format_ago(day, "en", today) == english


def test_addresses_keep_what_they_have() -> None:
    assert with_query("/?q=ph%E1%BB%9F&lang=vi#a", lang="en") == "/?q=ph%E1%BB%9F&lang=en#a"
    assert with_query("/x?a=1", a=None) == "/x"
    assert with_query("", lang="en") == "?lang=en"
    assert local("vi", "/", view="list", q="") == "/?view=list"
    assert local("en", "/about") == "/about?lang=en"


def test_style_and_legend_paint_the_same_colours() -> None:
    found = style("map", "http://127.0.0.1:8000", "20257")
    assert found
    points = next(layer for layer in found["layers"] if layer["id"] == "establishment-points")
    match = points["paint"]["circle-color"]
    painted = {group: match[at + 1] for at in range(2, len(match) - 1, 2) for group in match[at]}
    assert painted == {group: family.colour for family in FAMILIES for group in family.groups}
    sheet = (STATIC / "css" / "base.css").read_text()
    icons = (STATIC / "js" / "marks.js").read_text()
    for family in FAMILIES:
        assert family.colour in sheet
        assert all(f"  {group}: " in icons for group in family.groups)


def test_style_asks_nobody_else() -> None:
    found = style("map", "http://127.0.0.1:8000", "20257")
    assert found
    assert "glyphs" not in found
    assert "sprite" not in found
    assert "openstreetmap.org" not in json.dumps(found)
    assert all(source["tiles"][0].startswith("http://127.0.0.1:8000/ogc/") for source in found["sources"].values())


def test_assets_are_marked_by_their_content_down_to_imports() -> None:
    address = assets.asset("js/map.js")
    assert re.fullmatch(r"/static/js/map\.js\?v=[0-9a-f]{12}", address)
    found = assets.find("js/map.js")
    assert found
    imports = re.findall(r'from "(\./[^"]+)"', found.content.decode())
    assert imports
    for path in imports:
        name, _, version = path.partition("?v=")
        imported = assets.find(f"js/{name.removeprefix('./')}")
        assert imported
        assert version == imported.version


def test_every_module_that_the_map_imports_is_preloaded() -> None:
    html = page(made_up())
    for path in STATIC.glob("js/*.js"):
        if path.name not in ("map.js", "list_page.js"):
            assert f'rel="modulepreload" href="{assets.asset(f"js/{path.name}")}"' in html, path.name


def test_no_path_leads_out_of_the_static_folder() -> None:
    for path in ("../render.py", "js/../../render.py", "/etc/passwd", "", "js", "vendor/fonts/be-vietnam-pro-400.ttf"):
        assert assets.find(path) is None
    with pytest.raises(assets.MissingAssetError):
        assets.asset("css/none.css")


def test_libraries_are_compressed_well_beforehand() -> None:
    library = assets.find("vendor/maplibre-gl.js")
    assert library
    assert len(library.encoded["br"]) < 240_000
    assert b"sourceMappingURL" not in library.content
    font = assets.find("vendor/fonts/be-vietnam-pro-latin-400-normal.woff2")
    assert font
    assert not font.encoded
