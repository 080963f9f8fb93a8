// The review queue by keyboard: the page's own forms are sent without leaving it, and the next card comes up.

import { announce, element, within } from "../dom.js";
import { choose, complain, current, fetched, goTo, move, page, stillSame, waiting, words } from "./review_cards.js";

const queue = document.getElementById("queue");
const help = /** @type {HTMLDialogElement} */ (element("keys"));
const keysOn = /** @type {HTMLInputElement} */ (element("keys-on"));
const bulk = /** @type {HTMLFormElement | null} */ (document.getElementById("bulk"));
const STATE_WORDS = new Set(["applied", "returned", "rejected", "withdrawn"]);
const STORED = "mapservice.review.keys";

/**
 * Sends a card's form; the card says how it went.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function send(form, button) {
  const card = /** @type {HTMLElement} */ (form.closest(".proposal"));
  const data = new FormData(form, button);
  if (["return", "reject"].includes(button.value) && !String(data.get("note")).trim()) {
    complain(card, words("note"));
    within(card, "textarea[name=note]").focus();
    return;
  }
  complain(card, "");
  card.setAttribute("aria-busy", "true");
  const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (card.querySelectorAll("button"));
  for (const each of buttons) each.disabled = true;
  const slow = setTimeout(() => complain(card, words("sending")), 300);
  try {
    const body = new URLSearchParams(/** @type {any} */ (data));
    // Not form.action: that is the button of this name.
    const answer = await fetch(form.getAttribute("action") ?? "", {
      method: "POST",
      body,
      headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang },
    });
    const said = await answer.json();
    clearTimeout(slow);
    if (answer.ok && STATE_WORDS.has(said.state)) decided(card, said.state);
    else await refused(card, said);
  } catch {
    clearTimeout(slow);
    complain(card, words("failed"));
  } finally {
    card.removeAttribute("aria-busy");
    for (const each of buttons) each.disabled = false;
  }
}

/**
 * Folds a decided card to one line and goes on to the next.
 * @param {HTMLElement} card
 * @param {string} state
 */
function decided(card, state) {
  const cards = waiting();
  const at = cards.indexOf(card);
  const heading = within(card, ".proposal-title").textContent?.replace(/\s+/g, " ").trim() ?? "";
  const line = document.createElement("p");
  line.className = "quiet";
  line.textContent = `${words(state)}: ${heading}`;
  card.replaceChildren(line);
  card.classList.add("decided-now");
  card.removeAttribute("aria-labelledby");
  const left = document.getElementById("left");
  if (left) {
    left.dataset.count = String(Math.max(0, Number(left.dataset.count) - 1));
    left.textContent = words("left", { count: left.dataset.count });
  }
  announce(line.textContent);
  countChosen();
  const next = cards[at + 1] ?? cards[at - 1];
  if (next) goTo(next);
  else finish();
}

function finish() {
  const place = element("finished");
  const link = document.createElement("a");
  link.href = page.next;
  link.textContent = words("more");
  place.replaceChildren(`${words("finished")} `, link);
  place.hidden = false;
  link.focus();
}

/**
 * Says why not. Where the record has changed meanwhile, the card is fetched anew: it shows both values to choose from.
 * @param {HTMLElement} card
 * @param {{detail?: string, conflicts?: unknown[], seen_version?: number, errors?: {detail: string}[]}} problem
 */
async function refused(card, problem) {
  let text = [problem.detail ?? words("failed"), ...(problem.errors ?? []).map((error) => error.detail)].join(" ");
  let place = card;
  if (problem.conflicts && !stillSame(card, problem)) {
    const fresh = await fetched(card.dataset.receipt ?? "");
    if (fresh) {
      card.replaceWith(fresh);
      place = fresh;
      prepare(fresh);
    }
  }
  if (problem.conflicts) text = words("conflict");
  goTo(place);
  complain(place, text);
}

/**
 * Opens the message to the sender; which of its two buttons a key meant is the one that Ctrl+Enter presses.
 * @param {HTMLElement} card
 * @param {"return" | "reject"} action
 */
function refuse(card, action) {
  const fold = card.querySelector("details.refusing");
  if (!(fold instanceof HTMLDetailsElement)) return;
  fold.open = true;
  fold.dataset.meant = action;
  for (const button of fold.querySelectorAll("button[name=action]")) {
    button.classList.toggle("primary", button instanceof HTMLButtonElement && button.value === action);
  }
  within(fold, "textarea").focus();
  fold.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLElement} card */
function apply(card) {
  const button = card.querySelector("button[value=apply]");
  if (!(button instanceof HTMLButtonElement)) return;
  if (card.dataset.risk === "adverse") {
    // What can harm somebody takes a second key.
    button.focus();
    complain(card, words("confirm"));
  } else button.click();
}

function boxes() {
  const found = document.querySelectorAll(".proposal:not(.decided-now) input[name=receipt]");
  return [...found].filter((box) => box instanceof HTMLInputElement);
}

function countChosen() {
  if (!bulk) return;
  const chosen = boxes().filter((box) => box.checked).length;
  const button = /** @type {HTMLButtonElement} */ (within(bulk, "button"));
  button.textContent = words("chosen", { count: chosen });
  bulk.hidden = chosen === 0;
}

/** @param {HTMLElement} card */
function toggle(card) {
  const box = card.querySelector("input[name=receipt]");
  if (!(box instanceof HTMLInputElement)) return;
  box.checked = !box.checked;
  countChosen();
}

function toggleAll() {
  const all = boxes();
  const on = all.some((box) => !box.checked);
  for (const box of all) box.checked = on;
  countChosen();
}

/** @type {Record<string, (card: HTMLElement | undefined) => void>} */
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: (card) => card && apply(card),
  r: (card) => card && refuse(card, "return"),
  x: (card) => card && refuse(card, "reject"),
  " ": (card) => card && toggle(card),
  "*": toggleAll,
  b: () => bulk && !bulk.hidden && bulk.requestSubmit(),
  1: (card) => card && choose(card, "current"),
  2: (card) => card && choose(card, "wanted"),
  o: (card) => {
    const link = card?.querySelector("a[data-record]");
    if (link instanceof HTMLAnchorElement) open(link.href, "_blank", "noopener");
  },
  "?": () => help.showModal(),
};

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} target
 */
function inText(event, target) {
  const fold = target.closest("details.refusing");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && fold instanceof HTMLDetailsElement) {
    event.preventDefault();
    const meant = fold.querySelector(`button[value=${fold.dataset.meant ?? "return"}]`);
    if (meant instanceof HTMLButtonElement) meant.click();
  } else if (event.key === "Escape") {
    if (fold instanceof HTMLDetailsElement) fold.open = false;
    goTo(/** @type {HTMLElement} */ (target.closest(".proposal")));
  }
}

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLElement) || help.open) return;
  if (target.matches("textarea, input:not([type=checkbox], [type=radio]), select")) {
    inText(event, target);
    return;
  }
  if (!keysOn.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  // On a control the space bar presses it, as everywhere.
  if (event.key === " " && !target.matches(".proposal")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(current());
});

/** @param {ParentNode} within_ */
function prepare(within_) {
  for (const reasons of within_.querySelectorAll(".usual-reasons")) {
    if (reasons instanceof HTMLElement) reasons.hidden = false;
  }
}

queue?.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!(form instanceof HTMLFormElement) || !(submitter instanceof HTMLButtonElement)) return;
  event.preventDefault();
  void send(form, submitter);
});
queue?.addEventListener("click", (event) => {
  const reason = event.target instanceof HTMLElement ? event.target.closest("[data-reason]") : null;
  if (!(reason instanceof HTMLElement)) return;
  const note = /** @type {HTMLTextAreaElement} */ (within(/** @type {HTMLElement} */ (reason.closest("details")), "textarea"));
  note.value = [note.value.trim(), reason.dataset.reason].filter(Boolean).join(" ");
  note.focus();
});
queue?.addEventListener("change", countChosen);
document.getElementById("show-keys")?.addEventListener("click", () => help.showModal());
keysOn.checked = localStorage.getItem(STORED) !== "off";
keysOn.addEventListener("change", () => localStorage.setItem(STORED, keysOn.checked ? "on" : "off"));

for (const hint of document.querySelectorAll(".keys-hint")) if (hint instanceof HTMLElement) hint.hidden = false;
prepare(document);
countChosen();
const named = document.getElementById(location.hash.slice(1));
if (named?.matches(".proposal")) goTo(named);
// Where keys are at hand the first card is ready for them; the page stays at its top.
else if (matchMedia("(hover: hover)").matches) waiting()[0]?.focus({ preventScroll: true });
document.documentElement.dataset.ready = "";
