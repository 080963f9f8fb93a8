"""What OpenAPI cannot see by itself: parameters that are checked against the registry, bodies, and who may ask.

What is answered stands in `openapi_answers`.
"""

from typing import Any

from layers import cql2, tile_matrix_sets
from layers.collections import COLLECTIONS, Collection, Field
from layers.crs import URIS
from layers.formats import FORMATS
from layers.indicators import KNOWN
from layers.query import DEFAULT_LIMIT, MAX_LIMIT
from layers.styles import STYLES
from mapservice import links as rel
from mapservice.asker import COOKIE
from mapservice.openapi_answers import describe_answers
from mapservice.openapi_schemas import SCHEMAS, reference
from mapservice.parameters import COMMON, MAX_OFFSET, MAX_SORT_KEYS, MAX_TEXT, PAGING, filter_names
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
    "sortby": {"type": "array", "items": {"type": "string", "pattern": "^[+-]?[a-z0-9_]+$"}, "maxItems": MAX_SORT_KEYS},
    "properties": {"type": "array", "items": {"type": "string"}},
    "reason": {"type": "string"},
    "as_of": {"type": "string", "format": "date"},
    "ward": {"type": "string", "pattern": r"^\d{5}$"},
    "known": {"type": "string", "enum": list(KNOWN), "default": KNOWN[0]},
    "since": {"type": "integer", "minimum": 0, "default": 0},
    "after": {"type": "integer", "minimum": 0, "default": 0},
    "verdict": {"type": "array", "items": {"type": "string", "enum": list(IMPORT_VERDICTS)}},
    "outcome": {"type": "array", "items": {"type": "string", "enum": list(IMPORT_OUTCOMES)}},
    "decided": {"type": "boolean"},
    "sheet": {"type": "string"},
    "problem": {"type": "string"},
    "view": {"type": "string"},
    "place": {"type": "string"},
}
_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "collectionId": {"type": "string", "enum": list(COLLECTIONS)},
    "tileMatrixSetId": {"type": "string", "enum": [tile_matrix_sets.ID]},
    "tileMatrix": {"type": "integer", "minimum": 0, "maximum": tile_matrix_sets.MAX_ZOOM},
    "tileRow": {"type": "integer", "minimum": 0, "maximum": 2**tile_matrix_sets.MAX_ZOOM - 1},
    "tileCol": {"type": "integer", "minimum": 0, "maximum": 2**tile_matrix_sets.MAX_ZOOM - 1},
    "styleId": {"type": "string", "enum": list(STYLES)},
    "number": {"type": "integer", "minimum": 1},
}
"""Others are text with at least one character."""


def parameters(*names: str) -> dict[str, Any]:
    """`openapi_extra` with the named query parameters."""
    return {"parameters": [_parameter(name) for name in dict.fromkeys(names)]}


def common_parameters() -> dict[str, Any]:
    """`openapi_extra` of documents that only choose face and language."""
    return parameters(*COMMON)


def item_parameters() -> dict[str, Any]:
    """`openapi_extra` of items: what any collection takes. Which of them takes what, its queryables say."""
    found = parameters(*COMMON, "bbox", "bbox-crs", "crs", *_all_filters(), "sortby", "properties", *PAGING)
    for parameter in found["parameters"]:
        if parameter["name"] == "f":
            parameter["schema"] = {"type": "string", "enum": ["html", *FORMATS]}
    return found


def tile_parameters() -> dict[str, Any]:
    """`openapi_extra` of tiles."""
    return parameters(*_all_filters())


def write_parameters(*names: str, seen: bool = False, body: str = rel.GEOJSON) -> dict[str, Any]:
    """`openapi_extra` of writes. `seen`: they name the version that they start from; others may be sent again."""
    given = parameters("lang", *names)["parameters"]
    headers = {"Change-Reason": False, **({"If-Match": True} if seen else {"Idempotency-Key": False})}
    for name, required in headers.items():
        given.append({"name": name, "in": "header", "required": required, "schema": {"type": "string"}})
    found: dict[str, Any] = {"parameters": given}
    if "reason" not in names:
        schema = {"type": "object"} if body == rel.JSON else reference("SentFeature")
        found["requestBody"] = {"required": body != rel.JSON, "content": {body: {"schema": schema}}}
    return found


def json_body(*required: str) -> dict[str, Any]:
    """`openapi_extra` of a JSON object that is sent, with the members that it must have."""
    schema = {"type": "object", **({"required": list(required)} if required else {})}
    return {**parameters("lang"), "requestBody": {"required": True, "content": {rel.JSON: {"schema": schema}}}}


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
    components = openapi.setdefault("components", {})
    components["schemas"] = SCHEMAS
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "`mapservice token`"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            describe_answers(method, path, operation)
            for given in operation.get("parameters", ()):
                if given["in"] == "path":
                    given["schema"] = _PATH_SCHEMAS.get(given["name"], {"type": "string", "minLength": 1})
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
        elif field.type in ("integer", "number"):
            values = {"type": field.type}
            if field.within:
                values["minimum"], values["maximum"] = field.within
        elif field.type in ("date", "date-time"):
            values["format"] = field.type
        found["schema"] = {"type": "array", "items": values} if field.filterable else values
        found["description"] = labels.field_title(collection.id, name, "en")
    if found["schema"]["type"] == "array":
        found |= {"style": "form", "explode": False}
    return found
