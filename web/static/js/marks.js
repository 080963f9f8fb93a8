// Signs of the sector groups on the map: a disc in the colour of the family with the group's icon.
// Icons: Lucide (https://lucide.dev), ISC License, Copyright (c) 2026 Lucide Icons and Contributors.

import { page } from "./words.js";

/** @typedef {import("maplibre-gl").ExpressionSpecification} Expression */

/** @type {Record<string, string>} sector group to the icon's path on a grid of 24 */
const ICONS = {
  food_service: "M3 2v7c0 1.1.9 2 2 2h4a2 2 0 0 0 2-2V2M7 2v20M21 15V2a5 5 0 0 0-5 5v6c0 1.1.9 2 2 2h3Zm0 0v7",
  cafe_drinks: "M10 2v2M14 2v2M16 8a1 1 0 0 1 1 1v8a4 4 0 0 1-4 4H7a4 4 0 0 1-4-4V9a1 1 0 0 1 1-1h14a4 4 0 1 1 0 8h-1M6 2v2",
  grocery: "M2.05 2.05l1.099-.028a1 1 0 0 1 1.008.815l2.69 14.347A1 1 0 0 0 7.83 18H18M4.563 5h16.435a1 1 0 0 1 .981 1.204l-1.026 6.226A2 2 0 0 1 18.962 14H6.25M16 20a2 2 0 1 0 4 0a2 2 0 1 0 -4 0M6 20a2 2 0 1 0 4 0a2 2 0 1 0 -4 0",
  food_retail: "M6 8l1.75 12.28a2 2 0 0 0 2 1.72h4.54a2 2 0 0 0 2-1.72L18 8M5 8h14M7 15a6.47 6.47 0 0 1 5 0 6.47 6.47 0 0 0 5 0M12 8l1-6h2",
  fashion: "M20.38 3.46 16 2a4 4 0 0 1-8 0L3.62 3.46a2 2 0 0 0-1.34 2.23l.58 3.47a1 1 0 0 0 .99.84H6v10c0 1.1.9 2 2 2h8a2 2 0 0 0 2-2V10h2.15a1 1 0 0 0 .99-.84l.58-3.47a2 2 0 0 0-1.34-2.23z",
  pharmacy_cosmetics: "M10.5 20.5l10-10a4.95 4.95 0 1 0-7-7l-10 10a4.95 4.95 0 1 0 7 7ZM8.5 8.5l7 7",
  electronics: "M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1 -2 2h-10a2 2 0 0 1 -2 -2v-16a2 2 0 0 1 2 -2zM12 18h.01",
  household_goods: "M20 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v3M2 16a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-5a2 2 0 0 0-4 0v1.5a.5.5 0 0 1-.5.5h-11a.5.5 0 0 1-.5-.5V11a2 2 0 0 0-4 0zM4 18v2M20 18v2M12 4v9",
  books_sports_gifts: "M12 7v14M20 11v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-8M7.5 7a1 1 0 0 1 0-5A4.8 8 0 0 1 12 7a4.8 8 0 0 1 4.5-5 1 1 0 0 1 0 5M4 7h16a1 1 0 0 1 1 1v2a1 1 0 0 1 -1 1h-16a1 1 0 0 1 -1 -1v-2a1 1 0 0 1 1 -1z",
  vehicles: "M19 17h2c.6 0 1-.4 1-1v-3c0-.9-.7-1.7-1.5-1.9C18.7 10.6 16 10 16 10s-1.3-1.4-2.2-2.3c-.5-.4-1.1-.7-1.8-.7H5c-.6 0-1.1.4-1.4.9l-1.4 2.9A3.7 3.7 0 0 0 2 12v4c0 .6.4 1 1 1h2M5 17a2 2 0 1 0 4 0a2 2 0 1 0 -4 0M9 17h6M15 17a2 2 0 1 0 4 0a2 2 0 1 0 -4 0",
  fuel_gas: "M14 13h2a2 2 0 0 1 2 2v2a2 2 0 0 0 4 0v-6.998a2 2 0 0 0-.59-1.42L18 5M14 21V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v16M2 21h13M3 9h11",
  lodging: "M2 4v16M2 8h18a2 2 0 0 1 2 2v10M2 17h20M6 8v9",
  beauty_laundry: "M3 6a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M8.12 8.12 12 12M20 4 8.12 15.88M3 18a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M14.8 14.8 20 20",
  repair: "M14.7 6.3a1 1 0 0 0 0 1.4l1.6 1.6a1 1 0 0 0 1.4 0l3.106-3.105c.32-.322.863-.22.983.218a6 6 0 0 1-8.259 7.057l-7.91 7.91a1 1 0 0 1-2.999-3l7.91-7.91a6 6 0 0 1 7.057-8.259c.438.12.54.662.219.984z",
  education: "M21.42 10.922a1 1 0 0 0-.019-1.838L12.83 5.18a2 2 0 0 0-1.66 0L2.6 9.08a1 1 0 0 0 0 1.832l8.57 3.908a2 2 0 0 0 1.66 0zM22 10v6M6 12.5V16a6 3 0 0 0 12 0v-3.5",
  health: "M2 9.5a5.5 5.5 0 0 1 9.591-3.676.56.56 0 0 0 .818 0A5.49 5.49 0 0 1 22 9.5c0 2.29-1.5 4-3 5.5l-5.492 5.313a2 2 0 0 1-3 .019L5 15c-1.5-1.5-3-3.2-3-5.5M3.22 13H9.5l.5-1 2 4.5 2-7 1.5 3.5h5.27",
  entertainment: "M21 16V3a1 1 0 0 0-1.28-.96l-10 2.917a1 1 0 0 0-.72.96V19M15 16a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M3 19a3 3 0 1 0 6 0a3 3 0 1 0 -6 0",
  travel: "M17.8 19.2 16 11l3.5-3.5C21 6 21.5 4 21 3c-1-.5-3 0-4.5 1.5L13 8 4.8 6.2c-.5-.1-.9.1-1.1.5l-.3.5c-.2.5-.1 1 .3 1.3L9 12l-2 3H4l-1 1 3 2 2 3 1-1v-3l3-2 3.5 5.3c.3.4.8.5 1.3.3l.5-.2c.4-.3.6-.7.5-1.2z",
  finance: "M4 6h16a2 2 0 0 1 2 2v8a2 2 0 0 1 -2 2h-16a2 2 0 0 1 -2 -2v-8a2 2 0 0 1 2 -2zM10 12a2 2 0 1 0 4 0a2 2 0 1 0 -4 0M6 12h.01M18 12h.01",
  production: "M12 16h.01M16 16h.01M3 19a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V8.5a.5.5 0 0 0-.769-.422l-4.462 2.844A.5.5 0 0 1 15 10.5v-2a.5.5 0 0 0-.769-.422L9.77 10.922A.5.5 0 0 1 9 10.5V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2zM8 16h.01",
  online_trade: "M11 21.73a2 2 0 0 0 2 0l7-4A2 2 0 0 0 21 16V8a2 2 0 0 0-1-1.73l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.73zM12 22V12M3.29 7 12 12 20.71 7M7.5 4.27l9 5.15",
  market: "M15 11l-1 9M19 11l-4-7M2 11h20M3.5 11l1.6 7.4a2 2 0 0 0 2 1.6h9.8a2 2 0 0 0 2-1.6l1.7-7.4M4.5 15.5h15M5 11l4-7M9 11l1 9",
  other: "M15 21v-5a1 1 0 0 0-1-1h-4a1 1 0 0 0-1 1v5M17.774 10.31a1.12 1.12 0 0 0-1.549 0 2.5 2.5 0 0 1-3.451 0 1.12 1.12 0 0 0-1.548 0 2.5 2.5 0 0 1-3.452 0 1.12 1.12 0 0 0-1.549 0 2.5 2.5 0 0 1-3.77-3.248l2.889-4.184A2 2 0 0 1 7 2h10a2 2 0 0 1 1.653.873l2.895 4.192a2.5 2.5 0 0 1-3.774 3.244M4 10.95V19a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-8.05",
  public_place: "M10 10v.2A3 3 0 0 1 8.9 16H5a3 3 0 0 1-1-5.8V10a3 3 0 0 1 6 0ZM7 16v6M13 19v3M12 19h8.3a1 1 0 0 0 .7-1.7L18 14h.3a1 1 0 0 0 .7-1.7L16 9h.2a1 1 0 0 0 .8-1.7L13 3l-1.4 1.5",
};

const SIDE = 26;
/** Signs are drawn finer than a pixel, so that they stay sharp on any screen. */
const SHARPNESS = 2;
const PLACES = { type: /** @type {const} */ ("symbol"), source: "establishments", "source-layer": "establishments" };

/** The lowest layer of street names: what lies under it leaves them room. */
const STREET_NAMES = "alley-names";

/**
 * Puts the signs on the map. Signs and names find their room together; where there is none, the dot of the style is enough.
 * @param {import("maplibre-gl").Map} map
 */
export function addSigns(map) {
  for (const { name, picture } of signs()) map.addImage(name, picture, { pixelRatio: SHARPNESS });
  const single = /** @type {Expression} */ (["<=", ["coalesce", ["get", "count"], 1], 1]);
  const warned = /** @type {Expression} */ (["==", ["get", "live_warning"], true]);
  map.removeLayer("establishment-names");
  map.addLayer(
    {
      ...PLACES,
      id: "establishment-signs",
      filter: single,
      layout: {
        "icon-image": ["concat", "sign-", ["coalesce", ["get", "sector_group"], "other"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.55, 15.5, 0.6, 17, 0.8, 19, 1.05],
        "icon-padding": 1,
        "text-font": ["Be Vietnam Pro"],
        "text-size": ["interpolate", ["linear"], ["zoom"], 12, 11, 19, 13],
        "text-max-width": 9,
        "text-optional": true,
        "text-variable-anchor": ["top", "bottom"],
        "text-radial-offset": 0.9,
        "symbol-sort-key": ["case", warned, 0, 1],
      },
      paint: {
        "icon-opacity": ["match", ["get", "operating_status"], ["closed", "moved", "not_found"], 0.5, 1],
        "text-color": "#1b2733",
        "text-halo-color": "#ffffff",
        "text-halo-width": 1.6,
      },
    },
    STREET_NAMES,
  );
  map.addLayer({
    ...PLACES,
    id: "establishment-warnings",
    filter: ["all", single, warned],
    layout: {
      "icon-image": "sign-warning",
      "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.6, 17, 0.9],
      "icon-offset": [10, -10],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
  });
}

/**
 * The signs as pictures for the map.
 * @returns {{name: string, picture: ImageData}[]}
 */
function signs() {
  const made = page.families.flatMap((family) =>
    family.groups.map((group) => ({ name: `sign-${group}`, picture: sign(family.colour, ICONS[group] ?? ICONS.other) })),
  );
  return [...made, { name: "sign-warning", picture: warningSign() }];
}

/**
 * @param {string} colour
 * @param {string} icon
 */
function sign(colour, icon) {
  const pen = sheet(SIDE);
  disc(pen, SIDE / 2, SIDE / 2, SIDE / 2 - 1, colour);
  const size = 14;
  pen.translate((SIDE - size) / 2, (SIDE - size) / 2);
  pen.scale(size / 24, size / 24);
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 2.4;
  pen.lineCap = pen.lineJoin = "round";
  pen.stroke(new Path2D(icon));
  return picture(pen);
}

/** A red sign with an exclamation mark, set beside whatever it warns of. */
function warningSign() {
  const side = 18;
  const pen = sheet(side);
  disc(pen, side / 2, side / 2, side / 2 - 1, "#b42318");
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 2.4;
  pen.lineCap = "round";
  pen.stroke(new Path2D("M9 5v4.5M9 12.8v.1"));
  return picture(pen);
}

/** @param {number} side */
function sheet(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * SHARPNESS;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  pen.scale(SHARPNESS, SHARPNESS);
  return pen;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} colour
 */
function disc(pen, x, y, radius, colour) {
  pen.beginPath();
  pen.arc(x, y, radius - 0.75, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 1.5;
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen */
function picture(pen) {
  return pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height);
}
