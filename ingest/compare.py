"""What a row would change at a known place, field by field.

What the row does not say changes nothing, unknown overwrites nothing known, and a spelling without marks none with
them. House number, alley and street are one: they change together or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingest.addresses import street_way
from ingest.house_numbers import read_numbers
from ingest.match import Place
from ingest.rows import ReadRow
from ingest.street_names import street_key
from ingest.values_dates import Day
from ingest.values_sectors import Sector
from postgis.folding import flatten, search_key
from postgis.identifiers import Number


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One field that the row says otherwise. Personal values are masked on both sides."""

    field: str
    before: Any
    after: Any


HouseKey = tuple[str, ...]
_TEXTS = ("name", "name_en", "registered_name", "opening_hours", "website", "offering")
_CODES = ("legal_form", "operating_status", "registry_status")
_DAYS = {
    "opened_on": "opened_on",
    "closed_on": "closed_on",
    "licence_expires_on": "licence_valid_until",
    "food_safety_expires_on": "food_safety_valid_until",
}
_METHODS = ("vietqr", "bank_transfer", "pos_card")
_USES = ("e_invoice", "sales_software", "marketplace")
_HIDDEN = "***"
_PARTS = ("house_number", "alley", "street_name")
_MOVED_M = 30.0


def differences(
    row: ReadRow, known: Mapping[str, Any], house: HouseKey | None, *, other_phone: bool, apart_m: float | None
) -> list[Change]:
    """All changes that a row asks for. `house`: the known address, as it reads; `other_phone`: the row has a number
    that is not the known one; `apart_m`: how far its own point lies from the known one."""
    said, found = row.values, []
    for field in _TEXTS:
        new, old = said.get(field), known.get(field)
        if isinstance(new, str) and not _same_text(new, old):
            found.append(Change(field, old, new))
    for field in _CODES:
        new, old = said.get(field), known.get(field)
        if new is not None and new != "unknown" and new != old:
            found.append(Change(field, old, new))
    for field, name in _DAYS.items():
        new, old = said.get(field), known.get(name)
        if isinstance(new, Day) and not _same_day(new, old):
            found.append(Change(name, _written(old), str(new)))
    found += _sector(said.get("sector"), known)
    found += _address(row, known, house)
    found += _numbers(row, known, other_phone=other_phone)
    found += _uses(said, known)
    found += _inspection(said, known)
    if row.place.point is not None and apart_m is not None and apart_m > _MOVED_M:
        before = {"lon": known.get("lon"), "lat": known.get("lat")}
        found.append(Change("position", before, {"lon": row.place.point.lon, "lat": row.place.point.lat}))
    return found


def house_key(house: str | None, alley: str | None, street: str | None) -> HouseKey | None:
    """Street, alleys and number as one key, however they were split over the columns; None where one is missing."""
    if not street or not house:
        return None
    numbers, _ = read_numbers(f"{alley}/{house}" if alley else house)
    return (street_key(street), *numbers.alley, numbers.house) if numbers.house else None


def house_key_of(place: Place) -> HouseKey | None:
    """The same of a place that is matched."""
    return house_key(place.house_number, place.alley, place.street_name)


def _same_text(new: str, old: object) -> bool:
    if not isinstance(old, str) or not old:
        return False
    if search_key(new) != search_key(old):
        return False
    # A spelling with marks is worth having where the register has none; capitals and signs are not.
    return not (flatten(old) == old.lower() and flatten(new) != new.lower())


def _same_day(new: Day, old: object) -> bool:
    """A year alone says nothing against a day of that year."""
    return isinstance(old, date) and old.isoformat().startswith(str(new))


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _sector(new: object, known: Mapping[str, Any]) -> list[Change]:
    if not isinstance(new, Sector):
        return []
    scheme, code = known.get("sector_scheme"), known.get("sector_code")
    if scheme == new.scheme and code and str(code).startswith(new.code):
        return []
    return [Change("sector_code", f"{scheme} {code}" if code else None, str(new))]


def _address(row: ReadRow, known: Mapping[str, Any], old: HouseKey | None) -> list[Change]:
    found, address = [], row.place.address
    own, separate = street_way(*(known.get(name) for name in _PARTS)), row.place.separate
    new = house_key(address.house_number, address.alley, address.street_name)
    if row.place.stated and search_key(row.place.stated) == search_key(known.get("address") or own):
        # As the register has it, so only columns of their own can say anything new: a list of ours that comes back.
        new = old
        if separate is not None and search_key(separate.raw) != search_key(own):
            address = separate
            new = house_key(address.house_number, address.alley, address.street_name)
    if new is not None and new != old:
        before = {name: known[name] for name in _PARTS if known.get(name)}
        after = {name: value for name in _PARTS if (value := getattr(address, name))}
        found.append(Change("address", before or known.get("address"), after))
    elif new is None and row.place.stated and not known.get("address") and old is None:
        found.append(Change("address", None, row.place.stated))
    group = "".join(letter for letter in address.residential_group or "" if letter.isdigit())
    if group and int(group) != known.get("residential_group"):
        found.append(Change("residential_group", known.get("residential_group"), int(group)))
    if address.stall and search_key(address.stall).replace(" ", "") != search_key(known.get("stall") or "").replace(
        " ", ""
    ):
        found.append(Change("stall", known.get("stall"), address.stall))
    if address.site and search_key(address.site) != search_key(known.get("site") or ""):
        found.append(Change("model_site", known.get("site"), address.site))
    return found


def _numbers(row: ReadRow, known: Mapping[str, Any], *, other_phone: bool) -> list[Change]:
    found = []
    tax, certificate = row.values.get("tax_code"), row.values.get("licence_number")
    if tax is not None and _is_firms(tax) and tax.text != known.get("tax_code"):
        found.append(Change("tax_code", known.get("tax_code"), tax.text))
    if certificate is not None and certificate.kind == "old_certificate":
        old = known.get("registration_number")
        found += [Change("registration_number", old, certificate.text)] if certificate.text != old else []
    if other_phone:
        found.append(Change("owner_phone", None, _HIDDEN))
    return found


def _is_firms(number: Number) -> bool:
    """Whether a tax code is surely an organisation's: those of households begin with 8 or are personal numbers."""
    return number.certain and number.kind in ("tax_code", "unit_tax_code") and not number.text.startswith("8")


def _uses(said: Mapping[str, Any], known: Mapping[str, Any]) -> list[Change]:
    methods = dict.fromkeys(said.get("payment_methods", ()), "yes")
    methods |= {method: said[method] for method in _METHODS if said.get(method) in ("yes", "no")}
    if isinstance(said.get("wallet"), tuple):
        methods |= dict.fromkeys(said["wallet"], "yes")
    old = set(known.get("payment_methods") or ())
    other = {method: word for method, word in methods.items() if (word == "yes") != (method in old)}
    # That one is not accepted is news only of one that was.
    found = [Change("payment_methods", sorted(old), other)] if other else []
    uses = {use: said[use] for use in _USES if said.get(use) in ("yes", "no")}
    had = set(known.get("digital_uses") or ())
    if news := {use: word for use, word in uses.items() if (word == "yes") != (use in had)}:
        found.append(Change("digital_uses", sorted(had), news))
    return found


def _inspection(said: Mapping[str, Any], known: Mapping[str, Any]) -> list[Change]:
    on, old = said.get("inspected_on"), known.get("last_inspection_on")
    if not isinstance(on, Day) or (isinstance(old, date) and on.on < old):
        return []
    if _same_day(on, old) and said.get("inspection_result") in (None, known.get("last_inspection_result")):
        return []
    before = {"on": _written(old), "result": known.get("last_inspection_result")} if old else None
    return [Change("inspection", before, {"on": str(on), "result": said.get("inspection_result")})]
