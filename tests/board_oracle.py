"""Every figure of the board, computed a second time from the exported history: pandas alone, no SQL of the product.

Written from the words in which the figures are defined (contract, plan, definitions shown beside them), so that what
the product says and what its words say are held against each other. Input: changes in the shape of `/changes` as staff
read them, one object each with `seq`, `at`, `collection`, `id`, `after`.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import h3
import numpy as np
import pandas as pd

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
RESOLUTIONS = (7, 8, 9, 10, 11)
EVIDENCE = ("declared", "observed", "documented", "confirmed")
GONE = frozenset({"closed", "moved", "not_found"})
FIRMS = frozenset({"enterprise", "branch", "business_location"})
LARGE_RETAIL = frozenset({"supermarket", "mall", "department_store", "marketplace"})

Frame = pd.DataFrame


def end_of(day: date) -> datetime:
    """The last moment of a day in Vietnam."""
    return datetime.combine(day + timedelta(days=1), time.min, VIETNAM) - timedelta(microseconds=1)


def read_lines(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Changes from JSON lines."""
    return [json.loads(line) for line in lines if line.strip()]


@cache
def cell_of(lat: float, lon: float, resolution: int) -> str:
    """The H3 cell that holds a point of WGS 84."""
    return str(h3.latlng_to_cell(lat, lon, resolution))


def cells_of(lat: float, lon: float) -> list[int]:
    """The cells of a point, coarsest first, as numbers."""
    return [h3.str_to_int(cell_of(lat, lon, resolution)) for resolution in RESOLUTIONS]


class History:
    """What the register was, from the changes that made it so."""

    def __init__(self, changes: Sequence[Mapping[str, Any]]) -> None:
        ordered = sorted(changes, key=lambda change: int(change["seq"]))
        by_collection: dict[str, list[Mapping[str, Any]]] = {}
        for change in ordered:
            by_collection.setdefault(change["collection"], []).append(change)
        self._versions = {name: _versions(found) for name, found in by_collection.items()}
        self.first = datetime.fromisoformat(ordered[0]["at"]) if ordered else None

    def records(self, collection: str, moment: datetime) -> Frame:
        """The records of a collection that counted at a moment, each as it was last written; `first` orders them as
        they were added."""
        versions = self._versions.get(collection)
        if versions is None:
            return Frame({"id": [], "first": [], "establishment": []})
        known = versions[versions["at"] <= moment].drop_duplicates("id", keep="last")
        return known[known["counts"]]

    def places(self, moment: datetime) -> Frame:
        """Every establishment that the register had at a moment, with what its dated records said then, by code."""
        return self._with_facts(self.records("establishments", moment), lambda name: self.records(name, moment), moment)

    def places_known_now(self, day: date, now: datetime) -> Frame:
        """Every establishment as it stood on a day by what is known now and dated up to that day; what bears no date of
        its own is as it is now."""
        until = day.isoformat()
        days = {"payment_acceptances": "checked_on", "digital_uses": "checked_on", "outreach": "done_on",
                "visits": "visited_on", "licences": "checked_on", "food_safety_records": "checked_on",
                "inspections": "signed_on", "warnings": "issued_on"}  # fmt: skip

        def dated(name: str) -> Frame:
            found = self.records(name, now)
            found = found[found[days[name]].notna() & (found[days[name]] <= until)] if len(found) else found
            if name == "warnings" and len(found):
                return found.assign(lifted_on=found["lifted_on"].where(found["lifted_on"] <= until, None))
            return found

        places = self.records("establishments", now)
        places = places[~(places["opened_on"] > until)]
        gone_later = places["operating_status"].isin(("closed", "moved")) & (places["closed_on"] > until)
        stood = {"operating_status": places["operating_status"].where(~gone_later, "active")}
        stood |= {name: places[name].where(~(places[name] > until), None) for name in ("closed_on", "verified_on")}
        return self._with_facts(places.assign(**stood), dated, now)

    def _with_facts(self, places: Frame, records: Callable[[str], Frame], moment: datetime) -> Frame:
        # A place belongs to its model site only while the site itself counts.
        sites = set(self.records("model_sites", moment)["id"])
        return with_facts(
            places.assign(model_site=places["model_site"].where(places["model_site"].isin(sites), None)), records
        )


def _versions(changes: Sequence[Mapping[str, Any]]) -> Frame:
    frame = Frame([{**(change["after"] or {})} for change in changes])
    frame["id"] = [change["id"] for change in changes]
    frame["at"] = pd.to_datetime([change["at"] for change in changes], utc=True, format="ISO8601")
    added = {change["id"]: number for number, change in reversed(list(enumerate(changes)))}
    frame["first"] = frame["id"].map(added)
    ended = frame["ended_at"].notna() if "ended_at" in frame else False
    frame["counts"] = [change["after"] is not None for change in changes] & ~np.asarray(ended, dtype=bool)
    return frame


def with_facts(places: Frame, records: Callable[[str], Frame]) -> Frame:
    """Establishments by code with the facts that follow from their dated records."""
    found = places.set_index("id", drop=False).copy()
    for facts in (
        _payment(records("payment_acceptances")),
        _digital(records("digital_uses")),
        _outreach(records("outreach")),
        _licences(records("licences")),
        _food_safety(records("food_safety_records")),
        _inspections(records("inspections")),
    ):
        found = found.join(facts)
    warned = records("warnings")
    found["live_warning"] = found.index.isin(
        warned.loc[warned["lifted_on"].isna(), "establishment"] if len(warned) else []
    )
    found["refused_on"] = _refused(records("visits"), found["payment_checked_on"], found.index)
    for name in ("payment_methods", "digital_used", "digital_unused"):
        found[name] = [value if isinstance(value, dict | list) else {} for value in found[name]]
    for name in ("accepts_cashless", "active_acceptance"):
        found[name] = found[name].fillna("unknown")
    found["on_digital_platform"] = [_platform(place) for place in found.to_dict("records")]
    found["counted"] = (found["sector_group"] != "public_place") & ~found["operating_status"].isin(GONE)
    return found


def _payment(checks: Frame) -> Frame:
    """The latest check of each method counts. A later "cash only" ends what was taken before it; a later acceptance
    ends "cash only". That one method is not taken says nothing of the others: only "cash only" makes a no."""
    rows = {}
    for place, group in _latest(checks, "method"):
        by_method = {row["method"]: row for row in group}
        cash = by_method.pop("cash_only", None)
        cash_only = cash is not None and cash["accepted"]
        since = cash["checked_on"] if cash is not None and cash_only else ""
        taken = {m: r for m, r in by_method.items() if r["accepted"] and r["checked_on"] >= since}
        rows[place] = {
            "payment_methods": {method: row["evidence_level"] for method, row in taken.items()},
            "payment_checked_on": max(row["checked_on"] for row in group),
            "accepts_cashless": "yes" if taken else "no" if cash_only else "unknown",
            "active_acceptance": _active([row["has_transactions"] for row in taken.values()], bool(cash_only)),
        }
    names = ["payment_methods", "payment_checked_on", "accepts_cashless", "active_acceptance"]
    return Frame.from_dict(rows, orient="index", columns=names, dtype=object)


def _active(transactions: Sequence[Any], cash_only: bool) -> str:
    """Whether there are transactions by any method that is taken; one of which that is not known leaves it open."""
    if not transactions:
        return "no" if cash_only else "unknown"
    if any(said is True for said in transactions):
        return "yes"
    return "no" if all(said is False for said in transactions) else "unknown"


def _digital(checks: Frame) -> Frame:
    rows = {}
    for place, group in _latest(checks, "kind"):
        used = {row["kind"] for row in group if row["used"]}
        rows[place] = {
            "digital_used": sorted(used),
            "digital_unused": sorted({row["kind"] for row in group} - used),
            "digital_checked_on": max(row["checked_on"] for row in group),
        }
    return Frame.from_dict(
        rows, orient="index", columns=["digital_used", "digital_unused", "digital_checked_on"], dtype=object
    )


def _latest(checks: Frame, what: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The latest check of each kind by its own day, of one day the one added last; by place."""
    if not len(checks):
        return []
    latest = checks.sort_values(["checked_on", "first"]).drop_duplicates(["establishment", what], keep="last")
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in latest.to_dict("records"):
        found.setdefault(row["establishment"], []).append(row)
    return list(found.items())


def _platform(place: Mapping[str, Any]) -> str:
    """Management, selling, payment, e-invoice: any is a yes; a no needs both to be known as not used."""
    if place["digital_used"] or place["accepts_cashless"] == "yes":
        return "yes"
    return "no" if place["digital_unused"] and place["accepts_cashless"] == "no" else "unknown"


def _outreach(done: Frame) -> Frame:
    latest = done.groupby("establishment")["done_on"].max() if len(done) else pd.Series(dtype=object)
    return latest.rename("outreach_on").to_frame()


def _licences(held: Frame) -> Frame:
    """Of each kind the licence that runs longest, among equals the one added last; of all kinds the first to expire."""
    rows = {}
    for place, group in held.groupby("establishment") if len(held) else ():
        ordered = group.assign(until=group["expires_on"].fillna("9999-12-31")).sort_values(["until", "first"])
        latest = ordered.drop_duplicates("kind", keep="last")
        real = latest[latest["kind"] != "not_required"]
        rows[place] = {
            "licence_state": "held" if len(real) else "not_required",
            "licence_valid_until": min(real["expires_on"].dropna(), default=None),
            "licence_checked_on": max(latest["checked_on"]),
        }
    names = ["licence_state", "licence_valid_until", "licence_checked_on"]
    return Frame.from_dict(rows, orient="index", columns=names, dtype=object)


def _food_safety(files: Frame) -> Frame:
    names = {
        "kind": "food_safety_kind",
        "valid_until": "food_safety_valid_until",
        "checked_on": "food_safety_checked_on",
    }
    return _last_of_place(files, "checked_on", names)


def _inspections(made: Frame) -> Frame:
    """A draft says nothing: only what was signed counts."""
    signed = made[made["signed_on"].notna()] if len(made) else made
    return _last_of_place(
        signed, "inspected_on", {"result": "last_inspection_result", "inspected_on": "last_inspection_on"}
    )


def _last_of_place(dated: Frame, day: str, names: Mapping[str, str]) -> Frame:
    if not len(dated):
        return Frame(columns=list(names.values()), dtype=object)
    latest = dated.sort_values([day, "first"]).drop_duplicates("establishment", keep="last")
    return latest.set_index("establishment")[list(names)].rename(columns=dict(names)).astype(object)


def _refused(visits: Frame, payment_checked_on: pd.Series, places: pd.Index) -> pd.Series:
    """The day of the latest visit where that was refused and payment was not learnt since."""
    found: dict[Any, Any] = {}
    if len(visits):
        latest = visits.sort_values(["visited_on", "first"]).drop_duplicates("establishment", keep="last")
        for row in latest.to_dict("records"):
            checked = payment_checked_on.get(row["establishment"])
            if row["outcome"] == "refused" and not (isinstance(checked, str) and checked >= row["visited_on"]):
                found[row["establishment"]] = row["visited_on"]
    return pd.Series(found, dtype=object).reindex(places)


@dataclass(frozen=True)
class Definition:
    """Which places an indicator is about, and what each of them says to its question: yes, no or unknown."""

    population: Callable[[Mapping[str, Any]], bool]
    says: Callable[[Mapping[str, Any]], str]


def one_of(*kinds: str) -> Callable[[Mapping[str, Any]], str]:
    """Yes where any of these tools is used; no where each of them was checked and none is used."""

    def says(place: Mapping[str, Any]) -> str:
        if set(kinds) & set(place["digital_used"]):
            return "yes"
        return "no" if set(kinds) <= set(place["digital_unused"]) else "unknown"

    return says


def figures(places: Frame, definition: Definition) -> dict[str, Any]:
    """What is said of an indicator whose answers can be counted. Shares are percentages, None where there is nobody."""
    asked = [place for place in places.to_dict("records") if place["counted"] and definition.population(place)]
    return tally([(definition.says(place), place["refused_on"]) for place in asked])


def figures_by(places: Frame, definition: Definition, part: str) -> dict[Any, dict[str, Any]]:
    """`figures` of each part of the places that has any, by a property of theirs; None: not known which."""
    answers: dict[Any, list[tuple[str, Any]]] = {}
    for place in places[places["counted"]].to_dict("records"):
        if definition.population(place):
            name = place[part] if isinstance(place[part], str) else None
            answers.setdefault(name, []).append((definition.says(place), place["refused_on"]))
    return {name: tally(said) for name, said in answers.items()}


def tally(answers: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Counts and shares of answers with the day of a refusal, if any."""
    yes, no, unknown = (sum(said == which for said, _ in answers) for which in ("yes", "no", "unknown"))
    refused = sum(said == "unknown" and isinstance(day, str) for said, day in answers)
    everybody = yes + no + unknown
    return {
        "population": everybody, "numerator": yes, "denominator": yes + no, "unknown": unknown, "refused": refused,
        "not_surveyed": unknown - refused, "value": _share(yes, yes + no), "low": _share(yes, everybody),
        "high": _share(yes + unknown, everybody),
    }  # fmt: skip


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(100 * part, whole) if whole else None


def _form(*forms: str | None) -> Callable[[Mapping[str, Any]], bool]:
    return lambda place: (place["legal_form"] if isinstance(place["legal_form"], str) else None) in forms


def _sector(*groups: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda place: place["sector_group"] in groups


def _in_site(place: Mapping[str, Any]) -> bool:
    return isinstance(place["model_site"], str)


def _no_firm(place: Mapping[str, Any]) -> bool:
    return place["legal_form"] not in {*FIRMS, "public_service_unit"}


def _sells_small(place: Mapping[str, Any]) -> bool:
    return _form("household_business", None)(place) or (
        place["sector_group"] == "production" and place["legal_form"] not in FIRMS
    )


def _large(place: Mapping[str, Any]) -> bool:
    return place["sector_group"] == "market" or place["kind"] in LARGE_RETAIL


def _fact(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda place: str(place[name])


def _reached(place: Mapping[str, Any]) -> str:
    return "yes" if isinstance(place["outreach_on"], str) else "no"


INDICATORS = {
    "digital_platform_use": Definition(
        _form("enterprise", "branch", "business_location", "cooperative", "household_business", None),
        _fact("on_digital_platform"),
    ),
    "model_site_active_acceptance": Definition(_in_site, _fact("active_acceptance")),
    "model_site_payment_method": Definition(_in_site, _fact("accepts_cashless")),
    "payment_account_or_qr": Definition(_no_firm, _fact("accepts_cashless")),
    "online_selling": Definition(
        _sells_small, one_of("social_selling", "marketplace", "food_delivery", "website", "zalo_oa")
    ),
    "enterprise_e_contract": Definition(_form(*FIRMS), one_of("e_contract")),
    "sme_digital_platform": Definition(_form(*FIRMS), _fact("on_digital_platform")),
    "enterprise_e_commerce": Definition(_form(*FIRMS), one_of("marketplace", "website", "food_delivery")),
    "enterprise_digital_technology": Definition(_form(*FIRMS), _fact("on_digital_platform")),
    "food_service_cash_register_invoice": Definition(_sector("food_service", "cafe_drinks"), one_of("e_invoice")),
    "large_retail_payment": Definition(_large, _fact("accepts_cashless")),
    "digital_outreach": Definition(_no_firm, _reached),
}
"""What the board measures, by code, as the definitions beside its figures say."""


def adoption(
    places: Frame,
    by: str | int,
    *,
    sector_group: str | None = None,
    method: str | None = None,
    evidence: str | None = None,
) -> dict[Any, dict[str, Any]]:
    """Payment without cash by H3 cell (`by`: the resolution) or by a column of the places; None: not known which."""
    found: dict[Any, list[str]] = {}
    for place in places[places["counted"]].to_dict("records"):
        if sector_group is not None and place["sector_group"] != sector_group:
            continue
        if isinstance(by, int):
            lon, lat = place["geometry"]["coordinates"]
            part: Any = cell_of(lat, lon, by)
        else:
            part = place[by] if isinstance(place[by], str) else None
        found.setdefault(part, []).append(accepts(place, method, evidence))
    return {part: _adopted(tally([(said, None) for said in answers])) for part, answers in found.items()}


def accepts(place: Mapping[str, Any], method: str | None, evidence: str | None) -> str:
    """Whether a place accepts payment without cash, or by one method; what is proved less than asked is not known."""
    taken = place["payment_methods"]
    if method is not None:
        taken = {name: level for name, level in taken.items() if name == method}
    if any(evidence is None or EVIDENCE.index(level) >= EVIDENCE.index(evidence) for level in taken.values()):
        return "yes"
    return "no" if not taken and place["accepts_cashless"] != "unknown" else "unknown"


def _adopted(told: Mapping[str, Any]) -> dict[str, Any]:
    names = {"establishments": "population", "surveyed": "denominator", "accepting": "numerator", "share": "value",
             "low": "low", "high": "high"}  # fmt: skip
    return {name: told[which] for name, which in names.items()}


SHELF_MONTHS = {"payment": 6, "licence": 24, "address": 24, "food_safety": 12, "digital": 12}
"""How long a fact is fresh where the ward has not chosen otherwise."""
FOOD = frozenset({"food_service", "cafe_drinks", "food_retail"})


def quality(places: Frame, day: date, part: str) -> dict[str, dict[Any, tuple[int, int, int]]]:
    """Of each measure of the data's quality, by a property of the places: how many it is about, yes, and no."""
    found: dict[str, dict[Any, tuple[int, int, int]]] = {}
    for place in places[places["counted"]].to_dict("records"):
        name = place[part] if isinstance(place[part], str) else None
        for measure, said in _judged(place, day).items():
            count = found.setdefault(measure, {}).get(name, (0, 0, 0))
            found[measure][name] = (count[0] + 1, count[1] + (said == "yes"), count[2] + (said == "no"))
    return found


def _judged(place: Mapping[str, Any], day: date) -> dict[str, str]:
    def stated(name: str) -> str:
        return "yes" if isinstance(place[name], str) else "no"

    def fresh(fact: str, checked: str, expires: str | None = None) -> str:
        if not isinstance(place[checked], str):
            return "unknown"
        last = pd.Timestamp(place[checked]) + pd.DateOffset(months=SHELF_MONTHS[fact])
        if expires is not None and isinstance(place[expires], str):
            last = min(last, pd.Timestamp(place[expires]))
        return "yes" if pd.Timestamp(day) <= last else "no"

    accuracy = place["position_accuracy_m"]
    said = {
        "position": "no" if place["position_method"] == "generated" else _near(accuracy),
        "operating_status": "yes" if place["operating_status"] in ("active", "suspended") else "no",
        "licence": stated("licence_state"),
        "payment": "no" if place["accepts_cashless"] == "unknown" else "yes",
        "digital": "no" if place["on_digital_platform"] == "unknown" else "yes",
        "fresh_payment": fresh("payment", "payment_checked_on"),
        "fresh_licence": fresh("licence", "licence_checked_on", "licence_valid_until"),
        "fresh_address": fresh("address", "verified_on"),
        "fresh_digital": fresh("digital", "digital_checked_on"),
        **{name: stated(name) for name in ("name", "address", "residential_group", "sector_code", "legal_entity")},
        "legal_form": stated("legal_form"),
    }
    if place["sector_group"] in FOOD:
        said["food_safety"] = stated("food_safety_kind")
        said["fresh_food_safety"] = fresh("food_safety", "food_safety_checked_on", "food_safety_valid_until")
    return said


def _near(accuracy_m: float | None) -> str:
    if accuracy_m is None or accuracy_m != accuracy_m:
        return "unknown"
    return "yes" if accuracy_m <= 50 else "no"
