"""Where the base data came from, under which licence, and which release of it is loaded."""

from sqlalchemy import Column, Date, DateTime, Table, Text, text

from postgis.tables.base import metadata

data_source = Table(
    "data_source",
    metadata,
    Column("code", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("licence_url", Text),
    Column("attribution", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("retrieved_on", Date),
    Column("note", Text),
    Column("note_en", Text),
    comment="A source of base data, as the attribution page names it.",
)

reference_release = Table(
    "reference_release",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    comment="The content hash of each reference file last loaded: an unchanged file is not loaded again.",
)
