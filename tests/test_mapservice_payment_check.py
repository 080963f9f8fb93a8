"""The payment QR: read with its CRC, kept as a keyed hash alone, compared for officers and, if agreed, for buyers."""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import qrcode
from PIL import Image
from sqlalchemy import text

from mapservice.payment_qr import account_in_photo, account_of
from mapservice.routes.public import payment_check
from postgis.engine import Database, create_database, drop_database
from postgis.errors import InvalidValues
from postgis.store import payment_accounts
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
    """A code for one sum, as tag 01 says; the sum itself is in `more`, if anywhere."""
    account = tag("38", tag("00", guid) + tag("01", tag("00", bank) + tag("01", number)) + tag("02", "QRIBFTTA"))
    plain = f"000201010212{account}53037045802VN{more}6304"
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


SHOP = tag("38", tag("00", "A000000727") + tag("01", tag("00", "970436") + tag("01", "9912345678")))
OTHER = tag("38", tag("00", "A000000727") + tag("01", tag("00", "970403") + tag("01", NUMBER)))
PROMPTPAY = tag("29", tag("00", "A000000677010111") + tag("01", "0066812345678"))
QRIS = tag("26", tag("00", "ID.CO.QRIS.WWW") + tag("01", "936000140000000001"))
ALIPAY = tag("27", tag("00", "COM.ALIPAY") + tag("01", "281666040000000"))


def emv(*tags: str) -> str:
    """Tags as a payment QR with a right CRC."""
    plain = "000201010211" + "".join(tags) + "53037045802VN6304"
    return f"{plain}{crc(plain.encode()):04X}"


@pytest.mark.parametrize(
    "made",
    [emv(SHOP), vietqr(), vietqr(more=tag("54", "150000") + tag("62", tag("08", "Ban 5"))),
     vietqr(more=tag("59", "QUAN MI QUANG") + tag("60", "DA NANG")), vietqr(more=tag("59", "Quán Mì")),
     vietqr(more=f"59{len('Quán Mì'.encode()):02d}Quán Mì"), emv(ALIPAY, SHOP), f"\n{vietqr()} ",
     vietqr()[:-4] + vietqr()[-4:].lower()],
    ids=["static", "dynamic", "with an amount", "with a name", "lengths in letters", "lengths in bytes", "two networks",
         "with spaces", "CRC in small letters"],
)  # fmt: skip
def test_whatever_else_it_says_the_code_names_the_same_account(made: str) -> None:
    """Static or for one sum, of one network or of several: the account is what is compared."""
    found = account_of(made)
    assert (found.bank_bin, found.number) == ("970436", "9912345678")


@pytest.mark.parametrize(
    ("typed", "code"),
    [("https://me.momo.vn/quan-thu", "qr_is_link"), ("http://127.0.0.1/q/K7M42XP2?t=2222222222", "qr_is_link"),
     ("momo://transfer?x=1", "qr_is_link"), ("www.example.vn", "qr_is_link"), ("javascript:alert(1)", "qr_is_link"),
     ("2|99|0900000000|NGUYEN VAN THU||0|0|0||transfer_myqr", "not_vietqr"), ("đây là chữ", "not_vietqr"),
     (emv(PROMPTPAY), "qr_not_napas"), (emv(QRIS), "qr_not_napas"), (emv(ALIPAY), "qr_not_napas"),
     (vietqr(guid="A000000775"), "qr_not_napas"), (vietqr(guid="A0000007270"), "qr_not_napas"),
     (vietqr(guid="a000000727"), "qr_not_napas"), (emv(), "qr_not_napas"),
     # What one reader would take for the shop's account and the next for another's.
     (emv(SHOP, OTHER), "not_vietqr"), (emv(SHOP, OTHER.replace("38", "39", 1)), "not_vietqr"),
     (emv(OTHER.replace("38", "26", 1)), "not_vietqr"), (emv(SHOP) + emv(OTHER), "qr_damaged"),
     (emv(SHOP, "6304ABCD", OTHER), "not_vietqr"),
     (emv(SHOP, "x" * 9), "not_vietqr"), (emv(SHOP, "6404ab"), "not_vietqr"),
     (emv(tag("27", "é" * 10), SHOP, "é" * 3), "not_vietqr"),
     (emv(SHOP)[:-1] + ("0" if emv(SHOP)[-1] != "0" else "1"), "qr_damaged"), ("\ud800" + emv(SHOP), "not_vietqr"),
     (emv(SHOP)[:40] + "\ud800" + emv(SHOP)[41:], "qr_damaged"),
     ("000201" * 20_000, "not_vietqr"), ("9" * 100_000, "not_vietqr"), ("https:" + "a" * 100_000, "qr_is_link")],
)  # fmt: skip
def test_what_is_no_vietqr_is_called_what_it_is(typed: str, code: str) -> None:
    with pytest.raises(InvalidValues) as refused:
        account_of(typed)
    assert [(error.field, error.code, error.values) for error in refused.value.errors] == [("qr", code, {})]


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
    for wrong, code in (
        ((PRINTED, vietqr()), "several_qr"), (("http://127.0.0.1/q/X",), "qr_is_link"), ((emv(QRIS),), "qr_not_napas"),
        (("http://127.0.0.1/q/X", emv(QRIS)), "not_vietqr"), ((PRINTED[:-1] + "0",), "qr_damaged"),
    ):  # fmt: skip
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
    assert agreed.count("Ngân hàng có mã 970403") == 1 and "Người mua đối chiếu được." in agreed
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
    world.staff(place, "keep", qr=PRINTED, buyer_check="true")
    assert world.buy(place).status_code == 422 and world.buy(place, image=b"GIF89a").status_code == 422
    assert world.buy("K7M42XPA", PRINTED).status_code == 404


def test_the_link_stands_where_the_owner_agreed_and_there_is_something_to_compare_with(world: World) -> None:
    place = world.ward.places[3]
    link = f'href="/q/{place}/payment"'

    def shown() -> tuple[bool, bool]:
        """Whether the place's page leads on, and whether the comparison asks for a code."""
        form = world.nobody.get(f"/q/{place}/payment")
        assert form.status_code == 200 and ("Chưa có mã đối chiếu" in form.text) is ("<form" not in form.text)
        return link in world.nobody.get(f"/q/{place}").text, "<form" in form.text

    # VietQR is among the payment methods of every place here.
    assert "VietQR" in world.nobody.get(f"/q/{place}").text
    accounts = text("UPDATE register.payment_account SET withdrawn_at = now() WHERE withdrawn_at IS NULL")
    with world.database.owner.begin() as owner:
        owner.execute(accounts)
    assert shown() == (False, False)
    world.staff(place, "keep", qr=PRINTED)
    assert shown() == (False, False)
    world.staff(place, "keep", qr=vietqr(), buyer_check="true")
    assert shown() == (True, True)
    # Only the account that the owner agreed to is compared with.
    assert "Không khớp" in world.buy(place, PRINTED).text and 'class="words">Khớp<' in world.buy(place, vietqr()).text
    world.staff(place, "keep", qr=PRINTED, buyer_check="true")
    assert 'class="words">Khớp<' in world.buy(place, PRINTED).text
    world.staff(place, "keep", qr=vietqr())
    assert shown() == (True, True) and "Không khớp" in world.buy(place, vietqr()).text
    with world.database.owner.begin() as owner:
        owner.execute(accounts)
    assert shown() == (False, False)
    assert "Chưa có mã đối chiếu" in world.buy(place, PRINTED).text
    english = world.nobody.get(f"/q/{place}/payment?lang=en")
    assert english.status_code == 200 and "<form" not in english.text


def _picture(kind: str, image: Image.Image, **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def test_hostile_photos_and_texts_are_refused_and_say_nothing(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    place = world.ward.places[0]
    world.staff(place, "keep", qr=PRINTED, buyer_check="true")
    monkeypatch.setattr(payment_check, "PHOTO_PATIENCE_S", 60.0)
    code = qrcode.make(PRINTED, box_size=6).get_image().convert("RGB")
    turned = Image.Exif()
    turned[0x0112] = 6
    bomb = _picture("PNG", Image.new("1", (30_000, 30_000)), optimize=False)
    assert len(bomb) < 1_000_000
    for image, status, told in (
        (_picture("JPEG", code.rotate(90, expand=True), exif=turned), 200, 'class="words">Khớp<'),
        (_picture("PNG", code.rotate(45, expand=True, fillcolor="white")), 200, 'class="words">Khớp<'),
        (_picture("WEBP", code), 200, 'class="words">Khớp<'),
        (bomb, 422, "quá nhiều điểm ảnh (tối đa 50 triệu)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "không phải ảnh"),
        (PRINTED.encode(), 422, "không phải ảnh"),
        (_picture("JPEG", code)[:900], 422, "không phải ảnh"),
        (_picture("PNG", Image.new("RGB", (1, 1))), 422, "Không thấy mã QR"),
        (b"\xff" * (8 * 1024 * 1024 + 1), 422, "quá 8 MB"),
        (b"\xff" * (20 * 1024 * 1024), 413, "8 MB"),
    ):
        answer = world.buy(place, image=image)
        assert answer.status_code == status and told in answer.text, (image[:20], answer.status_code, answer.text[:400])
        assert NUMBER not in answer.text
    for typed in (PRINTED * 1100, "0" * 100_000, PRINTED[:-4] + "\0" + PRINTED[-4:], "\u202e" + PRINTED):
        answer = world.buy(place, typed)
        assert answer.status_code in (400, 413, 422) and NUMBER not in answer.text, (typed[:40], answer.status_code)
    by_address = world.nobody.get(f"/q/{place}/payment?qr={PRINTED}")
    assert by_address.status_code == 400
    logged = caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert NUMBER not in logged and PRINTED[:40] not in logged
    monkeypatch.setattr(payment_accounts, "compare_for_buyer", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        world.buy(place, PRINTED)
    logged = caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert NUMBER not in logged and PRINTED[:40] not in logged
