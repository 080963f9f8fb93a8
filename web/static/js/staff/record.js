// The record page: what was typed is counted and not left by accident; the map sets the position.

import { element } from "../dom.js";
import { words } from "../words.js";
import { openMap } from "./record_map.js";

/** Forms whose typing is not to be lost, with what they held when the page came. */
const guarded = new Map([...document.querySelectorAll("form[data-guard]")].map((form) => [form, held(form)]));
let leaving = false;

/** What a form holds. @param {Element} form */
function held(form) {
  return inputs(form).map((input) => [input, value(input)]);
}

/** @param {Element} form @returns {(HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[]} */
function inputs(form) {
  return [.../** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input:not([type=hidden]), select, textarea"))];
}

/** @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input */
function value(input) {
  return input instanceof HTMLInputElement && ["checkbox", "radio"].includes(input.type) ? String(input.checked) : input.value;
}

/** The inputs that differ from what the page came with. @param {Element} form */
function changed(form) {
  const before = /** @type {[HTMLInputElement, string][]} */ (guarded.get(form) ?? []);
  return before.filter(([input, was]) => value(input) !== was).map(([input]) => input);
}

/** Marks the changed fields of the main form and counts them. */
function count() {
  const form = document.getElementById("record-form");
  const target = document.getElementById("changed-count");
  if (!form || !target) return;
  const fields = new Set(changed(form).map((input) => input.closest(".field")));
  for (const field of form.querySelectorAll(".field")) field.classList.toggle("changed", fields.has(field));
  form.querySelector(".save-bar")?.classList.toggle("busy", fields.size > 0);
  const reason = form.querySelector('[data-field="reason"]');
  if (reason) fields.delete(reason);
  target.textContent = fields.size ? words("changed", { count: fields.size }) : "";
}

const PAIR = /^\s*(-?\d{1,3}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\s*$/;

/** Latitude and longitude pasted in one go, as map applications copy them, go where they belong. @param {Event} event */
function split(event) {
  const lat = event.target;
  const lon = document.querySelector('#record-form [name="lon"]');
  if (!(lat instanceof HTMLInputElement && lat.name === "lat" && lon instanceof HTMLInputElement)) return;
  const both = PAIR.exec(lat.value);
  if (both) [lat.value, lon.value] = [both[1] ?? "", both[2] ?? ""];
}
document.addEventListener("change", split, true);
document.addEventListener("input", count);
document.addEventListener("change", count);
document.addEventListener("submit", () => (leaving = true));
addEventListener("pageshow", () => (leaving = false));
addEventListener("beforeunload", (event) => {
  if (leaving || ![...guarded.keys()].some((form) => changed(form).length)) return;
  event.preventDefault();
});

/** A link to a section opens what is folded there. */
function follow() {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  target?.closest("details")?.setAttribute("open", "");
}
addEventListener("hashchange", follow);
follow();

// What is wrong or in conflict comes first.
const first = document.querySelector("[data-conflict], [data-problems]");
if (first instanceof HTMLElement) {
  first.focus({ preventScroll: true });
  first.scrollIntoView({ block: "start" });
}
count();
openMap(element("map"), count);
document.documentElement.dataset.ready = "true";
