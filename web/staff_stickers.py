"""Stickers and print runs in words, for the officers' screens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from web import labels, lookup
from web.render import VIETNAM, format_ago, format_code, format_date, local
from web.sticker_layouts import LAYOUTS, Pages

PAGE = "/staff/stickers"
_GONE = ("closed", "moved", "not_found")
_DONE = frozenset({"made", "taken", "installed", "seen", "lost", "withdrawn", "spoilt"})
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "printed": ("install", "seen", "spoilt", "withdrawn", "lost"),
    "installed": ("seen", "replace", "lost", "withdrawn"),
    "lost": ("seen", "replace"),
    "replaced": ("seen",),
    "withdrawn": ("seen",),
    "spoilt": ("seen",),
}


def per_page(layout: str) -> int:
    """Stickers on a page of that layout."""
    return LAYOUTS[layout].per_page


def pages(first: int, of: int, run: int) -> Pages:
    """Pages of a print run, for their feet: with the names of today."""
    return Pages(first, of, str(run), datetime.now(VIETNAM).date())


def actions(state: str, *, may_change: bool, may_note: bool) -> tuple[str, ...]:
    """What can be noted of a sticker in that state, the likeliest first; who only goes round notes that it was seen."""
    return tuple(action for action in _ACTIONS[state] if (may_note if action == "seen" else may_change))


def sticker_row(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """A sticker with its place."""
    return {
        "serial": row["serial"],
        "href": local(lang, f"{PAGE}/{row['serial']}"),
        "state": row["state"],
        "state_words": labels.code_label("sticker_state", row["state"], lang),
        "since": _moment(row["state_at"]),
        "ago": format_ago(row["state_at"], lang),
        "code": format_code(row["code"]),
        "name": lookup.place_name(row, lang),
        "address": lookup.street_address(row, lang) or labels.text("place.no_address", lang),
        "place_href": local(lang, f"/staff/establishments/{row['code']}"),
        "place_ended": row["place_ended_at"] is not None,
        "place_status": labels.code_label("operating_status", row["operating_status"], lang)
        if row["operating_status"] in _GONE
        else "",
        "illustrative": row["illustrative"],
        "position": row["position"],
    }


def run_row(run: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], lang: str) -> dict[str, Any]:
    """A print run; `names`: the ward's residential groups and model sites by code."""
    left = run["pages"] - run["pages_taken"]
    return {
        "id": run["id"],
        "href": local(lang, f"{PAGE}/runs/{run['id']}"),
        "title": labels.text("stickers.runs.one", lang, run=str(run["id"])),
        "chosen": _chosen(run, names, lang),
        "layout": labels.code_label("sticker_layout", run["layout"], lang),
        "stickers": run["stickers"],
        "pages": run["pages"],
        "taken": run["pages_taken"],
        "left": left,
        "next": run["pages_taken"] + 1,
        "progress": labels.text("stickers.runs.complete", lang, count=run["pages"])
        if not left
        else labels.text("stickers.runs.progress", lang, taken=run["pages_taken"], pages=run["pages"]),
        "made": _moment(run["made_at"]),
        "by": run["by"] or labels.text("stickers.by_command", lang),
    }


def print_row(row: Mapping[str, Any], run: int, lang: str) -> dict[str, Any]:
    """Pages that somebody took for printing."""
    first, last = row["first_page"], row["last_page"]
    return {
        "id": str(row["id"]),
        "href": local(lang, f"{PAGE}/runs/{run}/prints/{row['id']}.pdf"),
        "pages": labels.text("stickers.runs.page", lang, page=first)
        if first == last
        else labels.text("stickers.runs.pages", lang, first=first, last=last),
        "first": first,
        "several": last > first,
        "reason": row["reason"],
        "at": _moment(row["taken_at"]),
        "by": row["by"] or labels.text("stickers.by_command", lang),
    }


def changed_rows(rows: Sequence[Mapping[str, Any]], lang: str) -> dict[str, Any]:
    """Stickers that say something else than the register does by now, and what that means for the officer."""
    return {
        "rows": [_changed_row(row, lang) for row in rows],
        "more": rows[0]["of"] - len(rows) if rows else 0,
    }


def _changed_row(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    gone = row["ended"] or row["operating_status"] in _GONE
    said = []
    if row["ended"]:
        said.append(labels.text("stickers.list.place_ended", lang))
    elif gone:
        said.append(labels.code_label("operating_status", row["operating_status"], lang))
    if row["then_name"] != row["name"] and row["then_name"]:
        said.append(labels.text("stickers.changed.name", lang, old=row["then_name"]))
    before, after = (", ".join(filter(None, (row[f"{when}stall"], row[f"{when}address"]))) for when in ("then_", ""))
    if before != after and before:
        said.append(labels.text("stickers.changed.address", lang, old=before))
    state = "to_print" if not row["taken"] else "hanging" if row["state"] == "installed" else "printed"
    return {
        "serial": row["serial"],
        "href": local(lang, f"{PAGE}/{row['serial']}"),
        "code": format_code(row["code"]),
        "name": lookup.place_name(row, lang),
        "page": labels.text("stickers.runs.page", lang, page=row["page"]),
        "said": said,
        "do": labels.text(f"stickers.changed.{state}_{'gone' if gone else 'other'}", lang, page=row["page"]),
    }


def event_row(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Something that happened to a sticker."""
    return {
        "words": labels.code_label("sticker_event", row["kind"], lang),
        "at": _moment(row["at"]),
        "by": row["by"]
        or labels.text("stickers.by_citizen" if row["kind"] == "reported" else "stickers.by_command", lang),
        "note": row["note"] or "",
    }


def misused(events: Sequence[Mapping[str, Any]], lang: str) -> str:
    """That the ward found it copied or hung elsewhere, and when last; empty where it did not. Latest event first."""
    found = next((event_row(event, lang) for event in events if event["kind"] == "misused"), None)
    return f"{found['words']}, {found['at']}" if found else ""


def state_links(
    counts: Mapping[str, int], chosen: str | None, kept: Mapping[str, Any], lang: str
) -> list[dict[str, Any]]:
    """The states as filters, each with how many stickers are in it."""
    every = {"": labels.text("stickers.list.all", lang), **labels.code_list("sticker_state", lang)}
    return [
        {
            "words": words,
            "count": counts.get(state, 0) if state else sum(counts.values()),
            "href": local(lang, PAGE, **{**kept, "state": state or None}),
            "chosen": (chosen or "") == state,
        }
        for state, words in every.items()
    ]


def foreseen(places: Sequence[Mapping[str, Any]], having: int, layout: str, lang: str) -> dict[str, Any]:
    """What a run would be, before it is made."""
    sheets = -(-len(places) // per_page(layout))
    return {
        "count": labels.text("stickers.new.count", lang, count=len(places)),
        "pages": labels.text("stickers.new.pages", lang, count=sheets),
        "having": labels.text("stickers.new.having", lang, count=having) if having else "",
        "places": [
            {
                "name": lookup.place_name(place, lang),
                "address": place["address"] or "",
                "code": format_code(place["code"]),
            }
            for place in places[:20]
        ],
        "more": labels.text("stickers.new.more", lang, count=len(places) - 20) if len(places) > 20 else "",
    }


def error_text(error: Any, lang: str) -> str:
    """What is wrong, in words; `error` has `code` and `values`."""
    values = dict(error.values)
    if "state" in values:
        values["state"] = labels.code_label("sticker_state", values["state"], lang).lower()
    try:
        return labels.text(f"stickers.errors.{error.code}", lang, **values)
    except labels.MissingLabelError:
        field = labels.text("stickers.one.photo" if error.field == "photo" else "stickers.one.reason", lang)
        return labels.text(f"field_errors.{error.code}", lang, **values, field=field)


def done_text(done: str | None, lang: str) -> str:
    """What has been done, after a form."""
    return labels.text(f"stickers.done.{done}", lang) if done in _DONE else ""


def stale_text(lang: str) -> str:
    """A colleague was faster."""
    return labels.text("stickers.one.stale", lang)


def photo_reason(serial: str) -> str:
    """What the history says of the photo of an installation."""
    return labels.text("stickers.one.photo_reason", "vi", serial=serial)


def _chosen(run: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], lang: str) -> str:
    way, choice = run["chosen_by"], run["choice"]
    words = labels.code_label("sticker_choice", way, lang)
    value = choice.get(way) or choice.get("serial")
    if way in names and value:
        value = names[way].get(value, value)
    if way == "sector_group" and value:
        value = labels.code_label("sector_group", value, lang)
    return f"{words}: {value}" if value and way != "ward" else words


def _moment(at: datetime) -> str:
    return f"{format_date(at)} {at.astimezone(VIETNAM):%H:%M}"
