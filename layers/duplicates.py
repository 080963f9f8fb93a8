"""Which records may be the same place of business twice: found by cheap signs in SQL, weighed by `postgis.likeness`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    union,
    values,
)
from sqlalchemy.dialects.postgresql import BYTEA

from layers.distinct_pairs import decided
from layers.register import OVERVIEW
from postgis import tables
from postgis.likeness import GUARD_FROM, PAIR_FROM, SIMILAR_FROM, Signs, weigh

_NEAR_DEGREES = 0.00034
"""A little more than 30 m either way at 16 degrees north: for the index; metres decide."""
_MOST_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A place that somebody wants to add, as far as it is known.

    `tax_entities` and `phone_entities` are the legal entities with its tax code and its owner's telephone number
    (`personal_data.find_by_identifier`): the numbers themselves stay out of here.
    """

    name: str | None = None
    address: str | None = None
    lon: float | None = None
    lat: float | None = None
    model_site: str | None = None
    stall: str | None = None
    tax_entities: tuple[str, ...] = ()
    phone_entities: tuple[str, ...] = ()
    code: str | None = None
    """The draft's own code when it is in the register already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record in the register that may be the place asked about."""

    place: dict[str, Any]
    score: float
    reasons: tuple[str, ...]
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one place."""

    one: dict[str, Any]
    other: dict[str, Any]
    score: float
    reasons: tuple[str, ...]
    distance_m: float | None


def candidates(connection: Connection, draft: Draft, limit: int = 8) -> list[Candidate]:
    """Records that may be the drafted place, likeliest first."""
    one = _draft_row(draft)
    ids = _near_in_any_way(connection, draft)
    if not ids:
        return []
    other = _records("other")
    conditions = [other.c.id.in_(ids)]
    if draft.code:
        conditions.append(other.c.code != draft.code)
    statement = select(other.c.code, other.c.legal_entity, *_comparison(one, other))
    rows = connection.execute(statement.select_from(one.join(other, and_(*conditions)))).mappings()
    found = [(row["code"], weigh(_signs({**row, **_numbers_shared(draft, row)})), row["distance_m"]) for row in rows]
    chosen = sorted((each for each in found if each[1].score >= GUARD_FROM), key=lambda each: -each[1].score)[:limit]
    places = _places(connection, [code for code, _, _ in chosen])
    return [Candidate(places[code], each.score, each.reasons, metres) for code, each, metres in chosen]


def pairs(connection: Connection) -> list[Pair]:
    """All pairs of live records that may be one place, likeliest first. About a second for 10,000 places.

    Those that an officer has judged to be two places are left out.
    """
    one, other = _records("one"), _records("other")
    found = _twins(_live()).cte("found")
    # Without fresh statistics the planner takes the ward for a handful of rows, and compares all with all.
    connection.execute(select(func.set_config("enable_nestloop", "off", True)))
    statement = select(
        one.c.code.label("one_code"), other.c.code.label("other_code"), *_comparison(one, other)
    ).select_from(found.join(one, one.c.id == found.c.one).join(other, other.c.id == found.c.other))
    statement = statement.where(~decided(found.c.one, found.c.other))
    weighed = [(row, weigh(_signs(row))) for row in connection.execute(statement).mappings()]
    connection.execute(select(func.set_config("enable_nestloop", "on", True)))
    chosen = sorted(((row, each) for row, each in weighed if each.score >= PAIR_FROM), key=lambda pair: -pair[1].score)
    known = _places(connection, {code for row, _ in chosen for code in (row["one_code"], row["other_code"])})
    return [
        Pair(known[row["one_code"]], known[row["other_code"]], each.score, each.reasons, row["distance_m"])
        for row, each in chosen
    ]


def _live() -> CTE:
    """Live places of business, each in its cell of a grid as wide as what counts as near."""
    place = tables.establishment
    x, y = (
        cast(func.floor(side(place.c.geom) / _NEAR_DEGREES), Integer) for side in (func.public.st_x, func.public.st_y)
    )
    return (
        select(
            place.c.id,
            place.c.name_key,
            func.regexp_replace(place.c.name_key, "[^0-9]+", " ", "g").label("digits"),
            _folded(place.c.address).label("address_key"),
            place.c.legal_entity_id,
            place.c.model_site_id,
            _stall(place.c.stall).label("stall_key"),
            x.label("x"),
            y.label("y"),
        )
        .where(place.c.ended_at.is_(None), place.c.sector_group != "public_place")
        .cte("live")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _twins(live: CTE) -> CompoundSelect[Any]:
    """Ids of pairs that may weigh enough; every join is by equality, so that no plan compares all with all."""
    a, b = live.alias("a"), live.alias("b")
    steps = values(column("x", Integer), column("y", Integer), name="steps").data(
        [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    )
    beside = and_(a.c.x + steps.c.x == b.c.x, a.c.y + steps.c.y == b.c.y, a.c.digits == b.c.digits)
    alike = func.public.similarity(a.c.name_key, b.c.name_key) >= SIMILAR_FROM
    found = select(a.c.id.label("one"), b.c.id.label("other")).where(a.c.id < b.c.id)
    one_entity = and_(a.c.legal_entity_id == b.c.legal_entity_id, a.c.address_key == b.c.address_key)
    one_stall = and_(a.c.model_site_id == b.c.model_site_id, a.c.stall_key == b.c.stall_key)
    return union(
        found.select_from(a.join(steps, true()).join(b, beside)).where(a.c.name_key != "", alike),
        found.select_from(a.join(b, one_entity)).where(a.c.address_key != ""),
        found.select_from(a.join(b, one_stall)).where(a.c.stall_key != ""),
    )


def _near_in_any_way(connection: Connection, draft: Draft) -> list[int]:
    """Ids of records that share anything with the draft that an index can find."""
    view = OVERVIEW.c
    ways: list[ColumnElement[bool]] = []
    if draft.lon is not None and draft.lat is not None:
        ways.append(func.public.st_dwithin(view.geom, _point(draft), _NEAR_DEGREES))
    for text in (draft.name, draft.address):
        folded = _fold(connection, text)
        if len(folded) >= 3:
            ways.append(literal(folded).op("OPERATOR(public.<%)", is_comparison=True)(view.search_key))
    entities = [*draft.tax_entities, *draft.phone_entities]
    if entities:
        ways.append(view.legal_entity.in_(entities))
    if draft.model_site and draft.stall:
        ways.append(and_(view.model_site == draft.model_site, _stall(view.stall) == _stall(literal(draft.stall))))
    if not ways:
        return []
    chosen: list[Select[Any]] = [select(view.id).where(view.ended_at.is_(None), way).limit(400) for way in ways]
    statement = union(*(select(each.subquery().c.id) for each in chosen)).limit(_MOST_CANDIDATES * len(ways))
    return list(connection.execute(statement).scalars())


def _draft_row(draft: Draft) -> Any:
    return select(
        func.coalesce(func.published.search_key(draft.name or ""), "").label("name_key"),
        func.published.search_key(draft.address or "").label("address_key"),
        cast(null(), Text).label("tax_code"),
        cast(null(), BYTEA).label("phone"),
        literal(draft.model_site).label("model_site"),
        _stall(literal(draft.stall)).label("stall_key"),
        (null() if draft.lon is None else _point(draft)).label("geom"),
    ).subquery("draft")


def _records(name: str) -> Any:
    view, datum = OVERVIEW.c, tables.personal_datum.c
    phone = select(datum.lookup_hash).where(datum.legal_entity_id == view.legal_entity_id, datum.field == "owner_phone")
    return select(
        view.id,
        view.code,
        view.legal_entity,
        view.name_key,
        func.published.search_key(func.coalesce(view.address, "")).label("address_key"),
        view.tax_code,
        phone.scalar_subquery().label("phone"),
        view.model_site,
        _stall(view.stall).label("stall_key"),
        view.geom,
    ).subquery(name)


def _comparison(one: Any, other: Any) -> Sequence[ColumnElement[Any]]:
    return (
        one.c.name_key.label("name"),
        other.c.name_key.label("other_name"),
        func.public.similarity(one.c.name_key, other.c.name_key).label("similarity"),
        and_(one.c.address_key != "", one.c.address_key == other.c.address_key).label("same_address"),
        func.public.st_distancesphere(one.c.geom, other.c.geom).label("distance_m"),
        func.coalesce(one.c.tax_code == other.c.tax_code, literal_column("false")).label("same_tax_code"),
        func.coalesce(one.c.phone == other.c.phone, literal_column("false")).label("same_phone"),
        func.coalesce(one.c.model_site == other.c.model_site, literal_column("false")).label("same_site"),
        one.c.stall_key.label("stall"),
        other.c.stall_key.label("other_stall"),
    )


def _numbers_shared(draft: Draft, row: Mapping[Any, Any]) -> dict[str, bool]:
    entity = row["legal_entity"]
    return {"same_tax_code": entity in draft.tax_entities, "same_phone": entity in draft.phone_entities}


def _signs(row: Mapping[Any, Any]) -> Signs:
    return Signs(**{name: row[name] for name in Signs.__slots__ if name in row})


def _places(connection: Connection, codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    names = (
        "code",
        "name",
        "address",
        "sector_group",
        "operating_status",
        "stall",
        "illustrative",
        "version",
        "updated_at",
    )
    statement = select(*(OVERVIEW.c[name] for name in names)).where(OVERVIEW.c.code.in_(list(codes)))
    return {row["code"]: dict(row) for row in connection.execute(statement).mappings()}


def _point(draft: Draft) -> ColumnElement[Any]:
    return func.public.st_setsrid(func.public.st_makepoint(draft.lon, draft.lat), 4326)


def _fold(connection: Connection, text: str | None) -> str:
    return str(connection.execute(select(func.published.search_key(text or ""))).scalar_one())


def _folded(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.published.search_key(func.coalesce(column, ""))


def _stall(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A12, a12 and A-12 are one stall."""
    return func.replace(_folded(column), " ", "")
