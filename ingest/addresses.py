"""Takes an address as people write it apart into the register's parts, and spells it back in one form.

The raw text is kept; what is not understood stays in `rest`; a corrected street says so. Grammar and traps: the domain
facts, section 9. Nothing is refused and nothing raises: an address that says little gives few parts and a low
confidence.
"""

import re
from dataclasses import dataclass

from ingest import address_words as words
from ingest.address_book import NOTHING_KNOWN, AddressBook
from ingest.house_numbers import Numbers, alley_text, read_numbers
from ingest.street_names import DATE_STREETS, street_name
from postgis.folding import flatten, search_key

_DATE_AT_END = re.compile(r"(?:(?:duong|d\.?)\s*)?(?P<day>\d{1,2})\s*[/.-]\s*(?P<month>\d{1,2})$")
_THANG = re.compile(r"(?:(?:duong|d\.?)\s*)?(?<!\d)0?(?P<day>\d{1,2})\s*thang\s*(?P<month>\d{1,2})$")


@dataclass(frozen=True, slots=True)
class Correction:
    """A written name and what it was taken for. `how`: marks, short, misspelt."""

    written: str
    taken_for: str
    how: str


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address. `alley` is "K45/12" (hẻm 12 in kiệt 45); `rest` is what was not understood."""

    raw: str
    house_number: str | None = None
    alley: str | None = None
    street_name: str | None = None
    lot: str | None = None
    stall: str | None = None
    floor: str | None = None
    site: str | None = None
    block: str | None = None
    residential_group: str | None = None
    ward: str | None = None
    ward_code: str | None = None
    district: str | None = None
    city: str | None = None
    note: str | None = None
    rest: str | None = None
    confidence: float = 0.0
    corrections: tuple[Correction, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def alley_path(self) -> tuple[str, ...]:
        """Numbers of the nested alleys from the street inwards."""
        return tuple(self.alley[1:].split("/")) if self.alley else ()

    def parts(self) -> dict[str, str]:
        """What is known, by the names of the register."""
        names = ("house_number", "alley", "street_name", "lot", "stall", "floor", "site", "block", "residential_group",
                 "ward", "ward_code", "district", "city", "note", "rest")  # fmt: skip
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class _Reading:
    """The parts as they are found."""

    def __init__(self, raw: str, book: AddressBook) -> None:
        self.raw, self.book = raw, book
        self.parts: dict[str, str] = {}
        self.corrections: list[Correction] = []
        self.problems: list[str] = []
        self.rest: list[str] = []
        self.confidence = 1.0

    def put(self, part: str, value: str) -> None:
        """A part that is there already keeps its first value; the second stays as rest."""
        value = value.strip(" .,:;-")
        if not value:
            return
        if part in self.parts and search_key(self.parts[part]) != search_key(value):
            self.rest.append(value)
        else:
            self.parts.setdefault(part, value)

    def doubt(self, problem: str, factor: float) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            self.confidence *= factor

    def address(self) -> Address:
        if not self.parts:
            self.confidence = 0.0
        elif "street_name" not in self.parts:
            self.doubt("no_street", 0.6 if {"site", "lot", "block", "residential_group"} & set(self.parts) else 0.4)
        elif not {"house_number", "lot", "stall", "alley"} & set(self.parts):
            self.doubt("no_number", 0.8)
        if self.rest:
            self.doubt("not_understood", 0.8)
        rest = ", ".join(self.rest) or None
        return Address(
            self.raw, **self.parts, rest=rest, confidence=round(self.confidence, 3),
            corrections=tuple(self.corrections), problems=tuple(self.problems),
        )  # fmt: skip


def parse_address(raw: str, book: AddressBook = NOTHING_KNOWN) -> Address:
    """The parts of an address, as far as they can be told; never raises."""
    reading = _Reading(raw, book)
    pieces = words.segments(words.clean(raw)[:500])
    for at, piece in enumerate(pieces):
        _read_piece(reading, piece, is_last=at == len(pieces) - 1)
    return reading.address()


def spell_address(address: Address) -> str:
    """The address in one form; parsing it gives the same parts."""
    front = []
    if address.stall:
        front.append(f"Quầy {address.stall}")
    if address.floor:
        front.append(f"Tầng {address.floor}")
    if address.site:
        front.append(address.site)
    if address.lot:
        front.append(f"Lô {address.lot}")
    way = street_way(address.house_number, address.alley, address.street_name)
    area = [
        way,
        address.block,
        address.residential_group and f"Tổ {address.residential_group}",
        address.ward and f"Phường {address.ward}",
        address.district and f"Quận {address.district}",
        address.city,
        address.note and f"({address.note})",
        address.rest,
    ]
    return ", ".join(part for part in [*front, *area] if part)


def street_way(house: str | None, alley: str | None, street: str | None) -> str:
    """House, alley and street as people write them: "K45/12 Núi Thành", "35 Nại Nam"."""
    number = f"{alley}/{house}" if house and alley else house or alley or ""
    name = f"Đường {street}" if street and street[0].isdigit() else street or ""
    return f"{number} {name}".strip()


def _read_piece(reading: _Reading, piece: str, *, is_last: bool) -> None:
    flat = flatten(piece)
    if words.CITY.fullmatch(flat):
        if not flat.startswith("vi") and not flat.isdigit() and flat != "vn":
            reading.put("city", "Đà Nẵng")
    elif words.NOTE.fullmatch(flat):
        reading.put("note", piece)
    elif found := words.GROUP.fullmatch(flat):
        reading.put("residential_group", f"{found['value']}{found['letter'].upper()}")
        _read_more(reading, piece[found.start("rest") :])
    elif found := words.FLOOR.fullmatch(flat):
        reading.put("floor", piece[found.start("value") : found.end("value")])
        _read_more(reading, piece[found.start("rest") :])
    elif found := words.STALL.fullmatch(flat):
        value = piece[found.start("value") :]
        # "Quầy A-04 Chợ Mới", without a comma.
        market = re.search(r"\s(?=cho\s)", flatten(value))
        reading.put("stall", " ".join(value[: market.start() if market else len(value)].upper().split()))
        _read_more(reading, value[market.end() :] if market else "")
    elif not words.is_said(piece):
        _read_way(reading, piece, is_last=is_last)
    elif words.SITE.fullmatch(flat):
        reading.put("site", reading.book.site(piece) or piece)
    elif found := words.WARD.fullmatch(flat):
        _put_ward(reading, piece[found.start("value") :])
    elif found := words.DISTRICT.fullmatch(flat):
        _put_district(reading, piece[found.start("value") :])
    elif found := words.LOT.fullmatch(flat):
        _read_lot(reading, piece, found)
    elif words.BLOCK.fullmatch(flat) and not reading.book.streets.find(piece):
        reading.put("block", piece)
    elif not _is_bare_area(reading, piece):
        _read_way(reading, piece, is_last=is_last)


def _read_more(reading: _Reading, text: str) -> None:
    if text.strip(" .,-"):
        _read_piece(reading, text.strip(" .,-"), is_last=False)


def _read_lot(reading: _Reading, piece: str, found: re.Match[str]) -> None:
    """A plot, or in a market a stall: "lô 12 chợ …"."""
    end = found.end("value")
    rest = piece[end:]
    # "Lô 5 2 Tháng 9": the day's number belongs to the street.
    in_market = re.search(r"chợ\s|\bcho\s", reading.raw.lower()) is not None
    reading.put("stall" if in_market else "lot", " ".join(piece[found.start("value") : end].upper().split()))
    _read_more(reading, rest)


def _put_ward(reading: _Reading, name: str) -> None:
    known = reading.book.ward(name)
    if known is None:
        reading.put("ward", name)
        if reading.book.wards:
            reading.doubt("unknown_ward", 0.8)
        return
    reading.put("ward", known[0])
    if known[1] and reading.parts.get("ward") == known[0]:
        reading.parts["ward_code"] = known[1]


def _put_district(reading: _Reading, name: str) -> None:
    known = next((each for each in words.DISTRICTS if search_key(each) == search_key(name)), None)
    reading.put("district", known or name)


def _is_bare_area(reading: _Reading, piece: str) -> bool:
    """ "Bình Thuận, Hải Châu" behind the street: a ward or district without its word before it."""
    if not {"street_name", "site", "lot", "block"} & set(reading.parts) or re.match(r"\d", piece):
        return False
    if "ward" not in reading.parts and reading.book.ward(piece) and "district" not in reading.parts:
        _put_ward(reading, piece)
        if any(search_key(each) == search_key(piece) for each in words.DISTRICTS):
            # Until June 2025 the name of a district, since July of a ward.
            reading.doubt("ward_or_district", 0.9)
        return True
    if any(search_key(each) == search_key(piece) for each in words.DISTRICTS):
        _put_district(reading, piece)
        return True
    return False


def _read_way(reading: _Reading, piece: str, *, is_last: bool) -> None:
    """House number, alley and street, in any of their orders."""
    if "street_name" in reading.parts:
        reading.rest.append(piece)
        return
    flat = flatten(piece)
    end, street = _date_street(reading, flat)
    named = re.match(r"(?:duong|d\.)\s*\d", flat) and street is None
    numbers, at = read_numbers(piece[: end if street else len(piece)]) if not named else (Numbers(), 0)
    written = piece[at : end if street else len(piece)].strip(" .,-")
    if street is None:
        street = written
    elif written and not re.fullmatch(r"(?:duong|d)\.?", flatten(written)):
        reading.rest.append(written)
    if numbers.other:
        reading.doubt("two_alleys", 0.6)
        reading.rest.append("/".join(numbers.other))
    if numbers.house:
        reading.put("house_number", numbers.house)
    if alley := alley_text(numbers.alley):
        reading.put("alley", alley)
    if street:
        _put_street(reading, street, has_number=numbers != Numbers(), is_last=is_last)


def _date_street(reading: _Reading, flat: str) -> tuple[int, str | None]:
    """Where a street named for a day begins at the end of the text, and its name."""
    if found := _THANG.search(flat):
        head = flat[: found.start()].rstrip()
        if head.endswith("/"):
            # "12/2 Tháng 9": no street is called "Tháng 9".
            reading.doubt("slash_before_date", 0.8)
            return len(head) - 1, f"{found['day']} Tháng {found['month']}"
        return found.start(), f"{found['day']} Tháng {found['month']}"
    if found := _DATE_AT_END.search(flat):
        day = f"{int(found['day'])}/{int(found['month'])}"
        named = found[0].startswith(("duong", "d"))
        head = flat[: found.start()]
        if (day in DATE_STREETS or named) and (not head.strip() or named or head.endswith((" ", "/"))):
            if head.endswith("/"):
                reading.doubt("slash_before_date", 0.7)
                return found.start() - 1, f"{int(found['day'])} Tháng {int(found['month'])}"
            return found.start(), f"{int(found['day'])} Tháng {int(found['month'])}"
    return len(flat), None


def _put_street(reading: _Reading, written: str, *, has_number: bool, is_last: bool) -> None:
    known = reading.book.streets.find(written)
    spelt = street_name(written)
    if known is not None:
        reading.put("street_name", known.name)
        if known.how != "exact":
            reading.corrections.append(Correction(written, known.name, known.how))
            reading.confidence *= {"marks": 0.98, "short": 0.9}.get(known.how, 0.8)
        return
    if not has_number and not re.match(r"(?:duong|d\.|pho)", flatten(written)) and not is_last:
        reading.rest.append(written)
        return
    reading.put("street_name", spelt)
    if reading.book.streets:
        reading.doubt("unknown_street", 0.6)
