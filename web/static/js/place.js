// The panel of one place. Its words come from the server, the same as without JavaScript.

import { element, within } from "./dom.js";
import { Latest } from "./fetching.js";
import { readable } from "./state.js";
import { page, words } from "./words.js";

const latest = new Latest();
const title = document.title;

/** Whether a place is shown in the panel now; its code, or null. */
export function shown() {
  const article = element("place-pane").querySelector("[data-place]");
  return article instanceof HTMLElement ? article.dataset.place ?? null : null;
}

/**
 * Brings a place into the panel. Throws when it cannot be loaded.
 * @param {string} code
 * @returns {Promise<[number, number] | null>} where it is
 */
export async function load(code) {
  const query = new URLSearchParams({ view: "place", place: code, lang: page.lang });
  const text = await latest.get(`/?${readable(query)}`, async (response) => {
    if (!response.ok && response.status !== 404) throw new Error(response.statusText);
    return response.text();
  });
  const article = new DOMParser().parseFromString(text, "text/html").querySelector("[data-place]");
  if (!article) throw new Error("No place in the answer");
  element("place-pane").replaceChildren(document.adoptNode(article));
  reveal(true);
  document.title = `${within(element("place-pane"), "h2").textContent} · ${title}`;
  return position();
}

/** Where the place in the panel is. */
export function position() {
  const article = element("place-pane").querySelector("[data-place]");
  if (!(article instanceof HTMLElement) || !article.dataset.lon) return null;
  return /** @type {[number, number]} */ ([Number(article.dataset.lon), Number(article.dataset.lat)]);
}

/**
 * Says in the panel that something went wrong, with a button to try again.
 * @param {() => void} retry
 */
export function failed(retry) {
  const text = document.createElement("p");
  text.className = "problem";
  text.setAttribute("role", "alert");
  text.textContent = `${words("placeFailed")} `;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = words("retry");
  button.addEventListener("click", retry);
  text.append(button);
  element("place-pane").replaceChildren(text);
  reveal(true);
}

/** Goes back to the list. */
export function close() {
  latest.renew();
  element("place-pane").replaceChildren();
  reveal(false);
  document.title = title;
}

/** Moves the keyboard to the place's name, so that a screen reader reads on from there. */
export function focus() {
  element("pane-body").scrollTop = 0;
  element("place-pane").querySelector("h2")?.focus();
}

/** @param {boolean} place */
function reveal(place) {
  element("place-pane").hidden = !place;
  element("list-pane").hidden = place;
}
