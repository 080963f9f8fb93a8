"""/ogc, what it conforms to, and its OpenAPI description."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mapservice import links as rel
from mapservice import openapi
from mapservice.dependencies import Language, LinkBuilder
from mapservice.openapi import common_parameters
from mapservice.parameters import check_known
from mapservice.routes.ogc.negotiation import answer
from web import labels

router = APIRouter(prefix="/ogc", tags=["OGC API"])

CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.1/conf/oas31",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/returnables-and-receivables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
)


@router.get("", summary="Landing page", openapi_extra=common_parameters())
def landing(request: Request, lang: Language, links: LinkBuilder) -> Response:
    """Where everything is."""
    check_known(request.query_params, ())
    document = {
        "title": labels.text("ogc.title", lang),
        "description": labels.text("ogc.description", lang),
        "attribution": labels.text("ogc.attribution", lang),
        "links": [
            *links.itself("/ogc", rel.JSON),
            links.link("/ogc/api", "service-desc", rel.OPENAPI, labels.text("ogc.api", lang), {"f": "json"}),
            links.link("/ogc/api", "service-doc", rel.HTML, labels.text("ogc.api", lang), {"f": "html"}),
            links.link("/ogc/conformance", "conformance", rel.JSON, labels.text("ogc.conformance", lang)),
            links.link("/ogc/conformance", rel.REL_CONFORMANCE, rel.JSON, labels.text("ogc.conformance", lang)),
            links.link("/ogc/collections", "data", rel.JSON, labels.text("ogc.collections", lang)),
            links.link("/ogc/collections", rel.REL_DATA, rel.JSON, labels.text("ogc.collections", lang)),
            links.link("/ogc/tiles", rel.REL_TILESETS, rel.JSON, labels.text("ogc.tiles", lang)),
            links.link(
                "/ogc/tileMatrixSets", rel.REL_TILING_SCHEMES, rel.JSON, labels.text("ogc.tiling_schemes", lang)
            ),
            links.link("/ogc/styles", rel.REL_STYLES, rel.JSON, labels.text("ogc.styles", lang)),
        ],
    }
    return answer(request, lang, "ogc/landing.html", document)


@router.get("/conformance", summary="Conformance classes", openapi_extra=common_parameters())
def conformance(request: Request, lang: Language) -> Response:
    """The conformance classes that the service is built to."""
    check_known(request.query_params, ())
    return answer(request, lang, "ogc/conformance.html", {"conformsTo": list(CONFORMANCE)})


@router.get("/api", summary="This description", openapi_extra=common_parameters())
def api(request: Request, lang: Language, links: LinkBuilder) -> Response:
    """OpenAPI 3.1 of all public routes."""
    check_known(request.query_params, ())
    return answer(request, lang, "ogc/api.html", openapi.document(request.app.openapi(), links.base), rel.OPENAPI)
