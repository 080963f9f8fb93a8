"""What a report says, block by block, in the order of the paper: PDF and Word write the same blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from web import labels
from web.brief import Breakdown, BriefData, BriefFigure, Part, Share, Value, fingerprint, main_figure, short_fingerprint
from web.brief_blocks import Block, Heading, Para, Picture, Table
from web.brief_map import map_drawing
from web.chart_marks import drawing
from web.charts import Bar, BarChart, LineChart, Target, TimePoint, written, written_range
from web.marks import Drawing
from web.periods import Period, period
from web.render import format_date

CHART_POINTS = 454.0
"""As wide as the text: 160 mm."""
_SHOWN = 10


class BriefContent:
    """The words of a report. Captions are numbered as the blocks are asked for: `body`, then `annex`."""

    def __init__(self, data: BriefData, lang: str = "vi") -> None:
        self.data, self.lang = data, lang
        self.fingerprint = fingerprint(data)
        self._tables = self._pictures = 0

    def words(self, key: str, **values: object) -> str:
        """Words of the report."""
        return labels.text(f"brief.{key}", self.lang, **values)

    @property
    def period_words(self) -> str:
        """Such as: tháng 10 năm 2026."""
        return period_words(period(self.data.kind, self.data.period), self.lang)

    @property
    def subject(self) -> str:
        """What the report is about."""
        return self.words("head.subject", ward=self.data.ward_name, period=self.period_words)

    @property
    def authority(self) -> tuple[str, str]:
        """Who issues it."""
        return self.words("head.authority"), self.data.ward_name.upper()

    @property
    def signed_year(self) -> str:
        """The year in which a report of the period is due: that of the day after its last."""
        return str((self.data.last + timedelta(days=1)).year)

    @property
    def known(self) -> str:
        """As of when things are known."""
        return labels.code_label("known_mode", self.data.known, self.lang)

    @property
    def foot(self) -> str:
        """What each page says of its figures."""
        day, code = format_date(self.data.as_of), self.fingerprint[:16]
        return self.words("head.foot", as_of=day, fingerprint=f"{code[:8]} {code[8:]}")

    def body(self) -> Iterator[Block]:
        """From the first sentence to the last before the signature."""
        data = self.data
        day = format_date(data.as_of)
        yield Para(
            self.words("body.opening", ward=data.ward_name, period=self.period_words, as_of=day, known=self.known)
        )
        if data.provisional:
            yield Para(self.words("body.opening_provisional", as_of=day), italic=True)
        yield from self._part("results")
        yield from self._progress()
        yield from self._trends()
        yield from self._places()
        yield Heading(f"4. {self.words('body.map')}", 2)
        if data.map is None:
            yield Para(self.words("body.no_map"))
        else:
            yield self._picture(self.words("table.map"), map_drawing(data.map, self.lang, CHART_POINTS))
        for number, part in enumerate(data.parts, 5):
            yield Heading(f"{number}. {part.title}", 2)
            yield from self._more(part)
        yield from self._part("shortcomings")
        yield from self._shortcomings()
        yield from self._part("causes")
        yield from self._part("solutions")
        yield Para(self.words("body.closing", ward=data.ward_name, period=self.period_words))

    def annex(self) -> Iterator[Block]:
        """Definitions, all parts of the ward, and how to check the figures."""
        data = self.data
        number = 0
        if data.figures:
            number += 1
            yield Heading(f"{number}. {self.words('annex.definitions')}", 2)
            for each in data.figures:
                yield Para(
                    self.words("annex.definition", title=each.title, definition=each.definition, source=each.source)
                )
        for part in data.parts:
            if part.definitions:
                number += 1
                yield Heading(f"{number}. {self.words('annex.part', title=part.title)}", 2)
            for title, definition in part.definitions:
                yield Para(f"{title}. {definition}", small=True)
        if data.breakdowns:
            number += 1
            yield Heading(f"{number}. {self.words('annex.places')}", 2)
            for places in data.breakdowns:
                yield self._breakdown(places, places.rows, "table.whole")
        yield Heading(f"{number + 1}. {self.words('annex.origin')}", 2)
        day = format_date(data.as_of)
        yield Para(self.words("annex.origin_words", as_of=day, known=self.known, seq=data.head[0]))
        yield Para(self.words("annex.fingerprint", fingerprint=short_fingerprint(self.fingerprint)))
        more = " --provisional" if data.provisional else ""
        yield Para(
            self.words(
                "annex.again", kind=data.kind, period=data.period, ward=data.ward, day=data.as_of.isoformat(),
                known=data.known, more=more, texts=str(data.texts_version),
            )
        )  # fmt: skip
        if data.known == "now" or data.provisional:
            yield Para(self.words("annex.now_words"), italic=True)

    def _more(self, part: Part) -> Iterator[Block]:
        if part.rows:
            rows = tuple(tuple(self._written(value) for value in row) for row in part.rows[: part.most])
            table = self._table(part.title, part.headings, rows, part.widths, (0,))
            yield replace(table, strong=frozenset(part.strong))
            if len(rows) < len(part.rows):
                yield Para(self.words("part.rest", shown=len(rows), all=len(part.rows)), italic=True, small=True)
        yield Para(part.note, italic=bool(part.rows), small=bool(part.rows))

    def _written(self, value: Value) -> str:
        if value is None or isinstance(value, float):
            return written(value, "%", self.lang)
        if isinstance(value, int):
            return labels.number(value, self.lang)
        return format_date(value) if isinstance(value, date) else value

    def _part(self, part: str) -> Iterator[Block]:
        yield Heading(self.words(f"body.{part}"), 1)
        written_text = self.data.texts.get(part, "").strip()
        if not written_text:
            yield Para(self.words("body.to_write"), italic=True)
        for line in written_text.split("\n"):
            if line.strip():
                yield Para(line.strip())

    def _progress(self) -> Iterator[Block]:
        data = self.data
        day = format_date(data.as_of)
        yield Heading(f"1. {self.words('body.progress')}", 2)
        if not data.figures:
            yield Para(self.words("body.no_indicators"))
            return
        for each in data.figures:
            if each.now.value is None:
                yield Para(self.words("body.no_figure", title=each.title, as_of=day))
            else:
                yield Para(f"{self._sentence(each)}.")
        headings = tuple(
            self.words(f"table.{name}")
            for name in ("number", "indicator", "value", "target", "known", "unknown", "range")
        )
        rows = tuple(self._row(number, each) for number, each in enumerate(data.figures, 1))
        yield self._table(self.words("table.progress", as_of=day), headings, rows, (9, 45, 18, 25, 21, 20, 22), (1,))
        yield Para(self.words("table.how"), italic=True, small=True)

    def _sentence(self, each: BriefFigure) -> str:
        value = written(each.now.value, "%", self.lang)
        if each.entered:
            parts = [self.words("sentence.entered", title=each.title, value=value, source=each.entered)]
        else:
            parts = [
                self.words(
                    "sentence.value", title=each.title, value=value, yes=each.now.yes or 0,
                    denominator=each.now.denominator or 0,
                )
            ]  # fmt: skip
        if each.before is not None and each.before.value is not None and each.now.value is not None:
            change = round(each.now.value - each.before.value, 1)
            direction = "up" if change > 0 else "down" if change < 0 else "same"
            parts.append(self.words(f"sentence.{direction}", change=labels.number(abs(change), self.lang, 1)))
        if each.due is not None:
            parts.append(self.words("sentence.target", target=self._target(each), due=format_date(each.due)))
            parts.append(self.words("sentence.met" if each.met else "sentence.not_met"))
        return "; ".join(parts)

    def _target(self, each: BriefFigure) -> str:
        value = written(each.target, "%", self.lang)
        return self.words(f"sentence.{each.comparator}", value=value)

    def _row(self, number: int, each: BriefFigure) -> tuple[str, ...]:
        now = each.now
        target = self.words("table.no_target")
        if each.due is not None:
            target = f"{self._target(each)}\n{format_date(each.due)}"
        return (
            str(number), each.title, written(now.value, "%", self.lang), target, *self._counts(now),
        )  # fmt: skip

    def _counts(self, share: Share) -> tuple[str, str, str]:
        def plain(count: int | None) -> str:
            return self.words("table.not_counted") if count is None else labels.number(count, self.lang)

        if share.denominator is None:
            return (plain(None), plain(None), plain(None))
        unknown = f"{plain(share.unknown)} ({plain(share.refused)})" if share.unknown is not None else plain(None)
        spread = written_range(share.low, share.high, "", self.lang)
        return f"{plain(share.yes)} / {plain(share.denominator)}", unknown, spread or plain(None)

    def _trends(self) -> Iterator[Block]:
        yield Heading(f"2. {self.words('body.trend')}", 2)
        drawn = False
        for each in self.data.figures:
            known = [share for _, share in each.trend if share.value is not None]
            if len(known) < 2:
                continue
            drawn = True
            yield self._picture(each.title, drawing(trend_chart(each), self.lang, CHART_POINTS))
            yield Para(each.ahead.method if each.ahead else each.no_forecast, italic=True, small=True)
        if not drawn:
            yield Para(self.words("body.no_trend"))
        elif self.data.known == "now":
            yield Para(self.words("body.trend_known"), italic=True, small=True)

    def _places(self) -> Iterator[Block]:
        yield Heading(f"3. {self.words('body.breakdown')}", 2)
        if not self.data.breakdowns:
            yield Para(self.words("body.no_breakdown"))
        main = main_figure(self.data)
        for part in self.data.breakdowns:
            # The whole of it is in the annex.
            rows = [row for row in part.rows if row[0]][:_SHOWN]
            bars = tuple(
                Bar(name, share.value, share.low, share.high, self.words("table.places", count=share.population or 0))
                for name, share in rows
            )
            target = Target(main.target) if main and main.target is not None else None
            caption = self.words(
                "table.gaps", by=self._by(part), shown=len(bars), all=sum(1 for name, _ in part.rows if name)
            )
            yield self._picture(caption, drawing(BarChart(caption, bars, target), self.lang, CHART_POINTS))

    def _shortcomings(self) -> Iterator[Block]:
        unmet = False
        for each in self.data.figures:
            if each.met is False and each.due is not None:
                unmet = True
                value = written(each.now.value, "%", self.lang)
                due = format_date(each.due)
                yield Para(self.words("body.unmet", title=each.title, value=value, target=self._target(each), due=due))
            if each.now.unknown:
                yield Para(
                    self.words(
                        "body.unknown", title=each.title, unknown=each.now.unknown, refused=each.now.refused or 0,
                        range=written_range(each.now.low, each.now.high, "%", self.lang),
                    )
                )  # fmt: skip
        if not unmet and any(each.met for each in self.data.figures):
            yield Para(self.words("body.all_met"))

    def _breakdown(self, part: Breakdown, rows: Sequence[tuple[str, Share]], caption: str) -> Table:
        headings = tuple(
            self.words(f"table.{name}") for name in ("number", "place", "value", "counted", "known", "unknown", "range")
        )
        title = self.words(caption, title=part.title, by=self._by(part).lower())
        lines = tuple(
            (
                str(number), name or self.words("table.not_named"), written(share.value, "%", self.lang),
                labels.number(share.population or 0, self.lang), *self._counts(share),
            )
            for number, (name, share) in enumerate(rows, 1)
        )  # fmt: skip
        return self._table(title, headings, lines, (10, 50, 18, 18, 22, 20, 22), (1,))

    def _by(self, part: Breakdown) -> str:
        return labels.code_label("brief_part", part.by, self.lang)

    def _table(
        self,
        title: str,
        headings: tuple[str, ...],
        rows: tuple[tuple[str, ...], ...],
        widths: tuple[float, ...],
        left: tuple[int, ...],
    ) -> Table:
        self._tables += 1
        return Table(self.words("table.caption", number=self._tables, title=title), headings, rows, widths, left)

    def _picture(self, title: str, drawn: Drawing) -> Picture:
        self._pictures += 1
        return Picture(self.words("table.figure", number=self._pictures, title=title), drawn)


def trend_chart(each: BriefFigure) -> LineChart:
    """An indicator through time, with its forecast from the last measured point."""
    measured = tuple(TimePoint(day, share.value, share.low, share.high) for day, share in each.trend)
    ahead: tuple[TimePoint, ...] = ()
    if each.ahead is not None:
        last = next(point for point in reversed(measured) if point.value is not None)
        start = TimePoint(last.on, last.value, last.value, last.value)
        ahead = (start, TimePoint(each.ahead.due, each.ahead.value, each.ahead.low, each.ahead.high))
    target = Target(each.target, each.due) if each.target is not None else None
    return LineChart(each.title, measured, ahead, target)


def period_words(asked: Period, lang: str) -> str:
    """A period in words, such as: tháng 10 năm 2026."""
    half = labels.text(f"brief.period.half_{asked.number}", lang) if asked.kind == "half_yearly" else ""
    # Decree 30: months below 3 are written with a zero before them.
    number = f"{asked.number:02}" if asked.kind == "monthly" and asked.number < 3 else str(asked.number)
    if asked.kind == "quarterly" and lang == "vi":
        number = ("I", "II", "III", "IV")[asked.number - 1]
    return labels.text(f"brief.period.{asked.kind}", lang, number=number, year=str(asked.first.year), half=half)
