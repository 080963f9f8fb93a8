"""What has become of places since their stickers were printed, or since their print run was made."""

from typing import Any

from sqlalchemy import Connection, text

from layers.sticker_places import GONE

MOST_SHOWN = 100

Row = dict[str, Any]

_EARLIER = """
    JOIN LATERAL (
        SELECT c.before
          FROM register.change c
         WHERE c.collection = 'establishments' AND c.record_code = e.code AND c.at > {since} AND c.before IS NOT NULL
         ORDER BY c.seq LIMIT 1) earlier ON true
"""
_CHANGED = text(f"""
    SELECT s.serial, s.state, (s.position - 1) / r.per_page + 1 AS page, printed.at IS NOT NULL AS taken, e.code,
           e.name, e.name_en, e.kind, e.sector_group, e.address, e.stall, e.operating_status,
           e.ended_at IS NOT NULL AS ended, earlier.before ->> 'name' AS then_name,
           earlier.before ->> 'address' AS then_address, earlier.before ->> 'stall' AS then_stall,
           count(*) OVER () AS of
      FROM register.sticker s
      JOIN register.sticker_run r ON r.id = s.run_id
      JOIN register.establishment e ON e.id = s.establishment_id
      LEFT JOIN LATERAL (
          SELECT max(p.taken_at) AS at
            FROM register.sticker_print p
           WHERE p.run_id = r.id AND (s.position - 1) / r.per_page + 1 BETWEEN p.first_page AND p.last_page
      ) printed ON true
      {_EARLIER.format(since="coalesce(printed.at, r.made_at)")}
     WHERE r.id = :run AND s.state IN ('printed', 'installed')
       AND ((e.name, e.address, e.stall) IS DISTINCT FROM
            (earlier.before ->> 'name', earlier.before ->> 'address', earlier.before ->> 'stall')
            OR (e.ended_at IS NOT NULL) <> (earlier.before ->> 'ended_at' IS NOT NULL)
            OR (e.operating_status = ANY (:gone)) <> (earlier.before ->> 'operating_status' = ANY (:gone)))
     ORDER BY s.position
     LIMIT :most
""")
_GONE = text(f"""
    SELECT s.serial
      FROM register.sticker s
      JOIN register.sticker_run r ON r.id = s.run_id
      JOIN register.establishment e ON e.id = s.establishment_id
      {_EARLIER.format(since="r.made_at")}
     WHERE r.id = :run AND e.operating_status = ANY (:gone)
       AND NOT earlier.before ->> 'operating_status' = ANY (:gone)
""")


def changed(connection: Connection, run: int) -> list[Row]:
    """The stickers of a run in use or to be, whose places are called otherwise or stand elsewhere than when their page
    was last taken for printing, else when the run was made; or have ended, closed or come back since.

    Each has its `serial`, `state`, `page`, whether that was `taken`, the place as it is today, `then_name`,
    `then_address`, `then_stall`, and `of`: how many there are, of which MOST_SHOWN are told.
    """
    found = connection.execute(_CHANGED, {"run": run, "gone": list(GONE), "most": MOST_SHOWN})
    return [dict(row) for row in found.mappings()]


def gone_since(connection: Connection, run: int) -> set[str]:
    """The serials of stickers whose places have closed or moved away since the run was made."""
    return set(connection.execute(_GONE, {"run": run, "gone": list(GONE)}).scalars())
