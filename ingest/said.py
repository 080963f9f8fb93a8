"""What a row says, as the register would hold it: by collection, in wire names and values, nothing of it compared yet.

The one list of what an import can propose: what is made of a new row and what is compared with a known place both start
here. What finds no place here is kept as the sender wrote it, and a finding says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from ingest.choices import Choices
from ingest.list_facts import ListFacts, form_of_name
from ingest.rows import ReadRow
from ingest.said_owner import Owner, owner_of
from ingest.values_dates import Day
from ingest.values_sectors import Sector
from ingest.values_vocabulary import FOOD_SAFETY_KINDS
from ingest.values_words import read_word
from postgis.folding import search_key
from postgis.reference_data import group_members
from postgis.reference_files import read_rows
from postgis.store.record_types import RECORD_TYPES
from postgis.store.record_values import EARLIEST
from postgis.today import today as vietnams_today
from postgis.vocabulary import CASHLESS_METHODS

Values = dict[str, Any]
_YES = {"yes": True, "no": False}
_METHODS = ("vietqr", "bank_transfer", "pos_card")
_USES = ("e_invoice", "sales_software", "marketplace")
_TEXTS = ("name", "name_en", "offering", "opening_hours", "website")
_HAVE_HAPPENED = ("inspected_on", "surveyed_on")
_DAYS = (
    "opened_on", "closed_on", "licence_issued_on", "licence_expires_on", "food_safety_issued_on",
    "food_safety_expires_on", "commitment_signed_on", "inspected_on", "surveyed_on",
)  # fmt: skip
_OF_A_REGISTRATION = frozenset(("old_certificate", "tax_code", "unit_tax_code"))
_PAPER_NUMBER = re.compile(r"\d[\w./-]*")
LICENCE_FIELDS = ("licence_number", "licence_issued_on", "licence_expires_on", "licence_issuer")
FOOD_SAFETY_FIELDS = (
    "food_safety_number", "food_safety_issued_on", "food_safety_expires_on", "food_safety_issuer",
)  # fmt: skip
_IN_ORDER = (
    ("opened_on", "closed_on"),
    ("licence_issued_on", "licence_expires_on"),
    ("food_safety_issued_on", "food_safety_expires_on"),
)


@dataclass(slots=True, repr=False)
class Said:
    """One row's records. `place` has no position: where a known place lies the register knows better."""

    place: Values
    position: Values
    owner: Owner
    licence: Values | None
    food_safety: list[Values]
    inspection: Values | None
    payments: dict[str, bool]
    uses: dict[str, bool]
    checked_on: str
    day_stated: bool
    """Whether the row or a person says of what day it speaks; else it is the day of the plan, which proves nothing."""
    form_stated: bool = False
    """Whether the legal form is the row's own word, and not that of the whole list."""
    site_name: str | None = None
    group: int | None = None


def said_of(row: ReadRow, facts: ListFacts, choices: Choices, sites: Mapping[str, str]) -> Said:
    """All that a row says; what it says in vain is added to its findings. `sites`: model sites by folded name."""
    days = _days(row, choices.day)
    stated = days.get("surveyed_on")
    checked_on = (stated or choices.day).isoformat()
    form = row.values.get("legal_form")
    if form is None and (form := form_of_name(row.values.get("registered_name") or "")):
        row.say("form_from_name", "registered_name")
    place = _place(row, days, form or facts.legal_form, sites)
    owner = owner_of(row, form or facts.legal_form)
    uses = {use: _YES[word] for use in _USES if (word := row.values.get(use)) in _YES}
    group = "".join(letter for letter in row.place.address.residential_group or "" if letter.isdigit())
    return Said(
        place,
        _position(row, facts),
        owner,
        _licence(row, days, owner.licence_number, facts.licence_kind, checked_on),
        _food_safety(row, days, facts.food_safety_kind, checked_on),
        _inspection(row, days, choices.agency),
        _payments(row),
        uses,
        checked_on,
        day_stated=stated is not None or choices.as_of is not None,
        form_stated=form is not None,
        site_name=row.place.address.site,
        group=int(group) if group else None,
    )


def say_unnamed(row: ReadRow, said: Said) -> None:
    """Papers of which nothing says what they are are not made: they stay in the row."""
    if said.licence and said.licence["kind"] is None:
        row.say("paper_not_named", next((name for name in LICENCE_FIELDS if row.text_of(name)), None))
    if any(record["kind"] is None for record in said.food_safety):
        row.say("paper_not_named", next((name for name in FOOD_SAFETY_FIELDS if row.text_of(name)), None))


def fits(row: ReadRow, collection: str, name: str, text: str | None, field_name: str) -> str | None:
    """A text that the register has room for; a longer one stays in the row."""
    if not text:
        return None
    known = RECORD_TYPES[collection].field(name)
    if known is not None and len(text) > known.max_length:
        row.say("too_long", field_name, most=known.max_length)
        return None
    return text


def _days(row: ReadRow, today: date) -> dict[str, date]:
    """The days that a row states to the day, in the order in which such days can follow one another."""
    found: dict[str, date] = {}
    for name in _DAYS:
        value = row.values.get(name)
        if not isinstance(value, Day):
            continue
        if value.precision != "day" or value.on < EARLIEST:
            row.say("day_kept", name)
        elif name in _HAVE_HAPPENED and value.on > max(today, vietnams_today()):
            row.say("day_ahead", name, "wrong")
        else:
            found[name] = value.on
    for first, last in _IN_ORDER:
        if first in found and last in found and found[last] < found[first]:
            row.say("days_out_of_order", last, "wrong")
            del found[first], found[last]
    return found


def _place(row: ReadRow, days: Mapping[str, date], form: str | None, sites: Mapping[str, str]) -> Values:
    values, address = row.values, row.place.address
    found: Values = {}
    for name in _TEXTS:
        if text := fits(row, "establishments", name, values.get(name), name if name != "offering" else "business_line"):
            found[name] = text
    if "name" not in found and values.get("registered_name"):
        found["name"] = str(values["registered_name"])[:200]
        row.say("name_from_registration", "registered_name")
    if form:
        found["legal_form"] = form
    sector = values.get("sector")
    if isinstance(sector, Sector):
        found |= {"sector_scheme": sector.scheme, "sector_code": sector.code, "sector_group": group_of(sector.code)}
    if stated := fits(row, "establishments", "address", row.place.stated, "address"):
        found["address"] = stated
    for name in ("house_number", "alley", "street_name", "stall"):
        if part := getattr(address, name):
            found[name] = part
    if address.site:
        if code := sites.get(site_key(address.site)):
            found["model_site"] = code
        elif row.text_of("market") and row.text_of("address"):
            row.say("site_unknown", "market")
    status = values.get("operating_status")
    if status not in (None, "unknown"):
        found["operating_status"] = status
    for name in ("opened_on", "closed_on"):
        if name in days:
            found[name] = days[name].isoformat()
    return found


def _position(row: ReadRow, facts: ListFacts) -> Values:
    """Where the row itself puts a place: its own point, else its address, else somewhere in the ward, which is said."""
    point, located = row.place.point, row.place.located
    if point is not None:
        outside = {} if row.place.is_inside else {"outside_accepted": True}
        return _at(point.lon, point.lat, "typed", row.place.point_error_m) | outside
    if located is not None:
        outside = {} if located.inside_ward else {"outside_accepted": True}
        return _at(located.lon, located.lat, located.method, located.expected_error_m) | outside
    lon, lat, error = facts.middle
    row.say("placed_in_ward", None, "doubtful", metres=round(error))
    return _at(lon, lat, "interpolated", error)


def _at(lon: float, lat: float, method: str, error_m: float) -> Values:
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"geometry": point, "position_method": method, "position_accuracy_m": error_m}


def _licence(
    row: ReadRow, days: Mapping[str, date], number: str | None, of_list: str | None, checked_on: str
) -> Values | None:
    """The licence that a row speaks of. `kind` is None where neither the row, nor a head, nor the number says it."""
    found = _papers(days, "licence", "expires_on")
    if number:
        found["number"] = number
    issuer = fits(row, "licences", "issuer", row.text_of("licence_issuer"), "licence_issuer")
    kind = row.values.get("licence_kind")
    written = row.values.get("licence_number")
    if written is not None and written.kind in _OF_A_REGISTRATION:
        of_list = "business_registration"
    if not found and kind is None:
        if issuer:
            row.say("kept_as_text", "licence_issuer")
        return None
    if issuer:
        found["issuer"] = issuer
    return {"kind": kind or of_list, **found, "checked_on": checked_on}


def _papers(days: Mapping[str, date], prefix: str, until: str) -> Values:
    found: Values = {}
    for field_name, name in ((f"{prefix}_issued_on", "issued_on"), (f"{prefix}_expires_on", until)):
        if field_name in days:
            found[name] = days[field_name].isoformat()
    return found


def _food_safety(row: ReadRow, days: Mapping[str, date], of_list: str | None, checked_on: str) -> list[Values]:
    """The file that the row or a head names, `kind` None where neither does; a commitment by the day it was signed."""
    found = _papers(days, "food_safety", "valid_until")
    said_kind, written = _kind_and_number(row.text_of("food_safety_number"))
    number = fits(row, "food_safety_records", "number", written, "food_safety_number")
    agency = fits(row, "food_safety_records", "agency", row.text_of("food_safety_issuer"), "food_safety_issuer")
    kind = row.values.get("food_safety_kind") or said_kind
    signed = days.get("commitment_signed_on")
    records: list[Values] = []
    if kind == "commitment" and signed and "issued_on" not in found:
        found["issued_on"], signed = signed.isoformat(), None
    if number:
        found["number"] = number
    if found or kind:
        if agency:
            found["agency"] = agency
        records.append({"kind": kind or of_list, **found, "checked_on": checked_on})
    elif agency:
        row.say("kept_as_text", "food_safety_issuer")
    if signed:
        records.append({"kind": "commitment", "issued_on": signed.isoformat(), "checked_on": checked_on})
    return records


@lru_cache(maxsize=20_000)
def _kind_and_number(text: str | None) -> tuple[str | None, str | None]:
    """Under "ATTP" stands a number, or in words what file there is, or both: "Giấy CN ATTP 123/2024"."""
    if not text:
        return None, None
    kind = read_word(text, FOOD_SAFETY_KINDS).value
    if kind is None:
        return None, text if any(letter.isdigit() for letter in text) else None
    number = _PAPER_NUMBER.search(text)
    return kind, number[0] if number else None


def _inspection(row: ReadRow, days: Mapping[str, date], of_list: str | None) -> Values | None:
    """A draft: only what is signed is public, and no list says that it is."""
    on, result = days.get("inspected_on"), row.values.get("inspection_result")
    if on is None and result is None:
        for name in ("penalty", "inspection_agency"):
            if row.text_of(name):
                row.say("kept_as_text", name)
        return None
    agency = fits(row, "inspections", "agency", row.text_of("inspection_agency") or of_list, "inspection_agency")
    if on is None or result is None or agency is None:
        # What else the row says of it, `say_kept` tells.
        row.say("inspection_incomplete" if on is None or result is None else "no_agency",
                "inspected_on" if on else "inspection_result")  # fmt: skip
        return None
    words = fits(row, "inspections", "official_words", row.text_of("penalty"), "penalty")
    more = {"official_words": words} if words else {}
    return {"inspected_on": on.isoformat(), "agency": agency, "result": result, **more}


def _payments(row: ReadRow) -> dict[str, bool]:
    values = row.values
    found = dict(values.get("payment_methods", ()))
    found |= {method: _YES[word] for method in _METHODS if (word := values.get(method)) in _YES}
    if found.get("cash_only") and any(found.get(method) for method in CASHLESS_METHODS):
        row.say("payments_contradict", "payment", "doubtful")
        return {method: accepted for method, accepted in found.items() if method == "cash_only" or not accepted}
    return found


def site_key(name: str) -> str:
    """A market's name as it is compared: "Chợ Mới" is "cho moi"."""
    return search_key(name)


@cache
def _groups() -> dict[str, str]:
    members = group_members(read_rows("vsic_2025.csv"), read_rows("sector_groups.csv"))
    return {str(each["class_code"]): str(each["sector_group"]) for each in members}


def group_of(code: str) -> str:
    """The display group of a class of VSIC 2025, of its own level or the one below."""
    return _groups().get(code[:4], "other")
