"""Model sites in words and as a drawing: targets, stalls with their evidence, who is missing and why."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import cos, radians
from typing import Any, Protocol

from web import labels, lookup
from web.render import format_code, format_date, local
from web.work import percent

PAGE = "/board/model-sites"
_SIZE = 640
"""Width and height of the drawing, in units of its own."""
_MARGIN = 0.08
_SMALLEST_DEGREES = 0.0008
"""About 90 m: a drawing of a single stall still shows its surroundings."""


class Aim(Protocol):
    """A target, as `layers.indicators` has it."""

    @property
    def due(self) -> date:
        """By when."""

    @property
    def value(self) -> float:
        """Per cent."""


class Counted(Protocol):
    """A figure, as `layers.indicators` has it."""

    @property
    def population(self) -> int | None:
        """How many stalls count."""

    @property
    def yes(self) -> int | None:
        """How many meet the target."""

    @property
    def no(self) -> int | None:
        """How many do not."""

    @property
    def unknown(self) -> int | None:
        """Of how many nobody knows."""

    @property
    def value(self) -> float | None:
        """The share among those known."""

    @property
    def low(self) -> float | None:
        """The share if all unknown are no."""

    @property
    def high(self) -> float | None:
        """The share if all unknown are yes."""


def figure_row(figure: Counted, lang: str) -> dict[str, str]:
    """A share with what it rests on."""
    if not figure.population:
        return {"value": labels.text("model_sites.unknown", lang), "range": "", "counts": ""}
    return {
        "value": labels.text("model_sites.unknown", lang) if figure.value is None else _share(figure.value, lang),
        "range": labels.text(
            "model_sites.range", lang, low=_share(figure.low or 0, lang), high=_share(figure.high or 0, lang)
        ),
        "counts": labels.text(
            "model_sites.counts", lang, yes=figure.yes or 0, no=figure.no or 0, unknown=figure.unknown or 0
        ),
    }


def target_row(title: str, target: Aim, figure: Counted, needed: int, today: date, lang: str) -> dict[str, Any]:
    """What one target still needs at one site."""
    return {
        "title": title,
        "due": format_date(target.due),
        "value": f"{percent(target.value, lang)} %",
        "past": target.due < today,
        "met": bool(figure.population) and not needed,
        "words": labels.text("model_sites.no_stalls", lang) if not figure.population
        else labels.text("model_sites.met", lang) if not needed
        else labels.text("model_sites.needed", lang, count=needed),
    }  # fmt: skip


def stall_row(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """A stall with its evidence."""
    return {
        "name": lookup.place_name(row, lang),
        "code": format_code(row["code"]),
        "href": local(lang, f"/staff/establishments/{row['code']}") + "#payment_acceptances",
        "stall": row["stall"] or labels.text("model_sites.no_number", lang),
        "why": row["why"],
        "why_words": labels.text(f"model_sites.why.{row['why']}", lang),
        "checks": [_check(check, lang) for check in row["checks"] or ()],
        "checked": _dated("checked_on", row["payment_checked_on"], lang) or labels.text("model_sites.never", lang),
        "refused": _dated("refused_on", row["refused_on"], lang),
        "visited": _dated("visited_on", row["visited_on"], lang),
        "photo": f"/photos/{row['photo']}" if row["photo"] else "",
        "illustrative": row["illustrative"],
    }  # fmt: skip


def tally(rows: Iterable[Mapping[str, Any]], order: Sequence[str], lang: str) -> list[dict[str, Any]]:
    """How many stalls stand where."""
    counts = Counter(row["why"] for row in rows)
    return [{"why": why, "words": labels.text(f"model_sites.why.{why}", lang), "count": counts[why]} for why in order]


def _check(check: Mapping[str, Any], lang: str) -> dict[str, str]:
    seen = {True: "yes", False: "no", None: "unknown"}[check["has_transactions"]]
    cash = check["method"] == "cash_only"
    return {
        "method": labels.code_label("payment_method", check["method"], lang),
        "evidence": labels.code_label("evidence_level", check["evidence_level"], lang),
        "transactions": "" if cash else labels.text(f"model_sites.transactions.{seen}", lang),
        "document": check["document"] or "",
        "checked": format_date(check["checked_on"]),
    }


def _dated(key: str, day: date | None, lang: str) -> str:
    return labels.text(f"model_sites.{key}", lang, date=format_date(day)) if day else ""


def _share(value: float, lang: str) -> str:
    return f"{labels.number(value, lang, 1)} %"


def box_around(shape: Mapping[str, Any], points: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    """West, south, east, north of what is drawn, with some room; degrees."""
    every = [*_positions(shape.get("coordinates", [])), *points]
    lons, lats = [lon for lon, _ in every], [lat for _, lat in every]
    wide = max(max(lons) - min(lons), max(lats) - min(lats), _SMALLEST_DEGREES)
    room = wide * _MARGIN
    lon, lat = (max(lons) + min(lons)) / 2, (max(lats) + min(lats)) / 2
    half = wide / 2 + room
    return lon - half, lat - half, lon + half, lat + half


def drawing(
    shape: Mapping[str, Any],
    stalls: Sequence[Mapping[str, Any]],
    streets: Iterable[str],
    box: tuple[float, float, float, float],
) -> dict[str, Any]:
    """The outline, the streets around it and the stalls as paths and points of an SVG, north up."""
    west, south, east, north = box
    squeeze = cos(radians((south + north) / 2))
    scale = _SIZE / (north - south)

    def at(lon: float, lat: float) -> str:
        return f"{(lon - west) * squeeze * scale:.1f} {(north - lat) * scale:.1f}"

    def path(found: Mapping[str, Any]) -> str:
        closing = "Z" if found["type"].endswith("Polygon") else ""
        return " ".join(f"M{' L'.join(at(*place[:2]) for place in line)}{closing}" for line in _lines(found))

    return {
        "width": round((east - west) * squeeze * scale, 1),
        "height": _SIZE,
        "outline": path(shape),
        "is_area": shape["type"].endswith("Polygon"),
        "streets": [drawn for street in streets if (drawn := path(json.loads(street)))],
        "points": [(at(row["lon"], row["lat"]).split(), row["why"]) for row in stalls],
        "box": ",".join(f"{number:.7f}" for number in box),
    }


def _lines(shape: Mapping[str, Any]) -> list[list[Sequence[float]]]:
    """Every line and ring of a shape; what is a point has none."""
    if shape["type"] == "GeometryCollection":
        return [line for part in shape["geometries"] for line in _lines(part)]
    found = shape.get("coordinates", [])
    depth = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}.get(shape["type"])
    if depth is None:
        return []
    return [found] if depth == 0 else found if depth == 1 else [line for part in found for line in part]


def _positions(coordinates: Any) -> list[tuple[float, float]]:
    if not coordinates:
        return []
    if isinstance(coordinates[0], int | float):
        return [(coordinates[0], coordinates[1])]
    return [position for part in coordinates for position in _positions(part)]
