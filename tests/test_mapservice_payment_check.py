"""The payment QR: read with its CRC, kept as a keyed hash alone, compared for officers and, if agreed, for buyers."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import qrcode
from PIL import Image
from sqlalchemy import text

from mapservice.payment_qr import account_in_photo, account_of
from postgis.engine import Database, create_database, drop_database
from postgis.errors import InvalidValues
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill
from tests.staff_clients import Browser, add_member, location

PRINTED = "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F"
"""The example in NAPAS's description of the format: bank 970403, account 0011012345678."""
NUMBER = "0011012345678"


def crc(content: bytes) -> int:
    """CRC-16/CCITT-FALSE bit by bit, as EMVCo writes it down; not the code under test's."""
    found = 0xFFFF
    for byte in content:
        found ^= byte << 8
        for _ in range(8):
            found = (found << 1 ^ 0x1021 if found & 0x8000 else found << 1) & 0xFFFF
    return found


def tag(name: str, value: str) -> str:
    return f"{name}{len(value):02d}{value}"


def vietqr(bank: str = "970436", number: str = "9912345678", *, guid: str = "A000000727", more: str = "") -> str:
    account = tag("38", tag("00", guid) + tag("01", tag("00", bank) + tag("01", number)) + tag("02", "QRIBFTTA"))
    plain = f"000201010211{account}53037045802VN{more}6304"
    return f"{plain}{crc(plain.encode()):04X}"


def photo(*texts: str) -> bytes:
    """A photo of codes side by side."""
    codes = [qrcode.make(each, box_size=6).get_image().convert("RGB") for each in texts]
    sheet = Image.new("RGB", (sum(code.width for code in codes) + 40, max(code.height for code in codes) + 40), "white")
    place = 20
    for code in codes:
        sheet.paste(code, (place, 20))
        place += code.width
    output = io.BytesIO()
    sheet.rotate(7, expand=True, fillcolor="white").save(output, "JPEG", quality=80)
    return output.getvalue()


def test_the_printed_example_is_read() -> None:
    found = account_of(f" {PRINTED}\n")
    assert (found.bank_bin, found.number) == ("970403", NUMBER) and NUMBER not in repr(found)
    assert crc(PRINTED[:-4].encode()) == int(PRINTED[-4:], 16)
    with_name = vietqr(more=tag("59", "Quán Mì Quảng"))
    assert account_of(with_name).number == "9912345678"


@pytest.mark.parametrize("place", range(12, len(PRINTED) - 8))
def test_every_wrong_sign_is_noticed(place: int) -> None:
    damaged = PRINTED[:place] + ("1" if PRINTED[place] != "1" else "2") + PRINTED[place + 1 :]
    with pytest.raises(InvalidValues) as refused:
        account_of(damaged)
    assert NUMBER not in str(refused.value)


@pytest.mark.parametrize(
    "typed",
    ["", "x", "http://127.0.0.1/q/K7M42XP2", PRINTED[:-4], PRINTED[:-1], "0" * 600, vietqr(guid="A000000775"),
     vietqr(bank="97043"), vietqr(number=""), vietqr(number="1" * 20), "000201" + "6304" + "FFFF", "00020199" * 60],
)  # fmt: skip
def test_what_is_no_vietqr_is_refused(typed: str) -> None:
    with pytest.raises(InvalidValues):
        account_of(typed)


def test_a_photo_is_read_and_what_hangs_beside_it_left_alone() -> None:
    assert account_in_photo(photo(PRINTED)).number == NUMBER
    assert account_in_photo(photo(PRINTED, "http://127.0.0.1:8000/q/K7M42XP2")).number == NUMBER
    for wrong, code in (((PRINTED, vietqr()), "several_qr"), (("http://127.0.0.1/q/X",), "not_vietqr")):
        with pytest.raises(InvalidValues) as refused:
            account_in_photo(photo(*wrong))
        assert [error.code for error in refused.value.errors] == [code]
    blank = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(blank, "PNG")
    with pytest.raises(InvalidValues) as refused:
        account_in_photo(blank.getvalue())
    assert [error.code for error in refused.value.errors] == ["no_qr"]


@dataclass
class World:
    database: Database
    ward: SmallWard
    officer: Browser
    stranger: Browser
    nobody: Browser

    def staff(
        self, place: str, action: str, *, by: Browser | None = None, image: bytes = b"", **fields: str
    ) -> httpx.Response:
        browser = by or self.officer
        sent = {"csrf_token": browser.proof("/staff/account"), "action": action, **fields}
        return browser.client.post(
            f"/staff/establishments/{place}/payment-qr",
            data=sent,
            files={"photo": ("a.jpg" if image else "", image, "image/jpeg")},
        )

    def buy(self, place: str, qr: str = "", image: bytes = b"") -> httpx.Response:
        return self.nobody.client.post(
            f"/q/{place}/payment", data={"qr": qr}, files={"photo": ("a.jpg" if image else "", image, "image/jpeg")}
        )


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "payment_check", template="base")
    ward = fill(own, add_staff(own, "planter", "officer"), 6)
    add_member(own, "lan", "officer")
    add_member(own, "xa", "officer", ward=OTHER_WARD)
    officer, stranger = Browser(own), Browser(own)
    location(officer.sign_in("lan"))
    location(stranger.sign_in("xa"))
    yield World(own, ward, officer, stranger, Browser(own))
    own.dispose()
    drop_database(server, "payment_check")


def test_an_officer_notes_and_compares_and_a_buyer_where_the_owner_agreed(world: World) -> None:
    place = world.ward.places[1]
    assert "Chưa có mã đối chiếu" in world.staff(place, "compare", qr=PRINTED).text
    assert "Đã ghi mã đối chiếu." in world.staff(place, "keep", image=photo(PRINTED)).text
    assert "Mã trên quầy là tài khoản đã ghi nhận" in world.staff(place, "compare", qr=PRINTED).text
    assert "Mã trên quầy khác" in world.staff(place, "compare", qr=vietqr()).text
    assert "Chưa có mã đối chiếu" in world.buy(place, PRINTED).text
    agreed = world.staff(place, "keep", qr=PRINTED, buyer_check="true").text
    assert agreed.count("Ngân hàng 970403") == 1 and "Người mua đối chiếu được." in agreed
    assert 'class="words">Khớp<' in world.buy(place, image=photo(PRINTED)).text
    other = world.buy(place, vietqr()).text
    assert "Không khớp" in other and "kind=wrong_payment_qr" in other
    number = agreed.split('name="account" value="')[1].split('"')[0]
    assert "Đã thôi dùng" in world.staff(place, "withdraw", account=number).text
    assert "Chưa có mã đối chiếu" in world.buy(place, PRINTED).text
    assert world.staff(place, "withdraw", account=number).status_code == 404


def test_the_number_is_kept_nowhere_shown_nowhere_and_bound_to_its_place(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = world.ward.places[2], world.ward.places[3]
    pages = [world.staff(mine, "keep", qr=PRINTED, buyer_check="true"), world.staff(other, "keep", qr=PRINTED),
             world.buy(mine, PRINTED), world.buy(mine, PRINTED[:-1]),
             world.staff(mine, "compare", qr=vietqr() + "x")]  # fmt: skip
    pages += [world.officer.get(f"/staff/establishments/{mine}/payment-qr"), world.officer.get(f"/q/{mine}.json")]
    assert all(NUMBER not in page.text and PRINTED[:40] not in page.text for page in pages)
    assert NUMBER not in caplog.text
    with world.database.owner.connect() as owner:
        hashes = set(owner.execute(text("SELECT account_hash FROM register.payment_account")).scalars())
        assert len({bytes(found) for found in hashes}) == len(hashes) >= 2
        tables = owner.execute(
            text("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
                 "WHERE table_schema IN ('register', 'account') AND table_type = 'BASE TABLE'")
        ).scalars().all()  # fmt: skip
        for table in tables:
            if table in ("register.basemap_area", "register.street", "register.ward"):
                continue
            found = owner.execute(text(f"SELECT 1 FROM {table} t WHERE t::text ~ :n LIMIT 1"), {
                "n": f"{NUMBER}|{NUMBER.encode().hex()}"}).first()  # fmt: skip
            assert found is None, table


def test_guessing_is_bounded_and_says_so(world: World) -> None:
    place = world.ward.places[4]
    world.staff(place, "keep", qr=PRINTED, buyer_check="true")
    statuses = [world.buy(place, vietqr(number=f"99{number:06d}")).status_code for number in range(32)]
    assert statuses == [200] * 30 + [429] * 2
    refused = world.buy(place, PRINTED)
    assert refused.status_code == 429 and "quá nhiều lần" in refused.text and "Khớp<" not in refused.text
    assert world.buy(world.ward.places[5], PRINTED).status_code == 200


def test_others_neither_note_nor_see(world: World) -> None:
    place = world.ward.places[1]
    assert world.staff(place, "keep", by=world.stranger, qr=PRINTED).status_code == 404
    assert world.stranger.get(f"/staff/establishments/{place}/payment-qr").status_code == 404
    answer = world.nobody.client.post(
        f"/q/{place}/payment", data={"qr": PRINTED}, files={"photo": ("", b"", "image/jpeg")},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert world.staff(place, "burn", qr=PRINTED).status_code == 400
    assert world.buy(place).status_code == 422 and world.buy(place, image=b"GIF89a").status_code == 422
    assert world.buy("K7M42XPA", PRINTED).status_code == 404
