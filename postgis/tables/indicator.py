"""What the wards have promised: indicators, targets and phases, loaded from data."""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKeyConstraint, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from postgis.tables.base import in_order, metadata, one_of

indicator = Table(
    "indicator",
    metadata,
    Column("ward_code", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("report", Text, nullable=False, comment="how often: monthly, quarterly, yearly"),
    Column("source", Text, nullable=False),
    Column("evidence", Text),
    Column("measured_by", Text, nullable=False, server_default="register"),
    one_of("measured_by", ("register", "entered")),
    comment="An indicator of a ward's plan, with where the plan states it.",
)

target = Table(
    "target",
    metadata,
    Column("ward_code", Text, primary_key=True),
    Column("indicator_code", Text, primary_key=True),
    Column("due", Date, primary_key=True),
    Column("comparator", Text, nullable=False),
    Column("value", Numeric(6, 2), nullable=False),
    ForeignKeyConstraint(["ward_code", "indicator_code"], ["register.indicator.ward_code", "register.indicator.code"]),
    one_of("comparator", ("at_least", "more_than")),
    CheckConstraint("value BETWEEN 0 AND 100", name="value"),
    comment="A share (0-100) to reach by a day.",
)

phase = Table(
    "phase",
    metadata,
    Column("ward_code", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("starts", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("outputs", ARRAY(Text), nullable=False),
    in_order("starts", "due"),
    comment="A phase of the business map's rollout.",
)
