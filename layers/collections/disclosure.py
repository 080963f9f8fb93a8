"""Why each registered field is public or not, and on which legal basis: data beside the fields, words in `web`.

The public page of the fields and the data dictionary are made from this and from the registry. A field without a reason
raises LookupError, so that nobody adds one without saying why it is shown or kept back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from layers.collections import STAFF_COLLECTIONS
from layers.collections.model import Collection
from postgis.vocabulary import PERSONAL_FIELDS

Shown = Literal["public", "partly", "staff", "personal", "never"]
"""To everybody; to everybody in the cases that the reason names; to the staff of the ward; to some of them, encrypted,
masked and with a logged purpose; not kept at all."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why fields are shown or kept back; `bases` are the legal texts, none where it follows from the ward's task."""

    code: str
    bases: tuple[str, ...] = ()
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What holds of one field."""

    collection: str
    field: str
    shown: Shown
    reason: Reason


LEGAL_BASES = (
    "access_to_information_17",
    "personal_data_law",
    "personal_data_decree",
    "registration_decree",
    "food_safety_law",
    "tax_circular",
    "sector_decision",
    "sharing_decree",
    "source_licences",
)
"""In the order of the page. What they are called stands in the translations."""

_REASONS = {
    reason.code: reason
    for reason in (
        Reason("recognise", ("registration_decree", "personal_data_law")),
        Reason("find", ("registration_decree", "personal_data_law")),
        Reason("trade", ("registration_decree", "sector_decision")),
        Reason("standing", ("registration_decree", "access_to_information_17")),
        Reason("certificate_number", ("registration_decree", "tax_circular", "personal_data_law"), partly=True),
        Reason("food_safety", ("food_safety_law", "access_to_information_17")),
        Reason("warning", ("access_to_information_17",)),
        Reason("payment"),
        Reason("adoption", ("access_to_information_17", "personal_data_law")),
        Reason("adoption_asked"),
        Reason("adoption_staff"),
        Reason("visit"),
        Reason("fresh", ("sharing_decree",)),
        Reason("origin", ("sharing_decree", "source_licences")),
        Reason("base_map", ("source_licences",)),
        Reason("storefront", ("personal_data_law",)),
        Reason("way_on", ("sharing_decree",), partly=True),
        Reason("address_parts"),
        Reason("survey"),
        Reason("position"),
        Reason("working"),
        Reason("ended"),
        Reason("unsigned", ("access_to_information_17",)),
        Reason("lifted", ("access_to_information_17",)),
        Reason("food_file", ("food_safety_law",)),
        Reason("outreach"),
        Reason("entity", ("registration_decree", "personal_data_law")),
        Reason("entity_number", ("tax_circular", "personal_data_law")),
        Reason("person", ("personal_data_law", "personal_data_decree")),
        Reason("person_number", ("tax_circular", "personal_data_law", "personal_data_decree")),
        Reason("not_needed", ("personal_data_law",)),
        Reason("money", ("personal_data_decree",)),
        Reason("tracking", ("personal_data_decree",)),
        Reason("reply", ("access_to_information_17",)),
        Reason("report"),
        Reason("answer", partly=True),
        Reason("report_words", ("personal_data_law",)),
        Reason("sticker", partly=True),
        Reason("sticker_log"),
        Reason("account_mark", ("personal_data_decree",)),
        Reason("owner_code", ("personal_data_law",)),
    )
}

_SHARED = {
    "recognise": ("code", "name", "name_en"),
    "find": ("geometry", "ward", "establishment"),
    "fresh": ("updated_at", "checked_on", "verified_on"),
    "origin": ("source", "illustrative"),
    "ended": ("ended", "ended_at", "end_reason"),
    "working": ("version",),
}
"""What holds of a name in every collection that says nothing else of it."""

_BASE = {
    "base_map": ("geometry", "code", "name", "name_en", "kind", "ward", "number", "layer", "valid_from",
                 "valid_to", "province_code", "area_km2", "population", "formed_from"),
}  # fmt: skip

_BY_COLLECTION: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "wards": _BASE,
    "residential_groups": _BASE,
    "streets": _BASE,
    "basemap_areas": _BASE,
    "model_sites": {"find": ("kind",)},
    "establishments": {
        "trade": ("kind", "legal_form", "sector_scheme", "sector_code", "sector_group", "offering"),
        "find": ("address", "residential_group", "model_site", "stall"),
        "standing": ("operating_status", "licence_status", "licence_valid_until"),
        "food_safety": ("food_safety_status", "food_safety_valid_until", "last_inspection_result",
                        "last_inspection_on"),
        "warning": ("live_warning",),
        "payment": ("payment_methods", "accepts_cashless"),
        "fresh": ("licence_checked_on", "food_safety_checked_on", "payment_checked_on"),
        "visit": ("opening_hours", "website"),
        "survey": ("active_acceptance", "on_digital_platform", "digital_checked_on"),
        "entity": ("legal_entity",),
        "address_parts": ("house_number", "alley", "street_name"),
        "way_on": ("closed_on", "moved_to", "merged_into"),
        "working": ("suspended_until", "status_reason", "opened_on", "payment_fresh_until", "licence_fresh_until",
                    "address_fresh_until", "food_safety_fresh_until", "digital_fresh_until"),
        "position": ("position_method", "position_accuracy_m", "outside_accepted"),
    },
    "licences": {
        "standing": ("kind", "issuer", "issued_on", "expires_on", "status"),
        "certificate_number": ("number",),
    },
    "inspections": {
        "food_safety": ("inspected_on", "agency", "result", "official_words", "signed_on", "superseded"),
        "unsigned": ("draft",),
        "reply": ("reply", "replied_on"),
    },
    "warnings": {
        "warning": ("issued_on", "headline", "instruction", "agency"),
        "lifted": ("lifted_on", "live"),
        "reply": ("reply", "replied_on"),
    },
    "payment_acceptances": {
        "payment": ("method", "accepted", "evidence_level", "has_transactions"),
        "working": ("document",),
    },
    "payment_adoption": {
        "adoption": ("establishments", "surveyed", "accepting", "share", "low", "high"),
        "adoption_asked": ("cell", "geometry", "ward", "resolution", "sector_group", "as_of", "suppressed"),
        "adoption_staff": ("method", "evidence_level", "known"),
    },
    "food_safety_records": {"food_file": ("kind", "number", "agency", "issued_on", "valid_until")},
    "digital_uses": {"survey": ("kind", "used")},
    "outreach": {"outreach": ("kind", "done_on", "topic")},
    "visits": {"working": ("visited_on", "outcome")},
    "legal_entities": {
        "entity": ("registered_name", "legal_form", "registered_on", "registry_status"),
        "entity_number": ("tax_code", "registration_number"),
    },
    "photos": {"storefront": ("file", "width", "height", "taken_on", "caption"), "fresh": ("updated_at",)},
    "personal_data": {
        "person": ("owner_name", "owner_phone", "owner_email", "home_address", "birth_date"),
        "person_number": ("personal_id", "household_tax_code"),
    },
    "citizen_report": {
        "report": ("kind", "received_at", "due_on", "extended", "handled_by", "erased_at"),
        "answer": ("receipt", "state", "outcome", "answer", "answered_at", "closed_at"),
        "report_words": ("words_sealed", "photo", "sticker_id", "typed_code"),
    },
    "sticker": {
        "sticker": ("serial", "state", "state_at"),
        "sticker_log": ("photo_id", "run_id", "replaces_id"),
    },
    "payment_account": {"account_mark": ("bank_bin", "account_hash", "buyer_check", "checked_on", "checked_by")},
    "owner_code": {"owner_code": ("code_hash", "made_by", "made_at", "expires_at", "tries_left", "used_at")},
    "never_kept": {
        "money": ("bank_account", "payment_qr", "amounts"),
        "not_needed": ("identity_photos",),
        "tracking": ("visits",),
    },
}  # fmt: skip

PHOTO_FIELDS = ("file", "establishment", "width", "height", "taken_on", "caption", "updated_at")
"""The columns of `published.photos`, which is shown with its place and is no collection of its own."""

WITHOUT_COLLECTION: Mapping[str, Shown] = {
    "citizen_report": "staff",
    "sticker": "staff",
    "payment_account": "staff",
    "owner_code": "staff",
}
"""Tables that are handed out as no collection; who sees them, but for what is partly shown."""

NEVER_KEPT = tuple(name for names in _BY_COLLECTION["never_kept"].values() for name in names)
"""What the register has no room for, though people would expect it there."""


def disclosures() -> Iterator[Disclosure]:
    """Every field of every collection, then what is handed out otherwise, personal data and what is never kept.

    Raises LookupError.
    """
    for collection in STAFF_COLLECTIONS.values():
        yield from of_collection(collection)
    yield from (_one("photos", name, "public") for name in PHOTO_FIELDS)
    for table, shown in WITHOUT_COLLECTION.items():
        yield from (_one(table, name, shown) for names in _BY_COLLECTION[table].values() for name in names)
    yield from (_one("personal_data", name, "personal") for name in PERSONAL_FIELDS)
    yield from (_one("never_kept", name, "never") for name in NEVER_KEPT)


def of_collection(collection: Collection) -> Iterator[Disclosure]:
    """The geometry and the fields of a collection, in its order. Raises LookupError for one without a reason."""
    if collection.geometry:
        yield _one(collection.id, "geometry", collection.access)
    for field in collection.fields:
        everybody = collection.access == "public" and field.access == "public"
        yield _one(collection.id, field.name, "public" if everybody else "staff")


def reason_of(collection: str, field: str) -> Reason:
    """Why a field is shown or kept back. Raises LookupError."""
    for reasons in (_BY_COLLECTION.get(collection, {}), _SHARED):
        for code, names in reasons.items():
            if field in names:
                return _REASONS[code]
    raise LookupError(f"nobody has said why {collection}.{field} is public or not")


def _one(collection: str, field: str, shown: Shown) -> Disclosure:
    reason = reason_of(collection, field)
    return Disclosure(collection, field, "partly" if reason.partly else shown, reason)
