"""What each operation of the API answers: statuses, media types, schemas. FastAPI sees none of it in a `Response`.

One table, by method and address; a test holds that it names every operation that the API describes, and calls made at
random (schemathesis) that no other status comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from layers import formats
from layers.formats.spreadsheets import XLSX_TYPE
from mapservice import links as rel
from mapservice.openapi_schemas import reference

PROBLEM = "application/problem+json"
TEXT = "text/plain"
Content = Mapping[str, str | None]
"""Media types with the component that describes each; None where none does."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an operation answers: `good` by status, and the statuses of its problems."""

    good: Mapping[int, Content]
    problems: tuple[int, ...] = ()
    who: str = "anybody"
    """`anybody`; `seen`: who asks decides what comes; `staff`: one must be signed in."""
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


_TITLES = {
    200: "As asked", 201: "Made", 202: "Begun, or waiting for a second person", 204: "Done, or nothing there",
    303: "To the page", 304: "As the client has it", 307: "Elsewhere for now", 308: "Moved for good",
    400: "What was asked is not right",
    401: "Nobody known is asking", 403: "Not for whoever is asking", 404: "Nothing of that name",
    405: "Not with this method", 409: "Not as things stand", 410: "Ended", 412: "Changed by somebody else meanwhile",
    413: "Too large", 414: "The address is too long", 415: "Not in this media type", 422: "Fields are not right",
    428: "The version seen must be named", 429: "Too many", 503: "Not now",
}  # fmt: skip
_PROBLEM = {PROBLEM: {"schema": reference("Problem")}, rel.HTML: {"schema": {"type": "string"}}}
"""To a browser every problem is a page."""
_EVERYWHERE = (414, 503)
"""The bounds of an address, and a database that is away or too slow."""
_WRITING = (400, 401, 403, 404, 405, 409, 410, 413, 415, 422)


def _page(schema: str, problems: tuple[int, ...] = (), who: str = "anybody", media_type: str = rel.JSON) -> Answers:
    """A document with two faces."""
    who_problems = (401, 403) if who != "anybody" else ()
    return Answers({200: {media_type: schema, rel.HTML: None}, 304: {}}, (400, *who_problems, *problems), who)


def _file(media_type: str, schema: str | None = None, problems: tuple[int, ...] = (400,)) -> Answers:
    """One representation, told by the address."""
    return Answers({200: {media_type: schema}, 304: {}}, problems)


def _staff(good: Mapping[int, Content], *problems: int) -> Answers:
    return Answers(good, (400, 401, 403, *problems), "staff")


_FEATURE: Content = {rel.GEOJSON: "Feature", rel.HTML: None}
_FEATURES: Content = {
    rel.GEOJSON: "FeatureCollection",
    rel.HTML: None,
    **{kind.media_type: None for kind in formats.FORMATS.values() if kind.media_type != rel.GEOJSON},
}
_RECEIPT: Content = {rel.JSON: "Receipt"}
_WAITING: Content = {rel.JSON: "Receipt"}
_CHANGED = Answers({200: _FEATURE, 202: _WAITING}, (*_WRITING, 412, 428), "staff", {200: ("ETag",)})
_DECIDED = _staff({200: _RECEIPT}, 404, 409, 413, 415, 422, 429)
_IMPORT: Content = {rel.JSON: "Import"}
_IMPORTING = (404, 409, 412, 413, 415, 422)
_COLLECTION = "/ogc/collections/{collectionId}"
_TILES = f"{_COLLECTION}/tiles"
_PLACE = "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
_TILE = Answers({200: {rel.MVT: None}, 204: {}, 304: {}}, (400, 404), headers={200: ("ETag",)})

ANSWERS: dict[tuple[str, str], Answers] = {
    ("get", "/healthz"): Answers({200: {rel.JSON: "Health"}}),
    ("get", "/readyz"): Answers({200: {rel.JSON: "Health"}, 503: {rel.JSON: "Health"}}),
    ("get", "/metrics"): Answers({200: {TEXT: None}}),
    ("get", "/changes"): _page("Changes", who="seen"),
    ("get", "/indicators"): _page("Indicators", (404,), "seen"),
    ("get", "/"): Answers({200: {rel.HTML: None}, 304: {}}, (400, 404)),
    ("get", "/about"): Answers({200: {rel.HTML: None}, 304: {}}, (400,)),
    ("get", "/about/data"): Answers({200: {rel.HTML: None}, 304: {}}, (400,)),
    ("get", "/open-data"): Answers({200: {rel.HTML: None}, 304: {}}, (400,)),
    ("get", "/open-data/catalog.jsonld"): _file("application/ld+json"),
    ("get", "/open-data/dictionary.json"): _file(rel.JSON),
    ("get", "/open-data/dictionary.csv"): _file("text/csv"),
    ("get", "/q"): Answers({200: {rel.HTML: None}, 303: {}, 304: {}}),
    ("get", "/q/{code}"): Answers({200: {rel.HTML: None}, 304: {}, 307: {}, 308: {}}, (404, 410)),
    ("get", "/q/{code}.json"): Answers({200: {rel.JSON: "Place"}, 304: {}, 307: {}, 308: {}}, (404, 410)),
    ("get", "/q/{code}.jws"): Answers({200: {"application/jose": None}, 308: {}}, (404, 410)),
    ("get", "/.well-known/jwks.json"): Answers({200: {"application/jwk-set+json": "Keys"}, 304: {}}),
    ("get", "/q/{code}.svg"): Answers({200: {"image/svg+xml": None}, 304: {}, 308: {}}, (404, 410)),
    ("get", "/q/{code}.png"): Answers({200: {"image/png": None}, 304: {}, 308: {}}, (404, 410)),
    ("get", "/rollout"): _page("Rollout", (404,)),
    ("get", "/ogc"): _page("Landing"),
    ("get", "/ogc/conformance"): _page("Conformance"),
    ("get", "/ogc/api"): Answers({200: {rel.OPENAPI: None, rel.HTML: None}, 304: {}}, (400,)),
    ("get", "/ogc/collections"): _page("Collections", who="seen"),
    ("get", _COLLECTION): _page("Collection", (404,), "seen"),
    ("get", f"{_COLLECTION}/schema"): _page("PropertiesSchema", (404,), "seen", rel.SCHEMA),
    ("get", f"{_COLLECTION}/queryables"): _page("PropertiesSchema", (404,), "seen", rel.SCHEMA),
    ("get", f"{_COLLECTION}/sortables"): _page("PropertiesSchema", (404,), "seen", rel.SCHEMA),
    ("get", f"{_COLLECTION}/items"): Answers({200: _FEATURES, 304: {}}, (400, 401, 403, 404), "seen"),
    ("options", f"{_COLLECTION}/items"): Answers({200: {}}, (401, 404), "seen", {200: ("Allow", "Accept-Post")}),
    ("post", f"{_COLLECTION}/items"): Answers(
        {201: _FEATURE, 202: _WAITING}, _WRITING, "staff", {201: ("Location", "ETag"), 202: ("Location",)}
    ),
    ("get", f"{_COLLECTION}/items/{{featureId}}"): _page("Feature", (404, 410), "seen", rel.GEOJSON),
    ("options", f"{_COLLECTION}/items/{{featureId}}"): Answers(
        {200: {}}, (401, 404), "seen", {200: ("Allow", "Accept-Patch")}
    ),
    ("put", f"{_COLLECTION}/items/{{featureId}}"): _CHANGED,
    ("patch", f"{_COLLECTION}/items/{{featureId}}"): _CHANGED,
    ("delete", f"{_COLLECTION}/items/{{featureId}}"): Answers(
        {202: _WAITING, 204: {}}, (*_WRITING, 412, 428), "staff"
    ),
    ("post", f"{_COLLECTION}/items/{{featureId}}/{{action}}"): Answers(
        {200: _FEATURE}, (*_WRITING, 412, 428), "staff", {200: ("ETag",)}
    ),
    ("get", "/ogc/tileMatrixSets"): _page("TileMatrixSets"),
    ("get", "/ogc/tileMatrixSets/{tileMatrixSetId}"): _page("TileMatrixSet", (404,)),
    ("get", _TILES): _page("TileSets", (404,)),
    ("get", f"{_TILES}/{{tileMatrixSetId}}"): _page("TileSet", (404,)),
    ("get", f"{_TILES}/{{tileMatrixSetId}}/tilejson.json"): _file(rel.JSON, "TileJSON", (400, 404)),
    ("get", f"{_TILES}{_PLACE}"): _TILE,
    ("get", "/ogc/tiles"): _page("TileSets"),
    ("get", "/ogc/tiles/{tileMatrixSetId}"): _page("TileSet", (404,)),
    ("get", f"/ogc/tiles{_PLACE}"): _TILE,
    ("get", "/ogc/styles"): _page("Styles"),
    ("get", "/ogc/styles/{styleId}"): _file(rel.JSON, "Style", (400, 404)),
    ("get", "/proposals"): _staff({200: {rel.JSON: "Proposals"}, 303: {}}),
    ("post", "/proposals"): Answers(
        {201: _RECEIPT}, (400, 401, 403, 404, 409, 410, 413, 415, 422, 429), "seen", {201: ("Location",)}
    ),
    ("get", "/proposals/{receipt}"): Answers(
        {200: {rel.JSON: "Receipt", rel.HTML: None}}, (400, 401, 403, 404), "seen"
    ),
    ("post", "/proposals/{receipt}/apply"): _DECIDED,
    ("post", "/proposals/{receipt}/return"): _DECIDED,
    ("post", "/proposals/{receipt}/reject"): _DECIDED,
    ("post", "/proposals/{receipt}/withdraw"): Answers(
        {200: _RECEIPT, 303: {}}, (400, 401, 403, 404, 409, 422), "seen"
    ),
    ("get", "/reports/{receipt}"): Answers({200: {rel.JSON: "Report", rel.HTML: None}}, (404,)),
    ("get", "/imports"): _staff({200: {rel.JSON: "Imports"}}),
    ("post", "/imports"): Answers(
        {202: _IMPORT}, (400, 401, 403, 409, 413, 415, 422), "staff", {202: ("Location",)}
    ),
    ("get", "/imports/{batch_id}"): _staff({200: _IMPORT, 304: {}}, 404),
    ("patch", "/imports/{batch_id}"): _staff({202: _IMPORT}, *_IMPORTING, 428),
    ("get", "/imports/{batch_id}/rows"): _staff({200: {rel.JSON: "ImportRows"}, 304: {}}, 404),
    ("patch", "/imports/{batch_id}/rows/{number}"): _staff({200: _IMPORT, 202: _IMPORT}, *_IMPORTING, 428),
    ("post", "/imports/{batch_id}/apply"): _staff({202: _IMPORT}, *_IMPORTING, 428),
    ("post", "/imports/{batch_id}/undo"): _staff({202: _IMPORT}, *_IMPORTING, 428),
    ("post", "/imports/{batch_id}/cancel"): _staff({202: _IMPORT}, *_IMPORTING),
    ("get", "/imports/{batch_id}/errors.xlsx"): _staff({200: {XLSX_TYPE: None}}, 404, 409),
}  # fmt: skip


def describe_answers(method: str, path: str, operation: dict[str, Any]) -> None:
    """Writes what the operation answers into its description. Raises KeyError for one that the table lacks."""
    found = ANSWERS[method, path]
    answers: dict[str, Any] = {}
    for status, content in found.good.items():
        answers[str(status)] = _answer(status, content, found.headers.get(status, ()))
    for status in sorted({*found.problems, *_EVERYWHERE}):
        given = answers.setdefault(str(status), {"description": _TITLES[status]})
        given["content"] = {**_PROBLEM, **given.get("content", {})}
    if found.who != "anybody":
        # A browser is led to where one signs in.
        answers.setdefault("303", _answer(303, {}, ()))
        ways: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
        operation["security"] = ways if found.who == "staff" else [{}, *ways]
    operation["responses"] = dict(sorted(answers.items()))


def _answer(status: int, content: Content, headers: tuple[str, ...]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _TITLES[status]}
    if content:
        described["content"] = {
            media_type: {"schema": reference(name)} if name else {} for media_type, name in content.items()
        }
    # Redirects have one as well; every other header is told where it matters.
    names = (*headers, *(("Location",) if status in (303, 308) else ()))
    if names:
        described["headers"] = {name: {"schema": {"type": "string"}} for name in names}
    return described
