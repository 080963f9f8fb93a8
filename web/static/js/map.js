// The public map page: joins the form, the list, the panel of a place, the map and the address of the page.

import { Atlas, NoWebgl } from "./atlas.js";
import * as browse from "./browse.js";
import { announce, element, narrow, say, within } from "./dom.js";
import { Refused, Superseded } from "./fetching.js";
import * as filters from "./filters.js";
import { foldFilters, tuckFilters, walkWithArrows } from "./keys.js";
import { loadBoldFonts } from "./library.js";
import * as list from "./list.js";
import * as place from "./place.js";
import * as sheet from "./sheet.js";
import { address, opened, remember, searched } from "./state.js";
import { page, words } from "./words.js";

const TYPING_MS = 200;
const MOVING_MS = 250;

/** What the service refused is not asked again: the page says why, the map shows everything. */
let search = page.refused ? new URLSearchParams() : searched();
/** @type {Atlas | null} */
let atlas = null;
/** @type {Element | null} what had the keyboard before a place was opened */
let before = null;

/**
 * Calls a function once things have been quiet for a while.
 * @param {() => void} act
 * @param {number} ms
 */
function settled(act, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(act, ms);
  };
}

/**
 * Lists what the search finds.
 * @param {boolean} [fit] whether the map should show all of it
 */
async function refresh(fit = false) {
  const view = search.has("q") ? null : atlas?.view();
  try {
    if (view) showNearby(await browse.nearby(search, view), view.centre);
    else showMatches(await browse.match(search), fit);
  } catch (error) {
    if (error instanceof Superseded) return;
    list.message(error instanceof Refused ? error.message : words("listFailed"), () => refresh(fit));
    announce(element("list-message").textContent ?? "");
  }
}

/**
 * @param {browse.Found} found
 * @param {[number, number]} centre
 */
function showNearby(found, centre) {
  const total = found.total ?? found.features.length;
  headline(words(found.about ? "countAbout" : "count", { count: total }) + words("inView"));
  list.message(total ? "" : words("emptyView"));
  list.show(found.features, { search, centre });
  const bbox = atlas?.view().bbox.join(",");
  const rest = total > found.features.length && bbox;
  list.following(rest ? { words: words("fullList"), href: address(search, { view: "list", bbox }) } : null);
}

/**
 * @param {browse.Found} found
 * @param {boolean} fit
 */
function showMatches(found, fit) {
  const told = (search.has("q") ? "found" : "count") + (found.about ? "About" : "");
  headline(words(told, { count: found.total ?? found.features.length }));
  list.message(found.features.length ? "" : words("empty"));
  list.show(found.features, { search });
  offerMore(found.next);
  announce(found.features.length ? element("count").textContent ?? "" : words("empty"));
  if (fit) atlas?.fit(found.features.map((feature) => feature.geometry.coordinates));
}

/** @param {string | null} next */
function offerMore(next) {
  list.following(next ? { words: words("more"), act: () => more(next) } : null);
}

/** @param {string} next */
async function more(next) {
  try {
    const found = await browse.more(next);
    const last = element("results").lastElementChild;
    list.show(found.features, { search, append: true });
    offerMore(found.next);
    const first = last?.nextElementSibling?.querySelector("a");
    if (first instanceof HTMLElement) first.focus();
  } catch (error) {
    if (!(error instanceof Superseded)) list.message(words("listFailed"), () => more(next));
  }
}

/** @param {string} text */
function headline(text) {
  element("count").textContent = text;
  sheet.name(text);
}

/**
 * Takes a new search from the form.
 * @param {boolean} [fit]
 */
function searchAnew(fit = false) {
  const found = filters.chosenInForm();
  filters.count(found);
  if (found.toString() === search.toString() && !page.refused) return;
  page.refused = false;
  search = found;
  if (place.shown() !== null) closePlace(false);
  remember(search, null);
  atlas?.filter(search);
  refresh(fit);
}

/**
 * Opens a place in the panel and marks it on the map.
 * @param {string} code
 * @param {{approach?: boolean, step?: boolean}} [how] `approach`: the map goes there; `step`: Back leads back
 */
async function openPlace(code, { approach = false, step = true } = {}) {
  if (place.shown() === null) before = document.activeElement;
  if (step) remember(search, code, true);
  sheet.set(true);
  try {
    const position = await place.load(code);
    atlas?.pin(position, approach);
    place.focus();
  } catch (error) {
    if (!(error instanceof Superseded)) place.failed(() => openPlace(code, { approach, step: false }));
  }
}

/** @param {boolean} [step] whether the address should change too */
function closePlace(step = true) {
  const code = place.shown();
  place.close();
  atlas?.pin(null);
  if (!step) return;
  remember(search, null, true);
  const link = element("results").querySelector(`[data-code="${CSS.escape(code ?? "")}"] a`);
  const target = link ?? (before?.isConnected && before !== document.body ? before : element("count"));
  if (target instanceof HTMLElement) target.focus();
}

function listenToPage() {
  const field = filters.field();
  const typed = settled(() => searchAnew(true), TYPING_MS);
  field.addEventListener("input", typed);
  filters.form().addEventListener("change", (event) => {
    if (event.target !== field) searchAnew();
  });
  filters.form().addEventListener("submit", (event) => {
    event.preventDefault();
    searchAnew(true);
    sheet.set(true);
    if (narrow()) field.blur();
  });
  element("clear-filters").addEventListener("click", (event) => {
    event.preventDefault();
    filters.clear();
    searchAnew();
    field.focus();
  });
  element("pane").addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || (event instanceof MouseEvent && (event.ctrlKey || event.metaKey || event.shiftKey))) return;
    const card = target.closest(".card");
    if (target.closest("[data-close]")) {
      event.preventDefault();
      closePlace();
    } else if (card instanceof HTMLElement && card.dataset.code && !getSelection()?.toString()) {
      event.preventDefault();
      openPlace(card.dataset.code, { approach: true });
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && place.shown() !== null) closePlace();
    const writing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  addEventListener("popstate", followAddress);
}

/** After Back or Forward: shows what the address says. */
function followAddress() {
  const before = search.toString();
  search = searched();
  filters.fill(search);
  const code = opened();
  if (code && code !== place.shown()) openPlace(code, { step: false });
  if (!code && place.shown() !== null) closePlace(false);
  if (search.toString() === before) return;
  atlas?.filter(search);
  refresh();
}

async function openMap() {
  const message = element("map-message");
  const retry = within(message, "[data-retry]");
  // Read before the library writes it: a view that the address asks for, not the fit to the ward.
  const wanted = location.hash;
  try {
    atlas = await Atlas.open(search, {
      moved: settled(() => {
        if (!search.has("q")) refresh();
      }, MOVING_MS),
      picked: (code) => openPlace(code),
      torn: () => {
        say(within(element("map-alert"), "[data-message]"), words("tilesFailed"));
        element("map-alert").hidden = false;
      },
    });
  } catch (error) {
    loadBoldFonts();
    if (error instanceof NoWebgl) return withoutMap();
    say(within(message, "[data-message]"), words("mapFailed"));
    retry.hidden = false;
    return;
  }
  message.hidden = true;
  element("groups-toggle").hidden = false;
  atlas.pin(place.position(), !wanted);
  if (search.has("q") && !wanted) atlas.fit(positionsListed());
  else if (wanted) refresh();
}

/** The list takes the whole page, and says why. */
function withoutMap() {
  document.body.classList.add("without-map");
  const note = document.createElement("p");
  note.className = "notice";
  note.textContent = words("noWebgl");
  element("pane").before(note);
}

/** Where the places are that the server listed. */
function positionsListed() {
  const cards = [...element("results").children].filter((card) => card instanceof HTMLElement);
  return cards.map((card) => /** @type {[number, number]} */ ([Number(card.dataset.lon), Number(card.dataset.lat)]));
}

function start() {
  foldFilters(filters.form());
  tuckFilters(filters.form());
  filters.form().classList.add("live");
  filters.count(search);
  walkWithArrows(filters.field());
  sheet.openableSheet();
  sheet.name(element("count").textContent ?? "");
  if (place.shown() !== null) sheet.set(true);
  listenToPage();
  within(element("map-message"), "[data-retry]").addEventListener("click", openMap);
  within(element("map-alert"), "[data-retry]").addEventListener("click", () => {
    element("map-alert").hidden = true;
    atlas?.mend();
  });
  within(element("groups-toggle"), "input").addEventListener("change", (event) =>
    atlas?.showResidentialGroups(/** @type {HTMLInputElement} */ (event.target).checked),
  );
  document.documentElement.dataset.ready = "true";
  openMap();
}

start();
