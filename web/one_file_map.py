"""The adoption map as one HTML file that asks nobody for anything: for e-mail and USB sticks.

folium writes it. What folium would fetch from elsewhere is left out, or stands in the file itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from web import labels
from web.adoption import COLOURS, Figures, feature_properties, legend, shown
from web.render import render

_VENDOR = Path(__file__).parent / "static" / "vendor"
_EDGE = "#5b6670"
_BASE_STYLES: Mapping[str, dict[str, Any]] = {
    "water": {"stroke": False, "fillColor": "#cfe3ee", "fillOpacity": 1},
    "streets": {"color": "#c3c9cf", "weight": 1.2, "fill": False},
    "ward": {"color": "#1b2733", "weight": 2, "fill": False, "dashArray": "6 4"},
}
"""From below; the ward's outline is drawn over all."""
_FILL = {"share": 0.8, "few": 0.35, "unsurveyed": 0.1, "hidden": 0.25}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part of the ward with its figures, and its outline as GeoJSON text; None where nobody has drawn it."""

    figures: Figures
    geometry: str | None


def one_file_map(
    parts: Sequence[Drawn],
    base: Mapping[str, str],
    bounds: tuple[float, float, float, float],
    lang: str,
    *,
    by: str = "h3",
    **words: object,
) -> str:
    """The file. `base`: GeoJSON text by the names of `ward`, `streets`, `water`; `bounds`: west, south, east, north in
    degrees; `words`: what the page says besides (templates/board/one_file.html).
    """
    # Takes half a second and 40 MB, and few ask for it.
    import folium

    west, south, east, north = bounds
    drawn = folium.Map(tiles=None, zoom_control=True)
    drawn.default_js, drawn.default_css = [], []
    for name in ("water", "streets"):
        _add_base(drawn, name, base.get(name))
    _add_parts(drawn, parts, by, lang)
    _add_base(drawn, "ward", base.get("ward"))
    drawn.fit_bounds([[south, west], [north, east]])
    figures = [part.figures for part in parts]
    rows = [shown(each, by, lang) for each in figures]
    root: Any = drawn.get_root()
    root.header.add_child(folium.Element(_head(labels.text("adoption.title", lang))))
    root.html.add_child(
        folium.Element(_literal(render("board/one_file.html", lang, rows=rows, legend=legend(figures, lang), **words)))
    )
    page: str = root.render()
    # Whoever needs larger letters may make them larger.
    page = page.replace("initial-scale=1.0, maximum-scale=1.0, user-scalable=no", "initial-scale=1.0")
    named = f'<div class="folium-map" role="region" aria-label="{escape(labels.text("adoption.map", lang))}"'
    page = page.replace('<div class="folium-map"', named, 1)
    return page.replace("<html>", f'<html lang="{lang}">', 1)


def _add_base(drawn: Any, name: str, geometry: str | None) -> None:
    import folium

    if geometry is None:
        return
    style = _BASE_STYLES[name]
    feature = {"type": "Feature", "geometry": json.loads(geometry), "properties": {}}
    layer = folium.GeoJson(
        {"type": "FeatureCollection", "features": [feature]}, style_function=lambda _: style, interactive=False
    )
    layer.add_to(drawn)


def _add_parts(drawn: Any, parts: Sequence[Drawn], by: str, lang: str) -> None:
    import folium

    features = []
    for part in parts:
        if part.geometry is not None:
            properties = feature_properties(part.figures, by, lang)
            # Leaflet takes it for HTML.
            told = {"shade": properties["shade"], "sign": properties["sign"], "words": escape(properties["words"])}
            features.append({"type": "Feature", "geometry": json.loads(part.geometry), "properties": told})
    if features:
        tooltip = folium.GeoJsonTooltip(["words"], labels=False, sticky=True)
        folium.GeoJson(
            {"type": "FeatureCollection", "features": features}, style_function=_style, tooltip=tooltip
        ).add_to(drawn)


def _style(feature: Mapping[str, Any]) -> dict[str, Any]:
    told = feature["properties"]
    shade, sign = told["shade"], told["sign"]
    colour = COLOURS[shade] if shade is not None else "#8c959d" if sign == "hidden" else "#ffffff"
    style = {"color": _EDGE, "weight": 0.8, "fillColor": colour, "fillOpacity": _FILL[sign]}
    return {**style, "dashArray": "3 3"} if sign in ("unsurveyed", "hidden") else style


def _head(title: str) -> str:
    script = (_VENDOR / "leaflet.js").read_text(encoding="utf-8").replace("//# sourceMappingURL=leaflet.js.map", "")
    # Of its pictures only markers and the list of layers need any, and there are none: no address stays in the file.
    sheet = (_VENDOR / "leaflet.css").read_text(encoding="utf-8")
    for picture in ("images/layers.png", "images/layers-2x.png", "images/marker-icon.png", "#default#VML"):
        sheet = sheet.replace(f"url({picture})", "none")
    own = (_VENDOR.parent / "css" / "one_file_map.css").read_text(encoding="utf-8")
    return _literal(f"<title>{escape(title)}</title><style>{sheet}{own}</style><script>{script}</script>")


def _literal(text: str) -> str:
    """folium takes what it is given for a template of its own: braces would be read as its language."""
    return "{% raw %}" + text.replace("{% endraw %}", "") + "{% endraw %}"
