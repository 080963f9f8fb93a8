// The search form: what is chosen in it, and how its drop-down filters open and close.

import { element, within } from "./dom.js";
import { chosen, filtered } from "./state.js";
import { words } from "./words.js";

/** @returns {HTMLFormElement} */
export function form() {
  return /** @type {HTMLFormElement} */ (element("search"));
}

/** @returns {HTMLInputElement} */
export function field() {
  return /** @type {HTMLInputElement} */ (element("q"));
}

/** The search as the form has it. */
export function chosenInForm() {
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form())) data.append(name, String(value));
  return chosen(data);
}

/**
 * Puts a search into the form, as after Back.
 * @param {URLSearchParams} search
 */
export function fill(search) {
  field().value = search.get("q") ?? "";
  for (const box of boxes()) {
    const codes = search.get(box.name)?.split(",") ?? [];
    box.checked = box.value.includes(",") ? codes.includes("closed") : codes.includes(box.value);
  }
  count(search);
}

/** Takes every filter away; the words stay. */
export function clear() {
  for (const box of boxes()) box.checked = false;
}

/**
 * Shows how much is chosen in each filter.
 * @param {URLSearchParams} search
 */
export function count(search) {
  let all = 0;
  for (const filter of form().querySelectorAll("[data-filter]")) {
    const chosenHere = filter.querySelectorAll("input:checked").length;
    all += chosenHere;
    within(filter, "[data-count]").textContent = chosenHere ? String(chosenHere) : words("all");
  }
  within(form(), "[data-count-all]").textContent = all ? String(all) : "";
  element("clear-filters").hidden = !filtered(search);
}

function boxes() {
  return [...form().querySelectorAll('input[type="checkbox"]')].filter((box) => box instanceof HTMLInputElement);
}
