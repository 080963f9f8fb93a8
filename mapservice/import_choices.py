"""The forms by which a person corrects how a file is understood, made into choices (`ingest.choices`)."""

from collections.abc import Mapping
from typing import Any

from ingest.choices import AS_IS
from ingest.values_sectors import SCHEME, sector_names
from mapservice.forms import Form
from postgis.errors import FieldError, InvalidValues
from postgis.store.imports import Batch
from postgis.today import read_day, today

FOUND = "found"
"""Instead of a field or encoding: as the file was understood by itself."""


def chosen_columns(form: Form, batch: Batch) -> dict[str, Any]:
    """Fields and encodings by column, sheets left out, and what holds for the whole list. Raises InvalidValues."""
    summary = batch.summary or {}
    columns: dict[str, dict[str, str | None]] = {
        signature: dict(correction) for signature, correction in (batch.choices.get("columns") or {}).items()
    }
    encodings: dict[str, dict[str, str]] = {}
    for column in summary.get("columns", ()):
        name = f"{_place(summary, column['sheet'])}.{column['column']}"
        wanted = form[f"field.{name}"]
        if f"field.{name}" in form and wanted != (column["field"] or ""):
            columns.setdefault(column["signature"], {})[column["key"]] = wanted or None
        if (encoding := form[f"encoding.{name}"]) and encoding != FOUND:
            encodings.setdefault(column["sheet"], {})[column["key"]] = encoding
    left_out = [
        sheet["name"]
        for place, sheet in enumerate(summary.get("sheets", ()))
        if f"sheet.{place}" in form and form.all(f"sheet.{place}")[-1] == "out"
    ]
    return {
        "columns": columns,
        "encodings": encodings,
        "sheets_left_out": left_out,
        "legal_form": form["legal_form"] or None,
        "agency": form["agency"] or None,
        "as_of": _day(form["as_of"]),
    }


def chosen_sectors(form: Form, batch: Batch) -> dict[str, Any]:
    """What a person says that a text means, by its code; an empty one: no class. Raises InvalidValues."""
    sectors: dict[str, str | None] = dict(batch.choices.get("sectors") or {})
    known = sector_names().names
    listed = list((batch.summary or {}).get("sectors", ()))
    for place, sector in enumerate(listed):
        if f"sector.{place}" not in form or f"confirm.{place}" not in form:
            continue
        code = form[f"sector.{place}"].split(" ")[0]
        if code and code not in known:
            raise InvalidValues([FieldError(f"sector.{place}", "unknown_sector_class", {"value": code})])
        sectors[sector["key"]] = f"{SCHEME} {code}" if code else None
    return {"sectors": sectors}


def chosen_points(form: Form, _batch: Batch) -> dict[str, Any]:
    """Whether the points of the file are where they should be."""
    return {"points": form["points"] if form["points"] in ("confirmed", "ignored") else None}


def _place(summary: Mapping[str, Any], sheet: str) -> int:
    return next(place for place, each in enumerate(summary["sheets"]) if each["name"] == sheet)


def _day(text: str) -> str | None:
    if not text:
        return None
    parts = text.split("/")
    try:
        day = read_day("-".join((parts[2], parts[1].zfill(2), parts[0].zfill(2))) if len(parts) == 3 else text)
    except ValueError:
        raise InvalidValues([FieldError("as_of", "not_a_date", {"value": text})]) from None
    if day > today():
        raise InvalidValues([FieldError("as_of", "in_the_future")])
    return day.isoformat()


__all__ = ["AS_IS", "FOUND", "chosen_columns", "chosen_points", "chosen_sectors"]
