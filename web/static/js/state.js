// What is looked for, as the address says it. The parameters are those of the API, so an address of the map and one of
// the data differ only in their path. Where the map looks stands in the hash, which the map library keeps.

import { page } from "./words.js";

export const FILTERS = ["sector_group", "accepts_cashless", "payment_methods", "food_safety_status", "operating_status"];
export const ITEMS = "/ogc/collections/establishments/items";

/** The parameters of the search in the address of the page, in a fixed order. */
export function searched() {
  return chosen(new URLSearchParams(location.search));
}

/**
 * Of some parameters, those of the search: repeated ones joined by commas, empty ones left out.
 * @param {URLSearchParams} from
 */
export function chosen(from) {
  const found = new URLSearchParams();
  const q = from.get("q")?.trim();
  if (q) found.set("q", q);
  for (const name of FILTERS) {
    const codes = from.getAll(name).flatMap((value) => value.split(",")).filter(Boolean);
    if (codes.length) found.set(name, [...new Set(codes)].join(","));
  }
  return found;
}

/**
 * The search as the API gets it: places known to be gone only when asked for; benches, parks and the like, which are no
 * business, only when words are looked for or their group is chosen.
 * @param {URLSearchParams} search
 */
export function asked(search) {
  const found = new URLSearchParams(search);
  if (!found.has("operating_status")) found.set("operating_status", page.openStatuses.join(","));
  if (!found.has("q") && !found.has("sector_group")) found.set("sector_group", page.businessGroups.join(","));
  return found;
}

/** Whether a search narrows by anything but words. @param {URLSearchParams} search */
export function filtered(search) {
  return FILTERS.some((name) => search.has(name));
}

/**
 * An address of this page.
 * @param {URLSearchParams} search
 * @param {Record<string, string | null | undefined>} [more]
 */
export function address(search, more = {}) {
  const found = new URLSearchParams();
  for (const [name, value] of [...search, ...Object.entries(more)]) if (value) found.set(name, value);
  if (page.lang !== "vi") found.set("lang", page.lang);
  const query = readable(found);
  return query ? `/?${query}` : "/";
}

/**
 * A query with commas left as they are: people read and copy these addresses.
 * @param {URLSearchParams} query
 */
export function readable(query) {
  return query.toString().replaceAll("%2C", ",");
}

/** The place that the address opens, if any. */
export function opened() {
  return new URLSearchParams(location.search).get("place");
}

/**
 * Puts a search and an open place into the address without leaving the page. The hash stays.
 * @param {URLSearchParams} search
 * @param {string | null} place
 * @param {boolean} [step] whether Back should lead to what was before
 */
export function remember(search, place, step = false) {
  const url = address(search, { place }) + location.hash;
  if (url === location.pathname + location.search + location.hash) return;
  if (step) history.pushState(null, "", url);
  else history.replaceState(history.state, "", url);
  for (const link of document.querySelectorAll(".languages a[hreflang]")) {
    const target = new URLSearchParams(location.search);
    target.set("lang", link.getAttribute("hreflang") ?? "vi");
    link.setAttribute("href", `/?${readable(target)}${location.hash}`);
  }
}
