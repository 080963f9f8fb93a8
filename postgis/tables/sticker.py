"""Stickers at doors: the runs they are printed in, their serials, what became of each, and the keys of their marks."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from postgis.tables.base import establishment_reference, identity, metadata, one_of
from postgis.vocabulary import STICKER_CHOICES, STICKER_EVENTS, STICKER_LAYOUTS, STICKER_STATES


def _moment(name: str, comment: str | None = None) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("now()"), comment=comment)


def _person() -> Column[int]:
    return Column("staff_id", BigInteger, ForeignKey("account.staff.id"), comment="null: the command line, the sample")


sticker_key = Table(
    "sticker_key",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False, comment="tells the key from another; it cannot be found from it"),
    _moment("introduced_at"),
    CheckConstraint("version BETWEEN 1 AND 100", name="version"),
    comment="Versions of the key that marks on stickers are made with. The newest marks, all of them are recognised.",
)

sticker_run = Table(
    "sticker_run",
    metadata,
    identity(),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("request_key", Text, nullable=False, unique=True, comment="of the form: sent twice, it makes one run"),
    Column("chosen_by", Text, nullable=False),
    Column("choice", JSONB, nullable=False, comment="what was asked for, such as {street: Núi Thành}"),
    Column("layout", Text, nullable=False),
    Column("per_page", Integer, nullable=False),
    Column("stickers", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("pages_taken", Integer, nullable=False, server_default=text("0"), comment="for printing, from the first on"),
    _person(),
    _moment("made_at"),
    one_of("chosen_by", STICKER_CHOICES),
    one_of("layout", STICKER_LAYOUTS),
    CheckConstraint("stickers > 0 AND per_page > 0 AND pages > 0", name="sizes"),
    CheckConstraint("pages_taken BETWEEN 0 AND pages", name="pages_taken"),
    comment="A print run: its list of stickers is fixed when it is made, its pages are taken for printing once each.",
)

sticker_print = Table(
    "sticker_print",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey("register.sticker_run.id"), nullable=False, index=True),
    Column("first_page", Integer, nullable=False),
    Column("last_page", Integer, nullable=False),
    Column("reason", Text, comment="why pages that were taken before are printed again; null: for the first time"),
    _person(),
    _moment("taken_at"),
    CheckConstraint("first_page BETWEEN 1 AND last_page", name="pages"),
    comment="Pages of a run that somebody took for printing. Only added to.",
)

sticker = Table(
    "sticker",
    metadata,
    identity(),
    Column("serial", Text, nullable=False, unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    establishment_reference(),
    Column("run_id", BigInteger, ForeignKey("register.sticker_run.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="in its run, from 1: the cell of its page"),
    Column("key_version", Integer, ForeignKey("register.sticker_key.version"), nullable=False),
    Column("state", Text, nullable=False, server_default="printed"),
    _moment("state_at", comment="since when it has been in its state"),
    Column("replaces_id", BigInteger, ForeignKey("register.sticker.id"), comment="the one in whose place it was made"),
    Column("photo_id", BigInteger, ForeignKey("register.photo.id"), comment="taken when it was installed"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("run_id", "position"),
    one_of("state", STICKER_STATES),
    CheckConstraint("serial ~ '^[2-9ACEFHJKMNPRTWXY]{5}$'", name="serial"),
    comment="A sticker (tem) that was made for the door of a place. Never deleted: it may hang there for ever.",
)

sticker_event = Table(
    "sticker_event",
    metadata,
    identity(),
    Column("sticker_id", BigInteger, ForeignKey("register.sticker.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    _person(),
    _moment("at"),
    Column("note", Text),
    one_of("kind", STICKER_EVENTS),
    comment="What happened to a sticker, and which member of staff noted it; never who has scanned it. Only added to.",
)
