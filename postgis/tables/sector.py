"""Sector codes by scheme, the codes that changed meaning, and the ward's own display groups."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, Table, Text

from postgis.tables.base import metadata, one_of
from postgis.vocabulary import SECTOR_GROUPS

sector_class = Table(
    "sector_class",
    metadata,
    Column("scheme", Text, primary_key=True, comment="VSIC2025, …: a code means nothing without it"),
    Column("code", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("name", Text, comment="Vietnamese title; levels 2 and 3 of our source carry codes only"),
    Column("parent_code", Text),
    Column("section", Text, nullable=False),
    comment="A class of an official sector classification.",
)

sector_code_collision = Table(
    "sector_code_collision",
    metadata,
    Column("code", Text, primary_key=True),
    Column("meaning_vsic2007", Text),
    Column("meaning_vsic2018", Text),
    Column("meaning_vsic2025", Text),
    comment="Codes that mean different things in different schemes.",
)

sector_group = Table(
    "sector_group",
    metadata,
    Column("code", Text, primary_key=True),
    Column("position", Integer, nullable=False, unique=True),
    one_of("code", SECTOR_GROUPS),
    comment="The ward's display groups of sectors, in display order.",
)

sector_group_class = Table(
    "sector_group_class",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("class_code", Text, primary_key=True),
    Column("sector_group", Text, ForeignKey("register.sector_group.code"), nullable=False),
    ForeignKeyConstraint(["scheme", "class_code"], ["register.sector_class.scheme", "register.sector_class.code"]),
    comment="Which display group a level-4 class belongs to.",
)
