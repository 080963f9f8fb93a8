// Tiles for the map, asked for before the map library is here: on a slow line the library takes longest, and the tiles of
// the first view can come beside it. The library then asks this module for them, by a protocol of its own.

import { page } from "./words.js";

/** @typedef {import("maplibre-gl").StyleSpecification} Style */

const PROTOCOL = "tiles";
const TILE_PX = 512;
/** Pixels between the ward and the edges of the map at the start. */
export const PADDING = 16;

/** While the library is coming, tiles only fill the gaps, two at a time: it is what everything waits for. */
const GAPS = 2;

/** @type {Map<string, Promise<ArrayBuffer>>} what was asked for early, by path */
const early = new Map();
/** @type {Set<string>} what will be asked for as soon as there is a gap */
const waiting = new Set();
let gaps = GAPS;

/**
 * Makes a style's sources ask here, and at the address that the page came from: the service may be reached under other
 * names than the one it knows itself by.
 * @param {Style} style
 */
export function redirect(style) {
  for (const source of Object.values(style.sources)) {
    if (!("tiles" in source) || !source.tiles) continue;
    source.tiles = source.tiles.map((tiles) => `${PROTOCOL}:/${tiles.slice(tiles.indexOf("/ogc/"))}`);
  }
}

/**
 * Teaches the library the protocol.
 * @param {typeof import("maplibre-gl")} library
 */
export function answer(library) {
  library.addProtocol(PROTOCOL, async ({ url }, controller) => {
    const path = url.slice(PROTOCOL.length + 2);
    const started = early.get(path);
    // Once only: what changes on the server must reach the map when it asks again.
    early.delete(path);
    waiting.delete(path);
    return { data: await (started ?? load(path, controller.signal)) };
  });
  gaps = Infinity;
  fillGaps();
}

/**
 * Asks for the tiles that the first view will need.
 * @param {Style} style
 * @param {HTMLElement} container
 */
export function hurry(style, container) {
  const view = firstView(container);
  if (!view) return;
  const visible = style.layers.filter((layer) => layer.layout?.visibility !== "none" && (layer.minzoom ?? 0) <= view.zoom);
  const wanted = new Set(visible.map((layer) => ("source" in layer ? layer.source : null)));
  for (const [name, source] of Object.entries(style.sources)) {
    if (!wanted.has(name) || !("tiles" in source) || !source.tiles) continue;
    for (const path of paths(source.tiles[0], view, source.minzoom ?? 0, source.maxzoom ?? 22)) waiting.add(path);
  }
  fillGaps();
}

function fillGaps() {
  for (const path of waiting) {
    if (gaps <= 0) return;
    gaps -= 1;
    waiting.delete(path);
    const loading = load(path);
    early.set(path, loading);
    // Whoever asks for it later hears of a failure; here only the gap matters.
    loading.catch(() => early.delete(path)).finally(() => {
      gaps += 1;
      fillGaps();
    });
  }
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
async function load(path, signal) {
  const response = await fetch(path, { signal });
  if (!response.ok) throw new Error(`${response.status} ${path}`);
  return response.arrayBuffer();
}

/**
 * Where the map will look: as the address says, else at the ward. In the unit square of Web Mercator.
 * @param {HTMLElement} container
 */
function firstView({ clientWidth: width, clientHeight: height }) {
  const [zoom, lat, lon] = location.hash.slice(1).split("/").map(Number);
  if ([zoom, lat, lon].every(Number.isFinite)) return { zoom, x: mercatorX(lon), y: mercatorY(lat), width, height };
  if (!page.bbox) return null;
  const [west, south, east, north] = page.bbox;
  const [left, right, top, bottom] = [mercatorX(west), mercatorX(east), mercatorY(north), mercatorY(south)];
  const scale = Math.min((width - 2 * PADDING) / (right - left), (height - 2 * PADDING) / (bottom - top)) / TILE_PX;
  return { zoom: Math.log2(scale), x: (left + right) / 2, y: (top + bottom) / 2, width, height };
}

/**
 * The tiles of one source in a view.
 * @param {string} template
 * @param {{zoom: number, x: number, y: number, width: number, height: number}} view
 * @param {number} least
 * @param {number} most
 */
function paths(template, view, least, most) {
  const z = Math.min(Math.floor(view.zoom), most);
  if (z < least) return [];
  const reach = { x: view.width / 2 / TILE_PX / 2 ** view.zoom, y: view.height / 2 / TILE_PX / 2 ** view.zoom };
  const side = 2 ** z;
  const found = [];
  for (let x = Math.floor((view.x - reach.x) * side); x <= Math.floor((view.x + reach.x) * side); x++) {
    for (let y = Math.floor((view.y - reach.y) * side); y <= Math.floor((view.y + reach.y) * side); y++) {
      const filled = template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
      found.push(filled.slice(PROTOCOL.length + 2));
    }
  }
  return found;
}

/** @param {number} lon */
function mercatorX(lon) {
  return (lon + 180) / 360;
}

/** @param {number} lat */
function mercatorY(lat) {
  const radians = (lat * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / (2 * Math.PI);
}
