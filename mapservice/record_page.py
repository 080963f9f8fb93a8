"""The record page of an establishment, put together for whoever asks: also after a form was refused."""

import contextlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from layers import lookup_days, record_sheet, register
from layers.history import timeline
from layers.surroundings import ward_box
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.record_actions import offered
from mapservice.rights import can
from mapservice.routes.staff.personal import secrets_of
from mapservice.routes.staff.personal import section as personal_section
from mapservice.security import require
from mapservice.staff_page import page_language, staff_page
from postgis import codes
from postgis.actor import Actor, read_as
from postgis.errors import NotFound
from postgis.store import personal_data, records, work
from postgis.store.photos import PHOTO
from postgis.store.record_types import RECORD_TYPES, WritableField
from web import labels, staff_record
from web.field_values import value_words
from web.render import format_date
from web.staff_forms import form_view
from web.staff_record import Rights, Target
from web.staff_timeline import timeline_view
from web.trust import trust

ADVERSE_SECTIONS = ("licences", "food_safety_records", "inspections", "warnings")
"""Where a change may take something from the public, or tell it of a failure."""
WRITABLE = {name: record_type.fields for name, record_type in RECORD_TYPES.items()} | {"work_lists": work.HISTORY}
MAX_LOOKED_FOR = 200
RECENT = 12
DONE = (
    "saved", "added", "proposed", "proposed_plain", "unchanged", "ended", "restored", "photo_added", "photo_removed",
    "entity_linked", "entity_unlinked", "status", "merged", "unmerged",
)  # fmt: skip


def main_fields() -> tuple[WritableField, ...]:
    """The fields of the main form; the life cycle and the legal entity have forms of their own."""
    wanted = {*staff_record.IDENTITY, *staff_record.POSITION}
    return tuple(field for field in RECORD_TYPES["establishments"].fields if field.name in wanted)


def entry_fields(collection: str) -> tuple[WritableField, ...]:
    """The fields of a dated record's form."""
    return tuple(field for field in RECORD_TYPES[collection].fields if field.name != "establishment")


def record_page(
    request: Request,
    actor: Actor,
    code: str,
    *,
    target: Target | None = None,
    status: int = 200,
    entity_text: str = "",
) -> Response:
    """The page. `target` is the form that was refused, shown again as it was typed; `entity_text` what legal entity is
    looked for. Raises Problem `unknown_record`.
    """
    require(actor, "read", "register")
    lang = page_language(request)
    with read_as(database(request), actor) as connection:
        sheet = record_sheet.sheet(connection, canonical(code))
        if sheet is None:
            raise unknown(code)
        context = _context(request, connection, actor, sheet, target, lang, entity_text)
    return staff_page(request, actor, "staff/record.html", status=status, **context)


def canonical(code: str) -> str:
    """The code as it is stored. Raises Problem for what can be none."""
    found = codes.normalise(code)
    if found is None:
        raise unknown(code)
    return found


def unknown(code: str) -> Problem:
    """There is no such record for the reader."""
    return Problem("unknown_record", value=code)


def _context(
    request: Request,
    connection: Connection,
    actor: Actor,
    sheet: record_sheet.Sheet,
    target: Target | None,
    lang: str,
    entity_text: str,
) -> dict[str, Any]:
    place, code = sheet.overview, sheet.overview["code"]
    live = place["ended_at"] is None
    rights = Rights(
        change=live and can(actor, "change", "establishments"),
        propose=live and can(actor, "propose", "establishments"),
        photo=live and can(actor, "create", "photos"),
    )
    record = records.get(connection, "establishments", code)
    form = staff_record.main_form(
        main_fields(), record.values, record.version, lang, target, register.choices(connection), code
    )
    lon, lat = record.values["geometry"]["coordinates"][:2]
    return {
        "place": {**place, "title": title(place, lang), "lon": lon, "lat": lat, "stale": _stale(place, lang)},
        "rights": rights,
        "done": _done(request, lang),
        "lookups": lookups_in_words("place", lookup_days.of_place(connection, code), lang),
        "notices": _notices(sheet, lang),
        "actions": offered(actor, place, lang),
        "form": form,
        "identity": staff_record.IDENTITY,
        "position": _position_inputs(),
        "position_trust": trust(place["source"], place["verified_on"], place["address_fresh_until"], lang),
        "sections": [
            staff_record.section(
                name, entry_fields(name), sheet.entries[name], place, lang, target, editable=rights.propose
            )
            for name in staff_record.SECTIONS
        ],
        "adverse_sections": ADVERSE_SECTIONS,
        "timeline": timeline_view(timeline(connection, code, limit=RECENT), WRITABLE, lang),
        "script": staff_record.map_data(
            place, ward_box(connection, actor.ward_code), actor.ward_code, lang, editable=rights.propose
        ),
        **_entity(request, connection, actor, sheet, record, target, lang, entity_text),
        **_photos(sheet, target, lang),
    }


def lookups_in_words(of: str, found: int | None, lang: str) -> str:
    """How often the look-up page of a `place`, or those of the `ward`, were viewed; None: too seldom to be told."""
    key = f"lookup_days.{of}" if found is not None else f"lookup_days.{of}_few"
    return labels.text(key, lang, count=found, days=lookup_days.DAYS, fewest=lookup_days.FEWEST)


def title(place: Mapping[str, Any], lang: str) -> str:
    """The name on the sign, or that there is none."""
    return str(place["name"] or labels.text("register.nameless", lang))


def _position_inputs() -> list[str]:
    names: list[str] = []
    for name in staff_record.POSITION:
        names += ["lat", "lon"] if name == "geometry" else [name]
    return names


def _stale(place: Mapping[str, Any], lang: str) -> str:
    return ", ".join(labels.code_label("freshness_fact", fact, lang) for fact in place["stale"])


def _done(request: Request, lang: str) -> str:
    done = request.query_params.get("done")
    if done not in DONE:
        return ""
    receipt = "".join(letter for letter in request.query_params.get("receipt", "") if letter.isalnum() or letter == "-")
    return labels.text(f"register.done.{done}", lang, receipt=receipt[:40])


def _notices(sheet: record_sheet.Sheet, lang: str) -> list[dict[str, str]]:
    """What anybody must know before reading on."""
    place, found = sheet.overview, []

    def add(words: str, linked: str | None = None) -> None:
        other = sheet.linked.get(linked or "")
        found.append(
            {
                "words": words,
                "href": f"/staff/establishments/{other['code']}" if other else "",
                "link": str(other["name"] or codes.display(other["code"])) if other else "",
            }
        )

    if "merged_into" in sheet.linked:
        add(labels.text("register.record.merged_notice", lang), "merged_into")
    elif place["ended_at"] is not None:
        add(labels.text("register.record.ended_notice", lang, reason=place["end_reason"] or ""))
    if "moved_to" in sheet.linked:
        add(labels.text("register.record.moved_notice", lang), "moved_to")
    if place["operating_status"] == "suspended" and place["suspended_until"]:
        until = format_date(place["suspended_until"])
        add(labels.text("register.record.suspended_notice", lang, date=until))
    return found


def _entity(
    request: Request,
    connection: Connection,
    actor: Actor,
    sheet: record_sheet.Sheet,
    record: records.Record,
    target: Target | None,
    lang: str,
    text: str,
) -> dict[str, Any]:
    """The section about the legal entity: what is known of it, or how to find or make one."""
    fields = RECORD_TYPES["legal_entities"].fields
    linking = target if target and target.of("legal_entity_link", None) else None
    creating = target.state if target and target.of("legal_entities", None) else None
    link_fields = [field for field in RECORD_TYPES["establishments"].fields if field.name == "legal_entity"]
    found: dict[str, Any] = {
        "entity": None,
        "personal": None,
        "entity_text": text,
        "entity_search": entities_like(request, connection, text) if text else None,
        "linking": linking is not None,
        "link_form": form_view(
            "establishments",
            link_fields,
            {"legal_entity": record.values["legal_entity"]},
            lang,
            version=record.version,
            state=linking.state if linking else None,
            options={"legal_entity": {}},
        ),
        "entity_create": form_view(
            "legal_entities",
            fields,
            {"registry_status": "unknown"},
            lang,
            version=record.version,
            state=creating,
        ),
    }
    entity = sheet.entity
    if entity is not None:
        found["entity"] = _entity_as_known(entity, target, lang)
        with contextlib.suppress(NotFound):
            found["personal"] = personal_section(connection, actor, entity.code)
    return found


def _entity_as_known(entity: record_sheet.Entity, target: Target | None, lang: str) -> dict[str, Any]:
    """A legal entity in words, and the form that changes it."""
    fields = RECORD_TYPES["legal_entities"].fields
    own = target if target and target.of("legal_entities", entity.code) else None
    words = {field.name: value_words(field.kind, field.code_list, entity.values[field.name], lang) for field in fields}
    shown = ("tax_code", "registration_number", "registered_on")
    return {
        "code": entity.code,
        "registered_name": words["registered_name"],
        "legal_form": words["legal_form"],
        "registry_status": words["registry_status"],
        "lines": [(labels.field_title("legal_entities", name, lang), words[name]) for name in shown],
        "others": entity.others,
        "opened": own is not None,
        "form": form_view(
            "legal_entities",
            fields,
            own.seen if own and own.seen is not None else entity.values,
            lang,
            version=own.version if own and own.version is not None else entity.version,
            state=own.state if own else None,
        ),
    }


def entities_like(request: Request, connection: Connection, text: str) -> list[dict[str, Any]]:
    """Legal entities with such a name or number; a person's number is compared by its keyed hash."""
    text = text[:MAX_LOOKED_FOR]
    numbered = personal_data.find_by_identifier(connection, secrets_of(request), text)
    return record_sheet.entities_like(connection, text, numbered)


def _photos(sheet: record_sheet.Sheet, target: Target | None, lang: str) -> dict[str, Any]:
    adding = target.state if target and target.of("photos", None) else None
    ending = target if target and target.collection == "photos" and target.ending else None
    name = title(sheet.overview, lang)
    shown, removed = [], []
    for photo in sheet.photos:
        if photo.ended_at is not None:
            removed.append({"ended": format_date(photo.ended_at)})
            continue
        key = "register.photo.alt_dated" if photo.taken_on else "register.photo.alt"
        date = format_date(photo.taken_on) if photo.taken_on else ""
        scale = min(1.0, 480 / max(photo.width, photo.height))
        shown.append(
            {
                "code": photo.code,
                "version": photo.version,
                "file": photo.file,
                "caption": photo.caption,
                "source": photo.source,
                "taken_on": photo.taken_on,
                "alt": labels.text(key, lang, name=name, date=date),
                "thumb_width": round(photo.width * scale),
                "thumb_height": round(photo.height * scale),
                "opened": ending is not None and ending.code == photo.code,
            }
        )
    fields = (WritableField("photo", "text", required=True), *PHOTO.fields)
    return {
        "photos": shown,
        "removed_photos": removed,
        "photo_form": form_view("photos", fields, {"source": "field_survey"}, lang, state=adding),
        "photo_end": form_view("photos", [], {}, lang, state=ending.state if ending else None),
    }
