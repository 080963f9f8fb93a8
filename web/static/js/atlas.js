// The map itself: loads the library and the style, paints the places that a search leaves, says what was clicked.

import { calm, element, narrow } from "./dom.js";
import { drawable, loadBoldFonts, loadFonts, loadLibrary, loadStyle } from "./library.js";
import { addSigns } from "./marks.js";
import { asked, readable } from "./state.js";
import { PADDING, answer, hurry, redirect } from "./tiles.js";
import { label, page, words } from "./words.js";

/** @typedef {import("maplibre-gl").Map} LibraryMap */
/** @typedef {import("maplibre-gl").MapGeoJSONFeature} Seen */
/** @typedef {[number, number]} Position */

const PLACES = "establishments";
const CLICKABLE = ["establishment-signs", "establishment-points", "establishment-clusters"];
const SIGNS_FROM_ZOOM = 15.5;
const NAMES_FROM_ZOOM = 17;
/** What was looked for is little and may be named from afar. */
const FOUND_FROM_ZOOM = 12;
const CLOSE_ZOOM = 17;
/** From the mainland coast to Trường Sa, with room to look around. */
const BOUNDS = /** @type {[number, number, number, number]} */ ([92, 0, 130, 28]);
const REACH_PX = 6;
const REACH_FINGER_PX = 14;

/** The browser cannot draw the map at all. */
export class NoWebgl extends Error {}

/**
 * What the map tells the page.
 * @typedef {object} Listener
 * @property {() => void} moved the view has come to rest somewhere else
 * @property {(code: string) => void} picked a place was clicked
 * @property {() => void} torn some tiles could not be loaded
 */

export class Atlas {
  /** @type {import("maplibre-gl").Marker | null} */
  #pin = null;
  /** @type {Set<string>} sources with tiles that failed */
  #torn = new Set();

  /**
   * @param {LibraryMap} map
   * @param {typeof import("maplibre-gl")} library
   * @param {string} template address of the tiles of places, without a query
   */
  constructor(map, library, template) {
    this.map = map;
    this.library = library;
    this.template = template;
  }

  /**
   * Opens the map in its place on the page.
   * @param {URLSearchParams} search
   * @param {Listener} listener
   */
  static async open(search, listener) {
    const container = element("map");
    if (!drawable()) throw new NoWebgl();
    const loading = Promise.all([loadLibrary(), loadFonts()]);
    // Whether it fails is asked below; until then nobody listens.
    loading.catch(() => {});
    const style = await loadStyle();
    redirect(style);
    const source = /** @type {import("maplibre-gl").VectorSourceSpecification} */ (style.sources[PLACES]);
    const template = source.tiles?.[0] ?? "";
    source.tiles = [`${template}?${readable(asked(search))}`];
    hurry(style, container);
    const [library] = await loading;
    answer(library);
    const map = new library.Map({
      container,
      style,
      hash: true,
      bounds: page.bbox ?? undefined,
      fitBoundsOptions: { padding: PADDING },
      maxBounds: BOUNDS,
      minZoom: 3.5,
      maxZoom: 20,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      rollEnabled: false,
      attributionControl: false,
      pixelRatio: Math.min(devicePixelRatio, 2),
      // Fading labels in costs old machines several frames for each one shown.
      fadeDuration: 0,
      locale: {
        "Map.Title": words("mapName"),
        "NavigationControl.ZoomIn": words("zoomIn"),
        "NavigationControl.ZoomOut": words("zoomOut"),
        "GeolocateControl.FindMyLocation": words("locate"),
        "GeolocateControl.LocationNotAvailable": words("locateUnavailable"),
        "AttributionControl.ToggleAttribution": words("attribution"),
      },
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    const atlas = new Atlas(map, library, template);
    atlas.#addControls();
    atlas.#listen(listener);
    map.once("styledata", () => {
      addSigns(map);
      atlas.#sharpen(search);
    });
    map.once("load", () => {
      container.dataset.state = "drawn";
      loadBoldFonts();
    });
    return atlas;
  }

  #addControls() {
    const { map, library } = this;
    map.addControl(new library.AttributionControl({ compact: narrow() }), "bottom-right");
    map.addControl(new library.NavigationControl({ showCompass: false }), "bottom-right");
    // Asks for the position only when its button is pressed.
    const options = { positionOptions: { enableHighAccuracy: true }, fitBoundsOptions: { maxZoom: CLOSE_ZOOM } };
    map.addControl(new library.GeolocateControl(options), "bottom-right");
    map.addControl(new library.ScaleControl({ unit: "metric" }), "bottom-left");
  }

  /** @param {Listener} listener */
  #listen(listener) {
    const { map } = this;
    // Fitting the ward into its frame at the start is no move, nor is a frame that changes its size: the list that came
    // with the page stands.
    let resized = false;
    map.on("resize", () => (resized = true));
    map.on("moveend", (event) => {
      const settled = map.getContainer().dataset.state === "drawn" && !resized;
      resized = false;
      if (settled || event.originalEvent) listener.moved();
    });
    map.on("click", (event) => {
      const seen = this.#at(event.point, event.originalEvent);
      if (!seen) return;
      if (seen.properties.code) return listener.picked(String(seen.properties.code));
      const to = /** @type {GeoJSON.Point} */ (seen.geometry).coordinates;
      this.#go({ center: /** @type {Position} */ (to), zoom: Math.min(map.getZoom() + 2, 18) });
    });
    const words = new this.library.Popup({ closeButton: false, closeOnClick: false, offset: 12, className: "hover-words" });
    map.on("mousemove", (event) => {
      const seen = this.#at(event.point, event.originalEvent);
      map.getCanvas().style.cursor = seen ? "pointer" : "";
      if (!seen) return words.remove();
      const at = /** @type {GeoJSON.Point} */ (seen.geometry).coordinates;
      return words.setLngLat(/** @type {Position} */ (at)).setText(described(seen.properties)).addTo(map);
    });
    map.on("mouseout", () => words.remove());
    map.on("error", (event) => {
      const source = /** @type {{sourceId?: string}} */ (event).sourceId;
      if (!source) return;
      this.#torn.add(source);
      listener.torn();
    });
  }

  /**
   * The place or cluster under the pointer; fingers are less exact than mice.
   * @param {{x: number, y: number}} point
   * @param {MouseEvent} event
   * @returns {Seen | undefined}
   */
  #at({ x, y }, event) {
    const finger = "pointerType" in event && event.pointerType === "touch";
    const reach = finger || matchMedia("(pointer: coarse)").matches ? REACH_FINGER_PX : REACH_PX;
    const layers = CLICKABLE.filter((layer) => this.map.getLayer(layer));
    const seen = this.map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]], { layers });
    const away = (/** @type {Seen} */ each) => {
      const at = this.map.project(/** @type {Position} */ (/** @type {GeoJSON.Point} */ (each.geometry).coordinates));
      return Math.hypot(at.x - x, at.y - y);
    };
    return seen.sort((one, other) => away(one) - away(other))[0];
  }

  /** Where the map looks. */
  view() {
    const bounds = this.map.getBounds();
    const { lng, lat } = this.map.getCenter();
    const sides = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    return {
      bbox: /** @type {[number, number, number, number]} */ (sides.map((side) => Number(side.toFixed(6)))),
      centre: /** @type {Position} */ ([lng, lat]),
    };
  }

  /**
   * Paints only the places that a search leaves.
   * @param {URLSearchParams} search
   */
  filter(search) {
    this.#sharpen(search);
    this.#source(PLACES)?.setTiles([`${this.template}?${readable(asked(search))}`]);
  }

  /**
   * Chooses from which zoom places have their sign and their name.
   * @param {URLSearchParams} search
   */
  #sharpen(search) {
    const named = search.has("q") ? FOUND_FROM_ZOOM : NAMES_FROM_ZOOM;
    this.map.setLayerZoomRange("establishment-signs", Math.min(SIGNS_FROM_ZOOM, named), 24);
    this.map.setLayoutProperty("establishment-signs", "text-field", ["step", ["zoom"], "", named, ["get", "name"]]);
  }

  /**
   * Shows all of some positions.
   * @param {Position[]} positions
   */
  fit(positions) {
    if (!positions.length) return;
    const bounds = new this.library.LngLatBounds();
    for (const position of positions) bounds.extend(position);
    this.map.fitBounds(bounds, { padding: narrow() ? 48 : 72, maxZoom: CLOSE_ZOOM, animate: !calm() });
  }

  /**
   * Marks a place with a pin, and moves there when it is out of sight or the map is far away.
   * @param {Position | null} position
   * @param {boolean} [approach]
   */
  pin(position, approach = false) {
    this.#pin?.remove();
    this.#pin = null;
    if (!position) return;
    this.#pin = new this.library.Marker({ color: "#1b2733" }).setLngLat(position).addTo(this.map);
    const { x, y } = this.map.project(position);
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const hidden = x < 24 || y < 48 || x > width - 24 || y > (narrow() ? height * 0.35 : height - 24);
    if (!approach && !hidden) return;
    const zoom = Math.max(this.map.getZoom(), approach ? CLOSE_ZOOM : 0);
    this.#go({ center: position, zoom, offset: narrow() ? [0, -height * 0.3] : [0, 0] });
  }

  /** @param {import("maplibre-gl").EaseToOptions} to */
  #go(to) {
    this.map.easeTo({ duration: calm() ? 0 : 400, ...to });
  }

  /** @param {boolean} visible */
  showResidentialGroups(visible) {
    this.map.setLayoutProperty("residential-groups", "visibility", visible ? "visible" : "none");
  }

  /** Asks again for what could not be loaded. */
  mend() {
    for (const name of this.#torn) {
      const source = this.#source(name);
      if (source) source.setTiles([...source.tiles]);
    }
    this.#torn.clear();
  }

  /** @param {string} name */
  #source(name) {
    return /** @type {import("maplibre-gl").VectorTileSource | undefined} */ (this.map.getSource(name));
  }
}

/** Words for what is under the mouse. @param {Record<string, any>} seen */
function described(seen) {
  if (Number(seen.count ?? 1) > 1) return words("clusterName", { count: Number(seen.count) });
  const group = label("sector_group", seen.sector_group ?? "other");
  return seen.name ? `${seen.name} · ${group}` : group;
}
