"""What a report of a period says of the rollout, of work and of model sites: as the register had it at a moment.

From the states, the history and tables that are only added to: what is written later changes none of it. For staff of
the ward, and for the owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, text

from layers import indicators
from layers.indicator_codes import MEASURED
from layers.model_sites import WHY, why
from layers.rollout import Document, Figure, Judged, judged
from postgis import tables
from postgis.criteria import criteria_of
from postgis.vocabulary import FOOD_GROUPS, VISIT_OUTCOMES

_STATE, _LIST, _ITEM = tables.establishment_state, tables.work_list, tables.work_item
_STATES = """register.establishment_state s
     WHERE s.ward_id = :ward AND s.known_from <= :moment AND :moment < s.known_to
       AND register.counts_in_figures(s.sector_group, s.operating_status)"""
_FOOD = f"s.sector_group IN {FOOD_GROUPS}"
_MEASURED = {
    "name_address": "s.has_name AND s.has_address",
    "position": "s.position_method <> 'generated' AND coalesce(s.position_accuracy_m, 1000) <= 50",
    "residential_group": "s.residential_group_id IS NOT NULL",
    "sector_code": "s.has_sector_code",
    "licence": "s.licence_state IS NOT NULL",
    "food_safety": f"s.food_safety_kind IS NOT NULL AND {_FOOD}",
    "verified": "(s.verified_on + make_interval(months => :address_months))::date >= :day",
}
"""Measures of criteria that the states tell; as register.rollout_register() has them of the register now."""
_RECORDED = """(SELECT DISTINCT ON (record_code) record_code, after FROM register.change
                 WHERE collection = '{collection}' AND ward_id = :ward AND at <= :moment
                 ORDER BY record_code, seq DESC) r"""
_COUNTED = "r.after IS NOT NULL AND r.after ->> 'ended_at' IS NULL"


@dataclass(frozen=True, slots=True)
class PhaseThen:
    """A phase of the plan. `criteria`: each as it stood, None where nothing tells it of a day gone by."""

    code: str
    title: str
    starts: date
    due: date
    criteria: tuple[tuple[Judged, bool | None], ...]
    state: str | None
    """As those who answer for it noted last."""
    blockers: int


@dataclass(frozen=True, slots=True)
class WorkThen:
    """Lists of places to visit, and visits of the period. `visits`: by outcome."""

    open: int
    overdue: int
    places: int
    met: int
    made: int
    closed: int
    visits: Mapping[str, int]
    visited: int
    """How many places those visits were to."""

    @property
    def left(self) -> int:
        """Places on open lists that do not meet what the list is about."""
        return self.places - self.met


@dataclass(frozen=True, slots=True)
class SiteThen:
    """A model site with how many of its stalls stand where (`layers.model_sites.WHY`)."""

    code: str
    name: str
    stalls: Mapping[str, int]


def lives(connection: Connection, ward_id: int, moment: datetime) -> dict[str, int]:
    """How many months the ward relied on each kind of fact at a moment."""
    asked = text(f"""
        SELECT f.fact, coalesce(own.months, f.months) AS months
          FROM register.shelf_life f
          LEFT JOIN (SELECT r.after ->> 'fact' AS fact, (r.after ->> 'months')::integer AS months
                       FROM {_RECORDED.format(collection="shelf_lives")} WHERE r.after IS NOT NULL) own
            ON own.fact = f.fact
         ORDER BY f.fact""")
    return {row.fact: row.months for row in connection.execute(asked, {"ward": ward_id, "moment": moment})}


def rollout(connection: Connection, ward: tuple[int, str], day: date, moment: datetime) -> list[PhaseThen]:
    """The phases of a ward (id, code) in order; none where its plan has none."""
    ward_id, ward_code = ward
    asked = text(
        "SELECT code, title, starts, due, outputs FROM published.phases WHERE ward = :ward ORDER BY starts, code"
    )
    phases = connection.execute(asked, {"ward": ward_code}).all()
    if not phases:
        return []
    values = {"ward": ward_id, "moment": moment}
    figures = _figures(connection, ward_id, day, moment)
    documents = _documents(connection, values)
    notes = {row.phase: row for row in connection.execute(_NOTES, values)}
    found = []
    for phase in phases:
        criteria = []
        for each in (each for output in phase.outputs for each in criteria_of(ward_code)
                     if (each.phase, each.output) == (phase.code, output)):  # fmt: skip
            known = each.measure is None or each.measure in figures
            shown = documents.get(each.code, ())
            one = judged(each, figures, shown) if known else Judged(each, None, None, False, tuple(shown))
            criteria.append((one, one.met if known else None))
        note = notes.get(phase.code)
        found.append(
            PhaseThen(phase.code, phase.title, phase.starts, phase.due, tuple(criteria),
                      note.state if note else None, note.blockers if note else 0)
        )  # fmt: skip
    return found


_NOTES = text("""
    SELECT n.phase, (array_agg(n.state ORDER BY n.id DESC) FILTER (WHERE n.kind = 'state'))[1] AS state,
           count(*) FILTER (WHERE n.kind = 'blocker' AND NOT EXISTS (
               SELECT FROM register.phase_note d WHERE d.solves_id = n.id AND d.at <= :moment)) AS blockers
      FROM register.phase_note n WHERE n.ward_id = :ward AND n.at <= :moment GROUP BY n.phase""")


def _figures(connection: Connection, ward_id: int, day: date, moment: datetime) -> dict[str, Figure]:
    counts = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in _MEASURED.items())
    asked = f"""
        SELECT count(*) AS places, count(*) FILTER (WHERE {_FOOD}) AS food,
               {counts} FROM {_STATES}"""
    months = lives(connection, ward_id, moment)["address"]
    values = {"ward": ward_id, "moment": moment, "day": day, "address_months": months}
    row = connection.execute(text(asked), values).mappings().one()
    found = {name: Figure(row[name], row["food" if name == "food_safety" else "places"], 0) for name in _MEASURED}
    used = connection.execute(_USED, values).one()
    found["update_days_30"], found["update_days_90"] = Figure(used.month, 30, 0), Figure(used.quarter, 90, 0)
    found["signing_keys"] = Figure(connection.execute(_KEYS, values).scalar_one(), None, 0)
    found["inspections"] = Figure(connection.execute(_INSPECTED, values).scalar_one(), None, 0)
    return found


_USED = text("""
    SELECT count(*) FILTER (WHERE :day - d.worked < 30) AS month, count(*) AS quarter
      FROM (SELECT DISTINCT (c.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS worked FROM register.change c
             WHERE c.ward_id = :ward AND c.actor_id IS NOT NULL AND c.at <= :moment
               AND c.at >= CAST(:moment AS timestamptz) - interval '91 days'
               AND c.collection IN ('establishments', 'legal_entities', 'licences', 'food_safety_records',
                                    'inspections', 'warnings', 'payment_acceptances', 'digital_uses', 'model_sites',
                                    'photos', 'outreach', 'visits')) d
     WHERE :day - d.worked BETWEEN 0 AND 89""")
_KEYS = text("""
    SELECT count(*) FROM published.signing_keys
     WHERE made_at <= :moment AND (retired_at IS NULL OR retired_at > :moment)""")
_INSPECTED = text(f"""
    SELECT count(*) FROM {_RECORDED.format(collection="inspections")}
     WHERE {_COUNTED} AND (r.after ->> 'signed_on')::date > :day - 365 AND (r.after ->> 'signed_on')::date <= :day""")


def _documents(connection: Connection, values: Mapping[str, Any]) -> dict[str, list[Document]]:
    asked = text("""
        SELECT criterion, title, number, dated_on, signed_role,
               (signed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS signed_on
          FROM register.criterion_proof
         WHERE ward_id = :ward AND signed_at <= :moment AND (withdrawn_at IS NULL OR withdrawn_at > :moment)
         ORDER BY dated_on, id""")
    found: dict[str, list[Document]] = {}
    for row in connection.execute(asked, values):
        found.setdefault(row.criterion, []).append(Document(*row[1:]))
    return found


def work(connection: Connection, ward_id: int, first: date, day: date, moments: tuple[datetime, datetime]) -> WorkThen:
    """Lists at a moment, and what was done from `first` to `day`. `moments`: before the first day, and of the day."""
    values = {"ward": ward_id, "first": first, "day": day, "start": moments[0], "moment": moments[1]}
    lists = connection.execute(_LISTS, values).one()
    visits = {row.outcome: row for row in connection.execute(_VISITS, values)}
    places, met = _listed(connection, lists.open_ids, moments[1])
    counts = {each: visits[each].visits if each in visits else 0 for each in VISIT_OUTCOMES}
    visited = connection.execute(_VISITED, values).scalar_one()
    return WorkThen(len(lists.open_ids), lists.overdue, places, met, lists.made, lists.closed, counts, visited)


_LISTS = text(f"""
    SELECT coalesce(array_agg((r.after ->> 'id')::bigint) FILTER (WHERE {_COUNTED}), '{{}}') AS open_ids,
           count(*) FILTER (WHERE {_COUNTED} AND (r.after ->> 'due_on')::date < :day) AS overdue,
           count(*) FILTER (WHERE (r.after ->> 'made_at')::timestamptz > :start) AS made,
           count(*) FILTER (WHERE (r.after ->> 'ended_at')::timestamptz > :start) AS closed
      FROM {_RECORDED.format(collection="work_lists")} WHERE r.after IS NOT NULL""")
_IN_PERIOD = f"{_COUNTED} AND (r.after ->> 'visited_on')::date BETWEEN :first AND :day"
_VISITS = text(f"""
    SELECT r.after ->> 'outcome' AS outcome, count(*) AS visits
      FROM {_RECORDED.format(collection="visits")} WHERE {_IN_PERIOD} GROUP BY 1""")
_VISITED = text(f"""
    SELECT count(DISTINCT r.after ->> 'establishment_id')
      FROM {_RECORDED.format(collection="visits")} WHERE {_IN_PERIOD}""")


def _listed(connection: Connection, lists: list[int], moment: datetime) -> tuple[int, int]:
    """How many places stand on lists, and how many of them met what their list is about at a moment."""
    answers = indicators.answers(_STATE)
    answer = case({code: answers.c[code] for code in MEASURED}, value=_LIST.c.indicator)
    then = and_(_STATE.c.establishment_id == _ITEM.c.establishment_id, *_stood(moment))
    asked = (
        select(func.count(), func.count().filter(answer == "yes"))
        .select_from(
            _ITEM.join(_LIST, _LIST.c.id == _ITEM.c.list_id).outerjoin(_STATE, then).outerjoin(answers, literal(True))
        )
        .where(_ITEM.c.list_id.in_(lists))
    )
    places, met = connection.execute(asked).one()
    return places, met


def sites(connection: Connection, ward_id: int, moment: datetime) -> list[SiteThen]:
    """The model sites that counted at a moment, by code."""
    asked = text(f"""
        SELECT (r.after ->> 'id')::bigint AS id, r.record_code AS code, r.after ->> 'name' AS name
          FROM {_RECORDED.format(collection="model_sites")} WHERE {_COUNTED} ORDER BY r.record_code""")
    rows = connection.execute(asked, {"ward": ward_id, "moment": moment}).all()
    answers = indicators.answers(_STATE)
    standing = why(answers.c.model_site_payment_method, answers.c.model_site_active_acceptance)
    counts = (
        select(_STATE.c.model_site_id, standing.label("why"), func.count().label("stalls"))
        .select_from(_STATE.join(answers, literal(True)))
        .where(
            *_stood(moment), _STATE.c.ward_id == ward_id, answers.c.model_site_payment_method.is_not(None),
        )
        .group_by(_STATE.c.model_site_id, standing)
    )  # fmt: skip
    found: dict[int, dict[str, int]] = {row.id: dict.fromkeys(WHY, 0) for row in rows}
    for row in connection.execute(counts):
        if row.model_site_id in found:
            found[row.model_site_id][row.why] = row.stalls
    return [SiteThen(row.code, row.name or row.code, found[row.id]) for row in rows]


def _stood(moment: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _STATE.c.known_from <= moment, _STATE.c.known_to > moment
