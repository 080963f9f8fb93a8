"""The words of places, for searches that are half typed or misspelt."""

from sqlalchemy import Column, Index, Table, Text

from postgis.tables.base import metadata

search_word = Table(
    "search_word",
    metadata,
    Column("word", Text(collation="C"), primary_key=True),
    Index("ix_search_word_word", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    comment="Every word that a search may find a place by, for what is half typed or misspelt. "
    "Kept by a trigger, only added to.",
)
