"""What an attacker learns of suppressed cells on random registers: `python -m tests.benchmarks.suppression_attack`.

Starts the embedded PostGIS in MAPSERVICE_TEST_DIR's manner (a fresh directory), fills one register after the other,
each with months behind it, and asks the service itself in every form. Prints how many cells were hidden and of how many
some figure was certain: by their sums at month ends and today, by sector, by conditions, by holding days against each
other (granted: which cells are as they were), by one sector's sums of the ward as anybody is told them; then, to show
that the attack bites, with those sums told, with small cells hidden and none with them, with nothing hidden; and by the
public facts of each shop.
"""

import argparse
import json
import tempfile
from datetime import date
from pathlib import Path

from postgis.engine import create_database, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.today import today
from tests.adoption_places import add_places, clear_places
from tests.register_api import Api, register_api
from tests.suppression_attacker import (
    SECTORS,
    Attack,
    attack_cells,
    attack_in_time,
    attack_market,
    attack_sectors,
    by_shops,
    hidden_with_filters,
    market_told,
    places_on,
    published,
    random_register,
    small_hidden_only,
    truth,
    whole,
    with_a_past,
    with_nothing_hidden,
)

WAYS = (
    "cells",
    "sectors",
    "filters",
    "in_time",
    "one_sector",
    "one_sector_told",
    "only_small_hidden",
    "nothing_hidden",
    "public_shops",
)
MONTH_ENDS = (date(2026, 9, 30), date(2026, 10, 31))


def attacked(api: Api, seed: int) -> dict[str, Attack]:
    """One register, attacked in every way."""
    planned = random_register(seed)
    clear_places(api.database)
    codes = add_places(api.database, planned, seed)
    with_a_past(api.database, seed)
    days = (*MONTH_ENDS, today())
    held = {day: places_on(api.database, day) for day in days}
    places = held[days[-1]]
    assert sorted(map(str, truth(places).items())) == sorted(map(str, truth(planned).items()))
    told = {day: published(api, day=day, thorough=day == days[seed % 3]) for day in days}
    cells = published(api)
    sectors = {sector: published(api, sector, thorough=sector == SECTORS[seed % len(SECTORS)]) for sector in SECTORS}
    probed = hidden_with_filters(api) + sum(hidden_with_filters(api, sector) for sector in SECTORS)
    return {
        "cells": sum((attack_cells(told[day], held[day]) for day in days), Attack(0, 0)),
        "sectors": attack_sectors(cells, sectors, places),
        "filters": Attack(sum(figures is None for figures in cells.values()), probed),
        "in_time": attack_in_time(told, held),
        "one_sector": attack_market(cells, sectors["market"], places, market_told(api.database)),
        "one_sector_told": attack_market(cells, sectors["market"], places, whole(truth(places, "market"))),
        "only_small_hidden": attack_cells(small_hidden_only(places), places),
        "nothing_hidden": with_nothing_hidden(places),
        "public_shops": by_shops(api, cells, places, codes),
    }


def main() -> None:
    """Prints the rates, and writes them as JSON where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registers", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    total = dict.fromkeys(WAYS, Attack(0, 0))
    told = 0
    with tempfile.TemporaryDirectory(prefix="attack-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        settings = DatabaseSettings(data_dir=Path(folder), database_url=None)
        with open_database(settings) as server:
            base = create_database(server, "base")
            upgrade(base)
            with register_api(server, base, "attack", places=1) as api:
                for seed in range(options.registers):
                    found = attacked(api, seed)
                    told += found["cells"].hidden > 0
                    total = {way: total[way] + found[way] for way in WAYS}
    print(f"{options.registers} registers, {told} of them with cells that are told and cells that are hidden")
    for way, attack in total.items():
        print(f"{way:18} hidden {attack.hidden:6} recovered {attack.recovered:6} = {attack.rate:5.1f} %")
    if options.json:
        rates = {way: {"hidden": a.hidden, "recovered": a.recovered, "rate": a.rate} for way, a in total.items()}
        options.json.write_text(json.dumps(rates, indent=2))


if __name__ == "__main__":
    main()
