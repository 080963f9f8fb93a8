"""The establishment, its permanent public code, and the facts derived about it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from postgis.tables.base import geometry_columns, identity, in_order, metadata, one_of
from postgis.vocabulary import LEGAL_FORMS, OPERATING_STATUSES, POSITION_METHODS, SOURCES, YES_NO_UNKNOWN

lookup_code = Table(
    "lookup_code",
    metadata,
    Column("code", Text, primary_key=True),
    Column("issued_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    CheckConstraint("published.is_lookup_code(code)", name="check_character"),
    comment="Every public code ever issued. Rows are never deleted, so that no code is ever used again.",
)

establishment = Table(
    "establishment",
    metadata,
    identity(),
    Column("code", Text, ForeignKey("register.lookup_code.code"), nullable=False, unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False, index=True),
    Column("legal_entity_id", BigInteger, ForeignKey("register.legal_entity.id"), index=True),
    Column("residential_group_id", BigInteger, ForeignKey("register.residential_group.id"), index=True),
    Column("name", Text, comment="the signboard; null where the source gives none"),
    Column("name_en", Text),
    Column("kind", Text, comment="finer than the sector group, e.g. cafe; OpenStreetMap's word"),
    Column("legal_form", Text),
    Column("sector_scheme", Text),
    Column("sector_code", Text),
    Column("sector_group", Text, ForeignKey("register.sector_group.code"), nullable=False, index=True),
    Column("offering", Text, comment="goods or dishes, as stated"),
    Column("house_number", Text),
    Column("alley", Text, comment="kiệt or hẻm, as in K45/12"),
    Column("street_name", Text),
    Column("address", Text, comment="as stated, never overwritten by what was parsed from it"),
    Column("model_site_id", BigInteger, ForeignKey("register.model_site.id"), index=True),
    Column("stall", Text),
    Column("operating_status", Text, nullable=False, server_default="unknown"),
    Column("suspended_until", Date),
    Column("status_reason", Text),
    Column("moved_to_id", BigInteger, ForeignKey("register.establishment.id")),
    Column("merged_into_id", BigInteger, ForeignKey("register.establishment.id")),
    Column("opened_on", Date),
    Column("closed_on", Date),
    Column("opening_hours", Text),
    Column("website", Text),
    *geometry_columns("POINT"),
    Column("position_method", Text, nullable=False),
    Column("position_accuracy_m", Numeric(8, 1)),
    Column("outside_accepted", Boolean, nullable=False, server_default=text("false")),
    Column("verified_on", Date),
    Column("source", Text, nullable=False),
    Column("source_ref", Text),
    Column("illustrative", Boolean, nullable=False, server_default=text("false")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column(
        "ended_at", DateTime(timezone=True), comment="ended as a record: a mistake or a duplicate, not a closed shop"
    ),
    Column("end_reason", Text),
    Column("name_key", Text, Computed("published.search_key(coalesce(name, ''))", persisted=True)),
    Column(
        "search_key",
        Text,
        Computed(
            "published.search_key(coalesce(name, '') || ' ' || coalesce(name_en, '') || ' ' || "
            "coalesce(address, '') || ' ' || coalesce(offering, ''))",
            persisted=True,
        ),
    ),
    ForeignKeyConstraint(
        ["sector_scheme", "sector_code"], ["register.sector_class.scheme", "register.sector_class.code"]
    ),
    one_of("legal_form", LEGAL_FORMS),
    one_of("operating_status", OPERATING_STATUSES),
    one_of("position_method", POSITION_METHODS),
    one_of("source", SOURCES),
    CheckConstraint("(sector_scheme IS NULL) = (sector_code IS NULL)", name="sector_scheme_with_code"),
    CheckConstraint("position_accuracy_m >= 0", name="position_accuracy_m"),
    CheckConstraint("moved_to_id <> id AND merged_into_id <> id", name="not_itself"),
    CheckConstraint("name IS NFC NORMALIZED AND address IS NFC NORMALIZED", name="nfc"),
    in_order("opened_on", "closed_on"),
    Index(
        "ix_establishment_search_key",
        "search_key",
        postgresql_using="gin",
        postgresql_ops={"search_key": "gin_trgm_ops"},
    ),
    Index("ix_establishment_name_key", "name_key", "id", postgresql_ops={"name_key": "text_pattern_ops"}),
    Index(
        "ix_establishment_search_words",
        text("published.search_words(id, search_key)"),
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    ),
    Index("uq_establishment_source_ref", "source", "source_ref", unique=True),
    comment="A place of business (cơ sở kinh doanh), open or ended: nothing is ever physically removed.",
)

establishment_fact = Table(
    "establishment_fact",
    metadata,
    Column(
        "establishment_id", BigInteger, ForeignKey("register.establishment.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("licence_state", Text),
    Column("licence_valid_until", Date),
    Column("food_safety_kind", Text),
    Column("food_safety_valid_until", Date),
    Column("last_inspection_result", Text),
    Column("last_inspection_on", Date),
    Column("live_warning", Boolean, nullable=False, server_default=text("false")),
    Column("payment_methods", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("payment_checked_on", Date),
    Column("accepts_cashless", Text, nullable=False, server_default="unknown"),
    Column("active_acceptance", Text, nullable=False, server_default="unknown"),
    Column("on_digital_platform", Text, nullable=False, server_default="unknown"),
    Column("digital_checked_on", Date),
    Column("food_safety_checked_on", Date),
    Column("licence_checked_on", Date),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    one_of("accepts_cashless", YES_NO_UNKNOWN),
    one_of("active_acceptance", YES_NO_UNKNOWN),
    one_of("on_digital_platform", YES_NO_UNKNOWN),
    comment="What the dated records say now, kept by triggers: a tile needs no aggregate. Never written by hand.",
)
