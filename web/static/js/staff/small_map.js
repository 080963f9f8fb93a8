// A map beside a form or a list: north is up, and it speaks the page's language.

import { words } from "../words.js";

/**
 * @param {typeof import("maplibre-gl")} library
 * @param {Omit<import("maplibre-gl").MapOptions, "locale">} options where it stands, what it shows, how it is moved
 * @param {Record<string, string>} [help] what it says of gestures
 */
export function smallMap(library, options, help = {}) {
  const map = new library.Map({
    maxZoom: 20,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: false,
    fadeDuration: 0,
    ...options,
    locale: {
      "Map.Title": words("mapName"),
      "NavigationControl.ZoomIn": words("zoomIn"),
      "NavigationControl.ZoomOut": words("zoomOut"),
      "AttributionControl.ToggleAttribution": words("attribution"),
      "CooperativeGesturesHandler.MobileHelpText": words("twoFingers"),
      ...help,
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new library.AttributionControl({ compact: true }), "bottom-right");
  map.addControl(new library.NavigationControl({ showCompass: false }), "bottom-right");
  return map;
}
