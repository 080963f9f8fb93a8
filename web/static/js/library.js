// What the map needs before it can be drawn: the library, the style, the fonts of its labels.

import { page } from "./words.js";

/** Whether this browser can draw the map at all. */
export function drawable() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  // Browsers allow few contexts at a time: this one was only a question.
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}

/**
 * The map library, which is five times the rest of the page and comes last.
 * @returns {Promise<typeof import("maplibre-gl")>}
 */
export function loadLibrary() {
  if (window.maplibregl) return Promise.resolve(window.maplibregl);
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = page.library.style;
  const script = document.createElement("script");
  script.src = page.library.script;
  const loaded = [sheet, script].map(
    (part) =>
      new Promise((resolve, reject) => {
        part.addEventListener("load", resolve);
        part.addEventListener("error", () => {
          part.remove();
          reject(new Error(`Could not load ${part instanceof HTMLScriptElement ? part.src : part.href}`));
        });
      }),
  );
  // Before our own sheets, so that ours have the last word.
  document.head.prepend(sheet);
  document.head.append(script);
  return Promise.all(loaded).then(() => {
    if (!window.maplibregl) throw new Error("The map library did not start");
    return window.maplibregl;
  });
}

/**
 * The style, speaking the page's language and painting the ward the page is about.
 * @returns {Promise<import("maplibre-gl").StyleSpecification>}
 */
export async function loadStyle() {
  const response = await fetch(page.style, { credentials: "same-origin" });
  if (!response.ok) throw new Error(response.statusText);
  const text = (await response.text()).replaceAll("{ward}", page.ward ?? "");
  /** @type {import("maplibre-gl").StyleSpecification} */
  const style = JSON.parse(text);
  for (const layer of style.layers) {
    if (page.lang === "vi" || layer.id !== "archipelago-names" || layer.type !== "symbol") continue;
    layer.layout = { ...layer.layout, "text-field": ["coalesce", ["get", "name_en"], ["get", "name"]] };
  }
  return style;
}

/** The bold fonts, which the page can do without until the map is there, or until it is clear that it will not come. */
export function loadBoldFonts() {
  if (document.querySelector(`link[href="${page.library.bold}"]`)) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = page.library.bold;
  document.head.append(sheet);
}

/** Labels are drawn from the page's font, letter by letter and once: it has to be there first. */
export function loadFonts() {
  return document.fonts.load('400 24px "Be Vietnam Pro"', "aế").catch(() => []);
}
