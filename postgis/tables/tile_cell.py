"""Places counted by the cells of the map, so that a tile of a wide view reads cells and not places."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, SmallInteger, Table, Text

from postgis.tables.base import metadata

tile_cell_group = Table(
    "tile_cell_group",
    metadata,
    Column("level", SmallInteger, nullable=False, comment="2 to its power cells along each side of WebMercatorQuad"),
    Column("quad", BigInteger, nullable=False, comment="column and row of the cell, their bits in turn"),
    Column("sector_group", Text, nullable=False),
    Column("places", BigInteger, nullable=False),
    Column("ids", BigInteger, nullable=False, comment="sum of the places' ids: of one place alone, its id"),
    Column("xs_cm", BigInteger, nullable=False, comment="sum of eastings in centimetres of EPSG:3857"),
    Column("ys_cm", BigInteger, nullable=False, comment="sum of northings in centimetres of EPSG:3857"),
    Column("warned", BigInteger, nullable=False, comment="how many have a live warning"),
    Column("illustrative", BigInteger, nullable=False, comment="how many are invented"),
    PrimaryKeyConstraint("level", "quad", "sector_group"),
    comment="The published places of a cell and sector group, counted and summed by triggers. Never written by hand.",
)

tile_cell = Table(
    "tile_cell",
    metadata,
    Column("level", SmallInteger, nullable=False),
    Column("quad", BigInteger, nullable=False),
    Column("places", BigInteger, nullable=False),
    Column("ids", BigInteger, nullable=False),
    Column("xs_cm", BigInteger, nullable=False),
    Column("ys_cm", BigInteger, nullable=False),
    Column("warned", BigInteger, nullable=False),
    Column("illustrative", BigInteger, nullable=False),
    PrimaryKeyConstraint("level", "quad"),
    comment="The published places of a cell: the sum of its sector groups. Never written by hand.",
)
