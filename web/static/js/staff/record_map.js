// The map of one record: a pin that can be dragged, and a ring that shows how far off it may be.

import { announce, calm, say } from "../dom.js";
import { drawable, loadBoldFonts, loadFonts, loadLibrary, loadStyle } from "../library.js";
import { page, words } from "../words.js";
import { smallMap } from "./small_map.js";

/** @typedef {[number, number]} Position */

const RING = "position-accuracy";
const ZOOM = 17.5;
const DECIMALS = 7;
const METRES_PER_DEGREE = 111_320;
const RING_POINTS = 64;

/** @param {string} name @returns {HTMLInputElement | null} */
function input(name) {
  return document.querySelector(`#record-form [name="${name}"]`);
}

/** A number as it was typed, with comma or point. @param {string} name */
function typed(name) {
  const text = input(name)?.value.trim().replace(",", ".");
  return text && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** The position in the form, or the one that the page came with. @param {HTMLElement} container @returns {Position | null} */
function position(container) {
  const lon = typed("lon") ?? Number(container.dataset.lon || NaN);
  const lat = typed("lat") ?? Number(container.dataset.lat || NaN);
  return Number.isFinite(lon) && Number.isFinite(lat) && Math.abs(lat) <= 85 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

/** A number for the form, as the page's language writes it. @param {number} number */
function written(number) {
  const text = number.toFixed(DECIMALS).replace(/0+$/, "").replace(/\.$/, "");
  return page.lang === "vi" ? text.replace(".", ",") : text;
}

/**
 * A circle on the ground, as a polygon.
 * @param {Position | null} centre
 * @param {number} metres
 * @returns {GeoJSON.FeatureCollection}
 */
function ring(centre, metres) {
  if (!centre || !(metres > 0)) return { type: "FeatureCollection", features: [] };
  const [lon, lat] = centre;
  const north = metres / METRES_PER_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  const points = Array.from({ length: RING_POINTS + 1 }, (_, place) => {
    const angle = (place / RING_POINTS) * 2 * Math.PI;
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)];
  });
  return {
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [points] } }],
  };
}

/**
 * Opens the map and joins it with the form's numbers.
 * @param {HTMLElement} container
 * @param {() => void} changed called after the map has changed the form
 */
export async function openMap(container, changed) {
  const said = /** @type {HTMLElement} */ (document.getElementById("map-words"));
  if (!drawable()) return fail(container, said, words("noWebgl"));
  try {
    const [library, style] = await Promise.all([loadLibrary(), loadStyle(), loadFonts()]);
    loadBoldFonts();
    draw(container, library, style, changed);
  } catch {
    fail(container, said, words("mapFailed"));
  }
}

/** @param {HTMLElement} container @param {HTMLElement} said @param {string} why */
function fail(container, said, why) {
  container.hidden = true;
  say(said, why);
}

/**
 * @param {HTMLElement} container
 * @param {typeof import("maplibre-gl")} library
 * @param {import("maplibre-gl").StyleSpecification} style
 * @param {() => void} changed
 */
function draw(container, library, style, changed) {
  const editable = /** @type {any} */ (page).editable && input("lat") !== null;
  const start = position(container);
  const map = smallMap(library, {
    container,
    style,
    ...(start ? { center: start, zoom: ZOOM } : { bounds: page.bbox ?? undefined }),
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
  });
  map.addControl(new library.ScaleControl({ unit: "metric" }), "bottom-left");
  const marker = new library.Marker({ color: "#0b6e75", draggable: editable });
  marker.getElement().setAttribute("aria-label", words("pin"));

  const show = () => {
    const at = position(container);
    if (at) marker.setLngLat(at).addTo(map);
    else marker.remove();
    const accuracy = input("position_accuracy_m") ? typed("position_accuracy_m") : Number(container.dataset.accuracy || NaN);
    const source = /** @type {import("maplibre-gl").GeoJSONSource | undefined} */ (map.getSource(RING));
    source?.setData(ring(at, accuracy ?? 0));
    return at;
  };
  map.once("load", () => {
    map.addSource(RING, { type: "geojson", data: ring(null, 0) });
    map.addLayer({ id: RING, type: "fill", source: RING, paint: { "fill-color": "#0b6e75", "fill-opacity": 0.12 } });
    map.addLayer({ id: `${RING}-edge`, type: "line", source: RING, paint: { "line-color": "#0b6e75", "line-width": 1.5 } });
    show();
    container.dataset.state = "drawn";
  });
  if (!editable) return;

  /** @param {{lng: number, lat: number}} to */
  const place = (to) => {
    for (const [name, number] of /** @type {const} */ ([["lat", to.lat], ["lon", to.lng]])) {
      const field = input(name);
      if (field) field.value = written(number);
    }
    // How the old position was found says nothing about the new one.
    const method = document.querySelector('#record-form [name="position_method"]');
    if (method instanceof HTMLSelectElement) method.value = "map";
    show();
    announce(words("moved", { lat: written(to.lat), lon: written(to.lng) }));
    changed();
  };
  marker.on("dragend", () => place(marker.getLngLat()));
  map.on("click", (event) => place(event.lngLat));
  for (const name of ["lat", "lon", "position_accuracy_m"]) {
    input(name)?.addEventListener("change", () => {
      const at = show();
      if (at && name !== "position_accuracy_m") map.easeTo({ center: at, duration: calm() ? 0 : 300 });
    });
  }
}
