"""VietQR: the account in a payment QR, from its text or a photo of it. Read, compared, and never kept or shown.

EMVCo merchant-presented QR: two digits of tag, two of length, value; the last four signs are a CRC. Reading our own few
tags takes fewer lines than guarding a package that one person released once; a test compares with what NAPAS prints.
"""

import binascii
import io
import re
from dataclasses import dataclass, field

from mapservice.photo_files import picture
from postgis.errors import FieldError, InvalidValues

LONGEST = 512
_NAPAS, _TEMPLATE = "A000000727", 38
"""The network's application identifier, and the tag of the template that it has its accounts in."""
_CRC_TAG = "6304"
_BIN = re.compile(r"[0-9]{6}")
_NUMBER = re.compile(r"[0-9A-Za-z]{1,19}")
_TWO = re.compile(r"[0-9]{2}")
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Account:
    """Bank and account number. In no message, log or page: hence no repr."""

    bank_bin: str
    number: str = field(repr=False)

    def text(self) -> str:
        """What is hashed."""
        return f"{self.bank_bin}:{self.number.upper()}"


def account_of(text: str) -> Account:
    """The account in the text of a VietQR. Raises InvalidValues on `qr`, without the text."""
    plain = text.strip()
    if not plain:
        raise _wrong("required")
    if _LINK.match(plain):
        raise _wrong("qr_is_link")
    # Letters of every language count as their bytes, as the CRC does.
    if len(plain) > LONGEST or not plain.startswith("000201") or plain[-8:-4] != _CRC_TAG:
        raise _wrong("not_vietqr")
    if plain[-4:].upper() != f"{_crc(plain[:-4].encode(errors='replace')):04X}":
        raise _wrong("qr_damaged")
    accounts = _accounts(plain[:-8])
    if len(accounts) != 1:
        raise _wrong("not_vietqr" if accounts else "qr_not_napas")
    bank, number = accounts.pop()
    if not _BIN.fullmatch(bank) or not _NUMBER.fullmatch(number):
        raise _wrong("not_vietqr")
    return Account(bank, number)


def account_in_photo(content: bytes, *, patience_s: float = -1) -> Account:
    """The account in a photo of a VietQR. Raises InvalidValues on `photo`."""
    # Imported here: few workers ever read a code.
    import zxingcpp
    from PIL import Image

    made = picture(content, patience_s=patience_s)
    with Image.open(io.BytesIO(made.large)) as image:
        found = zxingcpp.read_barcodes(
            image.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        )
    accounts, refusals = set[Account](), set[str]()
    for each in found:
        try:
            accounts.add(account_of(each.text))
        except InvalidValues as invalid:
            # Our own sticker may hang beside it.
            refusals |= {error.code for error in invalid.errors}
    if len(accounts) == 1:
        return accounts.pop()
    only = refusals.pop() if len(refusals) == 1 else "not_vietqr"
    raise InvalidValues([FieldError("photo", "several_qr" if accounts else only if found else "no_qr")])


def _accounts(text: str) -> set[tuple[str, str]]:
    """Bank and number of each account of the NAPAS network; several where one reader could find another than the next.

    Raises InvalidValues where it is no list of tags. Lengths count letters or bytes, as whoever made the code counts.
    """
    readings = [tags for tags in (_tags(text), _tags(text.encode(errors="replace").decode("latin-1"))) if tags]
    if not readings:
        raise _wrong("not_vietqr")
    found = set()
    for tags in readings:
        for tag in range(26, 52):
            parts = _tags(tags.get(f"{tag}", "")) or {}
            if parts.get("00") == _NAPAS:
                # In another template than its own no account is looked for, and none may be.
                account = (_tags(parts.get("01", "")) or {}) if tag == _TEMPLATE else {}
                found.add((account.get("00", ""), account.get("01", "")))
    return found


def _tags(text: str) -> dict[str, str] | None:
    """Values by tag; None unless every sign belongs to one, and each tag comes once: two readers must not differ."""
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        tag, length = text[place : place + 2], text[place + 2 : place + 4]
        if not (_TWO.fullmatch(tag) and _TWO.fullmatch(length)):
            return None
        value = text[place + 4 : place + 4 + int(length)]
        if len(value) < int(length) or tag in found:
            return None
        found[tag] = value
        place += 4 + int(length)
    return found


def _crc(content: bytes) -> int:
    """CRC-16/CCITT-FALSE (EMVCo, 4.7.3): polynomial 1021, begun with FFFF."""
    return binascii.crc_hqx(content, 0xFFFF)


def _wrong(code: str) -> InvalidValues:
    return InvalidValues([FieldError("qr", code)])
