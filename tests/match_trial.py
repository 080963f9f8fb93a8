"""How well rows are matched: labelled pairs built openly from real names, addresses and points of OpenStreetMap.

    .venv/bin/python -m tests.match_trial

The register is the named places of the base data, each at the nearest known house number within 40 m; their tax codes
and telephone numbers are invented (half have one). Rows that are the same place: typed wrong, without marks, in
capitals, with other words for the kind of shop, with half of the facts missing, renamed, moved. Rows that are another
place: a new shop in the same house, the neighbour, another branch of a chain, another number in the name, another stall
of one market, a second shop of one owner, the name most alike. The thresholds were chosen on one half of the places;
the other half is measured.
"""

import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ingest.addresses import parse_address
from ingest.match import Matcher
from ingest.weighing import DOUBT_FROM, SAME_FROM, Match, Place
from postgis.folding import search_key, similarity
from postgis.reference_files import read_features, read_rows
from tests.address_trial import book

METRE = 1 / 111_195


@dataclass(frozen=True)
class Case:
    """A row with what it is: `truth` is the code of its place, None for a place that the register does not have."""

    kind: str
    row: Place
    truth: str | None


def register() -> list[Place]:
    """Real names at real points, each with the nearest real house number."""
    known = book()
    houses = [
        (float(row["lon"] or 0), float(row["lat"] or 0), parse_address(f"{row['number']} {row['street']}", known))
        for row in read_rows("house_numbers.csv")
    ]
    rng = random.Random(4)
    places: list[Place] = []
    for feature in read_features("osm_places.geojsonl.gz"):
        name = feature.properties.get("name")
        lon, lat = feature.geometry["coordinates"]
        if (
            not name
            or feature.properties["kind"] in ("atm", "bench", "parking", "bus_stop")
            or len(search_key(name)) < 3
        ):
            continue
        if any(_metres(each, lon, lat) < 300 and search_key(each.name or "") == search_key(name) for each in places):
            continue  # the map has some places twice
        near = min(houses, key=lambda house: (house[0] - lon) ** 2 + (house[1] - lat) ** 2)
        address = near[2] if math.hypot(near[0] - lon, near[1] - lat) / METRE <= 40 else None
        places.append(
            Place(
                f"P{len(places):04}", name, address and address.house_number, address and address.alley,
                address and address.street_name, None, None,
                f"T{len(places)}" if rng.random() < 0.5 else None, f"F{len(places)}" if rng.random() < 0.5 else None,
                lon, lat, 10.0,
            )
        )  # fmt: skip
    for stall in range(60):
        places.append(Place(f"P{len(places):04}", rng.choice(_TRADERS), "1", None, "Minh Họa", "Chợ Minh Họa",
                            f"A{stall:02}", None, None, 108.2151, 16.0502, 50.0))  # fmt: skip
    return places


_TRADERS = ("Cô Hoa", "Chị Lan", "Dì Bảy", "Cô Hương", "Bà Tư", "Quầy vải", "Trái cây Cô Ba", "Cá tươi", "Chị Hà")
_RENAMED = ("Minh Họa", "Hương Việt", "Sông Quê", "An Nhiên", "Gia Phúc", "Bếp Nhà", "Thanh Tâm", "Đại Lợi", "Góc Phố")
_KINDS = ("Quán ", "Hộ kinh doanh ", "Cửa hàng ", "HKD ", "Tiệm ", "Nhà hàng ", "Công ty TNHH ")


def _metres(place: Place, lon: float, lat: float) -> float:
    return math.hypot((place.lon or 0) - lon, (place.lat or 0) - lat) / METRE


def cases(places: list[Place], rng: random.Random) -> Iterator[Case]:
    """Rows made from the places, each with its truth."""
    by_alike = _most_alike(places)
    for at, place in enumerate(places):
        if place.stall:
            yield Case("same: stall", replace(place, ref="r", name=_typo(place.name or "", rng)), place.ref)
            yield Case("other: stall", replace(place, ref="r", stall=f"B{at:03}"), None)
            continue
        for kind, change in _SAME.items():
            yield Case(f"same: {kind}", _blur(change(place, rng), rng), place.ref)
        other = rng.choice(places[:-60])
        fresh = replace(place, ref="r", tax_code=f"N{at}", phone=f"N{at}")
        yield Case("other: new shop in the house", _blur(replace(fresh, name=other.name if other.name != place.name
                                                                 else "Minh Họa"), rng), None)  # fmt: skip
        far = _moved(fresh, rng)
        yield Case("other: branch of a chain", _blur(far, rng), None)
        number = rng.randint(2, 9)
        yield Case("other: number in the name", _blur(replace(far, name=f"{place.name} {number}"), rng), None)
        owner = replace(_moved(place, rng), ref="r", name=rng.choice(_RENAMED))
        yield Case("other: second shop of an owner", _blur(owner, rng), None)
        twin = places[by_alike[at]]
        if twin.name != place.name:
            alike = replace(fresh, name=twin.name)
            yield Case("other: name most alike, in the house", _blur(alike, rng), None)


def _most_alike(places: list[Place]) -> list[int]:
    keys = [search_key(place.name or "") for place in places]
    return [
        max(
            (other for other in range(len(places)) if keys[other] != key),
            key=lambda other: similarity(key, keys[other]),
        )
        for key in keys
    ]


def _blur(place: Place, rng: random.Random) -> Place:
    """As in a list: half of the rows have no telephone number, a third no tax code, none a point but the geocoder's."""
    lon, lat, error = place.lon, place.lat, 40.0
    if place.street_name is None:
        lon = lat = None
    else:
        lon = (lon or 0) + rng.gauss(0, 18) * METRE
        lat = (lat or 0) + rng.gauss(0, 18) * METRE
    return replace(
        place, ref="r", lon=lon, lat=lat, error_m=error,
        phone=place.phone if rng.random() < 0.5 else None, tax_code=place.tax_code if rng.random() < 0.67 else None,
    )  # fmt: skip


def _typo(name: str, rng: random.Random) -> str:
    letters = list(name)
    for _ in range(1 + (len(name) > 12)):
        at = rng.randrange(len(letters))
        what = rng.random()
        if what < 0.3 and len(letters) > 3:
            letters.pop(at)
        elif what < 0.6:
            letters.insert(at, rng.choice("aeinhtgoc"))
        elif what < 0.8 and at:
            letters[at - 1], letters[at] = letters[at], letters[at - 1]
        else:
            letters[at] = rng.choice("aeinhtgoc")
    return "".join(letters)


def _moved(place: Place, rng: random.Random) -> Place:
    east, north = rng.uniform(400, 1500), rng.uniform(400, 1500)
    return replace(
        place, house_number=str(rng.randint(1, 400)), alley=None,
        street_name=rng.choice(("Núi Thành", "Tiểu La", "Duy Tân")),
        lon=(place.lon or 0) + rng.choice((-1, 1)) * east * METRE,
        lat=(place.lat or 0) + rng.choice((-1, 1)) * north * METRE,
    )  # fmt: skip


_SAME: dict[str, Callable[[Place, random.Random], Place]] = {
    "as it is": lambda place, _: place,
    "slips of the finger": lambda place, rng: replace(place, name=_typo(place.name or "", rng)),
    "without marks": lambda place, _: replace(place, name=search_key(place.name or "")),
    "capitals and kind": lambda place, rng: replace(place, name=(rng.choice(_KINDS) + (place.name or "")).upper()),
    "address missing": lambda place, _: replace(place, house_number=None, alley=None, street_name=None),
    "renamed": lambda place, rng: replace(place, name=rng.choice(_RENAMED)),
    "moved": _moved,
}


@dataclass(frozen=True)
class Outcome:
    """A case and what was found."""

    case: Case
    matches: list[Match]

    def result(self, same: float, doubt: float) -> str:
        """right, wrong, doubtful, missed or new, at these thresholds."""
        best = self.matches[0] if self.matches and self.matches[0].score >= doubt else None
        if best is not None and best.score >= same and "other_tax_code" not in best.against:
            return "right" if best.ref == self.case.truth else "wrong"
        if best is not None:
            offered = any(match.ref == self.case.truth for match in self.matches if match.score >= doubt)
            return "doubtful" if offered or self.case.truth is None else "missed"
        return "new" if self.case.truth is None else "missed"


def outcomes(half: int) -> list[Outcome]:
    """The cases of one half of the places, matched against all."""
    places = register()
    # Everything that is weighed comes back, so that other thresholds can be tried on it.
    matcher = Matcher(places, doubt_from=0.2)
    chosen = list(cases(places, random.Random(7)))
    mine = [case for number, case in enumerate(chosen) if (number // 12) % 2 == half]
    return [Outcome(case, matcher.matches(case.row)) for case in mine]


def figures(found: list[Outcome], same: float = SAME_FROM, doubt: float = DOUBT_FROM) -> dict[str, float]:
    """Precision and recall of what is matched without a person, and what a person gets to see."""
    results = Counter((each.result(same, doubt), each.case.truth is not None) for each in found)
    right, wrong = results["right", True], results["wrong", True] + results["wrong", False]
    positives = sum(count for (_, known), count in results.items() if known)
    doubtful = results["doubtful", True] + results["doubtful", False]
    return {
        "cases": len(found),
        "precision": right / max(right + wrong, 1),
        "recall": right / positives,
        "caught": (right + results["doubtful", True]) / positives,
        "doubtful": doubtful / len(found),
    }


def by_kind(found: list[Outcome]) -> dict[str, Counter[str]]:
    """Results by how the row was made."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        kinds[each.case.kind][each.result(SAME_FROM, DOUBT_FROM)] += 1
    return kinds


def speed(count: int) -> tuple[float, float]:
    """Rows a second for matching `count` rows against as many places, and pairs weighed for each row."""
    rng = random.Random(1)
    names = [place.name or "" for place in register()]
    words = sorted({word for name in names for word in name.split()})
    places = [
        Place(
            f"P{at}",
            " ".join(rng.sample(words, 3)),
            str(rng.randint(1, 400)),
            street_name=f"Minh Họa {rng.randint(1, 120)}",
            tax_code=f"T{at}",
            lon=108.19 + rng.random() * 0.045,
            lat=16.02 + rng.random() * 0.044,
            error_m=20.0,
        )
        for at in range(count)
    ]
    rows = [_blur(replace(place, name=_typo(place.name or "", rng)), rng) for place in places]
    started = time.perf_counter()
    matcher = Matcher(places)
    for row in rows:
        matcher.matches(row)
    seconds = time.perf_counter() - started
    weighed = sum(matcher.candidates(row) for row in rows[:500]) / 500
    return count / seconds, weighed


def main() -> None:
    """Print the figures."""
    for half, title in ((0, "chosen on"), (1, "measured on")):
        found = outcomes(half)
        print(title, {name: round(value, 4) for name, value in figures(found).items()})
        if half == 0 or "--all" in sys.argv:
            for same in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
                print("  same from", same, {name: round(v, 4) for name, v in figures(found, same).items()})
            for doubt in (0.3, 0.35, 0.4, 0.45, 0.5):
                print("  doubt from", doubt, {n: round(v, 4) for n, v in figures(found, SAME_FROM, doubt).items()})
    for kind, results in sorted(by_kind(found).items()):
        print(f"  {kind:40} {dict(results)}")
    for count in (2_500, 10_000):
        rate, weighed = speed(count)
        print(f"{count} x {count}: {rate:,.0f} rows/s, {weighed:.1f} pairs weighed for each row")


if __name__ == "__main__":
    main()
