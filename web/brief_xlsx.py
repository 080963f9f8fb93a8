"""The figures of a report as a workbook: numbers as numbers, days as days. Loads what writes workbooks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from io import BytesIO
from typing import Any

import xlsxwriter

from web import labels
from web.brief import BriefData, BriefFigure, Part, Share
from web.brief_content import BriefContent
from web.render import format_date

_SHARE = ("population", "yes", "denominator", "unknown", "refused", "value", "low", "high")


def brief_xlsx(data: BriefData, lang: str = "vi") -> bytes:
    """The figures, the same bytes for the same data. What nobody knows is an empty cell."""
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    content = BriefContent(data, lang)
    at = data.moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    book.set_properties({"title": content.subject, "subject": content.fingerprint, "created": at})
    sheets = _Sheets(book, content)
    sheets.about()
    sheets.add(
        "indicators", ("code", "title", *_SHARE, "target", "due", "met", "source"), map(sheets.figure, data.figures)
    )
    sheets.add(
        "trend",
        ("code", "title", "as_of", *_SHARE),
        ([each.code, each.title, day, *_plain(share)] for each in data.figures for day, share in each.trend),
    )
    sheets.add(
        "places",
        ("by", "place", "code", *_SHARE),
        (
            [
                labels.code_label("brief_part", part.by, lang),
                name or content.words("table.not_named"),
                part.code,
                *_plain(share),
            ]
            for part in data.breakdowns
            for name, share in part.rows
        ),
    )
    sheets.add(
        "cells",
        ("cell", "establishments", "surveyed", "accepting"),
        ([c.cell, c.establishments, c.surveyed, c.accepting] for c in (data.map.cells if data.map else ())),
    )
    for part in data.parts:
        sheets.part(part)
    book.close()
    return out.getvalue()


class _Sheets:
    def __init__(self, book: xlsxwriter.Workbook, content: BriefContent) -> None:
        self.book, self.content = book, content
        self._head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
        self._day = book.add_format({"num_format": "dd/mm/yyyy"})

    def words(self, key: str) -> str:
        return self.content.words(f"sheet.{key}")

    def about(self) -> None:
        """What the figures are of, and how they can be checked."""
        content, data = self.content, self.content.data
        sheet = self.book.add_worksheet(self.words("about"))
        rows = [
            (self.words("ward"), f"{data.ward_name} ({data.ward})"),
            (self.words("period"), content.period_words),
            (self.words("as_of"), format_date(data.as_of)),
            (self.words("known"), content.known),
            (self.words("history"), str(data.head[0])),
            (self.words("fingerprint"), content.fingerprint),
            *((content.words(f"head.{name}"), "") for name in ("provisional", "illustrative") if getattr(data, name)),
            (content.words("table.how"), ""),
            *((f"{each.title}. {self.words('definition')}", each.definition) for each in data.figures),
            *(
                (f"{part.title}: {title}. {self.words('definition')}", words)
                for part in data.parts
                for title, words in part.definitions
            ),
        ]
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, 90)

    def add(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A sheet with its headings on every printed page."""
        self._sheet(
            self.words(name), [self.words(column) for column in columns], rows, wide=1 if "title" in columns else 0
        )

    def part(self, part: Part) -> None:
        """A sheet of a table beside those of the indicators, with what it counts below."""
        headings, *rows = part.sheet or (part.headings, *part.rows)
        name = self.words(part.code)
        said = [[], [part.note]] if rows else [[part.note]]
        self._sheet(name, [str(each) for each in headings], [*rows, *said], wide=0)

    def _sheet(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], wide: int) -> None:
        sheet = self.book.add_worksheet(name)
        sheet.write_row(0, 0, headings, self._head)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&C{self.content.foot}")
        sheet.set_column(0, max(len(headings) - 1, 0), 14)
        sheet.set_column(wide, wide, 60 if wide else 28)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, place, value, self._day)
                elif value is not None:
                    sheet.write(number, place, value)

    def figure(self, each: BriefFigure) -> list[Any]:
        """The row of an indicator."""
        met = None if each.met is None else self.words("yes_word" if each.met else "no_word")
        source = each.entered or each.source
        return [each.code, each.title, *_plain(each.now), each.target, each.due, met, source]


def _plain(share: Share) -> list[Any]:
    return [getattr(share, name) for name in _SHARE]
