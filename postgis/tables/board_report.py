"""What officers write in the reports of a period, version by version."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import BRIEF_KINDS

board_report = Table(
    "board_report",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("period", Text, nullable=False, comment="2026-10, 2026-Q4, 2026-H2 or 2026"),
    Column("version", Integer, nullable=False),
    Column("results", Text, nullable=False, server_default=sql("''")),
    Column("shortcomings", Text, nullable=False, server_default=sql("''")),
    Column("causes", Text, nullable=False, server_default=sql("''")),
    Column("solutions", Text, nullable=False, server_default=sql("''")),
    Column("written_by", BigInteger, ForeignKey("account.staff.id"), nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=sql("now()")),
    UniqueConstraint("ward_id", "kind", "period", "version"),
    one_of("kind", BRIEF_KINDS),
    CheckConstraint("version > 0", name="version"),
    comment="What officers wrote in a report of a period. A correction is a newer version; none is ever changed.",
)
