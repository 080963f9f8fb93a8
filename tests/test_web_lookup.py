"""The look-up page in words: what stands first, what never looks good, and what unknown is called."""

import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postgis.vocabulary import (
    FOOD_SAFETY_STATUSES,
    INSPECTION_RESULTS,
    LEGAL_FORMS,
    LICENCE_STATUSES,
    OPERATING_STATUSES,
    PAYMENT_METHODS,
    SECTOR_GROUPS,
    SOURCES,
    YES_NO_UNKNOWN,
)
from web import labels, lookup, lookup_missing, opening_hours
from web.sticker_words import sticker_words

TODAY = date(2026, 11, 21)
OSM_PLACES = Path(__file__).parents[1] / "postgis" / "reference" / "osm_places.geojsonl.gz"
FIRST_FLIGHT = 14 * 1024
"""Bytes that a server may send before it hears from the client."""
HEADERS = 1_200
"""More than the head of an answer takes."""
WARD = {"code": "20257", "name": "Hòa Cường", "name_en": "Hoa Cuong", "kind": "ward"}
LINKS = lookup.Links(
    page="https://bando.example.vn/q/K7M42XP2",
    other_language="/q/K7M42XP2?lang=en",
    map="/?place=K7M42XP2",
    form="/q",
)
WARNING = {
    "issued_on": date(2026, 11, 2),
    "headline": "Tạm dừng bán hàng",
    "instruction": "Không mua hàng ở đây.",
    "agency": "UBND phường",
}
PLACE: dict[str, Any] = {
    "code": "K7M42XP2",
    "name": "Phở minh họa",
    "name_en": None,
    "kind": "restaurant",
    "legal_form": "household_business",
    "sector_group": "food_service",
    "address": "216 Núi Thành",
    "stall": None,
    "operating_status": "active",
    "closed_on": None,
    "licence_status": "valid",
    "licence_valid_until": None,
    "food_safety_status": "certified",
    "food_safety_valid_until": date(2028, 3, 31),
    "last_inspection_result": "pass",
    "last_inspection_on": date(2025, 9, 12),
    "last_inspection": {
        "code": "3",
        "inspected_on": "2025-09-12",
        "result": "pass",
        "agency": "Đoàn kiểm tra liên ngành",
        "official_words": "Cơ sở bảo đảm điều kiện an toàn thực phẩm.",
    },
    "food_safety_agency": "Sở An toàn thực phẩm",
    "photo": None,
    "former_names": [],
    "payment_check": True,
    "live_warning": False,
    "payment_methods": ["vietqr", "momo"],
    "payment_checked_on": date(2026, 8, 20),
    "accepts_cashless": "yes",
    "opening_hours": "Mo-Sa 05:30-20:30; Su 08:00-18:00",
    "website": "https://example.vn/",
    "verified_on": date(2026, 8, 20),
    "source": "field_survey",
    "illustrative": False,
    "updated_at": datetime(2026, 11, 20, 20, 0, tzinfo=UTC),
}
UNKNOWN = PLACE | {
    "name": None,
    "kind": "cafe",
    "sector_group": "cafe_drinks",
    "legal_form": None,
    "address": None,
    "operating_status": "unknown",
    "licence_status": "unknown",
    "food_safety_status": "unknown",
    "food_safety_valid_until": None,
    "last_inspection_result": None,
    "last_inspection_on": None,
    "last_inspection": None,
    "food_safety_agency": None,
    "payment_methods": [],
    "payment_checked_on": None,
    "accepts_cashless": "unknown",
    "opening_hours": None,
    "website": None,
    "verified_on": None,
    "source": "osm",
}
DAYS = st.none() | st.dates(date(2020, 1, 1), date(2030, 12, 31))
PLACES = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(min_size=1, max_size=90),
        "kind": st.sampled_from([None, "cafe", "restaurant", "a kind without words"]),
        "legal_form": st.sampled_from([None, *LEGAL_FORMS]),
        "sector_group": st.sampled_from(SECTOR_GROUPS),
        "stall": st.none() | st.text(max_size=5),
        "operating_status": st.sampled_from(OPERATING_STATUSES),
        "closed_on": DAYS,
        "licence_status": st.sampled_from(LICENCE_STATUSES),
        "licence_valid_until": DAYS,
        "food_safety_status": st.sampled_from(FOOD_SAFETY_STATUSES),
        "food_safety_valid_until": DAYS,
        "last_inspection_result": st.sampled_from([None, *INSPECTION_RESULTS]),
        "last_inspection_on": DAYS,
        "live_warning": st.booleans(),
        "payment_methods": st.lists(st.sampled_from(PAYMENT_METHODS), unique=True),
        "payment_checked_on": DAYS,
        "accepts_cashless": st.sampled_from(YES_NO_UNKNOWN),
        "opening_hours": st.none() | st.text(max_size=40),
        "website": st.none() | st.text(max_size=40),
        "verified_on": DAYS,
        "source": st.sampled_from(SOURCES),
        "illustrative": st.booleans(),
    }
)


def page(lang: str = "vi", warnings: list[dict[str, Any]] | None = None, **changes: Any) -> str:
    return lookup.place_page(PLACE | changes, warnings or [], WARD, LINKS, lang, TODAY)


def words(html: str) -> str:
    """What a person reads, without the style and the marks."""
    body = html[html.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


def in_order(text: str, *parts: str) -> bool:
    position = 0
    for part in parts:
        position = text.find(part, position)
        if position < 0:
            return False
    return True


def test_the_order_of_the_page() -> None:
    assert in_order(
        words(page(warnings=[WARNING], live_warning=True)),
        "Cảnh báo đang có hiệu lực",
        "Tạm dừng bán hàng",
        "Không mua hàng ở đây.",
        "Từ ngày 02/11/2026 (cách đây 19 ngày)",
        "Phở minh họa",
        "Nhà hàng, quán ăn · Ăn uống",
        "216 Núi Thành, phường Hòa Cường",
        "Bạn có đang đứng trước cửa hàng này?",
        "Đăng ký kinh doanh",
        "An toàn thực phẩm",
        "Thanh toán",
        "Đây không phải mã thanh toán",
        "Báo sai sót",
        "liên hệ UBND phường Hòa Cường",
        "Gửi phản ánh",
        "Đề nghị sửa thông tin",
        "Đối chiếu mã QR thanh toán",
        "Nguồn thông tin",
        "K7M4-2XP2",
    )


def test_facts_have_words_a_day_and_its_age() -> None:
    text = words(page())
    for expected in (
        "Còn hiệu lực",
        "Theo hồ sơ xác minh cách đây 3 tháng (20/08/2026)",
        "Có giấy chứng nhận",
        "Có hiệu lực đến 31/03/2028 (còn 16 tháng)",
        "Cơ quan cấp: Sở An toàn thực phẩm",
        "Kết quả kiểm tra gần nhất: Đạt, cách đây 14 tháng (12/09/2025)",
        "Cơ quan kiểm tra: Đoàn kiểm tra liên ngành",
        "Nguyên văn kết luận: Cơ sở bảo đảm điều kiện an toàn thực phẩm.",
        "VietQR Ví MoMo",
        "Ghi nhận cách đây 3 tháng (20/08/2026)",
        "UBND phường Hòa Cường xác minh lần cuối cách đây 3 tháng (20/08/2026). Nguồn: Khảo sát thực địa.",
        "Hồ sơ sửa lần cuối ngày 21/11/2026",  # 20:00 UTC is the next day in Vietnam
    ):
        assert expected in text


def test_what_is_said_of_trade_and_of_a_term_that_ends_soon() -> None:
    assert "Đang hoạt động. Theo hồ sơ xác minh cách đây 3 tháng (20/08/2026)." in words(page())
    assert "Đang hoạt động. Chưa rõ ngày kiểm tra." in words(page(verified_on=None))
    soon = words(page(food_safety_valid_until=date(2026, 12, 31)))
    assert in_order(soon, "Có giấy chứng nhận, sắp hết hạn", "Có hiệu lực đến 31/12/2026 (còn 40 ngày)")
    assert "sắp hết hạn" not in words(page(food_safety_valid_until=date(2026, 12, 31), last_inspection_result="fail"))


def test_who_stands_at_another_shop_gets_to_the_form_in_one_step() -> None:
    assert 'href="/q/K7M42XP2/report?kind=fake_sticker"' in page()
    saved = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)
    assert 'href="#report"' in lookup.place_page(PLACE, [], WARD, LINKS, "vi", TODAY, saved_at=saved)


def test_unknown_is_said_as_unknown() -> None:
    html = lookup.place_page(UNKNOWN, [], WARD, LINKS, "vi", TODAY)
    text = words(html)
    assert "Quán cà phê (chưa rõ tên)" in text
    assert text.count("Chưa rõ") >= 2
    assert "Chưa khảo sát" in text
    assert "Tình trạng hoạt động: chưa rõ" in text
    assert "OpenStreetMap, chưa được phường xác minh" in text
    assert 'class="fact good"' not in html
    assert 'class="fact caution"' not in html


def test_not_inspected_is_a_state_of_its_own() -> None:
    html = lookup.place_page(UNKNOWN, [], WARD, LINKS, "vi", TODAY)
    assert in_order(words(html), "An toàn thực phẩm", "Chưa kiểm tra", "không có nghĩa là đạt hay không đạt")
    assert 'class="fact unknown">\n<h2>An toàn thực phẩm' in html
    held = words(page(last_inspection_result=None, last_inspection_on=None, last_inspection=None))
    assert in_order(held, "Có giấy chứng nhận", "Chưa kiểm tra: chưa có kết luận kiểm tra nào được công bố.")


def test_former_names_and_a_dissolved_ward_are_named() -> None:
    assert "Trước đây: Quán Cũ, Quán Cũ Hơn" in words(page(former_names=["Quán Cũ", "Quán Cũ Hơn"]))
    html = lookup.place_page(PLACE, [], WARD, LINKS, "vi", TODAY, dissolved_ward="Hòa Cường Nam")
    assert "thuộc Hòa Cường Nam, nay thuộc phường Hòa Cường" in words(html)


def test_the_photo_is_small_lazy_and_described() -> None:
    photo = {"file": "0" * 64, "width": 1200, "height": 1600, "taken_on": "2026-09-12"}
    html = lookup.place_page(PLACE | {"photo": photo}, [], WARD, replace(LINKS, photo="/photos/x.jpg"), "vi", TODAY)
    tag = re.search(r"<img[^>]*>", html)
    assert tag is not None
    for part in ('src="/photos/x.jpg"', 'alt="Ảnh mặt tiền: Phở minh họa"', 'width="360"', 'height="480"', "lazy"):
        assert part in tag[0]
    assert "Ảnh chụp cách đây 2 tháng (12/09/2026)" in words(html)


def test_a_saved_copy_says_so_and_praises_nothing() -> None:
    saved = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)
    html = lookup.place_page(PLACE, [], WARD, LINKS, "vi", TODAY, saved_at=saved)
    assert in_order(
        words(html), "được lưu lúc 14:05 ngày 22/11/2026 vì hệ thống đang bảo trì", "Cảnh báo mới hơn", "Phở minh họa"
    )
    assert 'class="fact good"' in page() and 'class="fact good"' not in html
    warned = lookup.place_page(PLACE | {"live_warning": True}, [WARNING], WARD, LINKS, "vi", TODAY, saved_at=saved)
    assert in_order(words(warned), "Cảnh báo đang có hiệu lực", "được lưu lúc")


def test_the_mark_up_names_only_what_is_on_the_page() -> None:
    html = page()
    assert 'itemscope itemtype="https://schema.org/Restaurant"' in html
    assert set(re.findall(r'itemprop="(\w+)"', html)) == {"name", "address", "url"}
    assert "<meta itemprop" not in html and "ld+json" not in html
    invented = page(illustrative=True)
    assert "schema.org" not in invented and '<meta name="robots" content="noindex">' in invented
    assert "schema.org" not in page(operating_status="closed")


def test_what_may_have_been_meant_is_a_question() -> None:
    meant = lookup_missing.suggestion(PLACE, "/q/K7M42XP2", WARD, "vi")
    html = lookup_missing.missing_page("mistyped", "K7M4-2XP3", WARD, LINKS, "vi", meant)
    assert in_order(words(html), "Mã chưa đúng", "Có phải “Phở minh họa”?", "216 Núi Thành", "Chỉ mở trang nếu")
    assert 'href="/q/K7M42XP2"' in html
    assert "Có phải" not in lookup_missing.missing_page("mistyped", "K7M4-2XP3", WARD, LINKS, "vi")


def test_what_openstreetmap_says_never_looks_checked() -> None:
    assert 'class="fact good"' not in page(source="osm")


def test_a_place_without_a_signboard_goes_by_what_is_known() -> None:
    assert ">Hanh Cafe</h1>" in page(name=None, name_en="Hanh Cafe")
    assert ">Nhà hàng, quán ăn (chưa rõ tên)</h1>" in page(name=None)


def test_english_by_choice() -> None:
    html = page("en", warnings=[WARNING], live_warning=True)
    assert '<html lang="en">' in html
    assert 'lang="vi">Tạm dừng bán hàng' in html
    for expected in (
        "Warning in force",
        "Are you standing in front of this shop?",
        "Hoa Cuong ward",
        "Valid until 31/03/2028",
    ):
        assert expected in words(html)


@settings(max_examples=300, deadline=None)
@given(PLACES, st.booleans(), st.sampled_from(["vi", "en"]))
def test_nothing_looks_good_without_a_day_or_with_a_live_warning(
    changes: dict[str, Any], listed: bool, lang: str
) -> None:
    place = PLACE | changes
    html = lookup.place_page(place, [WARNING] if listed else [], WARD, LINKS, lang, TODAY)
    good = html.count('class="fact good"')
    body = html[html.index("<body>") :]
    if listed or place["live_warning"]:
        assert body.startswith('<body>\n<section class="warning"')
        assert good == 0
    else:
        assert 'class="warning"' not in html
    if place["operating_status"] in ("closed", "moved", "suspended", "not_found"):
        assert good == 0
        assert 'class="gone"' in html
    for fact in re.findall(r'<section class="fact good">.*?</section>', html, re.DOTALL):
        assert re.search(r"\d\d/\d\d/\d{4}", fact)
    if place["illustrative"]:
        assert 'class="demo"' in html
    assert "<script" not in html
    assert "None" not in words(html).replace(str(place["name"]), "").replace(str(place["opening_hours"]), "")


def test_a_failed_inspection_outweighs_the_certificate() -> None:
    html = page(last_inspection_result="c")
    assert "Kiểm tra gần nhất: Loại C (không đạt)" in words(html)
    assert 'class="fact caution"' in html


def test_what_is_known_of_a_failed_inspection_does_not_contradict_itself() -> None:
    text = words(
        page(
            last_inspection_result="fail", food_safety_status="unknown", food_safety_valid_until=None, verified_on=None
        )
    )
    assert in_order(
        text, "Kiểm tra gần nhất: Không đạt", "Kiểm tra cách đây 14 tháng (12/09/2025)", "Hồ sơ: Chưa rõ", "Nguyên văn"
    )


def test_a_file_past_its_end_is_named_as_such() -> None:
    text = words(page(food_safety_status="missing", food_safety_valid_until=date(2026, 1, 31)))
    assert "Giấy đã quá hạn" in text
    assert "Hết hiệu lực từ 31/01/2026 (cách đây 9 tháng)" in text


def test_a_live_warning_without_details_is_still_shown() -> None:
    assert "Cơ sở này đang bị cảnh báo" in words(page(live_warning=True))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("closed", "Cơ sở này đã đóng cửa, không còn kinh doanh ở đây. Từ ngày 30/06/2026 (cách đây 4 tháng)."),
        ("moved", "Cơ sở này đã chuyển đi"),
        ("suspended", "Cơ sở này đang tạm ngừng kinh doanh."),
        ("not_found", "không tìm thấy cơ sở này"),
    ],
)
def test_a_place_that_is_gone_says_so_before_its_name(status: str, expected: str) -> None:
    text = words(page(operating_status=status, closed_on=date(2026, 6, 30)))
    assert in_order(text, expected, "Phở minh họa")


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("saved", [None, datetime(2026, 11, 22, 7, 5, tzinfo=UTC)])
@pytest.mark.parametrize("status", OPERATING_STATUSES)
def test_every_page_fits_the_first_flight(lang: str, saved: datetime | None, status: str) -> None:
    """The longest real names and addresses there are, the longest words that may be stored, everything at once."""
    with gzip.open(OSM_PLACES, "rt") as lines:
        real = [json.loads(line)["properties"] for line in lines]
    longest = {name: max((row.get(name) or "" for row in real), key=len) for name in ("name", "name_en", "website")}
    said = " ".join(row["name"] for row in real if row.get("name"))
    place = PLACE | longest | {
        "address": max((row.get("address") or row.get("street_name") or "" for row in real), key=len) or said[:120],
        "operating_status": status,
        "closed_on": date(2026, 6, 30),
        "former_names": [row["name"] for row in sorted(real, key=lambda row: -len(row.get("name") or ""))[:2]],
        "payment_methods": list(PAYMENT_METHODS),
        "last_inspection_result": "c",
        "last_inspection": PLACE["last_inspection"] | {"official_words": said[:2_000], "agency": said[2_000:2_200]},
        "photo": {"file": "0" * 64, "width": 1200, "height": 1600, "taken_on": "2026-09-12"},
        "live_warning": True,
        "illustrative": True,
    }  # fmt: skip
    warning = WARNING | {"headline": said[3_000:3_300], "instruction": said[4_000:5_000], "agency": said[6_000:6_200]}
    facts = [("warnings", "1", TODAY), ("warnings", "2", TODAY), ("inspections", "3", place["last_inspection_on"])]
    replies: list[dict[str, Any]] = [
        {"collection": collection, "code": code, "fact_on": day, "replied_on": TODAY,
         "reply": said[6_300 + 500 * number : 6_800 + 500 * number]}
        for number, (collection, code, day) in enumerate(facts)
    ]  # fmt: skip
    links = replace(LINKS, photo=f"/photos/{'0' * 64}-480.jpg")
    token = "K7M42XP2AC"
    sticker = sticker_words(token, "genuine", token[:5], "withdrawn", TODAY, TODAY, lang, TODAY)
    html = lookup.place_page(
        place, [warning | {"code": "1"}, warning | {"code": "2"}], WARD, links, lang, TODAY, replies=replies,
        merged_from="K7M42XP2", moved_to="/q/K7M42XP2", dissolved_ward="Hòa Cường Nam", saved_at=saved,
        sticker_notice=sticker.notice, sticker_serial=sticker.serial, sticker_token=token,
    )  # fmt: skip
    assert all(reply["reply"] in unescape(html) for reply in replies)
    assert len(gzip.compress(html.encode(), 6)) + HEADERS < FIRST_FLIGHT


def test_hostile_values_are_only_text() -> None:
    html = page(name='<img src=x onerror="alert(1)">', address="</style><script>", website="javascript:alert(1)")
    assert "<img" not in html
    assert "<script" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (
            "https://www.example.vn/a?b=1",
            'href="https://www.example.vn/a?b=1" rel="nofollow noopener noreferrer">example.vn<',
        ),
        ("epkinhdienthoai.vn", 'href="https://epkinhdienthoai.vn"'),
        ("data:text/html,x", None),
        ("http://[", None),
        ("//", None),
    ],
)
def test_only_web_addresses_become_links(stored: str, shown: str | None) -> None:
    html = page(website=stored)
    if shown is None:
        assert "nofollow" not in html
    else:
        assert shown in html


@pytest.mark.parametrize(
    ("stall", "address", "expected"),
    [
        (None, None, None),
        (None, "216 Núi Thành", "216 Núi Thành"),
        ("2", "216 Núi Thành", "Quầy, sạp 2, 216 Núi Thành"),
        ("2", None, "Quầy, sạp 2"),
        ("Quầy 12A", "216 Núi Thành", "Quầy 12A, 216 Núi Thành"),
        ("Quầy A-01", "quầy A-01 Chợ minh họa", "quầy A-01 Chợ minh họa"),
        ("Lô 3", "", "Lô 3"),
    ],
)
def test_a_stall_is_named_once(stall: str | None, address: str | None, expected: str | None) -> None:
    assert lookup.street_address({"stall": stall, "address": address}, "vi") == expected


def test_missing_pages_help_on() -> None:
    mistyped = lookup_missing.missing_page("mistyped", "<b>K7M4", WARD, LINKS, "vi")
    assert in_order(words(mistyped), "Mã chưa đúng", "“&lt;b&gt;K7M4”", "Mã tra cứu trên tem", "bản đồ", "giả")
    assert '<form action="/q">' in mistyped
    not_issued = lookup_missing.missing_page("not_issued", "K7M4-2XP2", None, LINKS, "vi")
    assert in_order(words(not_issued), "Mã chưa được cấp", "Mã K7M4-2XP2", "UBND phường, xã nơi có cơ sở")
    assert "giả" not in words(lookup_missing.ask_page(WARD, LINKS, "vi"))
    assert len(words(lookup_missing.missing_page("mistyped", "x" * 10_000, WARD, LINKS, "vi"))) < 1_000


@pytest.mark.parametrize(
    ("written", "vietnamese"),
    [
        ("24/7", "Suốt ngày đêm, tất cả các ngày"),
        ("Mo-Su 07:00-22:00", "Hằng ngày 07:00–22:00"),
        ("7:30-21:30", "Hằng ngày 07:30–21:30"),
        ("Mo-Su 13:00+", "Hằng ngày từ 13:00"),
        ("Mo-Su 10:30-14:00, 16:30-20:30", "Hằng ngày 10:30–14:00, 16:30–20:30"),
        ("Mo-Fr 08:00-17:30", "Thứ Hai–thứ Sáu 08:00–17:30"),
        ("Mo,We 08:00-11:00; Su 09:00-10:00", "Thứ Hai, thứ Tư 08:00–11:00; Chủ nhật 09:00–10:00"),
        ("Mo-Fr 08:00-17:00; PH off", "Mo-Fr 08:00-17:00; PH off"),
        ("sáng và tối", "sáng và tối"),
        ("", ""),
    ],
)
def test_opening_hours_in_words(written: str, vietnamese: str) -> None:
    assert opening_hours.in_words(written, "vi") == vietnamese


def test_both_languages_say_the_same_things() -> None:
    wanted = [{key for key in labels.keys(lang) if key.startswith(("lookup.", "documents."))} for lang in ("vi", "en")]
    assert wanted[0] == wanted[1]
