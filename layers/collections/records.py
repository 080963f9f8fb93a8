"""Dated records about establishments, and who trades there. They have no geometry: `establishment` leads to one."""

from layers.collections.model import RECORD_STATE, Collection, Field, staff

_OF_A_PLACE = (
    Field("code", filterable=True),
    Field("establishment", filterable=True),
    Field("ward", filterable=True),
)
_ORIGIN = (
    Field("source", code_list="source", filterable=True),
    Field("illustrative", "boolean", filterable=True),
    Field("updated_at", "date-time"),
)


_REPLY = (Field("reply"), Field("replied_on", "date"))
"""What the owner says to an adverse fact, once it was reviewed."""


def _record(
    collection: str,
    *fields: Field,
    own: tuple[Field, ...] = (),
    interval: tuple[str, str],
    published: bool = True,
) -> Collection:
    """A collection of records about establishments; `own`: what only staff of the ward see besides."""
    return Collection(
        id=collection,
        geometry=None,
        fields=(*_OF_A_PLACE, *fields, *_ORIGIN, *own, *RECORD_STATE),
        tile=None,
        interval=interval,
        access="public" if published else "staff",
        versioned=True,
    )


LICENCES = _record(
    "licences",
    Field("kind", code_list="licence_kind", filterable=True),
    Field("number"),
    Field("issuer"),
    Field("issued_on", "date"),
    Field("expires_on", "date"),
    Field("status", code_list="licence_status", filterable=True, beside="establishment"),
    Field("checked_on", "date"),
    interval=("issued_on", "expires_on"),
)

INSPECTIONS = _record(
    "inspections",
    Field("inspected_on", "date"),
    Field("agency"),
    Field("result", code_list="inspection_result", filterable=True, beside="establishment"),
    Field("official_words"),
    Field("signed_on", "date"),
    Field("superseded", "boolean", filterable=True),
    *_REPLY,
    own=(staff("draft", "boolean", filterable=True),),
    interval=("inspected_on", "inspected_on"),
)

WARNINGS = _record(
    "warnings",
    Field("issued_on", "date"),
    Field("headline"),
    Field("instruction"),
    Field("agency"),
    *_REPLY,
    own=(staff("lifted_on", "date"), staff("live", "boolean", filterable=True)),
    interval=("issued_on", "issued_on"),
)

PAYMENT_ACCEPTANCES = _record(
    "payment_acceptances",
    Field("method", code_list="payment_method", filterable=True),
    Field("accepted", "boolean", filterable=True),
    Field("evidence_level", code_list="evidence_level", filterable=True),
    Field("has_transactions", "boolean", filterable=True),
    Field("checked_on", "date"),
    own=(staff("document"),),
    interval=("checked_on", "checked_on"),
)

FOOD_SAFETY_RECORDS = _record(
    "food_safety_records",
    Field("kind", code_list="food_safety_kind", filterable=True),
    Field("number"),
    Field("agency"),
    Field("issued_on", "date"),
    Field("valid_until", "date"),
    Field("checked_on", "date"),
    interval=("issued_on", "valid_until"),
    published=False,
)

DIGITAL_USES = _record(
    "digital_uses",
    Field("kind", code_list="digital_use", filterable=True),
    Field("used", "boolean", filterable=True),
    Field("checked_on", "date"),
    interval=("checked_on", "checked_on"),
    published=False,
)

OUTREACH = _record(
    "outreach",
    Field("kind", code_list="outreach_kind", filterable=True),
    Field("done_on", "date"),
    Field("topic"),
    interval=("done_on", "done_on"),
    published=False,
)

VISITS = _record(
    "visits",
    Field("visited_on", "date"),
    Field("outcome", code_list="visit_outcome", filterable=True),
    interval=("visited_on", "visited_on"),
    published=False,
)

LEGAL_ENTITIES = Collection(
    id="legal_entities",
    geometry=None,
    fields=(
        Field("code", filterable=True),
        Field("ward", filterable=True),
        Field("registered_name"),
        Field("legal_form", code_list="legal_form", filterable=True),
        Field("tax_code", filterable=True),
        Field("registration_number"),
        Field("registered_on", "date"),
        Field("registry_status", code_list="registry_status", filterable=True),
        Field("illustrative", "boolean", filterable=True),
        Field("updated_at", "date-time"),
        *RECORD_STATE,
    ),
    tile=None,
    interval=("registered_on", "registered_on"),
    access="staff",
    versioned=True,
)
