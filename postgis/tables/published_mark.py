"""Tells the states of what is published apart where the history does not."""

from sqlalchemy import Boolean, CheckConstraint, Column, Table, Uuid, text

from postgis.tables.base import metadata

published_mark = Table(
    "published_mark",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("mark", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    CheckConstraint("singleton", name="singleton"),
    comment="One row. Another mark with each transaction that writes what is published without adding to the history: "
    "base data, and updates that change nothing.",
)
