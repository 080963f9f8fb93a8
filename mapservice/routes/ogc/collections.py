"""/ogc/collections: what there is, its schema and what it can be filtered by."""

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers.collections import Collection, Field
from layers.crs import CRS84, URIS
from layers.extents import extent_of
from mapservice import links as rel
from mapservice.dependencies import Language, LinkBuilder
from mapservice.feature_answers import file_forms
from mapservice.feature_body import BY_ACTION
from mapservice.links import Links
from mapservice.openapi import common_parameters
from mapservice.parameters import check_known
from mapservice.reading import SeenCollection, SeenCollections, SeenConnection, privacy
from mapservice.routes.ogc.negotiation import answer
from mapservice.security import MaybeActor
from postgis.store.record_types import RECORD_TYPES, WritableField
from postgis.store.record_values import EARLIEST, LATEST, TOO_LARGE
from postgis.today import today
from postgis.vocabulary import CODE_LISTS
from web import labels

router = APIRouter(prefix="/ogc/collections", tags=["OGC API Features"])


@router.get("", summary="All collections", openapi_extra=common_parameters())
def collections(
    request: Request,
    actor: MaybeActor,
    connection: SeenConnection,
    seen: SeenCollections,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """Every published collection; for staff also those that are theirs alone."""
    check_known(request.query_params, ())
    document = {
        "links": links.itself("/ogc/collections", rel.JSON),
        "crs": list(URIS),
        "collections": [describe(connection, collection, lang, links) for collection in seen.values()],
    }
    return answer(request, lang, "ogc/collections.html", document, headers=privacy(actor))


@router.get("/{collectionId}", summary="One collection", openapi_extra=common_parameters())
def collection(
    request: Request,
    actor: MaybeActor,
    connection: SeenConnection,
    found: SeenCollection,
    lang: Language,
    links: LinkBuilder,
) -> Response:
    """What the collection holds and where."""
    check_known(request.query_params, ())
    document = describe(connection, found, lang, links)
    return answer(request, lang, "ogc/collection.html", document, headers=privacy(actor))


@router.get("/{collectionId}/schema", summary="Schema of the features", openapi_extra=common_parameters())
def schema(request: Request, actor: MaybeActor, found: SeenCollection, lang: Language, links: LinkBuilder) -> Response:
    """JSON Schema of the properties, with titles and code lists in the asker's language.

    Staff are told what they may write, too: the rest is `readOnly`.
    """
    check_known(request.query_params, ())
    document = _json_schema(found, "schema", [*found.fields], lang, links)
    return answer(request, lang, "ogc/schema.html", document, rel.SCHEMA, headers=privacy(actor), collection=found.id)


@router.get("/{collectionId}/queryables", summary="What items can be filtered by", openapi_extra=common_parameters())
def queryables(
    request: Request, actor: MaybeActor, found: SeenCollection, lang: Language, links: LinkBuilder
) -> Response:
    """JSON Schema of the properties that `filter` may name; all but the place are query parameters, too."""
    check_known(request.query_params, ())
    document = _json_schema(found, "queryables", [*found.fields], lang, links)
    document["additionalProperties"] = False
    return answer(request, lang, "ogc/schema.html", document, rel.SCHEMA, headers=privacy(actor), collection=found.id)


@router.get("/{collectionId}/sortables", summary="What items can be sorted by", openapi_extra=common_parameters())
def sortables(
    request: Request, actor: MaybeActor, found: SeenCollection, lang: Language, links: LinkBuilder
) -> Response:
    """JSON Schema of the properties that `sortby` takes."""
    check_known(request.query_params, ())
    document = _json_schema(found, "sortables", [found.field_by_name[name] for name in found.sortable], lang, links)
    return answer(request, lang, "ogc/schema.html", document, rel.SCHEMA, headers=privacy(actor), collection=found.id)


def describe(connection: Connection, collection: Collection, lang: str, links: Links) -> dict[str, Any]:
    """A collection's description."""
    path = f"/ogc/collections/{collection.id}"
    box = extent_of(connection, collection)
    extent = {"extent": {"spatial": {"bbox": [box], "crs": CRS84.uri}}} if box else {}
    return {
        "id": collection.id,
        "title": labels.collection_title(collection.id, lang),
        "description": labels.collection_description(collection.id, lang),
        **extent,
        "itemType": "feature",
        "crs": list(URIS),
        "storageCrs": CRS84.uri,
        "links": [
            *links.itself(path, rel.JSON),
            links.link(f"{path}/items", "items", rel.GEOJSON, labels.text("ogc.items", lang), {"f": "json"}),
            links.link(f"{path}/items", "items", rel.HTML, labels.text("ogc.items", lang), {"f": "html"}),
            *links.forms(f"{path}/items", "items", file_forms(lang)),
            links.link(f"{path}/schema", rel.REL_SCHEMA, rel.SCHEMA, labels.text("ogc.schema", lang)),
            links.link(f"{path}/queryables", rel.REL_QUERYABLES, rel.SCHEMA, labels.text("ogc.queryables", lang)),
            links.link(f"{path}/sortables", rel.REL_SORTABLES, rel.SCHEMA, labels.text("ogc.sortables", lang)),
            *(
                [links.link(f"{path}/tiles", rel.REL_TILESETS, rel.JSON, labels.text("ogc.tiles", lang))]
                if collection.tile
                else []
            ),
        ],
    }


def _json_schema(collection: Collection, kind: str, fields: list[Field], lang: str, links: Links) -> dict[str, Any]:
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": links.url(f"/ogc/collections/{collection.id}/{kind}"),
        "type": "object",
        "title": labels.collection_title(collection.id, lang),
        "properties": {
            **{field.name: _property(collection, field, place, lang) for place, field in enumerate(fields, 1)},
            **({} if kind == "sortables" else _geometry(collection)),
        },
    }
    if collection.seen_by == "staff" and kind == "schema":
        _add_writing(collection, document)
    return document


def _geometry(collection: Collection) -> dict[str, Any]:
    if collection.geometry is None:
        return {}
    kind = "any" if collection.geometry == "Geometry" else collection.geometry.lower()
    return {"geometry": {"x-ogc-role": "primary-geometry", "format": f"geometry-{kind}"}}


def _add_writing(collection: Collection, document: dict[str, Any]) -> None:
    """What a write may say (JSON Schema 2020-12): what is refused for its form is told beforehand.

    `readOnly` is all that is derived; the bounds of dates are those of ajv-formats, as the standard has none.
    """
    fields = RECORD_TYPES[collection.id].fields
    writable: dict[str, WritableField] = {field.name: field for field in fields if field.name not in BY_ACTION}
    for name, found in document["properties"].items():
        field = writable.get(name)
        found.update({"readOnly": True} if field is None else _bounds(field))
    document["required"] = [name for name in document["properties"] if name in writable and writable[name].required]
    document["additionalProperties"] = False


def _bounds(field: WritableField) -> dict[str, Any]:
    if field.kind == "date":
        last = today() if field.has_happened else LATEST
        return {"formatMinimum": EARLIEST.isoformat(), "formatMaximum": last.isoformat()}
    if field.kind == "number":
        return {"minimum": 0, "exclusiveMaximum": TOO_LARGE}
    if field.kind not in ("text", "reference") or field.codes:
        return {}
    # Spaces alone are nothing.
    return {"maxLength": field.max_length, **({"minLength": 1} if field.required else {})}


def _property(collection: Collection, field: Field, place: int, lang: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": labels.field_title(collection.id, field.name, lang),
        "type": field.type if field.type in ("integer", "number", "boolean", "array") else "string",
        "x-ogc-propertySeq": place,
    }
    if field.type in ("date", "date-time"):
        found["format"] = field.type
    if field.unit:
        found["x-ogc-unit"] = field.unit
    if field.within:
        found["minimum"], found["maximum"] = field.within
    if field.name == collection.id_field:
        found["x-ogc-role"] = "id"
    values: dict[str, Any] = {"type": "string"}
    if field.code_list:
        codes = CODE_LISTS[field.code_list]
        values["enum"] = list(codes)
        # Titles beside the codes, as OGC API Features Part 5 will have them.
        values["oneOf"] = [{"const": code, "title": labels.code_label(field.code_list, code, lang)} for code in codes]
    if field.type == "array":
        found["items"] = values
    elif field.code_list:
        found.update(values)
    return found
