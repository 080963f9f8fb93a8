"""Numbers and addresses that stand for people and firms: recognised, brought to one spelling, masked.

One place for it, so that an import, a form and a search agree on what is somebody's personal number: since 1 July 2025
a household's tax code is its owner's personal ID (Circular 86/2024/TT-BTC, art. 5), and what was typed into a box named
"tax code" decides nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from postgis.today import today

NumberKind = Literal["personal_id", "tax_code", "unit_tax_code", "old_identity_card", "old_certificate", "unclear"]
MAX_LENGTH = 300
"""Letters of a home address or a name: nobody's is longer."""

_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
# What spreadsheets and hands put around a number: blanks of every width, dots, a leading apostrophe, "+" of a phone.
_BETWEEN = re.compile(r"[\s.\u00a0\u200b'\u2019`()]+")
_FLOAT = re.compile(r"^([0-9]{9,})[.,]0{1,2}$")
_PHONE = re.compile(r"^0(?:[35789][0-9]{8}|2[0-9]{9})$")
_OLD_CERTIFICATE = re.compile(r"^[0-9]{2}[A-Z][0-9A-Z]?[0-9]{6,7}$")
_EMAIL = re.compile(r"^[^@\s,;<>\"]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$")


class NotRecognised(ValueError):
    """The text is no value of this field. `code` names the wording; the text itself is never repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Number:
    """What a written number is. `text` is its one spelling; `certain` is false where only its length speaks for it."""

    kind: NumberKind
    text: str
    certain: bool = True

    @property
    def is_personal(self) -> bool:
        """Whether it names a person, so that it is never shown or stored as it is."""
        return self.kind in ("personal_id", "old_identity_card")


def tax_code_check_digit(first_nine: str) -> int | None:
    """The tenth digit of a tax code (Circular 105/2020/TT-BTC, annex 1); None: such a number is never issued."""
    rest = sum(int(digit) * weight for digit, weight in zip(first_nine, _WEIGHTS, strict=True)) % 11
    return 10 - rest if rest else None


def has_check_digit(ten: str) -> bool:
    """Whether ten digits end as a tax code must."""
    return tax_code_check_digit(ten[:9]) == int(ten[9])


def classify(raw: str) -> Number:
    """What a cell or box named "tax code" holds, by the order of the domain facts, section 1.

    12 digits are a person's; 10 or 13 with a good check digit a tax code; 9 a tax code that lost its leading zero in a
    spreadsheet, else an old identity card; with a letter an old certificate. Eleven digits are a personal ID that lost
    its zero (every province code starts with one). All else is unclear, and better treated as personal.
    """
    text = tidy(raw)
    digits = text.replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        return _with_letter(text)
    if len(digits) in (11, 12):
        return Number("personal_id", digits.zfill(12), len(digits) == 12)
    if len(digits) == 10:
        return Number("tax_code" if has_check_digit(digits) else "unclear", digits)
    if len(digits) == 13 and has_check_digit(digits[:10]) and digits[10:] != "000":
        return Number("unit_tax_code", f"{digits[:10]}-{digits[10:]}")
    if len(digits) == 9:
        restored = f"0{digits}"
        return Number("tax_code", restored, False) if has_check_digit(restored) else Number("old_identity_card", digits)
    return Number("unclear", text)


def tidy(raw: str) -> str:
    """A written number without what spreadsheets and hands put around it: blanks, dots, apostrophes, `.0`."""
    text = unicodedata.normalize("NFKC", raw).strip().strip("'\u2019`")
    if (float_like := _FLOAT.match(text)) is not None:
        text = float_like[1]
    return re.sub("[\u2010-\u2015\u2212]", "-", _BETWEEN.sub("", text)).upper()


def phone(raw: str) -> str:
    """A Vietnamese phone number as 0905123456; +84, 0084, blanks and a lost leading zero are understood.

    Raises NotRecognised.
    """
    text = tidy(raw).replace("-", "")
    if text.startswith("+"):
        text = text[1:]
    elif text.startswith("00"):
        text = text[2:]
    elif re.fullmatch(r"[35789][0-9]{8}", text):
        text = f"0{text}"
    if text.startswith("84") and len(text) in (11, 12):
        text = f"0{text[2:].removeprefix('0')}"
    if not _PHONE.match(text):
        raise NotRecognised("not_a_phone")
    return text


def normalise(field: str, raw: str) -> str:
    """A personal value in the one spelling that is stored and matched. Raises NotRecognised."""
    text = unicodedata.normalize("NFC", raw).strip()
    if len(text) > MAX_LENGTH:
        raise NotRecognised("too_long_personal")
    # What is printable has no control characters: only the rest is looked at letter by letter.
    printable = text.isprintable()
    if not text or (not printable and any(unicodedata.category(letter).startswith("C") for letter in text)):
        raise NotRecognised("unreadable_personal")
    return _SPELLINGS[field](text)


def mask(field: str, value: str) -> str:
    """What the screen shows of a normalised value: enough to tell two apart, too little to use (048*****1234)."""
    return _MASKS[field](value)


def candidates(
    typed: str, fields: Iterable[str] = ("owner_phone", "personal_id", "household_tax_code")
) -> list[tuple[str, str]]:
    """The (field, value) pairs under which a typed number may be stored: a search tries each of them."""
    found: list[tuple[str, str]] = []
    for field in fields:
        try:
            found.append((field, normalise(field, typed)))
        except NotRecognised:
            continue
    return found


def company_tax_code(typed: str) -> str | None:
    """The spelling of a firm's or branch's tax code; None when it cannot be one. A failed check digit is let pass."""
    number = classify(typed)
    ten = number.kind == "unclear" and len(number.text) == 10 and number.text.isdigit()
    return number.text if ten or number.kind in ("tax_code", "unit_tax_code") else None


def _with_letter(text: str) -> Number:
    return Number("old_certificate" if _OLD_CERTIFICATE.match(text) else "unclear", text)


def _personal_id(text: str) -> str:
    number = classify(text)
    digits = tidy(text).replace("-", "")
    if number.kind == "personal_id":
        return number.text
    # In this box nine digits are an old identity card, whatever a check digit says.
    if len(digits) == 9 and digits.isdigit():
        return digits
    raise NotRecognised("not_a_personal_id")


def _household_tax_code(text: str) -> str:
    number = classify(text)
    if number.kind in ("tax_code", "unit_tax_code", "personal_id", "old_identity_card", "old_certificate"):
        return number.text
    if len(number.text) == 10 and number.text.isdigit():
        return number.text
    raise NotRecognised("not_a_household_tax_code")


def _email(text: str) -> str:
    lowered = text.lower()
    if not _EMAIL.match(lowered):
        raise NotRecognised("not_an_email")
    return lowered


def _birth_date(text: str) -> str:
    written = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text)
    try:
        day = date(int(written[3]), int(written[2]), int(written[1])) if written else date.fromisoformat(text)
    except ValueError:
        raise NotRecognised("not_a_birth_date") from None
    if not date(1900, 1, 1) <= day <= today():
        raise NotRecognised("not_a_birth_date")
    return day.isoformat()


def _words(text: str) -> str:
    return " ".join(text.split())


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "owner_name": _words,
    "owner_phone": phone,
    "owner_email": _email,
    "personal_id": _personal_id,
    "household_tax_code": _household_tax_code,
    "home_address": _words,
    "birth_date": _birth_date,
}


def _mask_number(value: str) -> str:
    """At least five digits hidden: a hundred thousand numbers look the same."""
    first, last = (3, 4) if len(value) >= 12 else (2, 3) if len(value) >= 10 else (1, 3)
    return f"{value[:first]}{'*' * (len(value) - first - last)}{value[-last:]}"


def _mask_name(value: str) -> str:
    return " ".join(f"{word[0]}***" for word in value.split())


def _mask_email(value: str) -> str:
    name, _, domain = value.partition("@")
    return f"{name[0]}***@***.{domain.rpartition('.')[2]}"


def _hidden(_value: str) -> str:
    return "***"


_MASKS: dict[str, Callable[[str], str]] = {
    "owner_name": _mask_name,
    "owner_phone": _mask_number,
    "owner_email": _mask_email,
    "personal_id": _mask_number,
    "household_tax_code": _mask_number,
    "home_address": _hidden,
    "birth_date": _hidden,
}
