"""What the map is drawn from: streets and basemap areas."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from postgis.tables.base import geometry_columns, identity, metadata, one_of
from postgis.vocabulary import BASEMAP_LAYERS

street = Table(
    "street",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("kind", Text, nullable=False),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), index=True),
    Column("source", Text, nullable=False),
    *geometry_columns("MULTILINESTRING"),
    comment="A street, alley or path, as its source draws it.",
)

basemap_area = Table(
    "basemap_area",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    Column("layer", Text, nullable=False),
    Column("kind", Text),
    Column("name", Text),
    Column("name_en", Text),
    Column("source", Text, nullable=False),
    *geometry_columns("GEOMETRY"),
    one_of("layer", BASEMAP_LAYERS),
    comment="Land, water, parks, land use, buildings; and the archipelagos as points to label.",
)
