"""From a gap to work: how many places are still needed where, and which of them to visit in which order.

For staff, under row-level security. What a place says to an indicator, `layers.indicators` asks; nothing here counts
otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    case,
    column,
    exists,
    func,
    literal,
    select,
    table,
    text,
)

from layers import indicators
from layers.indicator_codes import MEASURED
from layers.indicators import Figure, Known, Target
from layers.walking import Spot, walk
from postgis import tables
from postgis.vocabulary import WORK_SCOPES

_STATE, _PLACE, _LIST, _ITEM = tables.establishment_state, tables.establishment, tables.work_list, tables.work_item
_GROUP, _SITE = tables.residential_group, tables.model_site
_STAFF = table(
    "staff", *map(column, ("id", "login", "display_name", "role", "ward_id", "disabled_at")), schema="account"
)
_NEAR_STREET_M = 150
"""A place farther than this from the street that its address names is walked to by itself. Web Mercator metres."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """How far one group, street or site lags."""

    scope: str
    code: str
    figure: Figure
    needed: int
    """How many more places must say yes, so that of all that count, the unknown among them, the target's share does."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """What lags, the farthest first."""

    rows: list[Gap]
    outside: int
    """How many places that count are in no group, street or site that is known: of them no row can tell."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places that do not meet an indicator, in the order of a walk."""

    rows: list[Row]
    """`id`, `code`, `name`, `address`, `stall`, `standing`."""
    listed: int
    """How many more stand on open lists for the same indicator already."""


def needed(target: Target, figure: Figure) -> int:
    """How many more must say yes for the target to be met whatever the unknown say."""
    if not figure.population or figure.yes is None:
        return 0
    share = Decimal(str(target.value)) * figure.population / 100
    wanted = floor(share) + 1 if target.comparator == "more_than" else ceil(share)
    return max(0, min(wanted, figure.population) - figure.yes)


def gaps(
    connection: Connection, ward: str, indicator: str, scope: str, day: date, known: Known = "then",
    target: Target | None = None,
) -> Gaps:  # fmt: skip
    """The groups, streets or sites that lag behind a target, by default the plan's next one; none without any."""
    plan = next((each for each in indicators.plan(connection, ward) if each.code == indicator), None)
    target = target or (plan.target_on(day) if plan else None)
    if target is None:
        return Gaps([], 0)
    members = indicators.by(connection, ward, day, known, indicator, scope)
    found = [Gap(scope, code, figure, needed(target, figure)) for code, figure in members if code is not None]
    rows = sorted((gap for gap in found if gap.needed), key=lambda gap: (-gap.needed, gap.code))
    return Gaps(rows, sum(figure.population or 0 for code, figure in members if code is None))


def candidates(
    connection: Connection, ward_id: int, indicator: str, scope: str, scope_code: str, standings: Sequence[str] = ()
) -> Candidates:
    """Who does not meet the indicator now and stands on no open list for it. Raises KeyError: no such code or scope."""
    if indicator not in MEASURED or scope not in WORK_SCOPES:
        raise KeyError(indicator, scope)
    answers = indicators.answers(_STATE)
    answer = answers.c[indicator]
    listed = exists().where(
        _ITEM.c.establishment_id == _STATE.c.establishment_id,
        _LIST.c.id == _ITEM.c.list_id,
        _LIST.c.indicator == indicator,
        _LIST.c.ended_at.is_(None),
    )
    standing = _standing(answer)
    statement = (
        select(
            _PLACE.c.id, _PLACE.c.code, _PLACE.c.name, _PLACE.c.address, _PLACE.c.house_number, _PLACE.c.street_name,
            _STATE.c.stall, _STATE.c.model_site_id, _STATE.c.sector_group, standing.label("standing"),
            listed.label("listed"), func.public.st_x(_PLACE.c.geom_3857).label("x"),
            func.public.st_y(_PLACE.c.geom_3857).label("y"), _street_key(_PLACE.c.street_name).label("street"),
        )
        .select_from(_STATE.join(_PLACE, _PLACE.c.id == _STATE.c.establishment_id).join(answers, literal(True)))
        .where(stands_now(), _STATE.c.ward_id == ward_id, answer.in_(("no", "unknown")), _inside(scope, scope_code))
        .order_by(_PLACE.c.id)
    )  # fmt: skip
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    rows = [row for row in rows if not standings or row["standing"] in standings]
    free = [row for row in rows if not row["listed"]]
    return Candidates([free[index] for index in walk(_spots(connection, ward_id, free))], len(rows) - len(free))


def staff(connection: Connection, ward_id: int) -> list[Row]:
    """Whom a list can be given to: `login`, `display_name`, `role`."""
    shown = select(_STAFF.c.login, _STAFF.c.display_name, _STAFF.c.role)
    wanted = shown.where(_STAFF.c.ward_id == ward_id, _STAFF.c.disabled_at.is_(None))
    return [dict(row) for row in connection.execute(wanted.order_by(_STAFF.c.display_name, _STAFF.c.login)).mappings()]


def stands_now() -> ColumnElement[bool]:
    """Of a state: that it is what the register knows now."""
    return _STATE.c.known_to == text("'infinity'")


def _standing(answer: ColumnElement[Any]) -> ColumnElement[str]:
    return case((answer == "no", "no"), (_STATE.c.refused_on.is_not(None), "refused"), else_="not_surveyed")


def _inside(scope: str, code: str) -> ColumnElement[bool]:
    if scope == "street":
        return _STATE.c.street_name == code
    places, key = (
        (_GROUP, _STATE.c.residential_group_id) if scope == "residential_group" else (_SITE, _STATE.c.model_site_id)
    )
    return key == select(places.c.id).where(places.c.code == code).scalar_subquery()


def _street_key(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """A street's name without marks, case and a leading "đường"."""
    return func.regexp_replace(func.published.search_key(name), "^duong ", "", type_=Text)


def _spots(connection: Connection, ward_id: int, rows: Sequence[Row]) -> list[Spot]:
    """Where the places stand along their streets; a street drawn in pieces that do not meet counts by its axis."""
    located = {
        row.id: row for row in connection.execute(_LOCATE, {"ward": ward_id, "ids": [row["id"] for row in rows]})
    }
    return [
        Spot(
            row["x"], row["y"], row["street"] or None, at.along if (at := located.get(row["id"])) else None,
            at.is_left if at else None, row["house_number"], str(row["model_site_id"] or "") or None, row["stall"],
        )
        for row in rows
    ]  # fmt: skip


_LOCATE = text(f"""
    WITH places AS (
        SELECT e.id, e.geom_3857 AS point, regexp_replace(published.search_key(e.street_name), '^duong ', '') AS key
          FROM register.establishment e WHERE e.id = ANY (:ids) AND e.street_name IS NOT NULL
    ), lines AS (
        SELECT s.key, public.ST_LineMerge(public.ST_Union(s.geom_3857)) AS line
          FROM (SELECT regexp_replace(published.search_key(s.name), '^duong ', '') AS key, s.geom_3857
                  FROM register.street s
                  JOIN register.ward w ON w.id = :ward AND public.ST_Intersects(s.geom, w.geom)
                 WHERE s.name IS NOT NULL) s
         WHERE s.key IN (SELECT key FROM places)
         GROUP BY s.key
    ), axes AS (
        SELECT key, line, CASE WHEN public.GeometryType(line) = 'LINESTRING' THEN line
                               ELSE public.ST_LongestLine(line, line) END AS axis
          FROM lines
    ), at AS (
        SELECT p.id, p.point, a.axis, public.ST_LineLocatePoint(a.axis, p.point) AS part
          FROM places p JOIN axes a ON a.key = p.key
         WHERE public.ST_Length(a.axis) > 0 AND public.ST_DWithin(a.line, p.point, {_NEAR_STREET_M})
    ), steps AS (
        SELECT at.*, public.ST_LineInterpolatePoint(axis, greatest(part - 0.01, 0)) AS before,
               public.ST_LineInterpolatePoint(axis, least(part + 0.01, 1)) AS after
          FROM at
    )
    SELECT id, part * public.ST_Length(axis) AS along,
           (public.ST_X(after) - public.ST_X(before)) * (public.ST_Y(point) - public.ST_Y(before))
           - (public.ST_Y(after) - public.ST_Y(before)) * (public.ST_X(point) - public.ST_X(before)) > 0 AS is_left
      FROM steps
""")
