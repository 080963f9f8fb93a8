"""From a gap to work: lists of places to visit, who visits them and by when."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postgis.tables.base import establishment_reference, identity, metadata, one_of, record_columns
from postgis.vocabulary import WORK_SCOPES, WORK_STANDINGS


def _staff(name: str) -> Column[int]:
    return Column(name, BigInteger, ForeignKey("account.staff.id"), nullable=False, index=True)


def _said(name: str) -> CheckConstraint:
    return CheckConstraint(f"btrim({name}) <> ''", name=name)


work_list = Table(
    "work_list",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("indicator", Text, nullable=False, comment="code of the indicator whose gap it is to close"),
    Column("scope", Text, nullable=False),
    Column("scope_code", Text, nullable=False, comment="code of the group or site, name of the street"),
    Column("target", Numeric(5, 2), comment="per cent; null: made without a target"),
    Column("needed", Integer, comment="how many more places had to say yes when it was made"),
    _staff("assignee_id"),
    Column("title", Text, nullable=False, comment="rõ việc"),
    Column("due_on", Date, nullable=False, comment="rõ thời gian"),
    Column("responsibility", Text, nullable=False, comment="rõ trách nhiệm"),
    Column("product", Text, nullable=False, comment="rõ sản phẩm"),
    Column("expected_result", Text, nullable=False, comment="rõ kết quả"),
    _staff("made_by"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    *record_columns(),
    one_of("scope", WORK_SCOPES),
    CheckConstraint("target BETWEEN 0 AND 100 AND needed >= 0", name="target"),
    *map(_said, ("title", "responsibility", "product", "expected_result")),
    Index(
        "ix_work_list_open",
        "ward_id",
        "indicator",
        "scope",
        "scope_code",
        postgresql_where=text("ended_at IS NULL"),
    ),
    comment="Places to visit so that an indicator rises where it lags, with who goes there and by when (6 rõ). "
    "Closed: ended_at, with what came of it in end_reason.",
)

work_item = Table(
    "work_item",
    metadata,
    identity(),
    Column("list_id", BigInteger, ForeignKey("register.work_list.id"), nullable=False),
    establishment_reference(),
    Column("position", Integer, nullable=False, comment="in the order of the walk, from 1"),
    Column("standing", Text, nullable=False, comment="where the place stood when the list was made"),
    UniqueConstraint("list_id", "position"),
    UniqueConstraint("list_id", "establishment_id"),
    one_of("standing", WORK_STANDINGS),
    CheckConstraint("position > 0", name="position"),
    comment="A place on a list. Only added: what came of it the visits and the facts say.",
)
