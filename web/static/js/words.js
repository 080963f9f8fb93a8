// What the server put into the page for the scripts: words, code lists, addresses.

/**
 * @typedef {object} PageData
 * @property {string} lang
 * @property {string | null} ward code of the ward the service is for
 * @property {[number, number, number, number] | null} bbox of that ward: west, south, east, north
 * @property {boolean} refused whether the service could not read the search in the address
 * @property {string[]} openStatuses
 * @property {string[]} businessGroups
 * @property {string[]} foodSectors
 * @property {{code: string, colour: string, groups: string[]}[]} families
 * @property {Record<string, Record<string, string>>} codes
 * @property {Record<string, string | {one: string, other: string}>} words
 * @property {{script: string, style: string, bold: string}} library
 * @property {string} style address of the map style
 */

/** @type {PageData} */
export const page = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("page-data")).textContent ?? "{}");

/**
 * The words under a key, with `{name}` places filled.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function words(key, values = {}) {
  let found = page.words[key];
  if (typeof found === "object") found = values.count === 1 ? found.one : found.other;
  return found.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/**
 * The words for a code; a code that the page does not know is shown as it is.
 * @param {string} list
 * @param {string} code
 */
export function label(list, code) {
  return page.codes[list]?.[code] ?? code;
}

/** @param {number} value */
export function number(value) {
  return new Intl.NumberFormat(page.lang === "vi" ? "vi-VN" : "en-GB").format(value);
}

/**
 * A distance a person can picture: 120 m, 1,4 km.
 * @param {number} metres
 */
export function distance(metres) {
  if (metres < 950) return `${number(Math.max(10, Math.round(metres / 10) * 10))} m`;
  const km = metres / 1000;
  return `${number(km < 10 ? Math.round(km * 10) / 10 : Math.round(km))} km`;
}
