"""Food-safety files: certificate, commitment, equivalent, not required, missing."""

from sqlalchemy import Column, Date, Table, Text

from postgis.tables.base import establishment_reference, identity, in_order, metadata, one_of, record_columns
from postgis.vocabulary import FOOD_SAFETY_KINDS, SOURCES

food_safety_record = Table(
    "food_safety_record",
    metadata,
    identity(),
    establishment_reference(),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("agency", Text),
    Column("issued_on", Date),
    Column("valid_until", Date, comment="a certificate runs 3 years (Law 55/2010/QH12, art. 37)"),
    Column("source", Text, nullable=False),
    Column("checked_on", Date, nullable=False),
    *record_columns(),
    one_of("kind", FOOD_SAFETY_KINDS),
    one_of("source", SOURCES),
    in_order("issued_on", "valid_until"),
    comment="What food-safety file a place holds, as last checked.",
)
