"""Licences of any kind, with their dates."""

from sqlalchemy import Column, Date, Table, Text

from postgis.tables.base import establishment_reference, identity, in_order, metadata, one_of, record_columns
from postgis.vocabulary import LICENCE_KINDS, SOURCES

licence = Table(
    "licence",
    metadata,
    identity(),
    establishment_reference(),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("issuer", Text),
    Column("issued_on", Date),
    Column("expires_on", Date, comment="null: no term"),
    Column("source", Text, nullable=False),
    Column("checked_on", Date, nullable=False),
    *record_columns(),
    one_of("kind", LICENCE_KINDS),
    one_of("source", SOURCES),
    in_order("issued_on", "expires_on"),
    comment="A licence or registration; kind not_required records that none is needed.",
)
