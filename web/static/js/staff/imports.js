// One import: how far the work is, and the points of the file on a map.

import { say } from "../dom.js";
import { drawable, loadFonts, loadLibrary, loadStyle } from "../library.js";
import { page, words } from "../words.js";
import { smallMap } from "./small_map.js";

const EVERY_MS = 1500;
const LONGEST_MS = 15000;
const POINTS = "file-points";
const data = /** @type {{watch: string, points: [number, number][], stepWords: Record<string, string>}} */ (/** @type {unknown} */ (page));

/**
 * Asks how far the job is, and loads the page anew when it is done.
 * @param {number} wait
 */
function watch(wait) {
  setTimeout(async () => {
    try {
      const answer = await fetch(data.watch, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const batch = await answer.json();
      if (!batch.job) return location.reload();
      show(batch.progress, batch.cancel_asked);
      watch(EVERY_MS);
    } catch {
      tell(words("away"));
      watch(Math.min(wait * 2, LONGEST_MS));
    }
  }, wait);
}

/** @param {string} text */
function tell(text) {
  const said = document.querySelector("#progress-words strong");
  if (said && said.textContent !== text) said.textContent = text;
}

/**
 * @param {{step: string, done: number, total: number | null, percent: number | null} | null} progress
 * @param {boolean} cancelled
 */
function show(progress, cancelled) {
  if (!progress || cancelled) return;
  const bar = document.getElementById("progress");
  if (bar instanceof HTMLProgressElement) {
    if (progress.percent === null) bar.removeAttribute("value");
    else bar.value = progress.percent;
  }
  const step = data.stepWords[progress.step] ?? "";
  tell(words(progress.total ? "known" : "open", { step, done: progress.done, total: progress.total ?? 0 }));
}

/** @param {HTMLElement} container */
async function draw(container) {
  const said = /** @type {HTMLElement} */ (document.getElementById("map-words"));
  if (!drawable()) {
    container.hidden = true;
    return say(said, words("noWebgl"));
  }
  try {
    const [library, style] = await Promise.all([loadLibrary(), loadStyle(), loadFonts()]);
    const bounds = new library.LngLatBounds();
    for (const point of data.points) bounds.extend(point);
    const help = {
      "CooperativeGesturesHandler.WindowsHelpText": words("ctrlScroll"),
      "CooperativeGesturesHandler.MacHelpText": words("ctrlScroll"),
    };
    const fitBoundsOptions = { padding: 40, maxZoom: 17 };
    const map = smallMap(library, { container, style, bounds, fitBoundsOptions, cooperativeGestures: true }, help);
    map.once("load", () => {
      // What the register knows already would hide the file's own points.
      for (const layer of style.layers) if (layer.id.startsWith("establishment-")) map.removeLayer(layer.id);
      map.addSource(POINTS, { type: "geojson", data: { type: "MultiPoint", coordinates: data.points } });
      map.addLayer({
        id: POINTS,
        type: "circle",
        source: POINTS,
        paint: { "circle-radius": 7, "circle-color": "#0b6e75", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 },
      });
      container.dataset.state = "drawn";
    });
  } catch {
    container.hidden = true;
    say(said, words("mapFailed"));
  }
}

const wrong = document.querySelector("[data-problems]");
if (wrong instanceof HTMLElement) wrong.focus();
if (data.watch) watch(EVERY_MS);
const container = document.getElementById("map");
if (container && data.points.length) draw(container);
document.documentElement.dataset.ready = "true";
