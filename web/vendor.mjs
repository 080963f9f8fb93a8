// Copies the browser libraries that npm installed into web/static/vendor/, so that everything is served from our own address.
// Each script and style sheet is compressed here once, at the slowest and smallest setting; the service only hands the bytes out.
// Run after `npm ci`, from anywhere: node web/vendor.mjs

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const modules = join(web, "..", "node_modules");
const vendor = join(web, "static", "vendor");

/** @type {[string, string][]} from node_modules to web/static/vendor */
const files = [
  ["maplibre-gl/dist/maplibre-gl.js", "maplibre-gl.js"],
  ["maplibre-gl/dist/maplibre-gl.css", "maplibre-gl.css"],
  ["maplibre-gl/LICENSE.txt", "maplibre-gl.LICENSE.txt"],
  ["@fontsource/be-vietnam-pro/LICENSE", "fonts/be-vietnam-pro.LICENSE.txt"],
  // For documents: PDF needs whole fonts, not the browser's subsets.
  ["@expo-google-fonts/be-vietnam-pro/400Regular/BeVietnamPro_400Regular.ttf", "fonts/be-vietnam-pro-400.ttf"],
  ["@expo-google-fonts/be-vietnam-pro/600SemiBold/BeVietnamPro_600SemiBold.ttf", "fonts/be-vietnam-pro-600.ttf"],
  // As wide as Times New Roman, letter by letter, which official papers are written in.
  ["@expo-google-fonts/tinos/400Regular/Tinos_400Regular.ttf", "fonts/tinos-400.ttf"],
  ["@expo-google-fonts/tinos/400Regular_Italic/Tinos_400Regular_Italic.ttf", "fonts/tinos-400-italic.ttf"],
  ["@expo-google-fonts/tinos/700Bold/Tinos_700Bold.ttf", "fonts/tinos-700.ttf"],
  ["@expo-google-fonts/tinos/700Bold_Italic/Tinos_700Bold_Italic.ttf", "fonts/tinos-700-italic.ttf"],
  ["@expo-google-fonts/tinos/LICENSE_FONT", "fonts/tinos.LICENSE.txt"],
  // Goes into the map that is sent as one file.
  ["leaflet/dist/leaflet.js", "leaflet.js"],
  ["leaflet/dist/leaflet.css", "leaflet.css"],
  ["leaflet/LICENSE", "leaflet.LICENSE.txt"],
];
for (const weight of [400, 600]) {
  for (const subset of ["latin", "vietnamese"]) {
    const name = `be-vietnam-pro-${subset}-${weight}-normal.woff2`;
    files.push([`@fontsource/be-vietnam-pro/files/${name}`, `fonts/${name}`]);
  }
}

rmSync(vendor, { recursive: true, force: true });
for (const [from, to] of files) {
  const target = join(vendor, to);
  mkdirSync(dirname(target), { recursive: true });
  let content = readFileSync(join(modules, from));
  if (to.endsWith(".js")) {
    // The source map is six times the library and stays behind.
    content = Buffer.from(content.toString("utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
  }
  writeFileSync(target, content);
  if (/\.(js|css)$/.test(to)) {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    };
    writeFileSync(`${target}.br`, brotliCompressSync(content, { params }));
    writeFileSync(`${target}.gz`, gzipSync(content, { level: 9 }));
  }
}
