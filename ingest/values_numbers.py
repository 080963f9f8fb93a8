"""Telephone numbers, identifiers and amounts of money in cells. Numbers that stand for people are marked personal."""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from ingest.values import Alternative, Cell, Problem, Reading, nothing, raw_text, tidy
from postgis.folding import flatten
from postgis.identifiers import NotRecognised, Number, classify, normalise, phone

_PHONE_IN_TEXT = re.compile(r"(?<!\d)(?:\+?\s?84|0084|0)?[\s.\-()]*[1-9](?:[\s.\-()]{0,2}\d){7,9}(?!\d)")
_BETWEEN_PHONES = re.compile(r"\s*(?:[,;|/\n]|\s-\s|\bhoặc\b|\bvà\b|&)\s*")
# In September 2018 mobile numbers of eleven digits became ten (Ministry of Information and Communications).
_OLD_PREFIXES = {
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037", "0168": "038",
    "0169": "039", "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip


def read_phones(cell: Cell) -> Reading[tuple[str, ...]]:
    """All telephone numbers in a cell, as 0905123456, in order; what is no number is a problem. Personal."""
    if (empty := nothing(cell, personal=True)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    problems: list[Problem] = []
    found: list[str] = []
    left = 0
    for part in _BETWEEN_PHONES.split(text):
        numbers = _phones_of(part, problems)
        found += numbers
        left += not numbers and any(letter.isdigit() for letter in part)
    found = list(dict.fromkeys(found))
    if not found:
        return Reading(raw, problems=(Problem("not_a_phone"),), personal=True)
    if left:
        problems.append(Problem("more_than_phones", (("count", str(left)),)))
    confidence = 1.0 - 0.3 * bool(left) - 0.1 * bool(problems)
    return Reading(raw, tuple(found), round(confidence, 2), tuple(problems), personal=True)


def _phones_of(text: str, problems: list[Problem]) -> list[str]:
    if (whole := _phone(text, problems)) is not None:
        return [whole]
    pieces = [match[0] for match in _PHONE_IN_TEXT.finditer(text)]
    digits = re.sub(r"\D", "", text)
    if not pieces and len(digits) == 20:
        pieces = [digits[:10], digits[10:]]
    return [number for piece in pieces if (number := _phone(piece, problems)) is not None]


def _phone(text: str, problems: list[Problem]) -> str | None:
    digits = re.sub(r"\D", "", text)
    old = digits if len(digits) == 11 else f"0{digits}" if len(digits) == 10 and digits.startswith("1") else ""
    if old[:4] in _OLD_PREFIXES and not re.search(r"[A-Za-z]", text):
        problems.append(Problem("old_prefix"))
        return _OLD_PREFIXES[old[:4]] + old[4:]
    try:
        return phone(text.strip(" .:-"))
    except NotRecognised:
        return None


def read_identifier(cell: Cell, column: str | None = None) -> Reading[Number]:
    """A tax code, personal ID or certificate number by the classifier of the domain facts, section 1.

    `column` is what the header calls it: tax_code, personal_id or certificate. Twelve digits are a person's whatever
    the header says. Marked personal: a person's numbers, what is unclear, and households' tax codes (from 8 on).
    """
    if (empty := nothing(cell, personal=True)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    if re.fullmatch(r"\d[.,]\d+E\+?\d+", text, re.IGNORECASE):
        # A spreadsheet has rounded it: the last digits are gone for good.
        return Reading(raw, problems=(Problem("digits_lost"),), personal=True)
    parts = [part for part in re.split(r"[;,/\n|]|\s+(?=\d{9,})", text) if len(re.sub(r"\D", "", part)) >= 6]
    if len(parts) > 1:
        first, *others = (read_identifier(part, column) for part in parts)
        more = tuple(Alternative(other.value, 0.5) for other in others if other.value is not None)
        problems = (*first.problems, Problem("several_numbers", (("count", str(len(parts))),)))
        return replace(first, raw=raw, confidence=min(first.confidence, 0.5), problems=problems, alternatives=more,
                       personal=True)  # fmt: skip
    number = classify(text)
    if not any(letter.isdigit() for letter in number.text):
        return Reading(raw, problems=(Problem("unclear_number"),), personal=True)
    if column == "personal_id" and number.kind == "tax_code" and not number.certain:
        # Nine digits in this column are an old identity card, whatever a check digit says.
        number = Number("old_identity_card", number.text[1:])
    return _judged(raw, number, column)


def _judged(raw: str, number: Number, column: str | None) -> Reading[Number]:
    problems: list[Problem] = []
    confidence = 1.0
    if number.kind == "unclear":
        ten = len(number.text) == 10 and number.text.isdigit()
        problems.append(Problem("check_digit" if ten else "unclear_number"))
        confidence = 0.6 if ten else 0.3
    elif not number.certain:
        problems.append(Problem("zero_restored"))
        confidence = 0.85
    if number.kind == "personal_id" and column == "tax_code":
        problems.append(Problem("personal_id_as_tax_code"))
    expected = {
        "tax_code": ("tax_code", "unit_tax_code", "personal_id"),
        "personal_id": ("personal_id", "old_identity_card"),
    }
    if column in expected and number.kind not in (*expected[column], "unclear"):
        problems.append(Problem("other_kind_of_number", (("kind", number.kind),)))
        confidence = min(confidence, 0.7)
    company = number.kind in ("tax_code", "unit_tax_code") and not number.text.startswith("8")
    return Reading(raw, number, confidence, tuple(problems), personal=not company)


_COUNT = re.compile(r"(\d{1,6})(?:[.,]0+)?\s*(?:nguoi|lao dong|ld|nhan vien|nv|ho|cho|phong|ban|cai)?\.?")


def read_count(cell: Cell) -> Reading[int]:
    """A whole number of people or things: 3, "02", "3 người"."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw = raw_text(cell)
    match = None if isinstance(cell, bool) else _COUNT.fullmatch(flatten(tidy(cell)))
    if match is None:
        return Reading(raw, problems=(Problem("not_a_count"),))
    return Reading(raw, int(match[1]), 1.0)


def read_email(cell: Cell) -> Reading[str]:
    """An e-mail address in small letters. Personal."""
    if (empty := nothing(cell, personal=True)) is not None:
        return empty
    try:
        return Reading(raw_text(cell), normalise("owner_email", tidy(cell)), 1.0, personal=True)
    except NotRecognised:
        return Reading(raw_text(cell), problems=(Problem("not_an_email"),), personal=True)


_UNITS = (
    (re.compile(r"(?:ty|ti|billion)\b"), 1_000_000_000),
    (re.compile(r"(?:trieu|tr|m|million)\b"), 1_000_000),
    (re.compile(r"(?:nghin|ngan|k|ngd)\b"), 1_000),
)
_AMOUNT = re.compile(
    r"(?P<sign>-?)\s*(?P<number>\d[\d.,\s]*)\s*(?P<unit>ty|ti|trieu|tr|m|nghin|ngan|k)?\s*(?P<more>\d+)?"
    r"\s*(?P<currency>dong|vnd|d|\u20ab)?\s*(?:/\s*\w+)?\.?"
)


def read_money(cell: Cell, unit: int = 1) -> Reading[int]:
    """An amount in đồng: "1.500.000 đ", "1,5 tỷ", "1tr5", "50k". `unit` is the column's ("triệu đồng": 1 000 000)."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw = raw_text(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _amount(raw, Decimal(repr(cell)), unit)
    match = _AMOUNT.fullmatch(flatten(tidy(cell)))
    number, doubtful = _decimal(match["number"]) if match else (None, False)
    if match is None or number is None:
        return Reading(raw, problems=(Problem("not_an_amount"),))
    scale = next((size for word, size in _UNITS if match["unit"] and word.fullmatch(match["unit"])), 0)
    if match["more"]:
        if not scale or number != int(number):
            return Reading(raw, problems=(Problem("not_an_amount"),))
        # "1tr5" is a million and a half, "1tr500" too.
        number += Decimal(f"0.{match['more']}")
    if match["sign"]:
        number = -number
    reading = _amount(raw, number, scale or (1 if match["currency"] else unit))
    if doubtful and not scale:
        return replace(reading, confidence=0.6, problems=(*reading.problems, Problem("thousands_or_decimals")))
    return reading


def _decimal(written: str) -> tuple[Decimal | None, bool]:
    """The number, and whether its only sign may as well stand before decimals: "1.500"."""
    text = re.sub(r"\s", "", written).strip(".,")
    signs = [sign for sign in text if sign in ".,"]
    groups = re.split(r"[.,]", text)
    doubtful = False
    if signs and all(len(group) == 3 for group in groups[1:]) and len(set(signs)) == 1 and 1 <= len(groups[0]) <= 3:
        doubtful = len(signs) == 1
        text = "".join(groups)
    elif signs:
        # The last sign stands before decimals if it is unlike those before it, or the only one.
        whole, last = "".join(groups[:-1]), groups[-1]
        if len(signs) > 1 and (signs[-1] in signs[:-1] or any(len(group) != 3 for group in groups[1:-1])):
            return None, False
        text = f"{whole}.{last}"
    try:
        return Decimal(text), doubtful
    except InvalidOperation:
        return None, False


def _amount(raw: str, number: Decimal, scale: int) -> Reading[int]:
    if not number.is_finite():
        return Reading(raw, problems=(Problem("not_an_amount"),))
    exact = number * scale
    if abs(exact) > 10**15:
        return Reading(raw, problems=(Problem("unlikely_amount"),))
    amount = int(exact.to_integral_value())
    problems = [Problem("rounded")] if exact != amount else []
    if amount < 0:
        return Reading(raw, amount, 0.5, (*problems, Problem("negative_amount")))
    return Reading(raw, amount, 1.0 if not problems else 0.9, tuple(problems))
