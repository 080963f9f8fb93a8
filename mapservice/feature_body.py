"""What a write sends: one GeoJSON feature with its reason, read strictly, and the values that it asks for."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Request

from layers.collections import Collection
from mapservice.errors import Problem
from mapservice.forms import read_body
from mapservice.write_problems import FieldsRefused
from postgis.errors import FieldError
from postgis.merge import same
from postgis.store.record_types import MAX_TEXT, RecordType
from postgis.store.records import Record

MAX_BODY_BYTES = 256 * 1024
"""Room for the outline of a model site."""
DEEPEST = 16
"""Levels of arrays and objects: a feature with a MultiPolygon has seven."""
MEDIA_TYPES = ("application/geo+json", "application/json", "application/merge-patch+json")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
ARGUMENTS = ("reason", "evidence", "legal_basis")
"""Members of the body beside the feature: why, and what an adverse fact rests on."""
DEFAULTS = {
    "operating_status": "unknown",
    "outside_accepted": False,
    "registry_status": "unknown",
}
"""What a field that may not be null is where nothing is said of it."""
BY_ACTION = frozenset({"merged_into"})
"""Fields that change only together with others: by the actions of the life cycle."""


@dataclass(frozen=True, slots=True)
class SentFeature:
    """A feature as it was sent, nothing of it checked but its shape."""

    body: Mapping[str, Any]
    reason: str | None
    evidence: str | None
    legal_basis: str | None

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties; empty where none were sent."""
        found: Mapping[str, Any] = self.body.get("properties") or {}
        return found


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object. Raises Problem."""
    body = await read_body(request, MAX_BODY_BYTES)
    if not body.strip():
        return {}
    if not request.headers.get("content-type"):
        raise Problem("missing_media_type", pointer="Content-Type", known=", ".join(MEDIA_TYPES))
    media_type = request.headers["content-type"].partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type not in MEDIA_TYPES or coding != "identity":
        given = media_type if coding == "identity" else f"{media_type}; {coding}"
        raise Problem("unsupported_media_type", value=given, known=", ".join(MEDIA_TYPES))
    try:
        found = json.loads(
            body.decode(), parse_constant=refuse_constant, parse_float=_finite, object_pairs_hook=only_once
        )
    except (ValueError, RecursionError):
        raise Problem("invalid_json") from None
    if not isinstance(found, dict) or _deeper(found, DEEPEST):
        raise Problem("invalid_json")
    return found


async def read_feature(request: Request) -> SentFeature:
    """The feature in the body. Raises Problem where it is none."""
    found = await read_object(request)
    crs = request.headers.get("content-crs", "").strip().strip("<>")
    if crs and crs != CRS84:
        raise Problem("unsupported_crs", known=CRS84)
    properties = found.get("properties")
    feature = found.get("type", "Feature") == "Feature" and ("properties" in found or "geometry" in found)
    if not feature or not isinstance(properties, dict | None):
        raise Problem("invalid_feature")
    return SentFeature(found, **arguments(request, found))


async def read_arguments(request: Request) -> dict[str, Any]:
    """The object in the body of an action or a deletion, with the header's reason; empty where there is none."""
    found = await read_object(request)
    given = arguments(request, {**dict(request.query_params), **found})
    plain = {name: value for name, value in found.items() if name not in ARGUMENTS}
    return plain | {name: value for name, value in given.items() if value is not None}


def arguments(request: Request, body: Mapping[str, Any]) -> dict[str, str | None]:
    """Reason, evidence and legal basis: of the body, the reason also of the header Change-Reason. Raises Problem."""
    errors: list[FieldError] = []
    found: dict[str, str | None] = {}
    said = {"reason": _reason_header(request), **{name: body[name] for name in ARGUMENTS if body.get(name) is not None}}
    for name in ARGUMENTS:
        value = said.get(name)
        if value is not None and not isinstance(value, str):
            errors.append(FieldError(name, "not_text"))
        elif value is not None and not _readable(value):
            errors.append(FieldError(name, "unreadable_text"))
        elif value is not None and len(value) > MAX_TEXT:
            errors.append(FieldError(name, "too_long", {"most": MAX_TEXT}))
        else:
            found[name] = value.strip() or None if value is not None else None
    if errors:
        raise FieldsRefused("shared", errors)
    return found


def wanted_values(
    collection: Collection, record_type: RecordType, sent: SentFeature, before: Record | None, *, replace: bool
) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that a write sets, by wire name, and what cannot be set.

    `before` is the record as it is (None: it is made). With `replace` every field that is not sent becomes null or its
    default. Properties that the service makes itself are passed over there, as a client sends back what it was sent;
    elsewhere setting one is a mistake worth telling.
    """
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for name, value in sent.properties.items():
        field = record_type.field(name) if name != "geometry" else None
        if field is None:
            unchanged = replace or (before is None and value is None)
            if name not in collection.field_by_name:
                errors.append(FieldError(name, "unknown_field"))
            elif not unchanged:
                errors.append(FieldError(name, "read_only"))
        else:
            values[name] = value
    if record_type.field("geometry") is not None:
        if "geometry" in sent.body:
            values["geometry"] = sent.body["geometry"]
    elif sent.body.get("geometry") is not None:
        errors.append(FieldError("geometry", "unknown_field"))
    if replace:
        values = {**dict.fromkeys(_replaceable(record_type)), **values}
    values = {name: DEFAULTS.get(name) if value is None else value for name, value in values.items()}
    if before is None:
        # What is not said is the same as null; the database knows the rest.
        values = {name: value for name, value in values.items() if value is not None}
    else:
        now = before.values
        values = {name: value for name, value in values.items() if not _unchanged(now.get(name), value)}
    errors += [FieldError(name, "use_action") for name in values if name in BY_ACTION]
    return {name: value for name, value in values.items() if name not in BY_ACTION}, errors


def _unchanged(now: Any, wanted: Any) -> bool:
    try:
        return same(now, wanted)
    except TypeError:
        # Coordinates that are no numbers: for the store to name.
        return False


def _replaceable(record_type: RecordType) -> Iterable[str]:
    return (field.name for field in record_type.fields if not field.fixed and field.name not in BY_ACTION)


def _reason_header(request: Request) -> str | None:
    """The header Change-Reason: percent-encoded UTF-8, since headers hold only ASCII."""
    given = request.headers.get("change-reason")
    if given is None:
        return None
    try:
        text = unquote_to_bytes(given).decode()
    except UnicodeError:
        raise Problem("invalid_reason", pointer="Change-Reason", most=MAX_TEXT) from None
    if len(text) > MAX_TEXT or not _readable(text):
        raise Problem("invalid_reason", pointer="Change-Reason", most=MAX_TEXT)
    return text


def _readable(text: str) -> bool:
    return all(letter.isprintable() or letter in "\t\n\r" for letter in text)


def refuse_constant(constant: str) -> float:
    """NaN and infinities are no JSON."""
    raise ValueError(constant)


def only_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Said twice, nobody knows which of the two was meant (RFC 8259, 4). Raises ValueError."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member stands there twice")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _deeper(value: Any, room: int) -> bool:
    """Whether arrays and objects are nested deeper than there is room."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return room == 0 or any(_deeper(each, room - 1) for each in inner)


Sent = Annotated[SentFeature, Depends(read_feature)]
SentArguments = Annotated[dict[str, Any], Depends(read_arguments)]
