"""Visits of the survey: what was learnt stands in its own records, that nothing could be learnt stands here."""

from sqlalchemy import Column, Date, Table, Text

from postgis.tables.base import establishment_reference, identity, metadata, one_of, record_columns
from postgis.vocabulary import SOURCES, VISIT_OUTCOMES

visit = Table(
    "visit",
    metadata,
    identity(),
    establishment_reference(),
    Column("visited_on", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("source", Text, nullable=False),
    *record_columns(),
    one_of("outcome", VISIT_OUTCOMES),
    one_of("source", SOURCES),
    comment="That somebody went to survey a place, and what came of it; what was learnt stands in its own records.",
)
