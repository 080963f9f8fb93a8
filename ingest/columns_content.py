"""What the cells of a column look like, whatever stands at its head."""

import datetime
import re
from collections import Counter
from collections.abc import Iterable

from ingest.header_words import fold_plain
from ingest.syllables import is_syllable
from ingest.workbook import CellError, Value, raw_text

_PHONE = re.compile(r"(?:\+?84|0)?[235789]\d{8}|(?:\+?84|0)2\d{9}")
_TAX = re.compile(r"\d{10}(?:-?\d{3})?")
_ID = re.compile(r"\d{12}|\d{9}")
_LICENCE = re.compile(r"\d{2}[A-Z]\d{6,9}|\d{1,6}/[A-ZĐ\d./-]{2,}|\d{2,6}/\d{2,4}|[A-ZĐ]{1,6}[-.]?\d{3,10}")
_DATE = re.compile(
    r"\d{1,2}[/.\- ]\d{1,2}[/.\- ](?:19|20)?\d{2}|(?:19|20)\d{2}-\d{2}-\d{2}.*|ngay \d+ thang \d+ nam \d+"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+|(?:fb|facebook)\.com/\S+", re.IGNORECASE)
_PAIR = re.compile(r"(-?\d{1,3}[.,]\d{3,})\s*[,;/ ]\s*(-?\d{1,3}[.,]\d{3,})")
_MONEY = re.compile(
    r"\d{1,3}(?:[.,]\d{3})+(?:\s*(?:đ|vnđ|vnd|đồng))?|\d+\s*(?:tr|triệu|tỷ|đ|vnđ|vnd|đồng)", re.IGNORECASE
)
_HOUSE = re.compile(r"(?:số\s*)?[kh]?\d{1,4}[a-z]?(?:\s*(?:bis|/|-)\s*[kh]?\d{0,4}[a-z]?)*", re.IGNORECASE)
_ADDRESS = re.compile(
    r"^(?:so nha |so |[kh](?=\d))?\d+[a-z]?(?: (?:bis|\d+[a-z]?|[kh]\d+))* (?:duong |d )?[a-z]{2,}"
    r"|^(?:lo|kiet|hem|quay|sap|kios|ki ot|kiot|to|duong|tang|k|h) ?\d*[a-z]?\d* .*[a-z]{2,}"
    r"|(?<=[a-z0-9] )(?:phuong|quan|tp|da nang)\b|\b(?:street|road|lane|avenue)\b"
)
_STREET = re.compile(r"^(?:duong |d )?(?:[a-z]+ ){1,3}[a-z]+$|^\d{1,2} (?:thang )?\d{1,2}$|^\d{1,2} thang \d{1,2}$")
_BUSINESS = re.compile(
    r"\b(?:quan|tiem|cua hang|cong ty|cty|ho kinh doanh|hkd|tap hoa|nha hang|khach san|shop|cafe|coffee|ca phe|quay|sap"
    r"|nha thuoc|salon|spa|dai ly|co so|hop tac xa|htx|sieu thi|bun|pho|banh|tnhh|nha nghi|homestay|hotel|restaurant"
    r"|store|mart|bar|kitchen|tra sua|karaoke|garage|limited|ltd|doanh nghiep|chi nhanh|truong|mam non)\b"
)
_LINE = re.compile(
    r"\b(?:ban|mua ban|kinh doanh|dich vu|an uong|tap hoa|sua chua|ban le|ban buon|giai khat|thuc pham|may mac|quan ao"
    r"|ca phe|cafe|bun|pho|com|hai san|trai cay|thit|rau|hot toc|cat toc|giat|karaoke|my pham|dien thoai|vat lieu"
    r"|nha tro|thuoc tay|internet|san xuat|gia cong|do gia dung|hang"
    r"|restaurant|takeaway|retailers|pub|mobile caterer|other)\b"
)
_SURNAMES = re.compile(
    r"(?:nguyen|tran|le|pham|hoang|huynh|phan|vu|vo|dang|bui|do|ho|ngo|duong|ly|dinh|truong|doan|lam|mai|trinh|dao|cao|ta"
    r"|chau|tang|ha|luong|luu|phung|thai|to|tong|quach|nghiem|kieu|la|vuong|trieu|quan|ong|dam|thach|than|van|luc) "
)
_WARDS = re.compile(
    r"^(?:p |phuong |xa )?(?:hoa cuong(?: bac| nam)?|hoa thuan (?:tay|dong)|binh thuan|binh hien|nam duong|phuoc ninh"
    r"|hai chau(?: 1| 2| i| ii)?|thach thang|thanh binh|thuan phuoc)$|^(?:phuong|xa) [a-z ]+$"
)
_GROUP = re.compile(r"^(?:to|tdp|to dan pho|to dp|kdc|khu pho|thon)(?: so)? ?\d+[a-z]?$")
_STATUS = re.compile(
    r"dang hoat dong|tam ngung|tam nghi|nghi|da nghi|bo dia chi|khong hoat dong.*|cham dut.*|nngt.*|con hoat dong"
    r"|hoat dong|dong cua|da dong.*|ngung.*|chuyen di|dang ban|dang kinh doanh|active|closed|open"
)
_RESULT = re.compile(
    r"dat|chua dat|khong dat|loai [abc]|[abc]|[0-5]|awaiting\w*|exempt|tot|kha|dat yeu cau|cho hoan thien"
)
_YES_NO = re.compile(r"co|khong|x|ko|k|c|v|yes|no|true|false|chua|1|0|da co|chua co")
_SEX = re.compile(r"nam|nu|n|f|m")
_LOOKED_AT = 300


def kinds_of(value: Value) -> frozenset[str]:
    """All that one cell's value could be."""
    if isinstance(value, CellError):
        return frozenset()
    if isinstance(value, datetime.date):
        return frozenset({"date"})
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _kinds_of_number(float(value))
    text = raw_text(value).strip().strip("'")
    return _kinds_of_text(text) if len(text) <= 400 else frozenset({"long_text"})


def _kinds_of_number(number: float) -> frozenset[str]:
    found = set()
    whole = number.is_integer()
    if whole and 0 <= number < 1e15:
        found |= _kinds_of_digits(str(int(number)))
    if 7.5 < number < 24 and not whole:
        found.add("latitude")
    if 102 < number < 118 and not whole:
        found.add("longitude")
    if -180 <= number <= 180 and not whole:
        found.add("degrees")
    if 1e6 < number < 2.7e6:
        found.add("northing")
    if 1e5 < number < 9e5:
        found.add("easting")
    if number >= 10_000 and whole:
        found.add("money")
    if whole and 25_000 < number < 60_000:
        found.add("serial")
    if 0 <= number < 2_000:
        found.add("small_number")
    return frozenset(found)


def _kinds_of_digits(digits: str) -> set[str]:
    found = set()
    if _PHONE.fullmatch(digits):
        found.add("phone")
    if _TAX.fullmatch(digits) or (len(digits) == 9 and digits[0] != "0"):
        found.add("tax_code")
    if _ID.fullmatch(digits) or len(digits) == 11:
        found.add("personal_id")
    if len(digits) == 4 and 1900 <= int(digits) <= 2035:
        found.add("year")
    if 4 <= len(digits) <= 5:
        found.add("sector_code")
    if len(digits) <= 4:
        found |= {"house_number", "small_number"}
    if digits in ("0", "1"):
        found.add("yes_no")
    if len(digits) == 1 and digits <= "5":
        found.add("result")
    return found


def _kinds_of_text(text: str) -> frozenset[str]:
    found: set[str] = set()
    tight = re.sub(r"[\s.()]|(?<=\d)-(?=\d{3,})", "", text)
    if tight.lstrip("+").isdigit():
        found |= _kinds_of_digits(tight.lstrip("+"))
    elif any(_PHONE.fullmatch(re.sub(r"[\s.]", "", part)) for part in re.split(r"[-;,/]| - ", text)):
        found.add("phone")
    number = _number(text)
    if number is not None:
        found |= _kinds_of_number(number)
    if _TAX.fullmatch(text.replace(" ", "")):
        found.add("tax_code")
    if _MONEY.fullmatch(text):
        found.add("money")
    if _LICENCE.fullmatch(text.replace(" ", "")):
        found.add("licence_number")
    if _EMAIL.fullmatch(text):
        found.add("email")
    if _URL.match(text):
        found.add("url")
    if _PAIR.search(text):
        found.add("coordinates")
    if _HOUSE.fullmatch(text):
        found.add("house_number")
    return frozenset(found | _kinds_of_words(text))


def _kinds_of_words(text: str) -> set[str]:
    folded = fold_plain(text)
    found = set()
    if _DATE.fullmatch(text) or _DATE.fullmatch(folded):
        found.add("date")
    for kind, pattern in (("result", _RESULT), ("yes_no", _YES_NO), ("status", _STATUS), ("sex", _SEX)):
        if pattern.fullmatch(folded):
            found.add(kind)
    if not any(letter.isalpha() for letter in folded):
        return found
    for kind, pattern in (("ward", _WARDS), ("group", _GROUP), ("business", _BUSINESS), ("line", _LINE)):
        if pattern.search(folded):
            found.add(kind)
    if "date" not in found and _ADDRESS.search(folded):
        found.add("address")
    if _STREET.fullmatch(folded):
        found.add("street")
    tokens = folded.split()
    if 2 <= len(tokens) <= 6 and _SURNAMES.match(folded) and all(is_syllable(token) for token in tokens):
        found.add("person")
    return found


def _number(text: str) -> float | None:
    if not re.fullmatch(r"-?\d+(?:[.,]\d+)?", text):
        return None
    return float(text.replace(",", "."))


def shares(values: Iterable[Value]) -> dict[str, float]:
    """Of a column's cells, the share that looks like each kind."""
    counts: Counter[str] = Counter()
    total = 0
    for value in values:
        counts.update(kinds_of(value))
        total += 1
        if total == _LOOKED_AT:
            break
    return {kind: count / total for kind, count in counts.items()} if total else {}
