"""How far payment without cash has come, by part of a ward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, text

from postgis.today import today

By = Literal["h3", "residential_group", "street", "model_site"]
BY: tuple[By, ...] = ("h3", "residential_group", "street", "model_site")
"""What a ward is divided by. Everybody is told of cells alone."""
RESOLUTIONS = (7, 8, 9, 10, 11)
TOLD_RESOLUTION = 9
MONTHS_SHOWN = 24
"""Ends of months that can be chosen, besides today."""
_NAMED_UP_TO = 9
"""Finer cells are too many to look for the street of each."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the figures are wanted of: a ward, what it is divided by, and which establishments and answers count."""

    ward: str
    by: By = "h3"
    resolution: int = TOLD_RESOLUTION
    sector_group: str | None = None
    as_of: date | None = None
    """None: today."""
    method: str | None = None
    evidence_level: str | None = None
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the ward with its figures, all None where they are not told; `geometry` is GeoJSON, None where nobody
    has drawn the part."""

    code: str
    name: str | None
    establishments: int | None
    surveyed: int | None
    accepting: int | None
    share: float | None
    low: float | None
    high: float | None
    suppressed: bool
    geometry: str | None

    @property
    def unknown(self) -> int | None:
        """How many were not surveyed, or refused."""
        return None if self.establishments is None or self.surveyed is None else self.establishments - self.surveyed


def may_be_told(day: date) -> bool:
    """Whether anybody is told of this day: today, or the last of a month. From any day to the next one could see who
    has been asked; published.payment_adoption says the same.
    """
    return day == today() or (day < today() and (day + timedelta(days=1)).day == 1)


def days_shown(count: int = MONTHS_SHOWN) -> list[date]:
    """The ends of the last months and today, oldest first."""
    found, day = [today()], today().replace(day=1) - timedelta(days=1)
    for _ in range(count):
        if day != today():
            found.append(day)
        day = day.replace(day=1) - timedelta(days=1)
    return found[::-1]


def parts(connection: Connection, question: Question, *, full: bool) -> list[Part]:
    """Every part with its figures, in the order of their names. `full`: the connection is of the staff of this ward;
    else only cells are told, as everybody is told of them.
    """
    if not full:
        found = connection.execute(_TOLD, _bound(question)).all()
    elif question.by == "h3":
        found = connection.execute(_CELLS, _bound(question)).all()
    else:
        found = connection.execute(_OF[question.by], _bound(question)).all()
    return [_part(row._mapping) for row in found]


def totals(found: Sequence[Part]) -> Mapping[str, int]:
    """The sums over parts that are told."""
    return {
        "establishments": sum(part.establishments or 0 for part in found),
        "surveyed": sum(part.surveyed or 0 for part in found),
        "accepting": sum(part.accepting or 0 for part in found),
    }


def base_map(connection: Connection, ward: str) -> dict[str, str]:
    """GeoJSON of what a small map of the ward needs around the figures: `ward`, `streets`, `water`, as far as there is
    any.
    """
    found = connection.execute(_BASE_MAP, {"ward": ward}).one()._mapping
    return {name: geometry for name, geometry in found.items() if geometry is not None}


def _bound(question: Question) -> dict[str, Any]:
    return {
        "ward": question.ward,
        "by": question.by,
        "resolution": question.resolution,
        "sector_group": question.sector_group,
        "day": question.as_of,
        "method": question.method,
        "evidence_level": question.evidence_level,
        "known": question.known,
        "named": question.resolution <= _NAMED_UP_TO,
    }


def _part(row: Mapping[Any, Any]) -> Part:
    n, known, yes = row["establishments"], row["surveyed"], row["accepting"]
    told = n is not None
    return Part(
        code=row["code"],
        name=row["name"],
        establishments=n,
        surveyed=known,
        accepting=yes,
        share=_share(yes, known) if told else None,
        low=_share(yes, n) if told else None,
        high=_share(yes + n - known, n) if told else None,
        suppressed=not told,
        geometry=row["geometry"],
    )


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


# A cell is named after the street that is longest in it: a number of fifteen letters says nothing to anybody.
_CELL = """
    SELECT c.cell AS code, s.name, c.establishments, c.surveyed, c.accepting, public.ST_AsGeoJSON(c.geom, 6) AS geometry
      FROM {cells} c
      LEFT JOIN LATERAL (
            SELECT r.name
              FROM published.streets r
             WHERE :named AND r.name IS NOT NULL AND r.geom OPERATOR(public.&&) c.geom
             GROUP BY r.name
             ORDER BY sum(public.ST_Length(public.ST_Intersection(r.geom, c.geom))) DESC, r.name LIMIT 1) s ON true
     ORDER BY s.name COLLATE "vi-x-icu" NULLS LAST, c.cell
"""
_TOLD = text(
    _CELL.format(
        cells="published.payment_adoption(:ward, :resolution, CAST(:sector_group AS text), CAST(:day AS date))"
    )
)
_CELLS = text(
    _CELL.format(
        cells="register.staff_payment_adoption(:ward, :resolution, CAST(:sector_group AS text), CAST(:day AS date), "
        "CAST(:method AS text), CAST(:evidence_level AS text), CAST(:known AS text))"
    )
)
_FIGURES = """register.adoption(:ward, :by, NULL, CAST(:sector_group AS text), CAST(:day AS date), CAST(:known AS text),
                                CAST(:method AS text), CAST(:evidence_level AS text)) a"""
_OF = {
    "residential_group": text(f"""
        SELECT g.code, g.name, a.establishments, a.surveyed, a.accepting, public.ST_AsGeoJSON(g.geom, 6) AS geometry
          FROM {_FIGURES} JOIN register.residential_group g ON g.id = a.part::bigint
         ORDER BY g.number, g.code
    """),
    "model_site": text(f"""
        SELECT m.code, m.name, a.establishments, a.surveyed, a.accepting, public.ST_AsGeoJSON(m.geom, 6) AS geometry
          FROM {_FIGURES} JOIN register.model_site m ON m.id = a.part::bigint
         ORDER BY m.name COLLATE "vi-x-icu", m.code
    """),
    "street": text(f"""
        SELECT a.part AS code, a.part AS name, a.establishments, a.surveyed, a.accepting,
               (SELECT public.ST_AsGeoJSON(public.ST_CollectionExtract(public.ST_Collect(s.geom), 2), 6)
                  FROM published.streets s WHERE s.ward = :ward AND s.name = a.part) AS geometry
          FROM {_FIGURES}
         ORDER BY a.part COLLATE "vi-x-icu"
    """),
}

# To about a metre; footpaths would fill the file.
_BASE_MAP = text("""
    SELECT public.ST_AsGeoJSON(w.geom, 5) AS ward,
           (SELECT public.ST_AsGeoJSON(public.ST_CollectionExtract(
                       public.ST_Collect(public.ST_Simplify(s.geom, 0.00002)), 2), 5)
              FROM published.streets s
             WHERE s.geom OPERATOR(public.&&) w.geom
               AND s.kind IN ('primary', 'secondary', 'tertiary', 'residential', 'unclassified', 'living_street')
           ) AS streets,
           (SELECT public.ST_AsGeoJSON(public.ST_CollectionExtract(public.ST_Collect(
                       public.ST_ClipByBox2D(public.ST_MakeValid(a.geom), w.around::public.box2d)), 3), 5)
              FROM published.basemap_areas a
             WHERE a.layer = 'water' AND a.geom OPERATOR(public.&&) w.around) AS water
      FROM (SELECT geom, public.ST_Expand(geom, 0.02) AS around
              FROM published.wards WHERE code = :ward AND valid_to IS NULL) w
     UNION ALL SELECT NULL, NULL, NULL
     LIMIT 1
""")
