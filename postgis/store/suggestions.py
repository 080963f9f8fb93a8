"""What people without an account suggest about an establishment: volunteers, owners, citizens.

They are nobody to row-level security, so two narrow functions of the database do what they may: add within bounds, and
withdraw by the receipt, which is all that says whose a suggestion is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import JSON, Connection, Text, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from postgis.errors import FieldError, InvalidValues, NotFound
from postgis.merge import same
from postgis.risk import ENDED, risk_of
from postgis.store.proposals import checked, new_receipt, spoken
from postgis.store.record_types import RECORD_TYPES, RecordType

MAY_SUGGEST: dict[str, tuple[str, ...]] = {
    "establishments": (
        "name",
        "name_en",
        "offering",
        "address",
        "stall",
        "sector_group",
        "operating_status",
        "opening_hours",
        "website",
        "geometry",
    ),
    "payment_acceptances": ("method", "accepted"),
}
"""Fields that the public sees and may speak about, by collection: establishments change, payments are added."""

_TOO_MANY = "MS429"
_NO_PLACE = "P0002"
_PUBLISHED = table(
    "establishments",
    *(column(name) for name in ("code", "geom", *MAY_SUGGEST["establishments"]) if name != "geometry"),
    schema="published",
)


class TooManyProposals(Exception):
    """More wait about this place, or came in this hour, than the ward can look at."""


_WHENCE = {"volunteer": "field_survey", "owner": "owner", "citizen": "citizen"}
"""The source of a fact, by who told it."""


def suggest(
    connection: Connection,
    *,
    collection: str,
    establishment: str,
    patch: Mapping[str, Any],
    reason: str,
    evidence: str | None = None,
    proposer_kind: str,
) -> str:
    """Notes what somebody suggests about a place and returns the receipt.

    Raises InvalidValues, NotFound when the place is not on the map, TooManyProposals.
    """
    words = spoken(connection, reason=reason, evidence=evidence)
    seen: dict[str, Any] | None = None
    if collection == "establishments":
        wish, seen = wish_of_place(connection, establishment, patch)
        if "geometry" in wish:
            wish |= {"position_method": "map", "position_accuracy_m": None}
    else:
        record_type = _allowed(collection)
        if ENDED in patch:
            raise InvalidValues([FieldError(ENDED, "unknown_field")])
        wish = checked(connection, record_type, patch, new=True) | {
            "establishment": establishment,
            # Nobody whom we know vouches for it.
            "evidence_level": "declared",
            "checked_on": connection.execute(select(func.current_date())).scalar_one().isoformat(),
            "source": _WHENCE.get(proposer_kind, "office"),
        }
    receipt = new_receipt()
    arguments = {
        "receipt": receipt,
        "kind": proposer_kind,
        "collection": collection,
        "place": establishment,
        "seen": seen,
        "wanted": wish,
        "why": words["reason"],
        "shown": words["evidence"],
        "whence": _WHENCE.get(proposer_kind, "office"),
        "harm": risk_of(collection, seen, {**(seen or {}), **wish}, proposer_kind),
    }
    _call(connection, arguments)
    return receipt


def wish_of_place(
    connection: Connection, establishment: str, patch: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is wanted of a place's public fields, in the one spelling, and what is published of them.

    Raises InvalidValues, also where nothing would change, and NotFound.
    """
    if ENDED in patch:
        raise InvalidValues([FieldError(ENDED, "unknown_field")])
    wish = checked(connection, _allowed("establishments"), patch, new=False)
    seen = _published(connection, establishment, wish)
    if all(same(seen[name], value) for name, value in wish.items()):
        raise InvalidValues([FieldError("patch", "no_change")])
    return wish, seen


def withdraw(connection: Connection, receipt: str) -> bool:
    """Takes a pending suggestion back; False when there is none of that receipt to take back."""
    return bool(connection.execute(select(func.register.withdraw_anonymously(receipt))).scalar_one())


def _allowed(collection: str) -> RecordType:
    """The collection's type, cut down to what everybody may speak about."""
    record_type = RECORD_TYPES[collection]
    return replace(
        record_type, fields=tuple(field for field in record_type.fields if field.name in MAY_SUGGEST[collection])
    )


def _published(connection: Connection, code: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the map shows them. Raises NotFound."""
    shown = [
        cast(func.public.st_asgeojson(_PUBLISHED.c.geom, 7), JSON).label("geometry")
        if name == "geometry"
        else _PUBLISHED.c[name]
        for name in wish
    ]
    row = connection.execute(select(*shown).where(_PUBLISHED.c.code == code)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return dict(row)


def _call(connection: Connection, arguments: Mapping[str, Any]) -> None:
    nullable = JSONB(none_as_null=True)
    types = [nullable if name in ("seen", "wanted") else Text() for name in arguments]
    values = (cast(value, kind) for value, kind in zip(arguments.values(), types, strict=True))
    try:
        with connection.begin_nested():
            connection.execute(select(func.register.propose_anonymously(*values)))
    except DBAPIError as error:
        state = getattr(error.orig, "pgcode", None)
        if state == _TOO_MANY:
            raise TooManyProposals from None
        if state == _NO_PLACE:
            raise NotFound from None
        raise
