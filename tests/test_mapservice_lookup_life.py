"""Through any sequence of what happens to shops and registers, a code once issued answers with the right page."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from postgis.engine import Database, create_database, drop_database
from tests.lookup_lives import STEPS, Ground, Lives
from tests.small_ward import add_staff

LIVES = int(os.environ.get("MAPSERVICE_TEST_LIVES", "5"))
"""How many lives are led, of STEPS_EACH steps at most: a hundred take a quarter of an hour."""
STEPS_EACH = 16


@pytest.fixture
def ground(server: Database, base_database: Database, tmp_path: Path) -> Iterator[Ground]:
    base_database.dispose()
    # A data directory of its own: keys and copies of pages are the machine's alone.
    here = Database(server.url, server.settings.model_copy(update={"data_dir": tmp_path / "data"}), server.cluster)
    template = create_database(here, "life_template", template="base")
    officer = add_staff(template, "officer", "officer")
    template.dispose()
    found = Ground(here, template.name, officer, tmp_path)
    yield found
    found.clear()
    drop_database(here, template.name)


def test_a_code_once_issued_always_answers_with_the_right_page(ground: Ground) -> None:
    chosen = settings(
        max_examples=LIVES, stateful_step_count=STEPS_EACH, deadline=None, print_blob=False, database=None,
        suppress_health_check=list(HealthCheck),
        # To make a life shorter takes minutes: each makes databases.
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    run_state_machine_as_test(lambda: Lives(ground), settings=chosen)
    assert STEPS["pages"] > 100
    print(dict(STEPS))
