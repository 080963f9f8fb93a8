"""`kill -9` at twenty random moments of applying an import: wholly applied or wholly absent, then done by itself.

In turns the process that applies is killed, and everything. Whenever the batch was applied first, the next kills are
for another copy of the database.
"""

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from mapservice.import_work import work_off
from postgis.actor import Actor, prepare_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import imports_ask
from postgis.store.changes import verify
from tests.import_process import at_rest, children_of, job_process, kill, send, sheet_of, until
from tests.small_ward import add_staff

ROWS = 2_000
KILLS = 20
SEEN = """
    SELECT b.state, (SELECT count(*) FROM register.establishment), (SELECT count(*) FROM register.legal_entity),
           (SELECT count(*) FROM register.lookup_code), (SELECT count(*) FROM register.personal_datum),
           (SELECT count(*) FROM register.change), (SELECT count(outcome) FROM register.import_row)
      FROM register.import_batch b"""
Seen = tuple[str | int, ...]


@dataclass
class Plan:
    """A database with a batch whose plan is to be applied, what is seen before and after, and how long it takes."""

    database: Database
    officer: Actor
    code: str
    data_dir: Path
    absent: Seen = ()
    applied: Seen = ()
    seconds: float = 0.0

    @contextlib.contextmanager
    def copy(self, name: str) -> Iterator[Database]:
        """A database of a round's own."""
        own = create_database(self.database, name, template=self.database.name)
        yield own
        own.dispose()
        drop_database(self.database, name)


@pytest.fixture(scope="module")
def plan(server: Database, base_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    base_database.dispose()
    data_dir = tmp_path_factory.mktemp("key")
    database = create_database(server, "killed_plan", template="base")
    officer = add_staff(database, "can-bo", "officer")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database.settings, "data_dir", data_dir)
        found = Plan(database, officer, send(database, officer, sheet_of(ROWS), data_dir), data_dir)
        assert work_off(database) == 1
    with prepare_as(database, officer) as connection:
        imports_ask.ask_apply(connection, found.code, reason="thử ngắt giữa chừng")
    found.absent = _seen(database)
    database.dispose()
    with found.copy("killed_never") as first, job_process(first, data_dir):
        until(lambda: _at_work(first))
        began = time.monotonic()
        assert at_rest(first, officer, found.code).state == "applied"
        found.seconds, found.applied = time.monotonic() - began, _seen(first)
    assert found.applied[1] > ROWS * 0.8, "most rows of the list are clear"
    yield found
    drop_database(server, database.name)


def test_killed_at_twenty_random_moments(plan: Plan) -> None:
    moments, kills, finished = random.Random(20257), 0, 0
    while kills < KILLS:
        with plan.copy(f"killed_{kills}") as database, contextlib.ExitStack() as stack:
            process = stack.enter_context(job_process(database, plan.data_dir))
            while kills < KILLS and _seen(database)[0] == "applying":
                _forgive(database)
                until(lambda: _at_work(database) or _seen(database)[0] == "applied")
                time.sleep(moments.uniform(0, plan.seconds))
                everything = kills % 2 == 1
                kill(*([process.pid] if everything else []), *children_of(process.pid))
                kills += 1
                _quiet(database)
                assert _seen(database) in (plan.absent, plan.applied)
                if everything:
                    process.wait()
                    process = stack.enter_context(job_process(database, plan.data_dir))
            batch = at_rest(database, plan.officer, plan.code)
            assert (batch.state, batch.error) == ("applied", None)
            assert _seen(database) == plan.applied, "by itself, and wholly"
            with database.owner.connect() as connection:
                found = verify(connection)
            assert found.whole, found
            finished += 1
    assert finished < KILLS, "some kills have met a batch that was not applied yet"


def _forgive(database: Database) -> None:
    """A job that dies three times is given up: here it dies more often."""
    with database.owner.begin() as connection:
        connection.execute(text("UPDATE register.import_batch SET attempts = 0"))


def _seen(database: Database) -> Seen:
    """At one moment: what the batch says, and how many there are of all that applying writes."""
    with database.owner.connect() as connection:
        return tuple(connection.execute(text(SEEN)).one())


def _at_work(database: Database) -> bool:
    """Whether somebody is applying just now: a transaction of the role of staff is open. Only a superuser sees that."""
    told = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
               AND application_name = 'mapservice staff' AND xact_start IS NOT NULL"""
    with database.administrator() as connection:
        return int(connection.execute(text(told)).scalar_one()) > 0


def _quiet(database: Database) -> None:
    """Waits until the server has ended the transaction of what was killed."""
    until(lambda: not _at_work(database))
