// The cards of the review queue: which there are, where the focus is, what they say.

import { element, within } from "../dom.js";

/** @type {{words: Record<string, string>, next: string}} */
export const page = JSON.parse(element("page-data").textContent ?? "{}");

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function words(key, values = {}) {
  return page.words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Cards that still wait, in the order of the page. */
export function waiting() {
  return [...document.querySelectorAll(".proposal:not(.decided-now)")].filter((card) => card instanceof HTMLElement);
}

/** The card that the focus is in, if any. */
export function current() {
  const active = document.activeElement?.closest(".proposal");
  return active instanceof HTMLElement ? active : undefined;
}

/** @param {HTMLElement | undefined} card */
export function goTo(card) {
  if (!card) return;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: card.offsetHeight > innerHeight ? "start" : "nearest" });
}

/** @param {number} step */
export function move(step) {
  const cards = waiting();
  const card = current();
  const at = card ? cards.indexOf(card) : step > 0 ? -1 : cards.length;
  goTo(cards[Math.max(0, Math.min(cards.length - 1, at + step))]);
}

/**
 * @param {HTMLElement} card
 * @param {string} text
 */
export function complain(card, text) {
  const place = within(card, ".proposal-problem");
  place.textContent = text;
  place.hidden = !text;
}

/**
 * Whether the card already shows the version that the conflict is about: what was chosen on it is kept.
 * @param {HTMLElement} card
 * @param {{seen_version?: number}} problem
 */
export function stillSame(card, problem) {
  const seen = card.querySelector("input[name=seen_version]");
  const shown = card.querySelector("[data-conflict]") !== null;
  return shown && seen instanceof HTMLInputElement && Number(seen.value) === problem.seen_version;
}

/** @param {string} receipt */
export async function fetched(receipt) {
  const answer = await fetch(`/staff/proposals/${receipt}${location.search.includes("lang=en") ? "?lang=en" : ""}`, {
    headers: { Accept: "text/html" },
  });
  if (!answer.ok) return null;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".proposal");
  return found instanceof HTMLElement ? document.adoptNode(found) : null;
}

/**
 * Chooses a side of the first conflict that has no choice yet, else of the last.
 * @param {HTMLElement} card
 * @param {string} side
 */
export function choose(card, side) {
  const conflicts = [...card.querySelectorAll("[data-conflict]")];
  const open = conflicts.find((each) => !each.querySelector("input:checked")) ?? conflicts.at(-1);
  const radio = open?.querySelector(`input[value=${side}]`);
  if (radio instanceof HTMLInputElement) radio.checked = true;
}
