"""What OpenAPI cannot see by itself: parameters that are checked against the registry, and the problem answer."""

from typing import Any

from layers import cql2
from layers.collections import COLLECTIONS, Collection, Field
from layers.crs import URIS
from layers.query import DEFAULT_LIMIT, MAX_LIMIT
from mapservice.errors import PROBLEMS
from mapservice.parameters import COMMON, MAX_OFFSET, MAX_TEXT, PAGING, filter_names
from postgis.store.imports_correct import LONGEST
from postgis.vocabulary import CODE_LISTS, IMPORT_DECISIONS, IMPORT_OUTCOMES, IMPORT_VERDICTS
from web import labels

_SCHEMAS: dict[str, dict[str, Any]] = {
    "f": {"type": "string", "enum": ["json", "html"]},
    "lang": {"type": "string", "enum": ["vi", "en"], "default": "vi"},
    "collections": {"type": "array", "items": {"type": "string", "enum": list(COLLECTIONS)}, "minItems": 1},
    "q": {"type": "string", "maxLength": MAX_TEXT},
    "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    "bbox-crs": {"type": "string", "format": "uri", "enum": list(URIS), "default": URIS[0]},
    "filter": {"type": "string", "maxLength": cql2.MAX_TEXT},
    "filter-lang": {"type": "string", "enum": list(cql2.LANGUAGES), "default": cql2.LANGUAGES[0]},
    "filter-crs": {"type": "string", "format": "uri", "enum": list(URIS), "default": URIS[0]},
    "crs": {"type": "string", "format": "uri", "enum": list(URIS), "default": URIS[0]},
    "datetime": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "offset": {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    "cursor": {"type": "string"},
    "reason": {"type": "string"},
    "as_of": {"type": "string", "format": "date"},
    "since": {"type": "integer", "minimum": 0, "default": 0},
    "after": {"type": "integer", "minimum": 0, "default": 0},
    "verdict": {"type": "array", "items": {"type": "string", "enum": list(IMPORT_VERDICTS)}},
    "outcome": {"type": "array", "items": {"type": "string", "enum": list(IMPORT_OUTCOMES)}},
    "decided": {"type": "boolean"},
    "sheet": {"type": "string"},
    "problem": {"type": "string"},
}


def parameters(*names: str) -> dict[str, Any]:
    """`openapi_extra` with the named query parameters."""
    return {"parameters": [_parameter(name) for name in dict.fromkeys(names)]}


def common_parameters() -> dict[str, Any]:
    """`openapi_extra` of documents that only choose face and language."""
    return parameters(*COMMON)


def item_parameters() -> dict[str, Any]:
    """`openapi_extra` of items: what any collection takes. Which of them takes what, its queryables say."""
    return parameters(*COMMON, "bbox", "bbox-crs", "crs", *_all_filters(), *PAGING)


def tile_parameters() -> dict[str, Any]:
    """`openapi_extra` of tiles."""
    return parameters(*_all_filters())


def write_parameters(*names: str, seen: bool = False) -> dict[str, Any]:
    """`openapi_extra` of writes. `seen`: they name the version that they start from; others may be sent again."""
    given = parameters("lang", *names)["parameters"]
    headers = {"Change-Reason": False, **({"If-Match": True} if seen else {"Idempotency-Key": False})}
    for name, required in headers.items():
        given.append({"name": name, "in": "header", "required": required, "schema": {"type": "string"}})
    found: dict[str, Any] = {"parameters": given}
    if "reason" not in names:
        found["requestBody"] = {"required": True, "content": {"application/geo+json": {"schema": {"type": "object"}}}}
    return found


def import_body(*, seen: bool = False) -> dict[str, Any]:
    """`openapi_extra` of what is decided about an import; `seen`: only in the version that the caller has seen."""
    given = parameters("lang")["parameters"]
    given.append({"name": "If-Match", "in": "header", "required": seen, "schema": {"type": "string"}})
    return {
        "parameters": given,
        "requestBody": {"required": seen, "content": {"application/json": {"schema": {"type": "object"}}}},
    }


def import_row_body() -> dict[str, Any]:
    """`openapi_extra` of what is decided about a row, or written into its cells."""
    described = import_body(seen=True)
    fields = {
        "decision": {"type": ["string", "null"], "enum": [*IMPORT_DECISIONS, None]},
        "target": {"type": ["string", "null"]},
        "cells": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^\d{1,5}$"},
            "additionalProperties": {"type": "string", "maxLength": LONGEST},
        },
    }
    described["requestBody"]["content"]["application/json"]["schema"]["properties"] = fields
    return described


def import_upload() -> dict[str, Any]:
    """`openapi_extra` of a file that is sent to be imported."""
    fields = {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "ward": {"type": "string", "pattern": r"^\d{5}$"},
        "again": {"type": "string", "enum": ["true"]},
    }
    schema = {"type": "object", "required": ["file"], "properties": fields}
    return {
        **parameters("lang"),
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
    }


def document(openapi: dict[str, Any], base: str) -> dict[str, Any]:
    """The description with the server's address and with problems as they are, not as FastAPI supposes."""
    problem = {
        "description": "Problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    components = openapi.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": [f"urn:mapservice:problem:{code}" for code in PROBLEMS]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
    }
    for path in openapi["paths"].values():
        for operation in path.values():
            # Bad parameters are answered with 400, not with FastAPI's 422.
            operation["responses"].pop("422", None)
            operation["responses"].update({"4XX": problem, "503": problem})
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    return {**openapi, "servers": [{"url": base}]}


def _all_filters() -> list[str]:
    return [name for collection in COLLECTIONS.values() for name in filter_names(collection)]


def _field(name: str) -> tuple[Collection, Field] | None:
    for collection in sorted(COLLECTIONS.values(), key=lambda found: found.id != "establishments"):
        if name in collection.field_by_name:
            return collection, collection.field_by_name[name]
    return None


def _parameter(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "in": "query", "required": False}
    known = _field(name) if name not in _SCHEMAS else None
    if known is None:
        found["schema"] = _SCHEMAS[name]
    else:
        collection, field = known
        values: dict[str, Any] = {"type": "string"}
        if field.type == "boolean":
            values = {"type": "string", "enum": ["true", "false"]}
        elif field.code_list:
            values["enum"] = list(CODE_LISTS[field.code_list])
        found["schema"] = {"type": "array", "items": values}
        found["description"] = labels.field_title(collection.id, name, "en")
    if found["schema"]["type"] == "array":
        found |= {"style": "form", "explode": False}
    return found
