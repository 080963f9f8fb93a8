// The adoption map: draws what the table says, and follows the form and the slider of time.

import { announce, element, within } from "../dom.js";
import { Latest, Refused, Superseded, json } from "../fetching.js";
import { page, words } from "../words.js";
import { NoMap, openMap } from "./map.js";

/** @typedef {import("geojson").FeatureCollection} Figures */
/** @typedef {{day: string, words: string}} Day */

const days = /** @type {{days: Day[]}} */ (/** @type {unknown} */ (page)).days;
const form = /** @type {HTMLFormElement} */ (within(element("adoption"), "form"));
const slider = /** @type {HTMLInputElement} */ (element("adoption-slider"));
const address = element("adoption").dataset.page ?? "/board/adoption";
const WAIT_MS = 150;
const MOST_KEPT = 40;

/** @type {Awaited<ReturnType<typeof openMap>> | null} */
let map = null;
const figures = new Latest();
const table = new Latest();
/** @type {Map<string, Figures>} days that are over do not change while somebody looks */
const known = new Map();

/** What the form asks, as it stands in addresses. */
function asked() {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value) found.set(name, value);
  }
  return found;
}

/** @param {string} query */
async function loaded(query) {
  const before = known.get(query);
  if (before) return before;
  const url = `${address}${address.includes("?") ? "&" : "?"}${query}&f=geojson`;
  const found = /** @type {Figures} */ (await figures.get(url, json));
  if (known.size >= MOST_KEPT) known.clear();
  known.set(query, found);
  return found;
}

/** @param {string} query */
async function tabled(query) {
  const text = await table.get(`${address}${address.includes("?") ? "&" : "?"}${query}`, (answer) => {
    if (!answer.ok) throw new Refused(words("failed"));
    return answer.text();
  });
  const read = new DOMParser().parseFromString(text, "text/html");
  const fresh = read.getElementById("adoption-figures");
  if (!fresh) return;
  const shown = element("adoption-figures");
  const open = [...shown.querySelectorAll("details")].map((each) => each.open);
  shown.replaceChildren(...fresh.childNodes);
  shown.querySelectorAll("details").forEach((each, at) => {
    each.open = open[at] ?? each.open;
  });
}

/** Shows what the form asks, on the map and in the table. */
async function refresh() {
  const query = asked().toString();
  try {
    const [found] = await Promise.all([loaded(query), tabled(query)]);
    map?.show(found);
    picked("", "");
    announce(words("asOf", { day: dayWords() }));
  } catch (error) {
    if (error instanceof Superseded) return;
    element("adoption-picked").textContent = error instanceof Refused ? error.message : words("failed");
  }
}

function dayWords() {
  const chosen = asked().get("as_of");
  return days.find((each) => each.day === chosen)?.words ?? chosen ?? "";
}

/**
 * Says what was pointed at, and marks its row.
 * @param {string} code
 * @param {string} line
 */
function picked(code, line) {
  element("adoption-picked").textContent = line || words("none");
  for (const row of element("adoption-figures").querySelectorAll("tr.picked")) row.classList.remove("picked");
  if (!code) return;
  const row = element("adoption-figures").querySelector(`tr[data-code="${CSS.escape(code)}"]`);
  row?.classList.add("picked");
  row?.scrollIntoView({ block: "nearest" });
}

/** Puts the slider where the form's day is. */
function place() {
  const chosen = days.findIndex((each) => each.day === asked().get("as_of"));
  slider.value = String(chosen < 0 ? days.length - 1 : chosen);
  element("adoption-day").textContent = dayWords();
  slider.setAttribute("aria-valuetext", dayWords());
}

let timer = 0;
slider.addEventListener("input", () => {
  const select = /** @type {HTMLSelectElement} */ (within(form, "[name=as_of]"));
  select.value = days[Number(slider.value)].day;
  place();
  clearTimeout(timer);
  timer = window.setTimeout(refresh, WAIT_MS);
});
form.addEventListener("change", () => {
  place();
  refresh();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh();
});

place();
element("adoption-time").hidden = false;
const message = element("adoption-message");
message.textContent = words("opening");
try {
  const [opened, found] = await Promise.all([openMap(element("adoption-map"), picked), loaded(asked().toString())]);
  map = opened;
  map.show(found);
  message.dataset.done = "";
  picked("", "");
} catch (error) {
  message.textContent = error instanceof NoMap ? message.dataset.failed ?? "" : words("failed");
}
