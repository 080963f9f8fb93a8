"""What the wards have promised: indicators, targets and phases, loaded from data."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from postgis.tables.base import identity, in_order, metadata, one_of

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
    Column("position", SmallInteger, nullable=False, server_default=text("0"), comment="in the order of the plan"),
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

entered_figure = Table(
    "entered_figure",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("indicator_code", Text, nullable=False),
    Column("as_of", Date, nullable=False, comment="the day that the figure is of"),
    Column("numerator", BigInteger),
    Column("denominator", BigInteger),
    Column("value", Numeric(5, 2), nullable=False, comment="a share, 0-100; of numerator and denominator where known"),
    Column("source", Text, nullable=False, comment="who counted, and how, in words"),
    Column("document", Text, comment="number and day of the document that states it"),
    Column("entered_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("entered_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    CheckConstraint("value BETWEEN 0 AND 100", name="value"),
    CheckConstraint("(numerator IS NULL) = (denominator IS NULL)", name="both_or_none"),
    CheckConstraint("denominator > 0 AND numerator BETWEEN 0 AND denominator", name="numerator"),
    CheckConstraint("btrim(source) <> ''", name="source"),
    Index("ix_entered_figure_ward_id_indicator_code_as_of", "ward_id", "indicator_code", "as_of"),
    comment="A figure that the register cannot measure, as somebody entered it. A correction is a newer row.",
)

month_end_count = Table(
    "month_end_count",
    metadata,
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("month_end", Date, nullable=False),
    Column("indicator_code", Text, nullable=False),
    Column("definition", Text, nullable=False, comment="register.indicator_definition() that it was counted by"),
    Column("history", Text, nullable=False, comment="register.history_until() of that day"),
    Column("population", BigInteger, nullable=False),
    Column("yes", BigInteger, nullable=False),
    Column("no", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    PrimaryKeyConstraint("ward_id", "month_end", "indicator_code"),
    comment="Counts of measured indicators at the ends of months that are final, kept so that nobody counts them "
    "again. Of other definitions or another history they count as not there.",
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
