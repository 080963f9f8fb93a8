"""Inspections and the warnings that may follow them."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, Table, Text

from postgis.tables.base import establishment_reference, identity, in_order, metadata, one_of, record_columns
from postgis.vocabulary import INSPECTION_RESULTS, SOURCES


def _reply() -> tuple[Column[Any], ...]:
    """What the owner says to an adverse fact: told beside it, dated, once it was reviewed."""
    return Column("reply", Text, comment="the owner's words"), Column("replied_on", Date)


def _reply_checks() -> tuple[CheckConstraint, ...]:
    return (
        CheckConstraint("length(reply) <= 500", name="reply"),
        CheckConstraint("(reply IS NULL) = (replied_on IS NULL)", name="replied_on"),
    )


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
    *_reply(),
    *record_columns(),
    one_of("result", INSPECTION_RESULTS),
    one_of("source", SOURCES),
    in_order("inspected_on", "signed_on"),
    *_reply_checks(),
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
    *_reply(),
    *record_columns(),
    one_of("source", SOURCES),
    in_order("issued_on", "lifted_on"),
    *_reply_checks(),
    comment="A warning to the public, live until lifted.",
)
