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
from datetime import date

import h3
from sqlalchemy import text

from postgis.engine import Database
from postgis.today import today
from postgis.vocabulary import SECTOR_GROUPS
from tests import suppression_readers as readers
from tests.adoption_places import RESOLUTION, Place, cells_around
from tests.register_api import Api
from tests.small_ward import WARD
from tests.suppression_readers import Figures, Told

SECTORS = ("food_service", "market", "grocery", "fashion", "repair", "lodging")
SMALL = 5
Published = Mapping[str, Figures | None]


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


def published(api: Api, sector: str | None = None, day: date | None = None, *, thorough: bool = True) -> Told:
    """The figures of every cell that any public address tells, by any of its forms; None where none does. Fails where
    one form tells more than another, or something that it does not count. Not `thorough`: by three forms.
    """
    asked = ({"sector_group": sector} if sector else {}) | ({"as_of": day.isoformat()} if day else {})
    found = readers.read(api, "items", **asked)
    others = {way: readers.read(api, way, **asked) for way in (readers.READERS if thorough else ("csv", "board json"))}
    others["conditions"] = _by_conditions(api, asked, found)
    if thorough:
        others |= {form: readers.file(api, form, **asked) for form in readers.FILES}
        others |= {"tiles": readers.tiles(api, found, **asked), "one file": readers.one_file(api, **asked)}
        if not asked:
            others["board"] = readers.on_board(api)
    for way, told in others.items():
        assert told == found, (way, asked, {cell: (told.get(cell), found.get(cell)) for cell in told.keys() | found})
    return found


def _by_conditions(api: Api, asked: Mapping[str, str], known: Told) -> Told:
    """With orders and conditions that see what they compare: none may add to what is known, most are refused."""
    found = dict(known)
    more = "".join(f"&{name}={value}" for name, value in asked.items())
    for condition in ("&sortby=-establishments", "&filter=establishments<5", "&filter=accepting>=0"):
        answer = api.ask("GET", f"{readers.ITEMS}?limit=1000{more}{condition}")
        for feature in answer.json().get("features", ()):
            figures = readers.figures_of(feature["properties"])
            found[feature["properties"]["cell"]] = figures or known.get(feature["properties"]["cell"])
    return found


def hidden_with_filters(api: Api, sector: str | None = None) -> int:
    """How many suppressed cells a condition on their figures finds: each would tell its figures by trying."""
    asked = f"&sector_group={sector}" if sector else ""
    found = api.get(f"{readers.ITEMS}?limit=1000{asked}&filter=suppressed=true%20AND%20establishments%3E=0")
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


def attack_cells(told: Published, places: Iterable[Place]) -> Attack:
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


def attack_market(cells: Published, told: Published, places: list[Place], sums: Figures | None) -> Attack:
    """Against one sector in every cell, markets, by its own sums of the ward, which `large_retail_payment` would be."""
    real = dict.fromkeys(truth(places), (0, 0, 0)) | truth(places, "market")
    family = {cell: told.get(cell) for cell in real} if cells else {}
    hidden = sum(figures is None for figures in family.values())
    return attack(family, real, sums, least=0) if sums is not None else Attack(hidden, 0)


def market_told(database: Database) -> Figures | None:
    """The ward's sums of markets as anybody may have them, whose plan has it or not: places, surveyed, accepting."""
    with database.public.connect() as connection:
        values = {"ward": WARD, "day": today()}
        found = connection.execute(_MARKET, values).one_or_none()
    return None if found is None or found.population is None else (found.population, found.yes + found.no, found.yes)


_MARKET = text("""
    SELECT population, yes, no FROM published.indicator_counts(:ward, '{large_retail_payment}', :day, false)
""")


def with_a_past(database: Database, seed: int) -> None:
    """Gives the register months behind it: places that came later, that were asked later, and that have gone."""
    with database.owner.begin() as connection:
        ids = connection.execute(text("SELECT id FROM register.establishment_state ORDER BY id")).scalars().all()
        rng = random.Random(seed)
        edited = rng.choice([0.02, 0.1, 0.5])
        for first in ids:
            fate = rng.choice(("came", "asked", "gone")) if rng.random() < edited else "stayed"
            at = rng.choice(EDITED)
            values = {"id": first, "at": at if fate in ("came", "asked") else STARTED, "until": at, "start": STARTED}
            if fate in ("asked", "gone"):
                connection.execute(_ASKED_LATER if fate == "asked" else _GONE, values)
            connection.execute(_SINCE, values)


STARTED, EDITED = date(2026, 9, 1), (date(2026, 10, 15), date(2026, 11, 10))
_COLUMNS = """code, ward_id, residential_group_id, sector_group, operating_status, illustrative, point, cells,
    payment_methods, payment_evidence, active_acceptance, digital_used, digital_unused, on_digital_platform"""
_ASKED_LATER = text(f"""
    INSERT INTO register.establishment_state (establishment_id, known_from, known_to, accepts_cashless, {_COLUMNS})
    SELECT establishment_id, :start, :until, 'unknown', {_COLUMNS} FROM register.establishment_state WHERE id = :id
""")
_GONE = text(f"""
    INSERT INTO register.establishment_state (establishment_id, known_from, known_to, accepts_cashless, {_COLUMNS})
    SELECT establishment_id + 1000000, :start, :until, accepts_cashless, {_COLUMNS}
      FROM register.establishment_state WHERE id = :id
""")
_SINCE = text("UPDATE register.establishment_state SET known_from = :at WHERE id = :id")


def places_on(database: Database, day: date) -> list[Place]:
    """What the ward held at the end of a day."""
    with database.owner.connect() as connection:
        found = connection.execute(_ON_DAY, {"day": day, "ward": WARD})
        methods = {"yes": "vietqr", "no": "cash_only", "unknown": None}
        return [Place(h3.int_to_str(row.cell), row.sector_group, methods[row.accepts_cashless]) for row in found]


_ON_DAY = text("""
    SELECT s.cells[3] AS cell, s.sector_group, s.accepts_cashless
      FROM register.establishment_state s JOIN register.ward w ON w.id = s.ward_id
     WHERE w.code = :ward AND s.known_from < CAST(:day AS date) + 1 AND s.known_to >= CAST(:day AS date) + 1
       AND register.counts_in_figures(s.sector_group, s.operating_status)
""")


def attack_in_time(told: Mapping[date, Published], places: Mapping[date, list[Place]]) -> Attack:
    """Against the cells of each day, with what other days tell of cells that are as they were.

    It is granted which those are, and the ward's totals of every day.
    """
    real = {day: truth(held) for day, held in places.items()}
    found = Attack(0, 0)
    for day in told:
        known: dict[str, Figures | None] = {cell: told[day].get(cell) for cell in real[day]}
        for other, figures in ((other, told[other]) for other in told if other != day):
            for cell, seen in figures.items():
                if seen is not None and real[day].get(cell) == real[other].get(cell):
                    known[cell] = seen
        if any(known.values()):
            found += attack(known, real[day], whole(real[day]), least=1)
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
