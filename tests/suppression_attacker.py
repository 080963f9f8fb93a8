"""Somebody who asks every public address for figures of cells, adds, subtracts and bounds, to learn what is hidden.

More than anybody can know is granted: the ward's exact totals, how figures are suppressed, and which hidden cells are
small and which were hidden with them.
"""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import h3

from postgis.vocabulary import SECTOR_GROUPS
from tests.adoption_places import RESOLUTION, Place, cells_around
from tests.register_api import Api
from tests.small_ward import WARD

SECTORS = ("food_service", "grocery", "fashion", "repair", "lodging")
SMALL = 5
Figures = tuple[int, int, int]
"""Establishments, surveyed, accepting."""
Published = Mapping[str, Figures | None]
ITEMS = "/ogc/collections/payment_adoption/items"


@dataclass(frozen=True, slots=True)
class Attack:
    """How many cells were hidden, and of how many of them some figure could be told for certain."""

    hidden: int
    recovered: int

    def __add__(self, other: "Attack") -> "Attack":
        return Attack(self.hidden + other.hidden, self.recovered + other.recovered)

    @property
    def rate(self) -> float:
        """Per cent of what was hidden."""
        return 100 * self.recovered / self.hidden if self.hidden else 0.0


def random_register(seed: int) -> list[Place]:
    """A ward with a share of small cells, of surveyed places and of acceptance of its own; at times hardly any."""
    rng = random.Random(seed)
    cells = rng.sample(cells_around(4), rng.randrange(2, 40))
    small, surveyed, accepting = rng.random(), rng.choice([0.02, 0.3, 0.7, 1.0]), rng.choice([0.0, 0.3, 0.6, 0.95])
    sectors = SECTORS[: rng.randrange(1, len(SECTORS) + 1)]
    found = []
    for cell in cells:
        for _ in range(rng.randrange(1, SMALL) if rng.random() < small else rng.randrange(SMALL, 30)):
            method = ("vietqr" if rng.random() < accepting else "cash_only") if rng.random() < surveyed else None
            found.append(Place(cell, rng.choice(sectors), method))
    return found


def truth(places: Iterable[Place], sector: str | None = None) -> dict[str, Figures]:
    """What every cell holds."""
    counts: dict[str, Counter[str]] = {}
    for place in places:
        if sector is None or place.sector_group == sector:
            counts.setdefault(place.cell, Counter()).update(
                n=1, known=place.method is not None, yes=place.method == "vietqr"
            )
    return {cell: (found["n"], found["known"], found["yes"]) for cell, found in counts.items()}


def published(api: Api, sector: str | None = None) -> dict[str, Figures | None]:
    """The figures of every cell that any public address tells, by any of its forms; None where none does."""
    asked = f"&sector_group={sector}" if sector else ""
    found: dict[str, Figures | None] = {}
    for properties in _everywhere(api, asked):
        cell = str(properties.get("cell") or properties["code"])
        told = [properties.get(name) for name in ("establishments", "surveyed", "accepting")]
        figures = None if None in told or "" in told else (int(told[0]), int(told[1]), int(told[2]))
        found[cell] = figures if figures is not None else found.get(cell)
    return found


def _everywhere(api: Api, asked: str) -> Iterable[Mapping[str, Any]]:
    yield from (each["properties"] for each in api.get(f"{ITEMS}?limit=1000{asked}")["features"])
    # Other orders and conditions, which see what they compare.
    for more in ("&sortby=-establishments", "&filter=establishments<5", "&filter=accepting>=0"):
        answer = api.ask("GET", f"{ITEMS}?limit=1000{asked}{more}")
        yield from (each["properties"] for each in answer.json().get("features", ()))
    for address in (f"{ITEMS}?f=csv{asked}",):
        yield from csv.DictReader(io.StringIO(api.ask("GET", address).content.decode("utf-8-sig")))
    board = f"/board/adoption?ward={WARD}{asked}"
    yield from api.get(f"{board}&f=json")["parts"]
    yield from (each["properties"] for each in api.get(f"{board}&f=geojson")["features"])


def hidden_with_filters(api: Api, sector: str | None = None) -> int:
    """How many suppressed cells a condition on their figures finds: each would tell its figures by trying."""
    asked = f"&sector_group={sector}" if sector else ""
    found = api.get(f"{ITEMS}?limit=1000{asked}&filter=suppressed=true%20AND%20establishments%3E=0")
    return int(found["numberMatched"])


def attack(told: Published, real: Mapping[str, Figures], totals: Figures, least: int) -> Attack:
    """What can be told of each hidden member of a family whose sums are known. `least`: what a member holds at least.

    The members are bounded by what the sums leave: of places of one kind (accepting, not accepting, unknown) any may be
    in any member, so that what a member can hold follows from how many places it can have. These bounds are exact.
    """
    hidden = [cell for cell, figures in told.items() if figures is None]
    sums = [whole - sum(each[place] for each in told.values() if each) for place, whole in enumerate(totals)]
    count, known, yes = sums
    unknown = count - known
    low = {cell: least if real.get(cell, (0,))[0] < SMALL else SMALL for cell in hidden}
    high = {cell: SMALL - 1 if real.get(cell, (0,))[0] < SMALL else count for cell in hidden}
    recovered = 0
    for cell in hidden:
        fewest = max(low[cell], count - sum(high[other] for other in hidden if other != cell))
        most = min(high[cell], count - sum(low[other] for other in hidden if other != cell))
        ranges = (
            (fewest, most),
            (max(0, fewest - unknown), min(known, most)),
            (max(0, fewest - unknown - (known - yes)), min(yes, most)),
        )
        recovered += any(first >= last for first, last in ranges)
    return Attack(len(hidden), recovered)


def whole(real: Mapping[str, Figures]) -> Figures:
    """The sums over all cells."""
    counts = list(real.values())
    return sum(each[0] for each in counts), sum(each[1] for each in counts), sum(each[2] for each in counts)


def attack_cells(told: Published, places: list[Place]) -> Attack:
    """Against the cells of a ward, by its totals."""
    real = truth(places)
    return attack(told, real, whole(real), least=1)


def attack_sectors(cells: Published, by_sector: Mapping[str, Published], places: list[Place]) -> Attack:
    """Against the sectors of each cell that is told, by the cell's own figures."""
    found = Attack(0, 0)
    real = {sector: truth(places, sector) for sector in by_sector}
    for cell, totals in cells.items():
        told = {sector: figures[cell] for sector, figures in by_sector.items() if cell in figures}
        if totals is not None and told:
            of_cell = {sector: real[sector].get(cell, (0, 0, 0)) for sector in told}
            # Which other sectors have no place here is as little known as how many places each has.
            others = {sector: None for sector in SECTOR_GROUPS if sector not in (*told, "public_place")}
            found += attack({**told, **others}, of_cell, totals, least=0)
    return found


def small_hidden_only(places: list[Place]) -> dict[str, Figures | None]:
    """What would be told if only small cells were hidden and no others with them."""
    return {cell: figures if figures[0] >= SMALL else None for cell, figures in truth(places).items()}


def with_nothing_hidden(places: list[Place]) -> Attack:
    """What would be learnt of small cells if nothing were suppressed."""
    small = [cell for cell, figures in truth(places).items() if figures[0] < SMALL]
    return Attack(len(small), len(small))


def by_shops(api: Api, told: Published, places: list[Place], codes: Iterable[str]) -> Attack:
    """What is learnt of hidden cells from the register's own public facts about each shop, which anybody may know who
    wants to pay there. `codes`: of this register's places."""
    own, found = set(codes), dict[str, Counter[str]]()
    answer = api.ask("GET", "/ogc/collections/establishments/items?f=csv")
    for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))):
        if row["code"] in own:
            cell = h3.latlng_to_cell(float(row["lat"]), float(row["lon"]), RESOLUTION)
            cashless = row["accepts_cashless"]
            found.setdefault(cell, Counter()).update(n=1, known=cashless != "unknown", yes=cashless == "yes")
    real = truth(places)
    hidden = [cell for cell, figures in told.items() if figures is None]
    same = [cell for cell in hidden if (found[cell]["n"], found[cell]["known"], found[cell]["yes"]) == real[cell]]
    return Attack(len(hidden), len(same))
