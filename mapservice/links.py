"""The only builder of links in OGC documents."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

JSON = "application/json"
GEOJSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
SCHEMA = "application/schema+json"
HTML = "text/html"
MVT = "application/vnd.mapbox-vector-tile"
# GDAL 3.6 refuses the media type of OpenAPI 3.1; the document says its version itself.
OPENAPI = "application/json"
TILEJSON = "application/vnd.mapbox.tile+json"
STYLE = "application/vnd.mapbox.style+json"

REL_CONFORMANCE = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
REL_DATA = "http://www.opengis.net/def/rel/ogc/1.0/data"
REL_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
REL_SCHEMA = "http://www.opengis.net/def/rel/ogc/1.0/schema"
REL_SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
REL_TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
REL_TILING_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
REL_TILING_SCHEMES = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
REL_STYLES = "http://www.opengis.net/def/rel/ogc/1.0/styles"


class Links:
    """Links from one base address, without a slash at its end."""

    def __init__(self, base: str) -> None:
        self.base = base

    def url(self, path: str, query: dict[str, Any] | None = None) -> str:
        """The absolute address of a path under the base."""
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    def link(
        self, path: str, rel: str, media_type: str, title: str | None = None, query: dict[str, Any] | None = None
    ) -> dict[str, str]:
        """One link object."""
        found = {"href": self.url(path, query), "rel": rel, "type": media_type}
        return {**found, "title": title} if title else found

    def forms(
        self, path: str, rel: str, forms: Iterable[tuple[str, str, str]], query: Mapping[str, Any] | None = None
    ) -> list[dict[str, str]]:
        """Links to what stands at a path in several formats: the value of `f`, media type and title of each."""
        kept = {name: value for name, value in (query or {}).items() if name != "f"}
        start = self.url(path, {**kept, "f": ""})
        return [{"href": start + form, "rel": rel, "type": kind, "title": title} for form, kind, title in forms]

    def itself(self, path: str, media_type: str, query: dict[str, Any] | None = None) -> list[dict[str, str]]:
        """The link to the document at hand, and to the same as a page for people or as data."""
        kept = urlencode({name: value for name, value in (query or {}).items() if name != "f"})
        start = f"{self.base}{path}?{kept}&f=" if kept else f"{self.base}{path}?f="
        return [
            {"href": f"{start}json", "rel": "self", "type": media_type},
            {"href": f"{start}html", "rel": "alternate", "type": HTML},
        ]
