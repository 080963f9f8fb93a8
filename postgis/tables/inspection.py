"""Inspections and the warnings that may follow them."""

from sqlalchemy import Column, Date, Table, Text

from postgis.tables.base import establishment_reference, identity, in_order, metadata, one_of, record_columns
from postgis.vocabulary import INSPECTION_RESULTS, SOURCES

inspection = Table(
    "inspection",
    metadata,
    identity(),
    establishment_reference(),
    Column("inspected_on", Date, nullable=False),
    Column("agency", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("official_words", Text),
    Column("signed_on", Date, comment="null: a draft, never public"),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("result", INSPECTION_RESULTS),
    one_of("source", SOURCES),
    in_order("inspected_on", "signed_on"),
    comment="An inspection; public only once its conclusion is signed (Law on Access to Information, art. 17(1)(i)).",
)

warning = Table(
    "warning",
    metadata,
    identity(),
    establishment_reference(),
    Column("issued_on", Date, nullable=False),
    Column("lifted_on", Date, comment="null: live"),
    Column("headline", Text, nullable=False),
    Column("instruction", Text),
    Column("agency", Text, nullable=False),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("source", SOURCES),
    in_order("issued_on", "lifted_on"),
    comment="A warning to the public, live until lifted.",
)
