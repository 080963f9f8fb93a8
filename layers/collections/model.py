"""What a registry entry says: fields, who may see them, filters, tiles, and the view that rows come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Numeric,
    Text,
    bindparam,
    cast,
    column,
    false,
    func,
    null,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.types import TypeEngine

FieldType = Literal["string", "integer", "number", "boolean", "date", "date-time", "array"]
Access = Literal["public", "staff"]
Geometry = Literal["Point", "Polygon", "MultiPolygon", "MultiLineString", "Geometry"]

_SQL_TYPES: Mapping[FieldType, TypeEngine[Any]] = {
    "string": Text(),
    "integer": Integer(),
    "number": Numeric(),
    "boolean": Boolean(),
    "date": Date(),
    "date-time": DateTime(timezone=True),
    "array": ARRAY(Text),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A property on the wire."""

    name: str
    type: FieldType = "string"
    code_list: str | None = None
    """Name of the list in `postgis.vocabulary.CODE_LISTS` that the values come from."""
    filterable: bool = False
    """Whether items and tiles can be asked for several of its values: `?name=value,value`. Else for one, as it is."""
    unit: str | None = None
    """UCUM code of the unit, for numbers that have one."""
    access: Access = "public"
    """Who may see it: everybody, or the staff of the record's ward."""
    asked: bool = False
    """Whether it says what the rows of a `computed` collection are computed for: its parameter goes into the making of
    every row, and each row repeats it."""
    within: tuple[int, int] | None = None
    """The least and the largest value of a number, both included."""
    beside: str | None = None
    """The field that is told wherever this one is: nothing good without the warning that may speak against it, or the
    place that leads to it."""


@dataclass(frozen=True, slots=True)
class TileRule:
    """What the tiles of a collection carry."""

    fields: tuple[str, ...]
    priority: tuple[str, ...] = ()
    """SQL order that decides what a full tile keeps; `id` is always added, so the choice is never at random."""
    cluster_below: int = 0
    """Below this zoom points are gathered into cells with their count; 0: never."""
    from_zoom: Mapping[str, int] | None = None
    """For line and area layers: the first zoom at which each value of `zoom_column` shows; others from zoom 0."""
    zoom_column: str = "kind"
    max_features: int = 20_000
    zooms: tuple[int, int] = (0, 16)
    """The widest tile worth asking for, and the deepest that says more than its parent: clients draw on from there."""
    counted: bool = False
    """Whether the database keeps counts of its places by cell (`layers.tile_cells`)."""
    rows: str | None = None
    """A view with no more than what tiles carry, for tiles without a filter (`layers.tile_points`); None: the
    collection's own view."""
    point: str = "point_3857"
    """Its column with where things are, of PostgreSQL's own type."""


@dataclass(frozen=True)
class Collection:
    """A collection as somebody may see it: a view whose `code` is the feature's id.

    An entry as it is written says everything; `face` cuts it down to what the public or staff may see. The public's
    face reads `published.ID`. The staff's reads the own ward's rows from `register.staff_ID`, under row-level security,
    and other wards' from `published.ID`; its column `own` says which, and staff fields are null in others' rows.
    """

    id: str
    geometry: Geometry | None
    """None: features have no place of their own; they point to an establishment that has one."""
    fields: tuple[Field, ...]
    tile: TileRule | None
    """None where there is nothing to draw."""
    searchable: bool = False
    """Whether the view has `name_key` and `search_key`, so that `q` works."""
    indexed: tuple[str, ...] = ()
    """The fields whose texts make the `search_key`, where it is kept and an index has its words and their pieces."""
    interval: tuple[str, str] | None = None
    """Columns with the first and last day for `datetime`; null is open."""
    computed: bool = False
    """Whether its rows are no view's but what a function of the same name makes of the fields that are `asked`, handed
    over in their order; null stands for what is not asked. The staff's function is `register.staff_ID`."""
    reference: bool = False
    """Base data: it changes only when a new release of the reference files is loaded."""
    id_field: str = "code"
    access: Access = "public"
    """Who may know of the collection at all."""
    versioned: bool = False
    """Whether its records can be written: the view has their `version`, which If-Match names."""
    seen_by: Literal["public", "staff", "own_ward"] = "public"
    """Whose face of the collection this is."""

    def face(self, seen_by: Access) -> "Collection":
        """The collection as the public or as staff see it."""
        shown = self.fields if seen_by == "staff" else tuple(f for f in self.fields if f.access == "public")
        if self.computed and seen_by == "staff":
            # Its function decides by itself which rows are the own ward's.
            return replace(self, fields=shown, seen_by="own_ward")
        return replace(self, fields=shown, seen_by=seen_by if self.versioned else "public")

    @cached_property
    def view(self) -> FromClause:
        """The rows with their columns."""
        shown = [*self._columns, "geom_3857"] if self.geometry and self.tile else self._columns
        if self.computed:
            return self._made(shown)
        return table(self.id, *map(column, shown), schema="published") if self.seen_by == "public" else self._of_staff()

    @property
    def _columns(self) -> list[str]:
        names = ["id", *(field.name for field in self.fields), *(self.interval or ())]
        names += ["name_key", "search_key"] if self.searchable else []
        names += ["version"] if self.versioned else []
        return list(dict.fromkeys([*names, *(["geom"] if self.geometry else [])]))

    def _made(self, shown: list[str]) -> FromClause:
        of_all = self.seen_by == "public"
        function = getattr(func.published if of_all else func.register, self.id if of_all else f"staff_{self.id}")
        kinds = [(field.name, _SQL_TYPES[field.type]) for field in self.asked]
        given = (cast(bindparam(f"asked_{name}", None, kind), kind) for name, kind in kinds)
        made: FromClause = function(*given).table_valued(*map(column, shown), name=self.id)
        return made

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields that its rows are computed for."""
        return tuple(field for field in self.fields if field.asked)

    @cached_property
    def own(self) -> "Collection":
        """The staff's face with the own ward's records alone."""
        return replace(self, seen_by="own_ward")

    def _of_staff(self) -> FromClause:
        own = table(f"staff_{self.id}", *map(column, self._columns), schema="register")
        if self.seen_by == "own_ward":
            return own
        parts = [select(*own.c, true().label("own"))]
        if self.access == "public":
            others = self.face("public").view
            kinds = {field.name: _SQL_TYPES[field.type] for field in self.fields}
            columns = [
                others.c[name] if name in others.c else cast(false() if name == "ended" else null(), kinds[name])
                for name in self._columns
            ]
            foreign = others.c.ward.is_distinct_from(select(func.register.own_ward_code()).scalar_subquery())
            parts.append(select(*columns, false()).where(foreign))
        return union_all(*parts).subquery(self.id)

    @property
    def found_by_words(self) -> bool:
        """Whether `published.search_places` finds all of its rows: staff see rows that are not published."""
        return bool(self.indexed) and self.seen_by == "public"

    @cached_property
    def field_by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def filterable(self) -> tuple[str, ...]:
        """Names of the fields of which several values can be asked for."""
        return tuple(field.name for field in self.fields if field.filterable)

    @cached_property
    def sortable(self) -> tuple[str, ...]:
        """Names of the fields that `sortby` takes."""
        return tuple(field.name for field in self.fields if field.type != "array")

    @property
    def drawn(self) -> TileRule:
        """What its tiles carry. Raises LookupError where there are none: ask `tile` first."""
        if self.tile is None:
            raise LookupError(f"{self.id} has no tiles")
        return self.tile

    def column(self, name: str) -> ColumnElement[object]:
        """A column of the view by its name."""
        return self.view.c[name]


def staff(name: str, kind: FieldType = "string", code_list: str | None = None, *, filterable: bool = False) -> Field:
    """A field that only staff of the record's ward may see."""
    return Field(name, kind, code_list, filterable, access="staff")


RECORD_STATE = (
    staff("version", "integer"),
    staff("ended", "boolean", filterable=True),
    staff("ended_at", "date-time"),
    staff("end_reason"),
)
"""What staff see on every record: its version, and whether and why it no longer counts."""
