"""What a row would change at a known place, record by record; what it would change is told by the same wishes.

What the row does not say changes nothing, unknown overwrites nothing known, and a spelling without marks none with
them. House number, alley and street are one: they change together or not at all. An older word never overrules a newer
check.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import cos, hypot, radians
from typing import Any

from ingest.addresses import street_way
from ingest.compare_records import record_wishes
from ingest.house_numbers import read_numbers
from ingest.known import KnownPlace
from ingest.rows import ReadRow
from ingest.said import Said
from ingest.street_names import street_key
from ingest.weighing import Place
from ingest.wishes import Wish, entity_to_make
from postgis.folding import flatten, search_key


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One field that the row says otherwise, in wire names; `position` stands for the point, `address` for its parts.

    Personal values are masked on both sides. `before` is None where nothing was known, or where a record is made.
    """

    collection: str
    field: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"collection": self.collection, "field": self.field, "before": self.before, "after": self.after}


HouseKey = tuple[str, ...]
_TEXTS = ("name", "name_en", "opening_hours", "website", "offering")
_DAYS = ("opened_on", "closed_on")
_ADDRESS = ("house_number", "alley", "street_name", "address")
_POSITION = ("geometry", "position_method", "position_accuracy_m")
_SECTOR = ("sector_scheme", "sector_code", "sector_group")
_NOT_TOLD = frozenset(("source", "checked_on", "evidence_level", "outside_accepted", *_POSITION[1:]))
_MOVED_M = 30.0


def wishes_of_update(row: ReadRow, said: Said, known: KnownPlace, house: HouseKey | None, owner: str | None,
                     same_as: int | None) -> list[Wish]:  # fmt: skip
    """All that a row asks to change at a known place. `house`: its known address, as it reads; `owner`: the known
    entity that the row's numbers say it is of; `same_as`: see `Wish`."""
    values = _place(row, said, known, house)
    found: list[Wish] = []
    if known.entity is not None:
        found += _changed("legal_entities", known.entity, known.entity_values, _entity(said, known.entity_values))
    elif owner is not None:
        values["legal_entity"] = owner
    else:
        found += entity_to_make(said, same_as)
    before = dict(known.values)
    before["geometry"] = {"type": "Point", "coordinates": [known.lon, known.lat]}
    found += _changed("establishments", known.code, before, values)
    return found + record_wishes(row, said, known.records)


def changes_of(wishes: Iterable[Wish]) -> list[Change]:
    """The same field by field, for people."""
    found: list[Change] = []
    for wish in wishes:
        values, before = wish.values, wish.before or {}
        told = [name for name in values if name not in _NOT_TOLD]
        if wish.collection == "establishments" and "geometry" in values:
            told.remove("geometry")
            found.append(Change("establishments", "position", _lon_lat(before.get("geometry")),
                                _lon_lat(values["geometry"])))  # fmt: skip
        if wish.collection == "establishments" and (parts := [name for name in _ADDRESS if name in values]):
            told = [name for name in told if name not in _ADDRESS]
            was = {name: before[name] for name in parts if before.get(name)}
            found.append(Change("establishments", "address", was or None, {n: values[n] for n in parts if values[n]}))
        found += [Change(wish.collection, name, before.get(name), values[name]) for name in told]
    return found


def apart_m(row: ReadRow, known: KnownPlace) -> float | None:
    """Metres between the point that the file itself states and the known one, less the known one's own error."""
    if row.place.point is None:
        return None
    east = (row.place.point.lon - known.lon) * 111_195 * cos(radians(known.lat))
    return hypot(east, (row.place.point.lat - known.lat) * 111_195) - (known.accuracy_m or 0.0)


def house_key(house: str | None, alley: str | None, street: str | None) -> HouseKey | None:
    """Street, alleys and number as one key, however they were split over the columns; None where one is missing."""
    if not street or not house:
        return None
    numbers, _ = read_numbers(f"{alley}/{house}" if alley else house)
    return (street_key(street), *numbers.alley, numbers.house) if numbers.house else None


def house_key_of(place: Place) -> HouseKey | None:
    """The same of a place that is matched."""
    return house_key(place.house_number, place.alley, place.street_name)


def same_text(new: str, old: object) -> bool:
    """Whether a text says no more than the known one."""
    if not isinstance(old, str) or not old:
        return False
    if search_key(new) != search_key(old):
        return False
    # A spelling with marks is worth having where the register has none; capitals and signs are not.
    return not (flatten(old) == old.lower() and flatten(new) != new.lower())


def written(value: object) -> object:
    """A known value as it is on the wire."""
    return value.isoformat() if isinstance(value, date) else value


def _changed(collection: Any, code: str, known: Mapping[str, Any], values: Mapping[str, Any]) -> list[Wish]:
    if not values:
        return []
    return [Wish(collection, values, code, {name: written(known.get(name)) for name in values})]


def _place(row: ReadRow, said: Said, known: KnownPlace, house: HouseKey | None) -> dict[str, Any]:
    values, new, found = known.values, said.place, dict[str, Any]()
    for name in _TEXTS:
        if name in new and not same_text(new[name], values.get(name)) and (name != "name" or row.values.get("name")):
            found[name] = new[name]
    form = new.get("legal_form")
    own_form, known_form = values.get("legal_form"), known.entity_values.get("legal_form")
    if form and form not in (own_form, known_form) and (said.form_stated or not (own_form or known_form)):
        found["legal_form"] = form
    if new.get("operating_status", values.get("operating_status")) != values.get("operating_status"):
        found["operating_status"] = new["operating_status"]
    for name in _DAYS:
        if name in new and new[name] != written(values.get(name)):
            found[name] = new[name]
    known_code = values.get("sector_code")
    same_scheme = values.get("sector_scheme") == new.get("sector_scheme")
    if "sector_code" in new and not (same_scheme and known_code and str(known_code).startswith(new["sector_code"])):
        found |= {name: new[name] for name in _SECTOR}
    found |= _address(row, said, known, house)
    apart = apart_m(row, known)
    if apart is not None and apart > _MOVED_M:
        found |= said.position
    return found


def _address(row: ReadRow, said: Said, known: KnownPlace, old: HouseKey | None) -> dict[str, Any]:
    values, new_values, found = known.values, said.place, dict[str, Any]()
    address, separate = row.place.address, row.place.separate
    own = street_way(*(values.get(name) for name in _ADDRESS[:3]))
    new = house_key(address.house_number, address.alley, address.street_name)
    if row.place.stated and search_key(row.place.stated) == search_key(values.get("address") or own):
        # As the register has it, so only columns of their own can say anything new: a list of ours that comes back.
        if separate is not None and search_key(separate.raw) != search_key(own):
            found |= {name: getattr(separate, name) for name in _ADDRESS[:3]}
    elif new is not None and new != old:
        found |= {name: new_values.get(name) for name in _ADDRESS}
        if found["address"] is None:
            del found["address"]
        if old is not None and row.place.point is None:
            row.say("point_kept", "address" if row.text_of("address") else "street_name")
    elif new is None and old is None and "address" in new_values and not values.get("address"):
        found["address"] = new_values["address"]
    stall = new_values.get("stall")
    if stall and _plain(stall) != _plain(values.get("stall")):
        found["stall"] = stall
    if (site := new_values.get("model_site")) and site != values.get("model_site"):
        found["model_site"] = site
    if said.group and values.get("residential_group") not in (None, said.group):
        # The group follows from the point; a list that names another may know better, or be older.
        row.say("other_group", "residential_group", known=values["residential_group"])
    return found


def _plain(stall: str | None) -> str:
    return search_key(stall or "").replace(" ", "")


def _entity(said: Said, known: Mapping[str, Any]) -> dict[str, Any]:
    new, found = said.owner.entity, dict[str, Any]()
    if (name := new.get("registered_name")) and not same_text(name, known.get("registered_name")):
        found["registered_name"] = name
    if said.form_stated and new.get("legal_form") not in (None, known.get("legal_form")):
        found["legal_form"] = new["legal_form"]
    for name in ("tax_code", "registration_number", "registry_status"):
        if name in new and new[name] != known.get(name):
            found[name] = new[name]
    return found


def _lon_lat(geometry: Any) -> Any:
    if not geometry:
        return None
    lon, lat = geometry["coordinates"]
    return {"lon": lon, "lat": lat}
