"""What a row would change among a known place's dated records: licences, food safety, inspections, payments, tools.

A record is changed where the row says more of the same paper; a paper with another number is another record, and so is
each later check. A list never takes back what was checked after the day it speaks of.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ingest.rows import ReadRow
from ingest.said import FOOD_SAFETY_FIELDS, LICENCE_FIELDS, Said
from ingest.wishes import Collection, Wish, payment, use
from postgis.folding import search_key

Known = Mapping[str, Any]
_PAPER = {
    "licences": ("issued_on", "expires_on", "issuer"),
    "food_safety_records": ("issued_on", "valid_until", "agency"),
}
_TEXTS = frozenset(("number", "issuer", "agency"))


_NO_PAPER = frozenset(("not_required", "missing"))


def record_wishes(row: ReadRow, said: Said, known: Mapping[str, Sequence[Known]]) -> list[Wish]:
    """All wishes about a known place's records."""
    found: list[Wish] = []
    if said.licence:
        if said.licence["kind"] is None:
            found += _unnamed(row, "licences", said.licence, known.get("licences", ()), LICENCE_FIELDS)
        else:
            same_kind = [each for each in known.get("licences", ()) if each["kind"] == said.licence["kind"]]
            found += _paper(row, "licences", said.licence, same_kind, "licence_number")
    for record in said.food_safety:
        latest = known.get("food_safety_records", ())[-1:]
        if record["kind"] is None:
            found += _unnamed(row, "food_safety_records", record, latest, FOOD_SAFETY_FIELDS)
            continue
        if latest and latest[0]["kind"] != record["kind"]:
            if _day(latest[0], "checked_on") > record["checked_on"]:
                row.say("older_than_known", "food_safety_kind")
                continue
            latest = ()
        found += _paper(row, "food_safety_records", record, latest, "food_safety_number")
    found += _inspection(said, known.get("inspections", ()))
    found += _payments(row, said, known.get("payment_acceptances", ()))
    return found + _uses(row, said, known.get("digital_uses", ()))


def _paper(row: ReadRow, collection: Collection, said: Known, known: Sequence[Known], field: str) -> list[Wish]:
    """A licence or food-safety file beside the known ones of its kind, of which the latest counts."""
    made = [Wish(collection, {**said, "source": "import"})]
    number = said.get("number")
    same = next((each for each in reversed(known) if number and _same(number, each.get("number"))), None)
    if same is None:
        if not known:
            return made
        latest = known[-1]
        if number and latest.get("number"):
            issued = said.get("issued_on")
            if issued and issued < _day(latest, "issued_on"):
                row.say("older_than_known", field)
                return []
            return made
        same = latest
    wanted = {name: said[name] for name in _news(collection, said, same)}
    if not wanted:
        return []
    if said["checked_on"] > _day(same, "checked_on"):
        wanted["checked_on"] = said["checked_on"]
    return [Wish(collection, wanted, same["code"], {name: _written(same.get(name)) for name in wanted})]


def _unnamed(row: ReadRow, collection: Collection, said: Known, known: Sequence[Known],
             fields: Sequence[str]) -> list[Wish]:  # fmt: skip
    """A paper of which the row does not say what it is: one that is known already, or the only one it can be."""
    latest = [each for each in {each["kind"]: each for each in known}.values() if each["kind"] not in _NO_PAPER]
    if any(not _news(collection, said, each) for each in latest):
        return []
    numbered = [each for each in latest if said.get("number") and _same(said["number"], each.get("number"))]
    meant = numbered or latest
    other = meant and not numbered and said.get("number") and meant[0].get("number")
    if len(meant) != 1 or other:
        row.say("paper_not_named", next((name for name in fields if row.text_of(name)), None))
        return []
    return _paper(row, collection, {**said, "kind": meant[0]["kind"]}, meant, fields[0])


def _news(collection: Collection, said: Known, known: Known) -> list[str]:
    """What a paper says otherwise than a known one."""
    return [
        name
        for name in ("number", *_PAPER[collection])
        if name in said
        and not (_same(said[name], known.get(name)) if name in _TEXTS else said[name] == _day(known, name))
    ]


def _inspection(said: Said, known: Sequence[Known]) -> list[Wish]:
    if said.inspection is None:
        return []
    same = next(
        (each for each in reversed(known) if _day(each, "inspected_on") == said.inspection["inspected_on"]), None
    )
    if same is None:
        return [Wish("inspections", {**said.inspection, "source": "import"})]
    if same["result"] == said.inspection["result"]:
        return []
    return [Wish("inspections", {"result": said.inspection["result"]}, same["code"], {"result": same["result"]})]


def _payments(row: ReadRow, said: Said, known: Sequence[Known]) -> list[Wish]:
    latest = {each["method"]: each for each in known}
    found = []
    for method, accepted in said.payments.items():
        before = latest.get(method)
        if before is not None and not _is_news(row, said, before, before["accepted"] == accepted,
                                               before["evidence_level"] == "declared", "payment"):  # fmt: skip
            continue
        found.append(payment(method, accepted, said))
    return found


def _uses(row: ReadRow, said: Said, known: Sequence[Known]) -> list[Wish]:
    latest = {each["kind"]: each for each in known}
    found = []
    for kind, used in said.uses.items():
        before = latest.get(kind)
        if before is None or _is_news(row, said, before, before["used"] == used, True, kind):
            found.append(use(kind, used, said))
    return found


def _is_news(row: ReadRow, said: Said, before: Known, agrees: bool, as_weak: bool, field: str) -> bool:
    """Another answer is news unless the known one is of a later day; the same answer only if the list's own day is
    later and takes no better evidence's place."""
    checked = _day(before, "checked_on")
    if agrees:
        return said.day_stated and as_weak and said.checked_on > checked
    if said.checked_on < checked:
        row.say("older_than_known", field)
        return False
    return True


def _day(known: Known, name: str) -> str:
    value = known.get(name)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _same(new: str, old: object) -> bool:
    return isinstance(old, str) and search_key(new) == search_key(old)


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
