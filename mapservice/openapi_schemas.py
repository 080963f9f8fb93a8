"""JSON Schemas of what the API answers (OpenAPI 3.1 components), named as the standards name them."""

from typing import Any

from mapservice.errors import PROBLEMS
from mapservice.openapi_place import PLACE, REPORT
from postgis.vocabulary import PROPOSAL_STATES, RISKS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_DATE: Schema = {"type": "string", "format": "date"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def reference(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


_LINKS = _array(reference("Link"))
_BOX = _array({"type": "number"}, minItems=4, maxItems=6)

SCHEMAS: dict[str, Schema] = {
    "Problem": _object(
        "type title status detail",
        type={"type": "string", "enum": [f"urn:mapservice:problem:{code}" for code in PROBLEMS]},
        title=_TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_TEXT,
        instance=_TEXT,
        errors=_array(_object("pointer detail", pointer=_TEXT, code=_TEXT, detail=_TEXT)),
    ),
    "Link": _object(
        "href rel", href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, hreflang=_TEXT, templated={"type": "boolean"}
    ),
    "Landing": _object("title links", title=_TEXT, description=_TEXT, attribution=_TEXT, links=_LINKS),
    "Conformance": _object("conformsTo", conformsTo=_array({"type": "string", "format": "uri"}, uniqueItems=True)),
    "Collections": _object("links collections", links=_LINKS, collections=_array(reference("Collection"))),
    "Collection": _object(
        "id title links itemType crs",
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        links=_LINKS,
        itemType={"const": "feature"},
        crs=_array(_TEXT, minItems=1),
        storageCrs=_TEXT,
        extent=_object("spatial", spatial=_object("bbox", bbox=_array(_BOX, minItems=1), crs=_TEXT)),
    ),
    "PropertiesSchema": _object(
        "$schema $id type properties",
        **{"$schema": _TEXT, "$id": {"type": "string", "format": "uri"}, "type": {"const": "object"}},
        properties={"type": "object", "additionalProperties": {"type": "object"}},
    ),
    "Geometry": {
        "type": ["object", "null"],
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]},
            "coordinates": {"type": "array"},
        },
    },
    "Feature": _object(
        "type geometry properties",
        type={"const": "Feature"},
        id={"type": ["string", "integer"]},
        geometry=reference("Geometry"),
        properties={"type": "object"},
        links=_LINKS,
    ),
    "FeatureCollection": _object(
        "type features",
        type={"const": "FeatureCollection"},
        features=_array(reference("Feature")),
        numberReturned=_COUNT,
        numberMatched=_COUNT,
        links=_LINKS,
    ),
    "SentFeature": {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "geometry": reference("Geometry"),
            "properties": {"type": ["object", "null"]},
            "reason": _TEXT,
            "evidence": _TEXT,
            "legal_basis": _TEXT,
        },
    },
    "TileMatrixSets": _object(
        "tileMatrixSets", tileMatrixSets=_array(_object("id links", id=_TEXT, uri=_TEXT, links=_LINKS))
    ),
    "TileMatrixSet": _object(
        "id crs tileMatrices",
        id=_TEXT,
        crs=_TEXT,
        uri=_TEXT,
        tileMatrices=_array(
            _object(
                "id scaleDenominator cellSize pointOfOrigin tileWidth tileHeight matrixWidth matrixHeight",
                id=_TEXT,
                pointOfOrigin=_array({"type": "number"}, minItems=2, maxItems=2),
            ),
            minItems=1,
        ),
    ),
    "TileSets": _object("tilesets", tilesets=_array(reference("TileSet")), links=_LINKS),
    "TileSet": _object(
        "dataType crs tileMatrixSetURI links",
        title=_TEXT,
        dataType={"const": "vector"},
        crs=_TEXT,
        tileMatrixSetURI=_TEXT,
        links=_LINKS,
        layers=_array(_object("id", id=_TEXT)),
    ),
    "TileJSON": _object(
        "tilejson tiles vector_layers",
        tilejson={"const": "3.0.0"},
        tiles=_array(_TEXT, minItems=1),
        vector_layers=_array(_object("id fields", id=_TEXT, fields={"type": "object"})),
        minzoom={"type": "integer", "minimum": 0, "maximum": 30},
        maxzoom={"type": "integer", "minimum": 0, "maximum": 30},
        bounds=_array({"type": "number"}, minItems=4, maxItems=4),
    ),
    "Styles": _object("styles", styles=_array(_object("id links", id=_TEXT, links=_LINKS))),
    "Style": _object("version sources layers", version={"const": 8}, sources={"type": "object"}, layers=_array({})),
    "Changes": _object(
        "changes links",
        changes=_array(
            _object(
                "seq at collection id kind before after",
                seq=_COUNT,
                at={"type": "string", "format": "date-time"},
                collection=_TEXT,
                id=_TEXT,
                kind=_TEXT,
            )
        ),
        links=_LINKS,
    ),
    "Indicators": _object(
        "ward as_of known final indicators",
        ward=_TEXT,
        as_of={"type": "string", "format": "date"},
        indicators=_array(_object("code title definition value low high target due met as_of source", code=_TEXT)),
    ),
    "Rollout": _object(
        "ward as_of phases",
        ward=_TEXT,
        as_of=_DATE,
        phases=_array(
            _object(
                "code title starts due met criteria",
                code=_TEXT,
                title=_TEXT,
                starts=_DATE,
                due=_DATE,
                met={"type": "boolean"},
                criteria=_array(
                    _object(
                        "code title measured needed met evidence",
                        code=_TEXT,
                        title=_TEXT,
                        measured={"type": ["number", "null"]},
                        needed={"type": ["number", "null"]},
                        met={"type": "boolean"},
                        evidence=_TEXT,
                    )
                ),
            )
        ),
    ),
    "Health": _object("status", status={"enum": ["alive", "ready", "waiting"]}),
    "Place": PLACE,
    "Keys": _object("keys", keys=_array({"type": "object"})),
    "Receipt": _object(
        "receipt state", receipt=_TEXT, state={"enum": list(PROPOSAL_STATES)}, risk={"enum": [*RISKS, None]}
    ),
    "Report": REPORT,
    "Proposals": _object("proposals links", proposals=_array({"type": "object"}), links=_LINKS),
    "Import": _object("id state", id=_TEXT, state=_TEXT),
    "Imports": _object("imports links", imports=_array(reference("Import")), links=_LINKS),
    "ImportRows": _object("rows links", rows=_array({"type": "object"}), links=_LINKS),
}
