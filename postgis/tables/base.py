"""What all tables share: the metadata, constraint names, geometry columns and checks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Text,
    text,
)
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    schema="register",
    # Constraint names reach the code that turns a database refusal into a message on a field: keep them predictable.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def identity() -> Column[int]:
    """The surrogate key every table has: never shown to the public, never reused."""
    return Column("id", BigInteger, Identity(), primary_key=True)


def establishment_reference() -> Column[int]:
    """The establishment that a fact is about."""
    return Column("establishment_id", BigInteger, ForeignKey("register.establishment.id"), nullable=False, index=True)


def record_columns() -> tuple[Column[Any], ...]:
    """What a record that officers edit one by one carries: its feature id, its version, and how it ended."""
    return (
        Column("code", Text, Computed("id::text", persisted=True), unique=True),
        Column("version", Integer, nullable=False, server_default=text("1")),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("ended_at", DateTime(timezone=True), comment="no longer counts; the row stays for ever"),
        Column("end_reason", Text),
    )


class Geometry(UserDefinedType[str]):
    """PostGIS's `geometry`, written as (E)WKT; what reads it says in which form (ST_AsGeoJSON, ST_X).

    Not GeoAlchemy2's: that loads shapely and numpy, a quarter of what a web worker may take.
    """

    cache_ok = True

    def __init__(self, kind: str, srid: int) -> None:
        self.kind, self.srid = kind, srid

    def get_col_spec(self, **_: Any) -> str:
        """The type as the database writes it."""
        return f"geometry({self.kind},{self.srid})"


class Point(UserDefinedType[str]):
    """PostgreSQL's own `point`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type as the database writes it."""
        return "POINT"


def geometry_columns(kind: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    """`geom` in WGS 84 (EPSG:4326), the truth, and `geom_3857`, its copy for tiles that the database keeps.

    Both carry a GiST index (in the migrations).
    """
    return (
        Column("geom", Geometry(kind, srid=4326), nullable=nullable),
        Column(
            "geom_3857",
            Geometry(kind, srid=3857),
            Computed("public.st_transform(geom, 3857)", persisted=True),
        ),
    )


def one_of(column: str, codes: Sequence[str]) -> CheckConstraint:
    """A CHECK that `column` holds one of `codes` (or null, where the column allows it)."""
    listed = ", ".join(f"'{code}'" for code in codes)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def in_order(earlier: str, later: str) -> CheckConstraint:
    """A CHECK that two dates, where both are known, stand in order."""
    return CheckConstraint(f"{earlier} <= {later}", name=f"{earlier}_before_{later}")
