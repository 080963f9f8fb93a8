"""MapLibre GL JS and OpenLayers as other sites use them: our vector tiles and OGC API Features in a page of theirs.

The page is served from a port of its own, so that the service's answers must allow other origins to read them.
"""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from playwright.sync_api import Page

MODULES = Path(__file__).parent.parent.parent / "node_modules"
WIDTH, HEIGHT, ZOOM = 600, 400, 18
COLLECTION = "/ogc/collections/establishments"
TILEJSON = f"{COLLECTION}/tiles/WebMercatorQuad/tilejson.json"

MAPLIBRE = """
<link rel="stylesheet" href="/maplibre-gl/dist/maplibre-gl.css"><script src="/maplibre-gl/dist/maplibre-gl.js"></script>
"""
OPENLAYERS = '<link rel="stylesheet" href="/ol/ol.css"><script src="/ol/dist/ol.js"></script>'
PAGE = f"""<!doctype html><html lang="en"><title>A map</title><link rel="icon" href="data:,">%s
<style>body {{ margin: 0 }} #map {{ width: {WIDTH}px; height: {HEIGHT}px }}</style><div id="map"></div></html>"""

WITH_MAPLIBRE = """async ({source, layer, at, zoom}) => {
  const map = new maplibregl.Map({
    container: "map", center: at, zoom: zoom - 1, fadeDuration: 0, attributionControl: false,
    style: {version: 8, sources: {places: source}, layers: [
      {id: "dots", type: "circle", source: "places", ...layer, paint: {"circle-radius": 6}},
    ]},
  });
  window.errors = [];
  map.on("error", (event) => window.errors.push(String(event.error)));
  map.on("click", "dots", (event) => { window.clicked = event.features.map((found) => found.properties.code); });
  window.drawn = () => map.queryRenderedFeatures({layers: ["dots"]}).length;
  await new Promise((resolve) => map.once("idle", resolve));
}"""

WITH_OPENLAYERS = """async ({kind, url, maxZoom, at, zoom}) => {
  const style = new ol.style.Style({
    image: new ol.style.Circle({radius: 6, fill: new ol.style.Fill({color: "#ff0000"})}),
  });
  const mercator = encodeURIComponent("http://www.opengis.net/def/crs/EPSG/0/3857");
  const layer = kind === "tiles"
    ? new ol.layer.VectorTile({style, source: new ol.source.VectorTile({
        format: new ol.format.MVT(), url, maxZoom})})
    : new ol.layer.Vector({style, source: new ol.source.Vector({
        format: new ol.format.GeoJSON(), strategy: ol.loadingstrategy.bbox,
        url: (extent) => `${url}?limit=1000&bbox=${extent.join(",")}&bbox-crs=${mercator}`})});
  const map = new ol.Map({
    target: "map", controls: [], interactions: [], layers: [layer],
    view: new ol.View({center: ol.proj.fromLonLat(at), zoom}),
  });
  window.errors = [];
  layer.getSource().on(["tileloaderror", "featuresloaderror"], (event) => window.errors.push(event.type));
  map.on("click", async (event) => {
    const found = await layer.getFeatures(event.pixel);
    window.clicked = found.map((each) => each.get("code") ?? each.getId());
  });
  window.drawn = () => {
    const canvas = document.querySelector("#map canvas");
    if (!canvas?.width) return 0;
    const shown = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return shown.some((value, place) => place % 4 === 3 && value > 0) ? 1 : 0;
  };
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """node_modules, and a page for each client."""

    pages: ClassVar = {"/maplibre.html": PAGE % MAPLIBRE, "/openlayers.html": PAGE % OPENLAYERS}

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        if page is None:
            super().do_GET()
            return
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to standard error."""


@pytest.fixture(scope="module")
def other_site() -> Iterator[str]:
    """The address of another site, with the clients' published files."""
    handler = functools.partial(_Quiet, directory=str(MODULES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def place(live_server: str) -> dict[str, Any]:
    """A place on the map."""
    found = httpx.get(f"{live_server}{COLLECTION}/items", params={"limit": 1}, timeout=30).json()["features"][0]
    return {"code": found["id"], "at": found["geometry"]["coordinates"]}


def _finds(page: Page, code: str) -> None:
    """Features are drawn, and a click in the middle finds the place there."""
    page.wait_for_function("window.drawn() > 0")
    for _ in range(20):
        page.mouse.click(WIDTH / 2, HEIGHT / 2)
        page.wait_for_timeout(400)
        if page.evaluate("(window.clicked || []).length"):
            break
    assert code in page.evaluate("window.clicked")
    assert page.evaluate("window.errors") == []


@pytest.mark.parametrize("kind", ["tiles", "items"])
def test_maplibre(browser_page: Page, live_server: str, other_site: str, place: dict[str, Any], kind: str) -> None:
    """By TileJSON, and as GeoJSON from the items near by."""
    lon, lat = place["at"]
    box = f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}"
    source: dict[str, Any] = {"type": "geojson", "data": f"{live_server}{COLLECTION}/items?limit=1000&bbox={box}"}
    layer = {}
    if kind == "tiles":
        source, layer = {"type": "vector", "url": f"{live_server}{TILEJSON}"}, {"source-layer": "establishments"}
    browser_page.goto(f"{other_site}/maplibre.html")
    browser_page.evaluate(WITH_MAPLIBRE, {"source": source, "layer": layer, "at": place["at"], "zoom": ZOOM})
    _finds(browser_page, place["code"])


@pytest.mark.parametrize("kind", ["tiles", "items"])
def test_openlayers(browser_page: Page, live_server: str, other_site: str, place: dict[str, Any], kind: str) -> None:
    """By the address of TileJSON's tiles, and as GeoJSON by bbox in the map's own coordinates.

    Clicks ask the layer (`getFeatures`): the map's `getFeaturesAtPixel` finds no point of any vector tile in OpenLayers
    10.11, not even one of a tile that the page makes up itself, while it finds the same point of a vector layer.
    """
    tilejson = httpx.get(f"{live_server}{TILEJSON}", timeout=30).json()
    url = tilejson["tiles"][0] if kind == "tiles" else f"{live_server}{COLLECTION}/items"
    browser_page.goto(f"{other_site}/openlayers.html")
    wanted = {"kind": kind, "url": url, "maxZoom": tilejson["maxzoom"], "at": place["at"], "zoom": ZOOM}
    browser_page.evaluate(WITH_OPENLAYERS, wanted)
    _finds(browser_page, place["code"])
