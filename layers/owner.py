"""What the owner of a place may reply to: the adverse facts that the public is told of it."""

from typing import Any

from sqlalchemy import Connection, column, literal, select, table, union_all

from layers.lookup import FAILED

_WARNINGS = table(
    "warnings",
    *(column(name) for name in ("code", "establishment", "issued_on", "headline", "agency", "reply", "replied_on")),
    schema="published",
)
_INSPECTIONS = table(
    "inspections",
    *(
        column(name)
        for name in ("code", "establishment", "inspected_on", "result", "agency", "superseded", "reply", "replied_on")
    ),
    schema="published",
)


def adverse_facts(connection: Connection, place: str) -> list[dict[str, Any]]:
    """Live warnings and a failed inspection that counts, latest first.

    Each with `id` (collection:code), `collection`, `code`, `fact_on`, `fact` (a headline, or a result's code),
    `agency`, `reply`, `replied_on`.
    """
    w, i = _WARNINGS.c, _INSPECTIONS.c
    warnings = select(
        literal("warnings").label("collection"),
        w.code,
        w.issued_on.label("fact_on"),
        w.headline.label("fact"),
        w.agency,
        w.reply,
        w.replied_on,
    ).where(w.establishment == place)
    failed = select(literal("inspections"), i.code, i.inspected_on, i.result, i.agency, i.reply, i.replied_on).where(
        i.establishment == place, i.result.in_(FAILED), i.superseded.is_(False)
    )
    both = union_all(warnings, failed).subquery()
    rows = connection.execute(select(both).order_by(both.c.fact_on.desc(), both.c.collection, both.c.code)).mappings()
    return [{**row, "id": f"{row['collection']}:{row['code']}"} for row in rows]
