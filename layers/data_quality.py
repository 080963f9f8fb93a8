"""Whether the register is right, complete, clean and alive ("đúng - đủ - sạch - sống"): figures of a day for the own
ward and its residential groups, and how they went by month end. As the register knew it, under row-level security.

Of each figure: `population` places count; `yes` are as they should be, `no` are not, of the others it is not known. A
share is that of yes among yes and no: what is unknown counts as neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from layers import duplicates, worklists
from postgis.today import end_of
from postgis.vocabulary import FOOD_GROUPS, FRESHNESS_FACTS

MONTHS = 12
MOST_PAIRED = 30_000
"""Places among which doubles are looked for when a page is opened: it takes a second for 10,000."""
_FOOD = f"s.sector_group IN {FOOD_GROUPS}"
_COUNTS = "register.counts_in_figures(s.sector_group, s.operating_status)"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `yes` and `no` are conditions on a state `s`; where a day decides, `until` is the last on which it is
    yes, and null where that is not known. `of`: which of the places that count it is about.
    """

    code: str
    section: str
    yes: str = ""
    no: str = ""
    of: str = "true"
    until: str = ""

    @property
    def conditions(self) -> tuple[str, str]:
        """Yes and no as of the day `:day`."""
        return (f"{self.until} >= :day", f"{self.until} < :day") if self.until else (self.yes, self.no)


def _there(code: str, condition: str, of: str = "true") -> Measure:
    return Measure(code, "complete", condition, f"({condition}) IS NOT TRUE", of)


def _fresh(fact: str, checked: str, expires: str = "", of: str = "true") -> Measure:
    until = f"(s.{checked} + make_interval(months => :{fact}))::date"
    # As register.establishment_overview has it: what expires is not fresh after that, however lately it was looked at.
    return Measure(f"fresh_{fact}", "alive", until=f"least({until}, s.{expires})" if expires else until, of=of)


MEASURES: Mapping[str, Measure] = {
    measure.code: measure
    for measure in (
        Measure(
            "position",
            "right",
            "s.position_method <> 'generated' AND s.position_accuracy_m <= 50",
            "s.position_method = 'generated' OR s.position_accuracy_m > 50",
        ),
        _there("name", "s.has_name"),
        _there("address", "s.has_address"),
        _there("residential_group", "s.residential_group_id IS NOT NULL"),
        _there("sector_code", "s.has_sector_code"),
        _there("legal_entity", "s.has_legal_entity"),
        _there("legal_form", "s.legal_form IS NOT NULL"),
        _there("operating_status", "s.operating_status <> 'unknown'"),
        _there("licence", "s.licence_state IS NOT NULL"),
        _there("food_safety", "s.food_safety_kind IS NOT NULL", _FOOD),
        _there("payment", "s.accepts_cashless <> 'unknown'"),
        _there("digital", "s.on_digital_platform <> 'unknown'"),
        _fresh("payment", "payment_checked_on"),
        _fresh("licence", "licence_checked_on", "licence_valid_until"),
        _fresh("address", "verified_on"),
        _fresh("food_safety", "food_safety_checked_on", "food_safety_valid_until", _FOOD),
        _fresh("digital", "digital_checked_on"),
    )
}
"""Every figure that states tell, in the order of the page."""

NOW = ("outside_ward", "same_point", "duplicates")
"""Figures that only the register of today tells, by the worklist behind each."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How many places count, how many are as they should be, how many are not."""

    population: int = 0
    yes: int = 0
    no: int = 0

    @property
    def unknown(self) -> int:
        """Of how many it is not known."""
        return self.population - self.yes - self.no

    @property
    def share(self) -> float | None:
        """Percentage of yes among yes and no; None where nothing is known."""
        known = self.yes + self.no
        return 100 * self.yes / known if known else None

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.population + other.population, self.yes + other.yes, self.no + other.no)


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of a day by measure: of the ward, and by the code of the residential group (None: in none)."""

    as_of: date
    ward: Mapping[str, Figure]
    groups: Mapping[str | None, Mapping[str, Figure]]
    illustrative: int
    """How many of the places that count are invented."""


def quality(connection: Connection, ward_id: int, day: date, lives: Mapping[str, int] | None = None) -> Quality:
    """The figures as of the end of a day, or of now for today, as the register knew them then. `lives`: for how many
    months each kind of fact is relied on; None: as the ward has chosen today."""
    columns = [f"count(*) FILTER (WHERE {each.of}) AS of_{code}" for code, each in MEASURES.items()]
    for code, each in MEASURES.items():
        for name, condition in zip(("yes", "no"), each.conditions, strict=True):
            columns.append(f"count(*) FILTER (WHERE ({each.of}) AND ({condition})) AS {name}_{code}")
    asked = f"""
        SELECT g.code, count(*) FILTER (WHERE s.illustrative) AS illustrative, {", ".join(columns)}
          FROM register.establishment_state s
          LEFT JOIN register.residential_group g ON g.id = s.residential_group_id
         WHERE s.ward_id = :ward AND s.known_from <= :moment AND :moment < s.known_to AND {_COUNTS}
         GROUP BY g.code"""
    months = _months(connection, ward_id) if lives is None else lives
    values = {"ward": ward_id, "day": day, "moment": end_of(day), **months}
    rows = connection.execute(text(asked), values).mappings().all()
    groups = {
        row["code"]: {code: Figure(row[f"of_{code}"], row[f"yes_{code}"], row[f"no_{code}"]) for code in MEASURES}
        for row in rows
    }
    ward = {code: sum((figures[code] for figures in groups.values()), Figure()) for code in MEASURES}
    return Quality(day, ward, groups, sum(row["illustrative"] for row in rows))


def now(connection: Connection) -> dict[str, Figure | None]:
    """The figures that only the register of today tells, of the own ward; None where they take too long to find."""
    found: dict[str, Figure | None] = {}
    population = worklists.population(connection)
    for name in ("outside_ward", "same_point"):
        listed = worklists.count(connection, name)
        found[name] = Figure(population, population - listed, listed)
    found["duplicates"] = None
    if population <= MOST_PAIRED:
        pairs = duplicates.pairs(connection)
        twins = len({place["code"] for pair in pairs for place in (pair.one, pair.other)})
        found["duplicates"] = Figure(max(population, twins), max(population, twins) - twins, twins)
    return found


def trend(connection: Connection, ward_id: int, day: date) -> list[tuple[date, dict[str, Figure]]]:
    """The figures as of each of the last month ends and of the day, oldest first, in one pass over the states.

    A state counts from the first of these days that it reaches until the first that it no longer does; what is fresh,
    until it is not. Days before the register knew of any place are left out.
    """
    days = month_ends(day, MONTHS)
    lasting = [each for each in MEASURES.values() if not each.until]
    dated = [each for each in MEASURES.values() if each.until]
    columns = [f"{each.of} AS of_{each.code}, {each.yes} AS yes_{each.code}" for each in lasting]
    columns += [f"{each.no} AS no_{each.code}" for each in lasting]
    # How many of the days come before an end: of the state, and of what is fresh.
    columns += [
        f"{each.of} AS of_{each.code}, width_bucket({each.until}, CAST(:days AS date[])) AS until_{each.code}"
        for each in dated
    ]
    counted = ["count(*) AS places"]
    for each in lasting:
        condition = f"of_{each.code}"
        counted += [f"count(*) FILTER (WHERE {condition}) AS of_{each.code}"]
        counted += [
            f"count(*) FILTER (WHERE {condition} AND {n}_{each.code}) AS {n}_{each.code}" for n in ("yes", "no")
        ]
    for each in dated:
        counted.append(f"count(*) FILTER (WHERE of_{each.code}) AS of_{each.code}")
    sets = ", ".join(f"(first, stop, of_{each.code}, until_{each.code})" for each in dated)
    kinds = ", ".join(f"GROUPING(until_{each.code}) AS without_{each.code}" for each in dated)
    keys = ", ".join(f"of_{each.code} AS key_{each.code}, until_{each.code}" for each in dated)
    asked = f"""
        WITH s AS MATERIALIZED (
            SELECT width_bucket(s.known_from - interval '1 microsecond', CAST(:moments AS timestamptz[])) AS first,
                   width_bucket(s.known_to - interval '1 microsecond', CAST(:moments AS timestamptz[])) AS stop,
                   {", ".join(columns)}
              FROM register.establishment_state s
             WHERE s.ward_id = :ward AND {_COUNTS}
        )
        SELECT first, stop, {keys}, {kinds}, {", ".join(counted)}
          FROM s WHERE first < stop
         GROUP BY GROUPING SETS ((first, stop), {sets})"""
    moments = [end_of(each) for each in days]
    values = {"ward": ward_id, "days": days, "moments": moments, **_months(connection, ward_id)}
    rows = [dict(row) for row in connection.execute(text(asked), values).mappings()]
    summed = _summed(rows, len(days), lasting, dated)
    return [(each, figures) for each, figures in zip(days, summed, strict=True) if figures is not None]


def month_ends(day: date, count: int) -> list[date]:
    """The last `count` month ends before a day, and the day itself; oldest first."""
    found, first = [day], day.replace(day=1)
    for _ in range(count):
        found.append(first - timedelta(days=1))
        first = found[-1].replace(day=1)
    return sorted(set(found))


def _summed(
    rows: Sequence[Mapping[str, Any]], days: int, lasting: Sequence[Measure], dated: Sequence[Measure]
) -> list[dict[str, Figure] | None]:
    found: list[dict[str, Figure] | None] = []
    plain = [row for row in rows if all(row[f"without_{each.code}"] for each in dated)]
    by_end = {each.code: [row for row in rows if not row[f"without_{each.code}"]] for each in dated}
    for index in range(days):
        alive = [row for row in plain if row["first"] <= index < row["stop"]]
        if not any(row["places"] for row in alive):
            found.append(None)
            continue
        figures = {
            each.code: Figure(*(sum(row[f"{name}_{each.code}"] for row in alive) for name in ("of", "yes", "no")))
            for each in lasting
        }
        for each in dated:
            figures[each.code] = _fresh_on(by_end[each.code], each.code, index)
        found.append({code: figures[code] for code in MEASURES})
    return found


def _fresh_on(rows: Sequence[Mapping[str, Any]], code: str, index: int) -> Figure:
    population = yes = no = 0
    for row in rows:
        if not (row["first"] <= index < row["stop"]) or not row[f"key_{code}"]:
            continue
        population += row["places"]
        until = row[f"until_{code}"]
        if until is not None:
            yes, no = (yes + row["places"], no) if index < until else (yes, no + row["places"])
    return Figure(population, yes, no)


def _months(connection: Connection, ward_id: int) -> dict[str, int]:
    """How many months the ward relies on each kind of fact, as it has chosen today."""
    asked = text("SELECT f, register.shelf_life_months(:ward, f) AS months FROM unnest(CAST(:facts AS text[])) AS f")
    rows = connection.execute(asked, {"ward": ward_id, "facts": list(FRESHNESS_FACTS)})
    return {row.f: row.months for row in rows}
