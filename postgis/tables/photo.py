"""Photos of shop fronts, and outreach: visits, trainings, leaflets."""

from sqlalchemy import Column, Date, Integer, Table, Text

from postgis.tables.base import establishment_reference, identity, metadata, one_of, record_columns
from postgis.vocabulary import OUTREACH_KINDS, SOURCES

photo = Table(
    "photo",
    metadata,
    identity(),
    establishment_reference(),
    Column("file", Text, nullable=False, comment="name in the data directory: its SHA-256"),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("taken_on", Date),
    Column("caption", Text),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("source", SOURCES),
    comment="A photo of the front, resized, without what the camera noted about place and owner.",
)

outreach = Table(
    "outreach",
    metadata,
    identity(),
    establishment_reference(),
    Column("kind", Text, nullable=False),
    Column("done_on", Date, nullable=False),
    Column("topic", Text, nullable=False),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("kind", OUTREACH_KINDS),
    one_of("source", SOURCES),
    comment="A visit, training or leaflet that helped a place go digital.",
)
