"""Through any sequence of what happens to shops and registers, a code once issued answers with the right page."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from postgis import codes
from postgis.actor import Actor, write_as
from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import upgrade
from postgis.store import life_cycle, records
from tests.small_ward import MIDDLE, WARD, add_staff
from tests.staff_clients import Browser

pytestmark = pytest.mark.usefixtures("no_photos")
NUMBER = itertools.count()
LIVING = ("active", "suspended", "closed", "moved")


@dataclass(frozen=True)
class Shop:
    """What the test knows of a code."""

    name: str
    state: str = "active"
    successor: str | None = None


@dataclass
class Ground:
    """Where the machine plays: a fresh database for each run, copies of one that has staff and base data."""

    server: Database
    template: str
    officer: Actor
    folder: Path
    made: list[Database]

    def database(self, template: str | None) -> Database:
        found = create_database(self.server, f"life_{next(NUMBER)}", template)
        self.made.append(found)
        return found


@pytest.fixture
def ground(server: Database, base_database: Database, tmp_path: Path) -> Iterator[Ground]:
    base_database.dispose()
    template = create_database(server, "life_template", template="base")
    officer = add_staff(template, "officer", "officer")
    template.dispose()
    made = [template]
    yield Ground(server, template.name, officer, tmp_path, made)
    for database in made:
        database.dispose()
        drop_database(server, database.name)


class Lives(RuleBasedStateMachine):
    """Shops open, change and go; now and then the register is put back from a backup."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.database = ground.database(ground.template)
        self.web = Browser(self.database)
        self.shops: dict[str, Shop] = {}
        self.restored = False
        self.step(self.opens)

    def step(self, action: Callable[..., None], *arguments: Any) -> None:
        with write_as(self.database, self.ground.officer, reason="thử", source="office") as connection:
            action(connection, *arguments)

    def opens(self, connection: Any) -> None:
        lon, lat = MIDDLE[WARD]
        name = f"Quán {next(NUMBER)}"
        made = records.create(
            connection, "establishments",
            {
                "name": name, "sector_group": "food_service", "source": "office", "operating_status": "active",
                "geometry": {"type": "Point", "coordinates": [lon, lat]}, "position_method": "surveyed",
            },
            ward_id=self.ground.officer.ward_id,
        )  # fmt: skip
        self.shops[made.code] = Shop(name)

    def having(self, *states: str) -> list[str]:
        return [code for code, shop in self.shops.items() if shop.state in states]

    def pick(self, data: st.DataObject, *states: str, but: str = "") -> str:
        return data.draw(st.sampled_from([code for code in self.having(*states) if code != but]))

    def version(self, connection: Any, code: str) -> int:
        found = records.version(connection, "establishments", code)
        assert found is not None
        return found

    @rule()
    def open_shop(self) -> None:
        self.step(self.opens)

    @precondition(lambda self: self.having(*LIVING))
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        code, name = self.pick(data, *LIVING), f"Quán {next(NUMBER)}"
        with write_as(self.database, self.ground.officer, reason="đổi tên", source="office") as connection:
            records.change(connection, "establishments", code, self.version(connection, code), {"name": name})
        self.shops[code] = replace(self.shops[code], name=name)

    @precondition(lambda self: self.having("active"))
    @rule(data=st.data(), step=st.sampled_from(["suspend", "close"]))
    def stop_trading(self, data: st.DataObject, step: str) -> None:
        code = self.pick(data, "active")
        with write_as(self.database, self.ground.officer, reason="nghỉ", source="office") as connection:
            version = self.version(connection, code)
            if step == "suspend":
                life_cycle.suspend(connection, code, version)
            else:
                life_cycle.close(connection, code, version, reason="nghỉ bán")
        self.shops[code] = replace(self.shops[code], state={"suspend": "suspended", "close": "closed"}[step])

    @precondition(lambda self: self.having("suspended", "closed"))
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        code = self.pick(data, "suspended", "closed")
        with write_as(self.database, self.ground.officer, reason="mở lại", source="office") as connection:
            life_cycle.reopen(connection, code, self.version(connection, code))
        self.shops[code] = replace(self.shops[code], state="active")

    @precondition(lambda self: self.having("active") and len(self.having(*LIVING)) > 1)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        code = self.pick(data, "active")
        to = self.pick(data, *LIVING, but=code)
        with write_as(self.database, self.ground.officer, reason="chuyển", source="office") as connection:
            life_cycle.move(connection, code, self.version(connection, code), to=to, reason="chuyển")
        self.shops[code] = replace(self.shops[code], state="moved", successor=to)

    @precondition(lambda self: self.having("active") and len(self.having(*LIVING)) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        code = self.pick(data, "active")
        into = self.pick(data, *LIVING, but=code)
        with write_as(self.database, self.ground.officer, reason="trùng", source="office") as connection:
            life_cycle.merge(connection, code, self.version(connection, code), into=into, reason="trùng")
        self.shops[code] = replace(self.shops[code], state="merged", successor=into)

    @precondition(lambda self: self.having("merged"))
    @rule(data=st.data())
    def undo_merge(self, data: st.DataObject) -> None:
        code = self.pick(data, "merged")
        with write_as(self.database, self.ground.officer, reason="nhầm", source="office") as connection:
            life_cycle.undo_merge(connection, code, self.version(connection, code))
        self.shops[code] = replace(self.shops[code], state="active", successor=None)

    @precondition(lambda self: self.having(*LIVING))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        code = self.pick(data, *LIVING)
        with write_as(self.database, self.ground.officer, reason="lập nhầm", source="office") as connection:
            records.end(connection, "establishments", code, self.version(connection, code), "lập nhầm")
        self.shops[code] = replace(self.shops[code], state="ended")

    @precondition(lambda self: not self.restored)
    @rule()
    def restore_from_backup(self) -> None:
        folder = self.ground.folder / str(next(NUMBER))
        write_backup(self.database, folder)
        self.step(self.opens)  # after the backup: lost with it
        lost = list(self.shops)[-1]
        self.database = self.ground.database(None)
        read_backup(self.database, folder)
        upgrade(self.database)
        self.web, self.restored = Browser(self.database), True
        del self.shops[lost]
        assert self.web.get(f"/q/{lost}").status_code == 404

    @invariant()
    def every_code_answers_right(self) -> None:
        for code, shop in self.shops.items():
            self._answers(code, shop)

    def _answers(self, code: str, shop: Shop) -> None:
        answer = self.web.get(f"/q/{code}")
        data = self.web.get(f"/q/{code}.json", Accept="*/*")
        if shop.state == "merged":
            assert (answer.status_code, data.status_code) == (308, 308)
            assert answer.headers["location"] == f"/q/{shop.successor}?from={code}"
        elif shop.state == "ended":
            assert (answer.status_code, data.status_code) == (410, 410)
            assert codes.display(code) in answer.text
        else:
            assert (answer.status_code, data.status_code) == (200, 200)
            assert f">{shop.name}</h1>" in answer.text
            assert (data.json()["code"], data.json()["name"]) == (code, shop.name)
            assert data.json()["operating_status"] == shop.state
            assert ('class="gone"' in answer.text) is (shop.state in ("closed", "moved", "suspended"))
            assert data.json().get("moved_to") == (shop.successor if shop.state == "moved" else None)
            if shop.state == "moved":
                assert f'href="/q/{shop.successor}"' in answer.text


def test_a_code_once_issued_always_answers_with_the_right_page(ground: Ground) -> None:
    chosen = settings(
        max_examples=4, stateful_step_count=15, deadline=None, print_blob=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(lambda: Lives(ground), settings=chosen)
