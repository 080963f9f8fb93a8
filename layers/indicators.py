"""The indicators of the wards' plans: measured from the register, or entered by somebody, as of any past day.

What a place says to an indicator is one SQL function (postgis/functions/410_indicators.sql), asked by everything here
and by whoever lists the places behind a figure (`answers`). Staff are told all of their own ward; anybody is told the
figures of a whole ward, none of fewer than FEWEST places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, FromClause, TableValuedAlias, Text, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY

from layers.indicator_codes import MEASURED
from postgis.today import end_of, today

Known = Literal["then", "now"]
"""What is known of a past day: as the register had it when the day ended, or as today's records date it."""
KNOWN: tuple[Known, ...] = ("then", "now")
GROUPS = ("residential_group", "street", "sector_group", "model_site")
"""What a measured indicator can be broken down by."""
FEWEST = 5
"""Figures of fewer places are told to nobody but the ward's staff."""
MONTHS = 36
"""How far back a trend goes."""


@dataclass(frozen=True, slots=True)
class Target:
    """A share (0-100) to reach by a day. `comparator`: at_least or more_than."""

    due: date
    comparator: str
    value: float

    def met_by(self, share: float) -> bool:
        """Whether a share reaches it."""
        return share > self.value if self.comparator == "more_than" else share >= self.value


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator of a ward's plan. `measured_by`: register or entered."""

    code: str
    title: str
    unit: str
    report: str
    source: str
    evidence: str | None
    measured_by: str
    targets: tuple[Target, ...] = ()

    def target_on(self, day: date) -> Target | None:
        """What the plan wants next on a day; after the last deadline that one."""
        return next(
            (target for target in self.targets if target.due >= day), self.targets[-1] if self.targets else None
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """What is known of an indicator at the end of a day. Counts are None where nothing counts or may be told."""

    code: str
    population: int | None = None
    yes: int | None = None
    no: int | None = None
    refused: int | None = None
    suppressed: bool = False
    entered: "Entered | None" = None

    @property
    def denominator(self) -> int | None:
        """How many are known to say yes or no."""
        return None if self.yes is None or self.no is None else self.yes + self.no

    @property
    def unknown(self) -> int | None:
        """How many nobody knows of: refused and not surveyed."""
        return None if self.population is None or self.denominator is None else self.population - self.denominator

    @property
    def not_surveyed(self) -> int | None:
        """How many of the unknown have not refused."""
        return None if self.unknown is None or self.refused is None else self.unknown - self.refused

    @property
    def value(self) -> float | None:
        """The share (0-100) of yes among those known; None where none is."""
        if self.entered is not None:
            return self.entered.value
        return 100 * self.yes / self.denominator if self.yes is not None and self.denominator else None

    @property
    def low(self) -> float | None:
        """The share if all unknown are no."""
        return 100 * self.yes / self.population if self.yes is not None and self.population else None

    @property
    def high(self) -> float | None:
        """The share if all unknown are yes."""
        return (
            100 * (self.yes + (self.unknown or 0)) / self.population
            if self.yes is not None and self.population
            else None
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """A figure that somebody entered, with where it comes from. Numerator and denominator where they are known."""

    code: str
    as_of: date
    value: float
    numerator: int | None
    denominator: int | None
    source: str
    document: str | None
    entered_at: datetime
    entered_by: str | None = None
    """Told to staff of the ward only."""


def plan(connection: Connection, ward: str) -> list[Indicator]:
    """The indicators of a ward's plan in the order in which the plan states them; none for a ward without one."""
    aims = text(
        "SELECT indicator_code, due, comparator, value FROM published.targets WHERE ward_code = :ward ORDER BY due"
    )
    targets: dict[str, list[Target]] = {}
    for row in connection.execute(aims, {"ward": ward}):
        targets.setdefault(row.indicator_code, []).append(Target(row.due, row.comparator, float(row.value)))
    rows = connection.execute(
        text("SELECT * FROM published.indicators WHERE ward_code = :ward ORDER BY position, code"), {"ward": ward}
    )
    return [
        Indicator(
            row.code, row.title, row.unit, row.report, row.source, row.evidence,
            # What the register cannot measure is entered, whatever the plan hopes for.
            row.measured_by if row.code in MEASURED else "entered",
            tuple(targets.get(row.code, ())),
        )
        for row in rows
    ]  # fmt: skip


def figures(
    connection: Connection,
    ward: str,
    day: date,
    known: Known = "then",
    codes: Iterable[str] | None = None,
    *,
    full: bool = False,
) -> list[Figure]:
    """The figures at the end of a day, in the order of the plan or of `codes`.

    `full`: read as staff of the ward; else as anybody, suppressed where fewer than FEWEST places count.
    """
    asked = list(codes) if codes is not None else [each.code for each in plan(connection, ward)]
    schema = func.register if full else func.published
    counts = schema.indicator_counts(ward, _array(code for code in asked if code in MEASURED), day, known == "now")
    names = ("code", "population", "yes", "no", "refused", *(() if full else ("suppressed",)))
    rows = connection.execute(select(counts.table_valued(*names))).mappings()
    found = {row["code"]: Figure(**row) for row in rows}
    found |= {
        code: Figure(code, None, each.numerator, _rest(each), entered=each)
        for code, each in entered_as_of(connection, ward, day, known).items()
        if code not in MEASURED
    }
    return [found.get(code, Figure(code)) for code in asked]


def by(
    connection: Connection, ward: str, day: date, known: Known, code: str, group: str
) -> list[tuple[str | None, Figure]]:
    """A measured indicator broken down, for staff of the ward: each member's code (a street's name; None: not known
    which) with its figure, the largest gap to everybody first. Raises KeyError for no such code or group.
    """
    if code not in MEASURED or group not in GROUPS:
        raise KeyError(code, group)
    counts = func.register.indicator_counts(ward, _array([code]), day, known == "now", cast(group, Text))
    names = ("code", "population", "yes", "no", "refused")
    rows = connection.execute(select(counts.table_valued(*names, "member"))).mappings()
    found = [(row["member"], Figure(**{name: row[name] for name in names})) for row in rows]
    return sorted(found, key=lambda each: (-((each[1].population or 0) - (each[1].yes or 0)), each[0] or ""))


def trend(
    connection: Connection, ward: str, codes: Sequence[str], until: date, *, full: bool = False, months: int = MONTHS
) -> dict[str, list[tuple[date, Figure]]]:
    """The figures at the end of each month that is over on a day, as the register knew them then, oldest first.

    Months in which nothing counts, or fewer than may be told, are left out. Of what was entered instead of counted, the
    last of a day. In one pass over the states at most, of those month ends whose counts are not kept yet
    (register.keep_month_ends).
    """
    schema = func.register if full else func.published
    measured = _array(code for code in codes if code in MEASURED)
    counts = schema.indicator_trend(ward, measured, _first_month(until, months), until)
    names = ("code", "population", "yes", "no", "refused")
    asked = counts.table_valued(*names, "month_end")
    found: dict[str, list[tuple[date, Figure]]] = {code: [] for code in codes}
    for row in connection.execute(select(asked).order_by(asked.c.month_end)).mappings():
        found[row["code"]].append((row["month_end"], Figure(**{name: row[name] for name in names})))
    for each in reversed(entered(connection, ward)):
        if each.code in found and each.code not in MEASURED and each.as_of <= until:
            series = [point for point in found[each.code] if point[0] != each.as_of]
            found[each.code] = [
                *series,
                (each.as_of, Figure(each.code, None, each.numerator, _rest(each), entered=each)),
            ]
    return {code: sorted(points, key=lambda point: point[0]) for code, points in found.items()}


def answers(states: FromClause) -> TableValuedAlias:
    """What each state says to each indicator, to be joined to `states` (register.establishment_state or the same
    columns): a column for each code, with `yes`, `no`, `unknown`, or null where the place does not count.
    """
    s = states.c
    asked = func.register.indicator_answers(
        s.sector_group, s.kind, s.legal_form, s.operating_status, s.model_site_id, s.accepts_cashless,
        s.active_acceptance, s.on_digital_platform, s.digital_used, s.digital_unused, s.outreach_on,
    )  # fmt: skip
    return asked.table_valued(*MEASURED).render_derived(name="answers")


def entered(connection: Connection, ward: str, *, full: bool = False) -> list[Entered]:
    """All figures that were entered, latest day first, of one day the latest entry first. `full`: with who did it."""
    names = ("indicator_code", "as_of", "value", "numerator", "denominator", "source", "document", "entered_at", "id")
    shown = table("entered_figures", *(column(name) for name in (*names, "ward_code")), schema="published")
    statement = select(*(shown.c[name] for name in names)).where(shown.c.ward_code == ward)
    by_whom: dict[int, str] = {}
    if full:
        asked = text(
            "SELECT f.id, s.display_name FROM register.entered_figure f JOIN account.staff s ON s.id = f.entered_by"
        )
        by_whom = {row.id: row.display_name for row in connection.execute(asked)}
    rows = connection.execute(statement.order_by(shown.c.as_of.desc(), shown.c.id.desc()))
    return [
        Entered(
            row.indicator_code, row.as_of, _share(row), row.numerator, row.denominator, row.source, row.document,
            row.entered_at, by_whom.get(row.id),
        )
        for row in rows
    ]  # fmt: skip


def entered_as_of(connection: Connection, ward: str, day: date, known: Known = "then") -> dict[str, Entered]:
    """The latest figure of each entered indicator, of a day or one before it; `then`: and entered by its end."""
    found: dict[str, Entered] = {}
    for each in entered(connection, ward):
        if each.as_of <= day and (known == "now" or each.entered_at <= end_of(day)):
            found.setdefault(each.code, each)
    return found


def is_final(connection: Connection, day: date) -> bool:
    """Whether nothing can change the figures of a day any more, as known then. To be asked before they are read."""
    if day >= today():
        return False
    final: bool = connection.execute(select(func.published.day_is_final(day))).scalar_one()
    return final


def _share(row: Any) -> float:
    """From the counts where there are any: the rounded share might meet a target that they miss."""
    return float(100 * row.numerator / row.denominator if row.denominator else row.value)


def _first_month(until: date, months: int) -> date:
    year, month = divmod(until.year * 12 + until.month - 1 - months, 12)
    return max(date(year, month + 1, 1), date(2000, 1, 1))


def _array(codes: Iterable[str]) -> Any:
    return cast(list(codes), ARRAY(Text))


def _rest(each: Entered) -> int | None:
    return None if each.denominator is None or each.numerator is None else each.denominator - each.numerator
