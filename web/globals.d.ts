// The map library is a classic script: it sets this when it has loaded.
interface Window {
  maplibregl?: typeof import("maplibre-gl");
}
