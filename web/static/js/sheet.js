// On a narrow screen the list is a sheet over the map: a button opens and closes it, a finger may pull it.

import { element } from "./dom.js";
import { words } from "./words.js";

const PULL_PX = 24;

/** Makes the sheet's handle work. */
export function openableSheet() {
  const handle = element("sheet-handle");
  handle.hidden = false;
  set(false);
  let from = 0;
  let pulled = false;
  handle.addEventListener("pointerdown", (event) => {
    from = event.clientY;
    pulled = false;
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => {
    const moved = event.clientY - from;
    if (!handle.hasPointerCapture(event.pointerId) || pulled || Math.abs(moved) < PULL_PX) return;
    pulled = true;
    set(moved < 0);
  });
  handle.addEventListener("click", () => {
    if (!pulled) set(!element("pane").classList.contains("open"));
    pulled = false;
  });
}

/**
 * Opens or closes the sheet. On a wide screen this changes nothing that is seen.
 * @param {boolean} open
 */
export function set(open) {
  const handle = element("sheet-handle");
  element("pane").classList.toggle("open", open);
  handle.setAttribute("aria-expanded", String(open));
  handle.title = words(open ? "sheetClose" : "sheetOpen");
}

/**
 * What the handle says.
 * @param {string} text
 */
export function name(text) {
  element("sheet-words").textContent = text;
}
