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
_NAPAS = "A000000727"
_CRC_TAG = "6304"
_BIN = re.compile(r"[0-9]{6}")
_NUMBER = re.compile(r"[0-9A-Za-z]{1,19}")


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
    # Letters of every language count as their bytes, as the CRC does.
    if len(plain) > LONGEST or not plain.startswith("000201") or plain[-8:-4] != _CRC_TAG:
        raise _wrong("not_vietqr")
    if plain[-4:].upper() != f"{_crc(plain[:-4].encode()):04X}":
        raise _wrong("qr_damaged")
    merchant = _tags(plain[:-8]).get("38", "")
    parts = _tags(merchant)
    beneficiary = _tags(parts.get("01", ""))
    bank, number = beneficiary.get("00", ""), beneficiary.get("01", "")
    if parts.get("00") != _NAPAS or not _BIN.fullmatch(bank) or not _NUMBER.fullmatch(number):
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
    accounts = set()
    for each in found:
        try:
            accounts.add(account_of(each.text))
        except InvalidValues:
            # Our own sticker may hang beside it.
            continue
    if len(accounts) != 1:
        raise InvalidValues([FieldError("photo", "several_qr" if accounts else "no_qr" if not found else "not_vietqr")])
    return accounts.pop()


def _tags(text: str) -> dict[str, str]:
    """Values by tag, as far as the text can be read; a tag that comes twice is none of a right QR's."""
    found: dict[str, str] = {}
    place = 0
    while place + 4 <= len(text):
        tag, length = text[place : place + 2], text[place + 2 : place + 4]
        if not (tag.isascii() and tag.isdigit() and length.isascii() and length.isdigit()):
            break
        value = text[place + 4 : place + 4 + int(length)]
        if len(value) < int(length) or tag in found:
            break
        found[tag] = value
        place += 4 + int(length)
    return found


def _crc(content: bytes) -> int:
    """CRC-16/CCITT-FALSE (EMVCo, 4.7.3): polynomial 1021, begun with FFFF."""
    return binascii.crc_hqx(content, 0xFFFF)


def _wrong(code: str) -> InvalidValues:
    return InvalidValues([FieldError("qr", code)])
