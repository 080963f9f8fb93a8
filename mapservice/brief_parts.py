"""The tables of a report beside its indicators: rollout, data quality, work, what is missing where, model sites.

Each as the register had it at the end of the report's day, whatever was chosen for the indicators: what cannot be told
of a day gone by is said to be so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from layers import brief_parts, data_quality, work
from layers.brief_parts import PhaseThen
from layers.indicators import Figure, Known, Target
from layers.model_sites import WHY
from layers.rollout import Judged
from postgis.today import end_of
from postgis.vocabulary import VISIT_OUTCOMES
from web import labels
from web.brief import Breakdown, BriefFigure, Part, Share, Value
from web.periods import Period
from web.render import format_date
from web.rollout import amount

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report is to be made. `texts`: the version of what officers wrote; None: the newest."""

    ward: str
    period: Period
    as_of: date
    known: Known = "then"
    provisional: bool = False
    texts: int | None = None


def parts(
    connection: Connection,
    asked: Asked,
    ward_id: int,
    main: BriefFigure | None,
    breakdowns: Iterable[Breakdown],
    lang: str,
) -> tuple[Part, ...]:
    """The tables in the order of the report. The connection is that of staff of the ward, or the owner's."""
    words = _Words(lang, asked.as_of)
    return (
        _rollout(connection, asked, ward_id, words),
        _quality(connection, asked, ward_id, words),
        _work(connection, asked, ward_id, words),
        _missing(main, breakdowns, asked, words),
        _sites(connection, asked, ward_id, words),
    )


@dataclass(frozen=True, slots=True)
class _Words:
    lang: str
    day: date

    def __call__(self, key: str, **values: object) -> str:
        return labels.text(f"brief.part.{key}", self.lang, as_of=format_date(self.day), **values)

    def row(self, *keys: str) -> tuple[str, ...]:
        return tuple(self(key) for key in keys)


def _rollout(connection: Connection, asked: Asked, ward_id: int, words: _Words) -> Part:
    phases = brief_parts.rollout(connection, (ward_id, asked.ward), asked.as_of, end_of(asked.as_of))
    if not phases:
        return Part("rollout", words("rollout"), labels.text("rollout.no_phases", words.lang))
    rows: list[tuple[Value, ...]] = []
    sheet: list[tuple[Value, ...]] = [
        words.row("phase", "criterion", "needed", "unit", "measured", "yes", "of", "verdict", "documents")
    ]
    facts: list[tuple[str | int | float | None, ...]] = []
    definitions = []
    strong = []
    for phase in phases:
        strong.append(len(rows))
        rows.append(
            (
                phase.title,
                words("phase_due", due=format_date(phase.due)),
                "",
                _phase_met(phase, words),
                _phase_said(phase, words),
            )
        )
        facts.append(("phase", phase.code, phase.due.isoformat(), phase.state, phase.blockers))
        for each, met in phase.criteria:
            title = labels.text(f"rollout.criteria.{each.criterion.code}.title", words.lang)
            verdict = words("untold" if met is None else "met" if met else "not_met")
            rows.append((title, _needed(each, words), _measured(each, met, words), verdict, _evidence(each, words)))
            sheet.append((phase.title, title, *_numbers(each, words), verdict, len(each.documents)))
            facts.append(_fact(each, met))
            definitions.append((title, labels.text(f"rollout.criteria.{each.criterion.code}.definition", words.lang)))
    return Part(
        "rollout", words("rollout"), words("rollout_note"),
        words.row("criterion", "needed", "measured", "verdict", "evidence"), tuple(rows), (50, 27, 26, 25, 32),
        tuple(facts), None, tuple(strong), tuple(definitions), tuple(sheet),
    )  # fmt: skip


def _phase_met(phase: PhaseThen, words: _Words) -> str:
    met = sum(1 for _, each in phase.criteria if each)
    return labels.text("rollout.met_of", words.lang, met=met, of=len(phase.criteria))


def _phase_said(phase: PhaseThen, words: _Words) -> str:
    said = [labels.code_label("phase_state", phase.state, words.lang)] if phase.state else []
    if phase.blockers:
        said.append(words("blockers", count=phase.blockers))
    return "; ".join(said)


def _needed(each: Judged, words: _Words) -> str:
    if each.criterion.needed is None or each.criterion.unit is None:
        return labels.text("rollout.needed_document", words.lang)
    needed = amount(each.criterion.needed, each.criterion.unit, words.lang)
    return labels.text("rollout.at_least", words.lang, amount=needed)


def _measured(each: Judged, met: bool | None, words: _Words) -> str:
    if each.criterion.measure is None:
        return labels.text("rollout.by_document", words.lang)
    return words("untold_measure") if met is None else amount(each.measured, each.criterion.unit or "", words.lang)


def _evidence(each: Judged, words: _Words) -> str:
    said = [words("document", number=one.number, dated=format_date(one.dated_on)) for one in each.documents]
    if each.figure is not None and each.figure.population and each.criterion.unit == "percent":
        said.insert(0, words("count_of", yes=each.figure.yes or 0, of=each.figure.population))
    if not said and each.criterion.measure is None:
        return words("no_document")
    return "; ".join(said)


def _numbers(each: Judged, words: _Words) -> tuple[Value, ...]:
    unit = words(f"units.{each.criterion.unit or 'document'}")
    yes, of = (each.figure.yes, each.figure.population) if each.figure else (None, None)
    return (each.criterion.needed, unit, each.measured, yes, of)


def _fact(each: Judged, met: bool | None) -> tuple[str | int | float | None, ...]:
    documents = (value for one in each.documents for value in (one.number, one.dated_on.isoformat()))
    yes, of = (each.figure.yes, each.figure.population) if each.figure else (None, None)
    return (each.criterion.code, each.criterion.needed, yes, of, met, *documents)


def _quality(connection: Connection, asked: Asked, ward_id: int, words: _Words) -> Part:
    lives = brief_parts.lives(connection, ward_id, end_of(asked.as_of))
    found = data_quality.quality(connection, ward_id, asked.as_of, lives)
    if not any(each.population for each in found.ward.values()):
        return Part("quality", words("quality"), words("quality_none"))
    rows: list[tuple[Value, ...]] = []
    definitions = []
    for code, measure in data_quality.MEASURES.items():
        each = found.ward[code]
        section = labels.text(f"quality.sections.{measure.section}.title", words.lang)
        title = labels.text(f"quality.measures.{code}.title", words.lang)
        rows.append((f"{section}: {title}", each.population, each.yes, each.no, each.unknown, each.share))
        definitions.append((title, labels.text(f"quality.measures.{code}.definition", words.lang)))
    headings = tuple(
        labels.text(f"quality.columns.{name}", words.lang)
        for name in ("title", "population", "yes", "no", "unknown", "share")
    )
    relied = "; ".join(
        words("life", fact=labels.code_label("freshness_fact", fact, words.lang), months=months)
        for fact, months in lives.items()
    )
    facts: list[tuple[str | int | float | None, ...]] = [
        *((code, each.population, each.yes, each.no) for code, each in found.ward.items()),
        *((f"life:{fact}", months) for fact, months in lives.items()),
    ]
    return Part(
        "quality", words("quality"), words("quality_note", lives=relied), headings, tuple(rows),
        (66, 20, 18, 19, 18, 19), tuple(facts), None, (), tuple(definitions),
    )  # fmt: skip


def _work(connection: Connection, asked: Asked, ward_id: int, words: _Words) -> Part:
    first = asked.period.first
    moments = end_of(first - timedelta(days=1)), end_of(asked.as_of)
    found = brief_parts.work(connection, ward_id, first, asked.as_of, moments)
    counts: list[tuple[str, str, int]] = [
        (name, words(f"work_rows.{name}"), getattr(found, name))
        for name in ("open", "overdue", "places", "met", "left", "made", "closed", "visited")
    ]
    counts += [
        (
            each,
            words("work_rows.visits", outcome=labels.code_label("visit_outcome", each, words.lang)),
            found.visits[each],
        )
        for each in VISIT_OUTCOMES
    ]
    return Part(
        "work", words("work"), words("work_note", first=format_date(first)), words.row("work_what", "count"),
        tuple((said, count) for _, said, count in counts), (125, 35), tuple((name, count) for name, _, count in counts),
    )  # fmt: skip


def _missing(main: BriefFigure | None, breakdowns: Iterable[Breakdown], asked: Asked, words: _Words) -> Part:
    if main is None:
        return Part("missing", words("missing"), words("missing_nobody"))
    if main.target is None or main.due is None or main.comparator is None:
        return Part("missing", words("missing"), words("missing_none"))
    target = Target(main.due, main.comparator, main.target)
    rows: list[tuple[Value, ...]] = []
    facts: list[tuple[str | int | float | None, ...]] = []
    groups = next((each for each in breakdowns if each.by == "residential_group"), None)
    for code, (name, share) in zip(groups.codes, groups.rows, strict=True) if groups else ():
        needed = work.needed(target, _figure(main.code, share))
        facts.append((code, share.population, share.yes, needed))
        rows.append((name or words("no_group"), share.population, share.yes, share.unknown, needed))
    order = sorted(range(len(rows)), key=lambda index: -(facts[index][3] or 0))  # type: ignore[operator]
    note = words("missing_note", title=main.title, known=labels.code_label("known_mode", asked.known, words.lang))
    return Part(
        "missing", words("missing"), note if rows else words("missing_nobody"),
        words.row("group", "population", "yes_says", "unknown", "still"), tuple(rows[index] for index in order),
        (70, 22, 20, 22, 26), tuple(facts[index] for index in order), _SHOWN,
    )  # fmt: skip


def _figure(code: str, share: Share) -> Figure:
    no = None if share.denominator is None or share.yes is None else share.denominator - share.yes
    return Figure(code, share.population, share.yes, no, share.refused)


def _sites(connection: Connection, asked: Asked, ward_id: int, words: _Words) -> Part:
    found = brief_parts.sites(connection, ward_id, end_of(asked.as_of))
    if not found:
        return Part("sites", words("sites"), words("sites_none"))
    rows: list[tuple[Value, ...]] = [(each.name, sum(each.stalls.values()), *_stalls(each.stalls)) for each in found]
    facts: list[tuple[str | int, ...]] = [(each.code, *_stalls(each.stalls)) for each in found]
    headings = (*words.row("site", "stalls"), *(labels.text(f"model_sites.why.{each}", words.lang) for each in WHY))
    return Part(
        "sites", words("sites"), words("sites_note"), headings, tuple(rows), (32, *[16.0] * 8), tuple(facts), _SHOWN,
    )  # fmt: skip


def _stalls(counts: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(counts[each] for each in WHY)
