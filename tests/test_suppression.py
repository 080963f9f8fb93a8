"""Nobody can work out what is suppressed; shown by trying, and by what the same trying yields where less is hidden."""

from collections.abc import Iterator

import pytest

from postgis.engine import Database
from tests.benchmarks.suppression_attack import WAYS, attacked
from tests.register_api import Api, register_api
from tests.suppression_attacker import Attack

REGISTERS = 6


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "suppression", places=1) as found:
        yield found


def test_hidden_figures_stay_hidden(api: Api) -> None:
    total = dict.fromkeys(WAYS, Attack(0, 0))
    for seed in range(REGISTERS):
        found = attacked(api, seed)
        for way in ("cells", "sectors", "filters", "in_time", "one_sector"):
            assert found[way].recovered == 0, (seed, way)
        total = {way: total[way] + found[way] for way in WAYS}
    assert total["cells"].hidden > 10 and total["sectors"].hidden > 50
    # The same attack bites where no cells are hidden with the small ones, and where nothing is hidden.
    assert total["only_small_hidden"].recovered > 0
    assert total["nothing_hidden"].rate == 100
    # What anybody may know of a shop by standing in front of it is no secret of its cell.
    assert total["public_shops"].rate == 100
