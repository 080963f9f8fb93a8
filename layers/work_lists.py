"""The lists of places to visit, and what came of each place on them, told from visits and facts since each was made.

For staff, under row-level security.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    text,
)

from layers import indicators
from layers.indicator_codes import MEASURED
from layers.work import Row, stands_now
from postgis import tables

_STATE, _PLACE, _LIST, _ITEM = tables.establishment_state, tables.establishment, tables.work_list, tables.work_item
_VISIT, _PROPOSAL = tables.visit, tables.proposal
_STAFF = table("staff", *map(column, ("id", "login", "display_name")), schema="account")

OUTCOMES = ("yes", "no", "proposed", "refused", "nobody_there", "not_found", "gone", "left")
"""What came of a place on a list: it meets the indicator; it was asked and does not; what was learnt waits for review;
the visit was refused, or met nobody, or found no such place; it does not count any more; nobody has been there."""
PROGRESS = ("places", "visited", *OUTCOMES)
"""`visited`: somebody has been there since the list was made, or it needs no visit any more."""


def lists(connection: Connection, *, closed: bool = False, assignee: int | None = None, limit: int = 100) -> list[Row]:
    """The ward's lists with their progress (`PROGRESS`), the soonest due first; `closed`: the latest closed first."""
    wanted = _lists().where(_LIST.c.ended_at.is_not(None) if closed else _LIST.c.ended_at.is_(None))
    if assignee is not None:
        wanted = wanted.where(_LIST.c.assignee_id == assignee)
    order = (_LIST.c.ended_at.desc(),) if closed else (_LIST.c.due_on, _LIST.c.id)
    rows = [dict(row) for row in connection.execute(wanted.order_by(*order).limit(limit)).mappings()]
    progress = _progress(connection, [row["id"] for row in rows])
    return [{**row, **progress.get(row["id"], dict.fromkeys(PROGRESS, 0))} for row in rows]


def one(connection: Connection, code: str) -> Row | None:
    """A list, or None where the asker can see none by that code."""
    row = connection.execute(_lists().where(_LIST.c.code == code)).mappings().one_or_none()
    if row is None:
        return None
    return {**row, **_progress(connection, [row["id"]]).get(row["id"], dict.fromkeys(PROGRESS, 0))}


def items(connection: Connection, list_id: int) -> list[Row]:
    """The places of a list in the order of the walk, each with its `outcome` (OUTCOMES) and latest visit."""
    outcomes = _outcomes([list_id]).subquery()
    statement = (
        select(
            outcomes, _PLACE.c.code, _PLACE.c.name, _PLACE.c.address, _PLACE.c.stall, _PLACE.c.sector_group,
            _PLACE.c.kind, _PLACE.c.name_en, _PLACE.c.illustrative, func.public.st_x(_PLACE.c.geom).label("lon"),
            func.public.st_y(_PLACE.c.geom).label("lat"),
        )
        .join(_PLACE, _PLACE.c.id == outcomes.c.establishment_id)
        .order_by(outcomes.c.position)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(statement).mappings()]


def _progress(connection: Connection, ids: Sequence[int]) -> dict[int, Row]:
    if not ids:
        return {}
    outcomes = _outcomes(ids).subquery()
    asked = select(outcomes.c.list_id, outcomes.c.outcome, func.count()).group_by(
        outcomes.c.list_id, outcomes.c.outcome
    )
    found: dict[int, Row] = {}
    for list_id, outcome, number in connection.execute(asked):
        row = found.setdefault(list_id, dict.fromkeys(PROGRESS, 0))
        row[outcome] += number
        row["places"] += number
        row["visited"] += number if outcome != "left" else 0
    return found


def _outcomes(ids: Sequence[int]) -> Select[Any]:
    """What came of each place of the lists, by what the register knows now and what was noted since each was made."""
    by_indicator = indicators.answers(_STATE)
    answer = case({code: by_indicator.c[code] for code in MEASURED}, value=_LIST.c.indicator)
    # A visit noted since then of an earlier day, or an old one put right, is none of this list's.
    made_on = cast(func.timezone("Asia/Ho_Chi_Minh", _LIST.c.made_at), tables.visit.c.visited_on.type)
    visit = (
        select(_VISIT.c.id, _VISIT.c.outcome, _VISIT.c.visited_on)
        .where(
            _VISIT.c.establishment_id == _ITEM.c.establishment_id, _VISIT.c.ended_at.is_(None),
            _VISIT.c.visited_on >= made_on, _VISIT.c.updated_at >= _LIST.c.made_at,
        )
        .order_by(_VISIT.c.visited_on.desc(), _VISIT.c.id.desc())
        .limit(1)
        .lateral("latest_visit")
    )  # fmt: skip
    waiting = exists().where(
        _PROPOSAL.c.state == "pending",
        _PROPOSAL.c.proposed_at >= _LIST.c.made_at,
        _PROPOSAL.c.collection.in_(("payment_acceptances", "digital_uses")),
        _PROPOSAL.c.record_code.is_(None),
        _PROPOSAL.c.patch["establishment"].astext == _PLACE.c.code,
    )
    outcome = case(
        (_STATE.c.id.is_(None), "gone"),
        (answer == "yes", "yes"),
        (and_(answer.is_(None), visit.c.outcome.is_distinct_from("not_found")), "gone"),
        (waiting, "proposed"),
        (visit.c.outcome.in_(("refused", "nobody_there", "not_found")), visit.c.outcome),
        (and_(answer == "no", or_(visit.c.outcome == "surveyed", _ITEM.c.standing != "no")), "no"),
        # Surveyed, and yet nothing was learnt of this: somebody must ask again.
        else_="left",
    )
    return (
        select(
            _ITEM.c.list_id, _ITEM.c.position, _ITEM.c.establishment_id, _ITEM.c.standing, outcome.label("outcome"),
            visit.c.id.label("visit_id"), visit.c.visited_on, visit.c.outcome.label("visit_outcome"),
            func.coalesce(_STATE.c.payment_methods, text("'{}'")).label("payment_methods"),
        )
        .select_from(
            _ITEM.join(_LIST, _LIST.c.id == _ITEM.c.list_id)
            .join(_PLACE, _PLACE.c.id == _ITEM.c.establishment_id)
            .outerjoin(_STATE, and_(_STATE.c.establishment_id == _ITEM.c.establishment_id, stands_now()))
            .outerjoin(by_indicator, literal(True))
            .outerjoin(visit, literal(True))
        )
        .where(_LIST.c.id.in_(list(ids)))
    )  # fmt: skip


def _lists() -> Select[Any]:
    maker = _STAFF.alias("maker")
    names = (
        "id", "code", "version", "indicator", "scope", "scope_code", "target", "needed", "title", "due_on",
        "responsibility", "product", "expected_result", "made_at", "ended_at", "end_reason", "assignee_id",
    )  # fmt: skip
    return select(
        *(_LIST.c[name] for name in names),
        _STAFF.c.login.label("assignee"),
        _STAFF.c.display_name.label("assignee_name"),
        maker.c.display_name.label("made_by_name"),
    ).select_from(
        _LIST.outerjoin(_STAFF, _STAFF.c.id == _LIST.c.assignee_id).outerjoin(maker, maker.c.id == _LIST.c.made_by)
    )
