"""Model sites as the ward's staff see them: each stall with what is known of its payment, and who is missing and why.

Under row-level security. What a stall says to the indicators of model sites, `layers.indicators` asks.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from layers import indicators
from layers.collections import COLLECTIONS
from layers.work import Row, stands_now
from postgis import tables

_SITE, _STATE, _PLACE, _PAYMENT = (
    tables.model_site,
    tables.establishment_state,
    tables.establishment,
    tables.payment_acceptance,
)
_PHOTO, _VISIT = tables.photo, tables.visit
WHY = ("not_surveyed", "refused", "cash_only", "no_transactions", "transactions_unknown", "weak_evidence", "active")
"""Where a stall stands, the farthest from the target first: nobody has asked; the latest visit was refused; it takes
cash only; it accepts and nothing was paid yet; whether anything was paid is not known; somebody only said so; it
accepts and has transactions, seen or documented."""
MISSING = WHY[:-1]


def sites(connection: Connection) -> list[Row]:
    """The ward's model sites that count, by name: `id`, `code`, `kind`, `name`, `illustrative`, `version`."""
    names = ("id", "code", "kind", "name", "illustrative", "version")
    wanted = select(*(_SITE.c[name] for name in names)).where(_SITE.c.ended_at.is_(None))
    return [dict(row) for row in connection.execute(wanted.order_by(_SITE.c.name, _SITE.c.id)).mappings()]


def site(connection: Connection, code: str) -> Row | None:
    """One of them, with its `outline` as GeoJSON (WGS 84) and the `area` in square metres, 0 of a line."""
    names = ("id", "code", "kind", "name", "illustrative", "version")
    shape = _SITE.c.geom
    statement = select(
        *(_SITE.c[name] for name in names),
        func.public.st_asgeojson(shape, 6).label("outline"),
        func.public.st_area(func.public.geography(shape)).label("area"),
        func.public.st_length(func.public.geography(shape)).label("length"),
    ).where(_SITE.c.code == code, _SITE.c.ended_at.is_(None))
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else dict(row)


def stalls(connection: Connection, site_ids: Sequence[int]) -> list[Row]:
    """The places in these sites that count, by stall, with `why` (WHY), and `checks`: of each payment method the one
    that counts, with `method`, `evidence_level`, `has_transactions`, `document`, `checked_on`."""
    answers = indicators.answers(_STATE)
    latest = (
        select(_PAYMENT).ext(distinct_on(_PAYMENT.c.establishment_id, _PAYMENT.c.method))
        .where(_PAYMENT.c.ended_at.is_(None))
        .order_by(_PAYMENT.c.establishment_id, _PAYMENT.c.method, _PAYMENT.c.checked_on.desc(), _PAYMENT.c.id.desc())
        .subquery("latest")
    )  # fmt: skip
    told = func.jsonb_build_object(*(
        part for name in ("method", "evidence_level", "has_transactions", "document", "checked_on")
        for part in (literal(name), latest.c[name])
    ))  # fmt: skip
    checks = (
        select(func.jsonb_agg(aggregate_order_by(told, latest.c.method)))
        .where(
            latest.c.establishment_id == _STATE.c.establishment_id,
            # What the derived facts count: a later "cash only" ends what was accepted before it.
            or_(latest.c.method == func.any(_STATE.c.payment_methods),
                and_(latest.c.method == "cash_only", latest.c.accepted, _STATE.c.accepts_cashless == "no")),
        )
        .correlate(_STATE).scalar_subquery()
    )  # fmt: skip
    photo = (
        select(_PHOTO.c.file)
        .where(_PHOTO.c.establishment_id == _STATE.c.establishment_id, _PHOTO.c.ended_at.is_(None))
        .order_by(_PHOTO.c.taken_on.desc().nulls_last(), _PHOTO.c.id.desc()).limit(1)
        .correlate(_STATE).scalar_subquery()
    )  # fmt: skip
    visited = (
        select(func.max(_VISIT.c.visited_on))
        .where(_VISIT.c.establishment_id == _STATE.c.establishment_id, _VISIT.c.ended_at.is_(None))
        .correlate(_STATE).scalar_subquery()
    )  # fmt: skip
    statement = (
        select(
            _STATE.c.model_site_id, _PLACE.c.code, _PLACE.c.name, _PLACE.c.name_en, _PLACE.c.kind,
            _PLACE.c.sector_group, _PLACE.c.address, _STATE.c.stall, _PLACE.c.illustrative,
            _STATE.c.payment_checked_on, _STATE.c.refused_on,
            why(answers.c.model_site_payment_method, answers.c.model_site_active_acceptance).label("why"),
            checks.label("checks"), photo.label("photo"), visited.label("visited_on"),
            func.public.st_x(_PLACE.c.geom).label("lon"), func.public.st_y(_PLACE.c.geom).label("lat"),
        )
        .select_from(_STATE.join(_PLACE, _PLACE.c.id == _STATE.c.establishment_id).join(answers, literal(True)))
        .where(
            stands_now(), _STATE.c.model_site_id.in_(list(site_ids)), answers.c.model_site_payment_method.is_not(None)
        )
        .order_by(_STATE.c.model_site_id, _padded(_STATE.c.stall).nulls_last(), _PLACE.c.id)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(statement).mappings()]


def street_shape(connection: Connection, ward_id: int, street: str) -> str | None:
    """The street of that name within the ward as GeoJSON; None where nobody has drawn it."""
    found: str | None = connection.execute(
        text("""
            SELECT public.ST_AsGeoJSON(public.ST_Multi(public.ST_CollectionExtract(
                       public.ST_Intersection(public.ST_LineMerge(public.ST_Union(s.geom)), w.geom), 2)), 6)
              FROM register.street s JOIN register.ward w ON w.id = :ward AND public.ST_Intersects(s.geom, w.geom)
             WHERE regexp_replace(published.search_key(s.name), '^duong ', '')
                   = regexp_replace(published.search_key(:street), '^duong ', '')
             GROUP BY w.geom
        """),
        {"ward": ward_id, "street": street},
    ).scalar_one_or_none()
    return found


def street_names(connection: Connection, ward_id: int) -> list[str]:
    """The streets that are drawn in the ward, by name."""
    rows = connection.execute(
        text("SELECT DISTINCT s.name FROM register.street s JOIN register.ward w ON w.id = :ward "
             "AND public.ST_Intersects(s.geom, w.geom) WHERE s.name IS NOT NULL ORDER BY s.name"),
        {"ward": ward_id},
    )  # fmt: skip
    return list(rows.scalars())


MOST_GROUND_LINES = 400


def ground(connection: Connection, west: float, south: float, east: float, north: float) -> list[str]:
    """The streets within a box in degrees as GeoJSON lines, to draw an outline on."""
    box = func.public.st_makeenvelope(west, south, east, north, 4326)
    street = tables.street
    shape = func.public.st_asgeojson(func.public.st_intersection(street.c.geom, box), 6)
    wanted = select(shape).where(func.public.st_intersects(street.c.geom, box)).order_by(street.c.id)
    return list(connection.execute(wanted.limit(MOST_GROUND_LINES)).scalars())


def why(accepts: ColumnElement[Any], active: ColumnElement[Any]) -> ColumnElement[str]:
    """Where a state (register.establishment_state) stands, by what it says to both indicators of model sites."""
    stronger = exists(
        select(literal(1)).select_from(func.unnest(_STATE.c.payment_evidence).alias("evidence"))
        .where(text("evidence <> 'declared'")).correlate(_STATE)
    )  # fmt: skip
    return case(
        (and_(accepts == "unknown", _STATE.c.refused_on.is_not(None)), "refused"),
        (accepts == "unknown", "not_surveyed"),
        (accepts == "no", "cash_only"),
        (active == "no", "no_transactions"),
        (active == "unknown", "transactions_unknown"),
        (~stronger, "weak_evidence"),
        else_="active",
    )


def _padded(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """With every number in it padded, so that A-9 sorts before A-10."""
    return func.regexp_replace(
        func.regexp_replace(name, "([0-9]+)", r"00000000\1", "g"), "0*([0-9]{8})(?![0-9])", r"\1", "g"
    )


def told_to_anybody(connection: Connection, ward: str) -> list[Row]:
    """The ward's model sites as everybody may know of them: `name`, `kind`, `illustrative`; no figures."""
    view = COLLECTIONS["model_sites"].view
    wanted = select(view.c.name, view.c.kind, view.c.illustrative).where(view.c.ward == ward)
    return [dict(row) for row in connection.execute(wanted.order_by(view.c.name, view.c.code)).mappings()]
