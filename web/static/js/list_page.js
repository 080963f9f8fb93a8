// The list as a page of its own works without scripts; this only shortens the way of hands and keys.

import { element } from "./dom.js";
import { foldFilters, tuckFilters, walkWithArrows } from "./keys.js";

foldFilters(element("search"));
tuckFilters(element("search"));
walkWithArrows(/** @type {HTMLInputElement} */ (element("q")));
