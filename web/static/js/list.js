// The list of places. It fills the same markup as the server (templates/parts/card.html) from features of the API.

import { element, say, within } from "./dom.js";
import { address } from "./state.js";
import { distance, label, page, words } from "./words.js";

/**
 * @typedef {object} Feature
 * @property {string} id
 * @property {{coordinates: [number, number]}} geometry
 * @property {Record<string, any>} properties
 */

const QUIET = new Set(["active", "unknown"]);
const DATED_FOOD = new Set(["certified", "committed", "equivalent"]);
const FAILED = new Set(["fail", "c"]);
const FAMILY = new Map(page.families.flatMap((family) => family.groups.map((group) => [group, family.code])));
const EARTH_M = 6_371_000;

/** Code of the colour family of a sector group. @param {string | null} group */
export function familyOf(group) {
  return FAMILY.get(group ?? "other") ?? "serve";
}

/**
 * Metres between two points in degrees; a ward is small enough for a flat earth.
 * @param {[number, number]} from
 * @param {[number, number]} to
 */
export function metres(from, to) {
  const radians = Math.PI / 180;
  const x = (to[0] - from[0]) * Math.cos(((from[1] + to[1]) / 2) * radians);
  return Math.hypot(x, to[1] - from[1]) * radians * EARTH_M;
}

/**
 * The name on the sign, or the kind of place where no name is known.
 * @param {Record<string, any>} place
 */
export function nameOf(place) {
  const name = place.name || place.name_en;
  if (name) return String(name);
  const kind = page.codes.kind[place.kind] ?? label("sector_group", place.sector_group ?? "other");
  return words("nameless", { kind });
}

/** @param {Record<string, any>} place */
function payment(place) {
  const methods = place.payment_methods ?? [];
  if (methods.length) return methods.map((/** @type {string} */ code) => label("payment_method", code)).join(", ");
  const key = { yes: "cashlessYes", no: "cashlessNo" }[String(place.accepts_cashless)] ?? "cashlessUnknown";
  return words(key);
}

/** @param {Record<string, any>} place */
function food(place) {
  if (place.live_warning) return ""; // nothing good stands above a warning
  const { last_inspection_result: result, last_inspection_on: inspected } = place;
  if (FAILED.has(result) && inspected) return foodLine("foodChecked", label("inspection_result", result), inspected);
  const status = place.food_safety_status ?? "unknown";
  if (status === "unknown" && !page.foodSectors.includes(place.sector_group)) return "";
  const found = label("food_safety_status", status);
  if (!DATED_FOOD.has(status)) return words("food", { words: inLine(found) });
  if (place.food_safety_valid_until) return foodLine("foodUntil", found, place.food_safety_valid_until);
  // Held, but nobody knows as of when: no praise without a date.
  return place.food_safety_checked_on ? foodLine("foodChecked", found, place.food_safety_checked_on) : "";
}

/**
 * @param {string} key
 * @param {string} said
 * @param {string} day
 */
function foodLine(key, said, day) {
  const [year, month] = day.split("-");
  return words(key, { words: inLine(said), month: `${Number(month)}/${year}` });
}

/** @param {string} said */
function inLine(said) {
  return said.charAt(0).toLowerCase() + said.slice(1);
}

/**
 * One card.
 * @param {Feature} feature
 * @param {URLSearchParams} search
 * @param {[number, number] | null} centre
 */
function card(feature, search, centre) {
  const place = feature.properties;
  const template = /** @type {HTMLTemplateElement} */ (element("card"));
  const made = within(/** @type {DocumentFragment} */ (template.content.cloneNode(true)), ".card");
  made.dataset.code = place.code;
  made.dataset.lon = String(feature.geometry.coordinates[0]);
  made.dataset.lat = String(feature.geometry.coordinates[1]);
  within(made, ".dot").className = `dot ${familyOf(place.sector_group)}`;
  const name = /** @type {HTMLAnchorElement} */ (within(made, ".card-name"));
  name.textContent = nameOf(place);
  name.href = address(search, { place: place.code });
  if (centre) {
    const away = within(made, ".card-distance");
    away.textContent = distance(metres(centre, feature.geometry.coordinates));
    away.title = words("fromCentre", { distance: away.textContent });
  }
  say(within(made, ".card-kind"), `${label("sector_group", place.sector_group ?? "other")} · ${payment(place)}`);
  say(within(made, ".card-address"), place.address ?? "");
  say(within(made, ".card-food"), food(place));
  const status = QUIET.has(place.operating_status ?? "unknown") ? "" : place.operating_status;
  say(within(made, ".badge.status"), status && label("operating_status", status));
  within(made, ".badge.warning").hidden = !place.live_warning;
  within(made, ".badge.illustrative").hidden = !place.illustrative;
  within(made, ".badges").hidden = !(status || place.live_warning || place.illustrative);
  return made;
}

/**
 * Shows places in the list.
 * @param {Feature[]} features
 * @param {{search: URLSearchParams, centre?: [number, number] | null, append?: boolean}} how
 */
export function show(features, { search, centre = null, append = false }) {
  const cards = features.map((feature) => card(feature, search, centre));
  const results = element("results");
  if (append) results.append(...cards);
  else results.replaceChildren(...cards);
}

/**
 * A sentence in place of, or above, the list; with a button when something can be tried again.
 * @param {string} text
 * @param {(() => void) | null} [retry]
 */
export function message(text, retry = null) {
  const target = element("list-message");
  say(target, text);
  target.classList.toggle("problem", retry !== null);
  if (!retry) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = words("retry");
  button.addEventListener("click", retry);
  target.append(" ", button);
}

/**
 * What follows the list: a button that brings more, a link to the whole list, or nothing.
 * @param {{words: string, act: () => void} | {words: string, href: string} | null} next
 */
export function following(next) {
  const place = element("list-more");
  place.hidden = !next;
  if (!next) return place.replaceChildren();
  const made = document.createElement("href" in next ? "a" : "button");
  made.className = "button";
  made.textContent = next.words;
  if (made instanceof HTMLAnchorElement && "href" in next) made.href = next.href;
  if (made instanceof HTMLButtonElement && "act" in next) {
    made.type = "button";
    made.addEventListener("click", next.act);
  }
  return place.replaceChildren(made);
}
