"""Which rows of a table are no records: group rows, totals, numbering, repeated headers, signatures."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ingest.columns_header import is_numbering
from ingest.header_words import fold_plain, is_exact
from ingest.workbook import Area, Row, Value, raw_text

GroupKind = Literal["ward", "residential_group", "street", "market", "sector", "other"]
Reason = Literal[
    "blank", "title", "header", "column_numbers", "repeated_header", "group", "total", "footer", "lone_text",
    "second_table", "no_table", "sheet_left_out",
]  # fmt: skip


class Group(NamedTuple):
    """A group row that holds for the rows below it: what it names, in its own words, and where it stands."""

    kind: GroupKind
    text: str
    row: int
    level: str


_TOTAL = re.compile(
    r"^(?:[ivx]+ |[a-z0-9] )?(?:tong cong|tong so|tong|cong|total|sum|luy ke|cong don|tong ket|cong tong)(?= |$)"
    r"(?: (?:to|so|ho|phuong|trang|ca|cs|co so|nhom|nganh|muc|duong|thang|chung|toan|danh sach|doanh|thue"
    r"|sl|va|[ivx]+|\d+)\b.*)?$"
)
_FOOTER = re.compile(
    r"^(?:nguoi lap|lap bieu|nguoi lap bieu|can bo lap|ke toan|thu quy|truong phong|chu tich|pho chu tich|tm uy ban"
    r"|noi nhan|xac nhan|ky ten|nguoi kiem tra|thu truong|kt chu tich|danh sach nay co|ky va ghi|ky ghi ro|da ky"
    r"|to truong to|ban quan ly cho|cong chuc|nguoi bao cao|truong ban)"
    r"|^[a-z ]{0,40}ngay \d{0,2} ?thang \d{0,2} ?nam \d*$"
)
_HOUSE = re.compile(r"(?:so |nha |k|kiet |hem |h|lo )?\d")
_NOTES = re.compile(r"^(?:ghi chu|luu y|chu thich|note)\b")
_NUMBERS = (
    ("roman", r"[IVX]{1,5}"),
    ("letter", r"[A-HĐ]"),
    ("arabic", r"\d{1,2}(?:\.\d{1,2})?"),
)
_LEAD = re.compile(r"^\s*(?:[IVX]{1,5}|[A-HĐ]|\d{1,2}(?:\.\d{1,2})?)\s*[.)\-:/]\s*|^\s*[IVX]{1,5}\s+(?=\S)")
_KINDS: tuple[tuple[GroupKind, re.Pattern[str]], ...] = (
    ("residential_group", re.compile(r"^(?:to dan pho|tdp|to dp|to|khu dan cu|kdc|khoi pho)(?: so)? ?\d+[a-z]?\b")),
    ("ward", re.compile(r"^(?:phuong|xa|dia ban phuong|p) [a-z]")),
    ("street", re.compile(r"^(?:tuyen duong|duong|tuyen pho|pho|tuyen|truc duong|kiet|hem) [a-z0-9]")),
    ("market", re.compile(r"^(?:cho|khu cho|trung tam thuong mai|dinh cho|khu hang|day|khu|lo) [a-z0-9]")),
    (
        "sector",
        re.compile(
            r"^(?:nganh|nhom|linh vuc|loai hinh|kinh doanh|dich vu|an uong|thuong mai|san xuat|hang|mat hang) ?[a-z]*"
        ),
    ),
)
_FEW = 3


class RowClassifier:
    """Tells a table's records from its other rows, and keeps the groups that hold at each row."""

    def __init__(
        self, header: Sequence[Row], columns: int, merged: Sequence[Area], name_columns: frozenset[int],
        decode: Callable[[int, str], str],
    ) -> None:  # fmt: skip
        self._headers = [self._texts(row) for row in header]
        self._columns = columns
        self._wide = {area.top: area for area in merged if area.right - area.left + 1 >= max(3, columns // 2)}
        self._names = name_columns
        self._decode = decode
        self._ended = False
        self.groups: tuple[Group, ...] = ()

    def reason_to_skip(self, row: Row) -> Reason | None:
        """Why a row is no record, or None when it is one."""
        filled = [column for column, value in enumerate(row.values, start=1) if value is not None]
        if not filled:
            return "blank"
        if self._ended:
            return "second_table"
        first = row.values[filled[0] - 1]
        if len(filled) > _FEW:
            return self._of_full_row(row, first, filled)
        return self._of_short_row(row, filled)

    def _of_full_row(self, row: Row, first: Value | None, filled: list[int]) -> Reason | None:
        if isinstance(first, str):
            text = fold_plain(self._decode(filled[0], first))
            if _TOTAL.match(text) and self._mostly_numbers(row, filled):
                return "total"
            if is_exact(text) and (reason := self._of_header_words(row, filled)):
                return reason
        if is_numbering(row) and len(filled) * 2 >= self._columns:
            return "column_numbers"
        second = row.values[filled[1] - 1]
        if isinstance(second, str) and len(second) < 40 and _TOTAL.match(fold_plain(second)):
            return "total" if self._mostly_numbers(row, filled) else None
        return None

    def _of_header_words(self, row: Row, filled: list[int]) -> Reason | None:
        texts = self._texts(row)
        for header in self._headers:
            same = sum(texts.get(column) == text for column, text in header.items())
            if same * 10 >= 7 * len(header) and same > 1:
                return "repeated_header"
        exact = sum(is_exact(fold_plain(text)) for text in texts.values())
        if exact >= 3 and exact * 5 >= 3 * len(filled):
            self._ended = True
            return "second_table"
        return None

    def _of_short_row(self, row: Row, filled: list[int]) -> Reason | None:
        words = [column for column in filled if isinstance(row.values[column - 1], str)]
        texts = [self._decode(column, raw_text(row.values[column - 1] or "")) for column in words]
        if not texts:
            return None
        text = max(texts, key=len).strip()
        # `I` in the column of numbers, the group's name in the next.
        joined = " ".join(part.strip() for part in texts)
        folded, folded_joined = fold_plain(text), fold_plain(joined)
        if len(filled) > 1 and (reason := self._of_header_words(row, filled)):
            return reason
        if any(_TOTAL.match(fold_plain(part)) for part in texts) or _TOTAL.match(folded_joined):
            return "total"
        if (_FOOTER.search(folded) and not _has_house(texts)) or (len(filled) == 1 and _NOTES.search(folded)):
            return "footer"
        if len(texts) < len(filled) and len(filled) > 1 and not self._is_number_of_group(row, filled):
            return None
        group = self._group(row, text, [part.strip() for part in texts])
        if group is not None:
            self._enter(group)
            return "group"
        if len(filled) == 1 and self._columns > 2 and filled[0] not in self._names:
            return "lone_text"
        return None

    def _is_number_of_group(self, row: Row, filled: list[int]) -> bool:
        """A group's own number of members, or its place in the list, beside its name."""
        return len(filled) == 2 and isinstance(row.values[filled[0] - 1], str)

    def _group(self, row: Row, text: str, texts: list[str]) -> Group | None:
        if len(text) > 120:
            return None
        wide = row.number in self._wide
        name = _LEAD.sub("", text).strip() or text
        folded = fold_plain(name)
        kind = next((kind for kind, pattern in _KINDS if pattern.match(folded)), None)
        alone = len(texts) == 1
        level = _level(texts, known=kind is not None)
        if (
            kind in ("residential_group", "ward", "street", "market")
            and (alone or level)
            and self._is_bare(folded, kind)
        ):
            return Group(kind, name.rstrip(" :.-"), row.number, level or kind)
        if wide or level in ("roman", "letter") or (alone and kind == "sector" and text.isupper()):
            return Group(kind or "other", name.rstrip(" :.-"), row.number, level or kind or "other")
        return None

    def _is_bare(self, folded: str, kind: GroupKind) -> bool:
        """Whether a text names a group and no more: an address (`Tổ 12 đường…`) in a lone cell is no group row."""
        most = {"residential_group": 8, "ward": 6, "street": 7, "market": 7}.get(kind, 7)
        return len(folded.split()) <= most

    def _enter(self, group: Group) -> None:
        kept: list[Group] = []
        for open_group in self.groups:
            if open_group.level == group.level or (open_group.kind == group.kind != "other"):
                break
            kept.append(open_group)
        self.groups = (*kept, group)

    def _mostly_numbers(self, row: Row, filled: list[int]) -> bool:
        words = sum(
            isinstance(row.values[column - 1], str) and not _is_number(row.values[column - 1]) for column in filled
        )
        return words <= max(1, len(filled) // 3)

    def _texts(self, row: Row) -> dict[int, str]:
        return {cell.column: " ".join(cell.raw.split()) for cell in row.cells()}


def _has_house(texts: Sequence[str]) -> bool:
    """Whether a cell is an address or a number: "Kế toán Minh Họa" at 12 Núi Thành is a business, no signature."""
    return any(_HOUSE.match(fold_plain(text)) for text in texts)


def _level(texts: list[str], *, known: bool) -> str:
    """How a group row is numbered: in its own text, or in a cell before it. `I Love Coffee` is not numbered."""
    for name, number in _NUMBERS:
        if len(texts) > 1:
            if re.fullmatch(number + r"\s*[.)\-:/]?", texts[0]):
                return name
        elif re.match(number + r"\s*[.)\-:/]\s*\S", texts[0]) or (known and re.match(r"[IVX]{1,5}\s+\S", texts[0])):
            return name
    return ""


def _is_number(value: Value | None) -> bool:
    return isinstance(value, str) and not any(letter.isalpha() for letter in value)
