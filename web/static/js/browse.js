// What to list: with words, the best matches in the whole ward; without, what is nearest in the part of the map in view.

import { Latest, json } from "./fetching.js";
import { metres } from "./list.js";
import { ITEMS, asked, readable } from "./state.js";
import { page } from "./words.js";

/** @typedef {import("./list.js").Feature} Feature */
/** @typedef {{features: Feature[], total: number | null, next: string | null, about?: boolean}} Found */
/** @typedef {{bbox: [number, number, number, number], centre: [number, number]}} View */

const PAGE = 20;
const NEAR = 40;
const latest = new Latest();

/**
 * The best matches of a search with words.
 * @param {URLSearchParams} search
 * @returns {Promise<Found>}
 */
export async function match(search) {
  return read(await latest.get(url(search, { limit: PAGE }), json));
}

/**
 * A following page, by the link that came with the one before.
 * @param {string} next
 * @returns {Promise<Found>}
 */
export async function more(next) {
  const link = new URL(next, location.href);
  return read(await latest.get(link.pathname + link.search, json));
}

/**
 * The places in view, nearest to the centre first. Where there are too many to list, a smaller frame around the centre
 * is asked for, sized so that about as many lie in it as the list shows.
 * @param {URLSearchParams} search
 * @param {View} view
 * @returns {Promise<Found>}
 */
export async function nearby(search, view) {
  const all = read(await latest.get(url(search, { limit: NEAR, bbox: view.bbox.join(",") }), json));
  if (all.total === null || all.total <= NEAR) return sorted(all, view.centre);
  const frame = shrunk(view, Math.sqrt(NEAR / all.total));
  const close = read(await latest.get(url(search, { limit: NEAR, bbox: frame.join(",") }), json));
  return sorted({ ...(close.features.length < PAGE ? all : close), total: all.total, about: all.about, next: null }, view.centre);
}

/**
 * @param {URLSearchParams} search
 * @param {Record<string, string | number>} more
 */
function url(search, more) {
  const query = asked(search);
  for (const [name, value] of Object.entries({ ...more, f: "json", lang: page.lang })) query.set(name, String(value));
  return `${ITEMS}?${readable(query)}`;
}

/**
 * @param {any} answer
 * @returns {Found}
 */
function read(answer) {
  /** @type {{rel: string, href: string}[]} */
  const links = answer.links ?? [];
  return {
    features: answer.features,
    total: answer.numberMatched ?? answer.numberMatchedEstimate ?? null,
    about: "numberMatchedEstimate" in answer,
    next: links.find((link) => link.rel === "next")?.href ?? null,
  };
}

/**
 * @param {Found} found
 * @param {[number, number]} centre
 */
function sorted(found, centre) {
  const away = (/** @type {Feature} */ feature) => metres(centre, feature.geometry.coordinates);
  return { ...found, features: [...found.features].sort((one, other) => away(one) - away(other)) };
}

/**
 * @param {View} view
 * @param {number} share of the sides that is kept
 */
function shrunk({ bbox: [west, south, east, north], centre: [x, y] }, share) {
  return [x - (x - west) * share, y - (y - south) * share, x + (east - x) * share, y + (north - y) * share].map((side) =>
    side.toFixed(6),
  );
}
