// The map of the board itself: the house's base map without its places, and the parts of the ward in their colours.

import { drawable, loadBoldFonts, loadFonts, loadLibrary, loadStyle } from "../library.js";
import { page, words } from "../words.js";

/** @typedef {import("maplibre-gl").LayerSpecification} Layer */

/** The classes of web/adoption.py. */
const COLOURS = ["#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"];
const SOURCE = "adoption";
const HATCH_PX = 8;
const NOTHING = /** @type {import("geojson").FeatureCollection} */ ({ type: "FeatureCollection", features: [] });

/** This browser cannot draw the map. */
export class NoMap extends Error {}

/**
 * Opens the map of the ward.
 * @param {HTMLElement} container
 * @param {(code: string, line: string) => void} picked told of the part that was pointed at
 */
export async function openMap(container, picked) {
  if (!drawable()) throw new NoMap();
  const [library, style] = await Promise.all([loadLibrary(), loadStyle(), loadFonts()]);
  // The places themselves would hide what is said of all of them.
  style.layers = style.layers.filter((layer) => !("source" in layer && layer.source === "establishments"));
  delete style.sources.establishments;
  const map = new library.Map({
    container,
    style,
    bounds: page.bbox ?? undefined,
    fitBoundsOptions: { padding: 16 },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: false,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true },
    locale: {
      "Map.Title": words("mapName"),
      "NavigationControl.ZoomIn": words("zoomIn"),
      "NavigationControl.ZoomOut": words("zoomOut"),
      "AttributionControl.ToggleAttribution": words("attribution"),
    },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new library.AttributionControl({ compact: true }), "bottom-right");
  map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
  await new Promise((resolve) => map.once("load", resolve));
  map.addImage("adoption-hatch", hatch());
  map.addSource(SOURCE, { type: "geojson", data: NOTHING });
  const below = map.getStyle().layers.find((layer) => layer.type === "symbol")?.id;
  for (const layer of layers()) map.addLayer(layer, below);
  const areas = ["adoption-fill", "adoption-lines"];
  map.on("click", (event) => {
    const [seen] = map.queryRenderedFeatures(event.point, { layers: areas });
    picked(String(seen?.properties.code ?? ""), String(seen?.properties.words ?? ""));
  });
  map.on("mousemove", (event) => {
    const over = map.queryRenderedFeatures(event.point, { layers: areas }).length > 0;
    map.getCanvas().style.cursor = over ? "pointer" : "";
  });
  loadBoldFonts();
  container.dataset.state = "drawn";
  return {
    /** @param {import("geojson").FeatureCollection} figures */
    show(figures) {
      const source = /** @type {import("maplibre-gl").GeoJSONSource} */ (map.getSource(SOURCE));
      source.setData({ ...figures, features: figures.features.filter((each) => each.geometry) });
      container.dataset.shown = String(figures.features.length);
    },
  };
}

/**
 * Areas and lines by class; pale where few were surveyed, hatched where nothing is told, empty where nobody asked.
 * @returns {Layer[]}
 */
function layers() {
  /** @type {import("maplibre-gl").ExpressionSpecification} */
  const colour = ["match", ["coalesce", ["get", "shade"], -1], 0, COLOURS[0], 1, COLOURS[1], 2, COLOURS[2], 3, COLOURS[3], 4, COLOURS[4], "#ffffff"];
  /** @type {import("maplibre-gl").ExpressionSpecification} */
  const opacity = ["match", ["get", "sign"], "share", 0.8, "few", 0.35, "unsurveyed", 0.25, 0];
  /** @type {import("maplibre-gl").FilterSpecification} */
  const area = ["==", ["geometry-type"], "Polygon"];
  /** @type {import("maplibre-gl").FilterSpecification} */
  const line = ["==", ["geometry-type"], "LineString"];
  return [
    { id: "adoption-fill", type: "fill", source: SOURCE, filter: area, paint: { "fill-color": colour, "fill-opacity": opacity } },
    {
      id: "adoption-hidden",
      type: "fill",
      source: SOURCE,
      filter: ["all", area, ["==", ["get", "sign"], "hidden"]],
      paint: { "fill-pattern": "adoption-hatch" },
    },
    { id: "adoption-edges", type: "line", source: SOURCE, filter: area, paint: { "line-color": "#5b6670", "line-width": 0.7 } },
    { id: "adoption-line-edges", type: "line", source: SOURCE, filter: line, paint: { "line-color": "#33424f", "line-width": 7 } },
    { id: "adoption-lines", type: "line", source: SOURCE, filter: line, paint: { "line-color": colour, "line-width": 5 } },
  ];
}

/** A square of slanted lines. */
function hatch() {
  const data = new Uint8ClampedArray(HATCH_PX * HATCH_PX * 4);
  for (let place = 0; place < HATCH_PX; place += 1) {
    const at = (place * HATCH_PX + (HATCH_PX - 1 - place)) * 4;
    data.set([110, 120, 130, 255], at);
  }
  return { width: HATCH_PX, height: HATCH_PX, data };
}
