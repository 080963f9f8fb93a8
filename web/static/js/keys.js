// Ways through the page for hands and keys that need nothing from the server.

import { element, within } from "./dom.js";

/**
 * Opens one filter of a form at a time; a click elsewhere or Escape closes it.
 * @param {HTMLElement} form
 */
export function foldFilters(form) {
  const folds = [...form.querySelectorAll("details")];
  for (const fold of folds) {
    fold.addEventListener("toggle", () => {
      if (fold.open) for (const other of folds) if (other !== fold) other.open = false;
    });
  }
  document.addEventListener("click", (event) => {
    for (const fold of folds) if (!fold.contains(/** @type {Node} */ (event.target))) fold.open = false;
  });
  form.addEventListener("keydown", (event) => {
    const fold = folds.find((each) => each.open);
    if (event.key !== "Escape" || !fold) return;
    event.stopPropagation();
    fold.open = false;
    within(fold, "summary").focus();
  });
}

/**
 * On a narrow screen the filters hide behind a button.
 * @param {HTMLElement} form
 */
export function tuckFilters(form) {
  const button = element("filters-toggle");
  button.hidden = false;
  form.classList.add("tucked");
  button.addEventListener("click", () => {
    const open = form.classList.toggle("filters-open");
    button.setAttribute("aria-expanded", String(open));
  });
}

/**
 * Lets arrow keys walk from the search field through the list and back.
 * @param {HTMLInputElement} field
 */
export function walkWithArrows(field) {
  const links = () => [...element("results").querySelectorAll("a.card-name")].filter((link) => link instanceof HTMLElement);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    const first = links()[0];
    if (!first) return;
    event.preventDefault();
    first.focus();
  });
  element("results").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = links();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? field : all[Math.min(next, all.length - 1)]).focus();
  });
}
