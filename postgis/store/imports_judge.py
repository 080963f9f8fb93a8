"""What comes of each row of a batch: written, proposed, left out since somebody has edited since, or refused.

Pure but for the codes that it draws: all it needs to know of the register stands in `Present`. The same rules as for a
single write hold (`record_values.columns`, `personal_data`, `risk`).
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from postgis import identifiers
from postgis.errors import FieldError, InvalidValues
from postgis.merge import same
from postgis.risk import risk_of
from postgis.secrets import Secrets
from postgis.store import personal_data
from postgis.store.imports_judged import Change, Judged, NewDatum
from postgis.store.imports_present import ENTITIES, PLACES, Present
from postgis.store.imports_wanted import WantedRow, Wish
from postgis.store.proposals import as_wire, snapshot
from postgis.store.record_types import RECORD_TYPES, RecordType
from postgis.store.record_values import columns
from postgis.store.records import superseded_food_safety

PROPOSER = "import"
_UNPLANNED = "?"
"""In place of a mask: the plan has not compared this value with the register's."""


class _Differs(Exception):
    """Somebody has changed since the plan what the row would change."""

    def __init__(self, **what: Any) -> None:
        super().__init__(str(what.get("why")))
        self.what = what


class Judge:
    """Judges rows in order; a row sees what earlier rows of the same batch will have written."""

    def __init__(
        self,
        secrets: Secrets,
        new_code: Callable[[str], str],
        sector_groups: Mapping[tuple[str, str], str],
        arrived_at: datetime,
    ) -> None:
        """`new_code` draws a code for a record of a collection; `arrived_at`: when the file came in."""
        self._secrets, self._new_code, self._groups, self._arrived_at = secrets, new_code, sector_groups, arrived_at
        self._changed: dict[tuple[str, str], dict[str, Any]] = {}
        self._made: dict[int, tuple[str, dict[str, Any]]] = {}
        self._data: dict[tuple[str, str], bytes] = {}
        self._pending: dict[tuple[str, str], dict[str, Any]] = {}

    def judge(self, row: WantedRow, present: Present) -> Judged:
        """`present` holds what this row speaks of."""
        judged = Judged(row.number, place=row.target)
        self._pending = {}
        try:
            if row.wishes is None:
                raise InvalidValues([FieldError("decision", "unknown_reference", {"value": str(row.target)})])
            if (twin := present.twins.get(row.number)) is not None:
                raise _Differs(why="made_since", code=twin)
            self._judge(row, row.wishes, present, judged)
        except InvalidValues as wrong:
            errors = [dataclasses.asdict(error) for error in wrong.errors]
            return Judged(row.number, "refused", {"errors": errors}, touches=judged.touches)
        except _Differs as found:
            return Judged(row.number, "conflict", {"conflicts": [found.what]}, touches=judged.touches)
        if not (judged.new_place or judged.new_records or judged.changes or judged.data or judged.new_entity):
            judged.outcome = None if judged.proposals else "same"
        self._remember(row, judged)
        return judged

    def forget(self, code: str) -> None:
        """What was to be written of a record is in the register, or will not come: it counts as it stands there."""
        for key in [key for key in (*self._changed, *self._data) if key[0] == code or key[1] == code]:
            self._changed.pop(key, None)
            self._data.pop(key, None)

    def _judge(self, row: WantedRow, wishes: tuple[Wish, ...], present: Present, judged: Judged) -> None:
        if row.target is not None:
            self._known(present, judged, PLACES, row.target)
        for wish in sorted(wishes, key=lambda each: (each.collection != ENTITIES, each.collection != PLACES)):
            if wish.code is not None:
                self._change(wish, present, judged)
            elif wish.collection == ENTITIES:
                self._make_entity(row, wish, present, judged)
            elif wish.collection == PLACES:
                self._make_place(wish, present, judged)
            else:
                self._make_record(wish, present, judged)
        if row.target is not None and judged.entity is not None:
            self._link(present, judged, row.target, judged.entity)
        self._keep_data(row, present, judged)

    def _known(self, present: Present, judged: Judged, collection: str, code: str) -> dict[str, Any]:
        """A record's values as they will be by then. It must be there and count."""
        judged.touches.add(code)
        record = present.records.get((collection, code))
        if record is None or record.ended:
            raise _Differs(why="gone" if record is None else "ended", collection=collection, code=code)
        key = (collection, code)
        return {**record.values, **self._changed.get(key, {}), **self._pending.get(key, {})}

    def _change(self, wish: Wish, present: Present, judged: Judged) -> None:
        assert wish.code is not None
        now = self._known(present, judged, wish.collection, wish.code)
        if wish.collection == ENTITIES:
            judged.entity = wish.code if judged.place is None else None
        values, number = self._split(wish, now.get("legal_form"))
        record_type = _type(wish.collection)
        stored = columns(present, record_type, values, new=False)
        wire = as_wire(record_type, values, stored)
        wanted = {name: value for name, value in wire.items() if not same(now.get(name), value)}
        for name, value in wanted.items():
            if not same(now.get(name), wish.before.get(name)):
                raise _Differs(
                    why="edited", collection=wish.collection, code=wish.code, field=name, before=wish.before.get(name),
                    current=now.get(name), wanted=value,
                )  # fmt: skip
        if number is not None:
            self._datum(wish.code, "household_tax_code", number, present, judged, planned=_UNPLANNED)
        if not wanted:
            return
        record = present.records[wish.collection, wish.code]
        seen = {**snapshot(record), **now}
        if risk_of(wish.collection, seen, {**seen, **wanted}, PROPOSER) == "adverse":
            self._propose(present, judged, wish.collection, wish.code, wanted, base=seen, version=record.version)
            return
        names = {_column(name, record_type) for name in wanted}
        judged.changes.append(
            Change(wish.collection, wish.code, {name: value for name, value in stored.items() if name in names})
        )
        self._pending.setdefault((wish.collection, wish.code), {}).update(wanted)

    def _make_entity(self, row: WantedRow, wish: Wish, present: Present, judged: Judged) -> None:
        earlier = self._made.get(row.number if wish.same_as is None else wish.same_as)
        if earlier is not None:
            # It is carried along: should the earlier row be refused by the database, this one makes it.
            judged.entity, judged.new_entity = earlier
            return
        code = self._new_code(ENTITIES)
        values, number = self._split(wish, wish.values.get("legal_form"))
        stored = columns(present, RECORD_TYPES[ENTITIES], values, new=True)
        if risk_of(ENTITIES, None, values, PROPOSER) == "adverse":
            # To make it and to link it is one step; what may harm it waits for a second person.
            status = stored.pop("registry_status")
            base = {**as_wire(RECORD_TYPES[ENTITIES], values, {**stored, "registry_status": status}), "ended": False}
            base["registry_status"] = "unknown"
            self._propose(present, judged, ENTITIES, code, {"registry_status": status}, base=base, version=1)
        judged.entity, judged.new_entity = code, {**stored, "code": code}
        if number is not None:
            self._datum(code, "household_tax_code", number, present, judged, planned=_UNPLANNED)

    def _make_place(self, wish: Wish, present: Present, judged: Judged) -> None:
        values = dict(wish.values)
        if values.get("sector_group") is None:
            key = (str(values.get("sector_scheme")), str(values.get("sector_code")))
            values["sector_group"] = self._groups.get(key, "other")
        entity = values.pop("legal_entity", None)
        if entity is not None:
            self._known(present, judged, ENTITIES, str(entity))
            judged.entity = str(entity)
        stored = columns(present, RECORD_TYPES[PLACES], values, new=True)
        judged.place = self._new_code(PLACES)
        judged.new_place = {**stored, "code": judged.place}

    def _make_record(self, wish: Wish, present: Present, judged: Judged) -> None:
        if judged.place is None or wish.values.get("establishment") not in (None, judged.place):
            raise InvalidValues([FieldError("establishment", "unknown_reference")])
        values = {name: value for name, value in wish.values.items() if name != "establishment"}
        record_type = _under_place(wish.collection)
        stored = columns(present, record_type, values, new=True)
        wire = as_wire(record_type, values, stored)
        there = present.under.get((wish.collection, judged.place), ())
        if any(all(same(record.values.get(name), value) for name, value in wire.items()) for record in there):
            return
        asked = {**wire, "establishment": judged.place}
        told = None
        if wish.collection == "food_safety_records":
            told = superseded_food_safety(present.told.get(judged.place), asked)
        if risk_of(wish.collection, told, asked, PROPOSER) == "adverse":
            self._propose(present, judged, wish.collection, None, asked, base=None, version=None)
        else:
            judged.new_records.append((wish.collection, stored))

    def _link(self, present: Present, judged: Judged, place: str, entity: str) -> None:
        """A known place that had no legal entity gets the one that the row makes."""
        now = self._known(present, judged, PLACES, place)
        if now["legal_entity"] == entity:
            return
        if now["legal_entity"] is not None:
            raise _Differs(why="edited", collection=PLACES, code=place, field="legal_entity", before=None,
                           current=now["legal_entity"], wanted=None)  # fmt: skip
        judged.changes.append(Change(PLACES, place, {}, entity))
        self._pending.setdefault((PLACES, place), {})["legal_entity"] = entity

    def _keep_data(self, row: WantedRow, present: Present, judged: Judged) -> None:
        entity = judged.entity or self._owner(row, present, judged)
        if entity is None:
            # Nobody to keep it for: it stays sealed in the row.
            return
        for name, raw in row.personal.items():
            self._datum(entity, name, raw, present, judged, planned=row.masks.get(name, _UNPLANNED))

    def _owner(self, row: WantedRow, present: Present, judged: Judged) -> str | None:
        named = [wish.code for wish in row.wishes or () if wish.collection == ENTITIES and wish.code is not None]
        if named:
            return named[0]
        linked = [wish.values.get("legal_entity") for wish in row.wishes or () if wish.collection == PLACES]
        if linked and linked[0]:
            return str(linked[0])
        if row.target is None:
            return None
        found: str | None = self._known(present, judged, PLACES, row.target)["legal_entity"]
        return found

    def _datum(
        self, entity: str, name: str, raw: str, present: Present, judged: Judged, *, planned: str | None
    ) -> None:
        judged.touches.add(entity)
        try:
            value = identifiers.normalise(name, raw)
        except identifiers.NotRecognised as wrong:
            raise InvalidValues([FieldError(name, wrong.code)]) from None
        found = self._secrets.lookup_hash(value, kind=name)
        written, stored = self._data.get((entity, name)), present.data.get((entity, name))
        if found in (written, stored.lookup_hash if stored else None):
            return
        said = written is not None or any(datum.entity == entity and datum.field == name for datum in judged.data)
        if said or (stored is not None and planned == _UNPLANNED):
            # Two rows of the file say different things of one owner, or nobody has seen that the register says another:
            # what is there is kept, what the row says stays sealed in it.
            judged.values.setdefault("unwritten", []).append(name)
            return
        if stored is not None and (
            planned is None or (planned != stored.mask if planned != "***" else stored.updated_at > self._arrived_at)
        ):
            raise _Differs(why="edited", collection=ENTITIES, code=entity, field=name, before=planned,
                           current=stored.mask, wanted=identifiers.mask(name, value))  # fmt: skip
        self._refuse_firms_number(entity, name, value, present, judged)
        ciphertext = self._secrets.encrypt(value.encode(), context=personal_data.context(entity, name))
        judged.data.append(NewDatum(entity, name, ciphertext, found, identifiers.mask(name, value), stored))

    def _refuse_firms_number(self, entity: str, name: str, value: str, present: Present, judged: Judged) -> None:
        if name != "household_tax_code":
            return
        record = present.records.get((ENTITIES, entity))
        made = judged.new_entity or {}
        legal_form = record.values["legal_form"] if record else made.get("legal_form")
        personal_data.refuse_firms_number(legal_form, value)

    def _split(self, wish: Wish, legal_form: Any) -> tuple[dict[str, Any], str | None]:
        if wish.collection != ENTITIES:
            return dict(wish.values), None
        return personal_data.split_personal_number(wish.values, wish.values.get("legal_form") or legal_form)

    def _propose(
        self, present: Present, judged: Judged, collection: str, code: str | None, patch: dict[str, Any], *,
        base: dict[str, Any] | None, version: int | None,
    ) -> None:  # fmt: skip
        for receipt, waits in present.waiting.get((collection, code or str(judged.place)), ()):
            if same(waits, patch):
                judged.values.setdefault("waiting", []).append(receipt)
                return
        judged.proposals.append(
            {"collection": collection, "record_code": code, "base_version": version, "base": base, "patch": patch}
        )

    def _remember(self, row: WantedRow, judged: Judged) -> None:
        if judged.new_entity is not None and judged.entity is not None:
            self._made[row.number] = (judged.entity, judged.new_entity)
        for key, values in self._pending.items():
            self._changed.setdefault(key, {}).update(values)
        for datum in judged.data:
            self._data[datum.entity, datum.field] = datum.lookup_hash


def _type(collection: str) -> RecordType:
    if collection not in RECORD_TYPES:
        raise InvalidValues([FieldError(collection, "unknown_field")])
    return RECORD_TYPES[collection]


def _under_place(collection: str) -> RecordType:
    """A dated record without its place, which the writer knows."""
    if collection not in _WITHOUT_PLACE:
        raise InvalidValues([FieldError(collection, "unknown_field")])
    return _WITHOUT_PLACE[collection]


_WITHOUT_PLACE = {
    found.collection: dataclasses.replace(
        found, fields=tuple(field for field in found.fields if field.name != "establishment")
    )
    for found in RECORD_TYPES.values()
    if found.field("establishment") is not None
}


def _column(name: str, record_type: RecordType) -> str:
    field = record_type.field(name)
    kind = field.kind if field else "text"
    return f"{name}_id" if kind == "reference" else "geom" if kind in ("point", "shape") else name
