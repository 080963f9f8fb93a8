"""A machine that lets happen to shops, stickers, keys and registers whatever may happen, and looks at every code after.

After each step every code that was ever issued is opened plain and with each of its stickers, as a page and as data,
in the application, in the service with all that it keeps in memory, and in one whose database is away.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from layers.stickers import FIRST_KEYS
from mapservice import signing
from mapservice.app import create_app, create_service
from mapservice.middleware import Observe
from mapservice.settings import HttpSettings
from postgis import codes, sticker_marks
from postgis.actor import Actor, prepare_as, write_as
from postgis.backup import read_backup, write_backup
from postgis.engine import Database, create_database, drop_database
from postgis.migrate import upgrade
from postgis.secrets import open_secrets
from postgis.store import life_cycle, records, stickers
from postgis.store.stickers import OPEN_STATES, RunOrder
from postgis.today import today
from tests.small_ward import MIDDLE, WARD
from web.render import format_date

NUMBER = itertools.count()
LIVING = ("active", "suspended", "closed", "moved")
GONE = ("suspended", "closed", "moved")
LATE_S = 10.0
"""How long what stands beside the application may take to know what has just been committed."""
STEPS: Counter[str] = Counter()
"""How many steps were taken and how many pages were looked at after them."""
NOTICES = {
    "lost": "đã được báo mất ngày",
    "replaced": "đã được thay bằng tem mới ngày",
    "withdrawn": "đã bị thu hồi ngày",
    "spoilt": "là bản in hỏng",
}
UNLISTED, FALSE = "chưa có trong sổ", "Tem này không do phường phát hành"


@dataclass(frozen=True)
class Shop:
    """What the machine knows of a code."""

    name: str
    state: str = "active"
    successor: str | None = None
    closed_on: date | None = None
    warnings: tuple[tuple[str, str | None], ...] = ()
    """Headlines of live ones, each with the owner's reply."""
    formerly: str | None = None
    """The name before the last change of it."""


@dataclass(frozen=True)
class Tag:
    """What it knows of a sticker."""

    code: str
    key: int
    state: str = "printed"
    replaces: str | None = None
    listed: bool = True
    """False: made after the backup that the register was put back from."""
    misused: bool = False
    """An officer has found it copied, or hung elsewhere."""


@dataclass
class World:
    """All that it knows. A copy of it belongs to each backup."""

    shops: dict[str, Shop] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    """Codes issued after the backup that the register was put back from."""
    key: int = 0
    """The newest version of the key of marks."""


@dataclass
class Ground:
    """Where the machine plays: a fresh database for each run, copies of one that has staff and base data."""

    server: Database
    template: str
    officer: Actor
    folder: Path
    made: list[Database] = field(default_factory=list)

    def database(self, template: str | None) -> Database:
        found = create_database(self.server, f"life_{next(NUMBER)}", template)
        self.made.append(found)
        return found

    def clear(self) -> None:
        """Gives back what a run has taken."""
        for database in self.made:
            database.dispose()
            drop_database(self.server, database.name)
        self.made.clear()


class Lives(RuleBasedStateMachine):
    """Shops open, change and go, stickers are printed and lost; now and then the register is put back."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground, self.world = ground, World()
        self.backups: list[tuple[Path, World]] = []
        self.signed: list[str] = []
        self.restored = 0
        self.secrets = open_secrets(ground.server.settings.data_dir)
        self.lane: TestClient | None = None
        self.open_register(ground.database(ground.template))

    def open_register(self, database: Database) -> None:
        """As the service starts on a database."""
        self.database = database
        upgrade(database)
        signing.ensure_key(database)
        settings = HttpSettings(sample="none", ward=WARD)
        self.app = _client(Observe(create_app(settings, database)))
        self.lane = _client(create_service(settings, database))
        self.lane.__enter__()
        nowhere = Database(database.url.set(query={"host": "/nonexistent"}), database.settings)
        self.away = _client(Observe(create_app(settings, nowhere)))

    def teardown(self) -> None:
        if self.lane is not None:
            self.lane.__exit__(None, None, None)
        self.ground.clear()

    @contextmanager
    def writing(self, reason: str = "thử") -> Iterator[Any]:
        with write_as(self.database, self.ground.officer, reason=reason, source="office") as connection:
            yield connection

    def having(self, *states: str, warned: bool | None = None) -> list[str]:
        return [
            code
            for code, shop in self.world.shops.items()
            if shop.state in states and warned in (None, bool(shop.warnings))
        ]

    def tagged(self, *states: str) -> list[str]:
        """Stickers that the register lists and that are in one of the states."""
        return [serial for serial, tag in self.world.tags.items() if tag.listed and tag.state in states]

    def now(self, code: str, **changes: Any) -> None:
        self.world.shops[code] = replace(self.world.shops[code], **changes)

    @initialize()
    def first(self) -> None:
        self.open_shop()
        self.print_stickers(*self.world.shops)

    @rule()
    def open_shop(self) -> None:
        lon, lat = MIDDLE[WARD]
        name = f"Quán {next(NUMBER)}"
        values = {
            "name": name, "sector_group": "food_service", "source": "office", "operating_status": "active",
            "geometry": {"type": "Point", "coordinates": [lon, lat]}, "position_method": "surveyed",
        }  # fmt: skip
        with self.writing("mở cửa") as connection:
            made = records.create(connection, "establishments", values, ward_id=self.ground.officer.ward_id)
        assert made.code not in self.world.shops and made.code not in self.world.lost
        self.world.shops[made.code] = Shop(name)

    @precondition(lambda self: self.having(*LIVING))
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        code = self.pick(data, self.having(*LIVING))
        self._name(code, f"Quán {next(NUMBER)}")

    @precondition(lambda self: any(self.world.shops[code].formerly for code in self.having(*LIVING)))
    @rule(data=st.data())
    def undo_rename(self, data: st.DataObject) -> None:
        code = self.pick(data, [code for code in self.having(*LIVING) if self.world.shops[code].formerly])
        self._name(code, str(self.world.shops[code].formerly))

    def _name(self, code: str, name: str) -> None:
        with self.writing("đổi tên") as connection:
            records.change(connection, "establishments", code, _version(connection, code), {"name": name})
        self.now(code, name=name, formerly=self.world.shops[code].name)

    @precondition(lambda self: self.having("active"))
    @rule(data=st.data(), step=st.sampled_from(["suspend", "close"]), ago=st.integers(0, 700))
    def stop_trading(self, data: st.DataObject, step: str, ago: int) -> None:
        code = self.pick(data, self.having("active"))
        with self.writing("nghỉ") as connection:
            version = _version(connection, code)
            if step == "suspend":
                life_cycle.suspend(connection, code, version)
                self.now(code, state="suspended")
            else:
                on = today() - timedelta(days=ago)
                life_cycle.close(connection, code, version, reason="nghỉ bán", on=on.isoformat())
                self.now(code, state="closed", closed_on=on)

    @precondition(lambda self: self.having(*GONE))
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        """Undoes that a shop was suspended, closed or moved."""
        code = self.pick(data, self.having(*GONE))
        with self.writing("mở lại") as connection:
            life_cycle.reopen(connection, code, _version(connection, code))
        self.now(code, state="active", successor=None, closed_on=None)

    @precondition(lambda self: self.having("active") and len(self.having(*LIVING)) > 1)
    @rule(data=st.data(), ago=st.integers(0, 700))
    def move(self, data: st.DataObject, ago: int) -> None:
        code = self.pick(data, self.having("active"))
        to, on = self.pick(data, self.having(*LIVING), but=code), today() - timedelta(days=ago)
        with self.writing("chuyển") as connection:
            version = _version(connection, code)
            life_cycle.move(connection, code, version, to=to, on=on.isoformat(), reason="chuyển")
        self.now(code, state="moved", successor=to, closed_on=on)

    @precondition(lambda self: self.having("active", warned=False) and len(self.having(*LIVING)) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        code = self.pick(data, self.having("active", warned=False))
        into = self.pick(data, self.having(*LIVING), but=code)
        with self.writing("trùng") as connection:
            life_cycle.merge(connection, code, _version(connection, code), into=into, reason="trùng")
        self.now(code, state="merged", successor=into)

    @precondition(lambda self: self.having("merged"))
    @rule(data=st.data())
    def undo_merge(self, data: st.DataObject) -> None:
        code = self.pick(data, self.having("merged"))
        with self.writing("nhầm") as connection:
            life_cycle.undo_merge(connection, code, _version(connection, code))
        self.now(code, state="active", successor=None)

    @precondition(lambda self: self.having("active", warned=False))
    @rule(data=st.data())
    def withdraw_record(self, data: st.DataObject) -> None:
        """Undoes that a shop was entered."""
        code = self.pick(data, self.having("active", warned=False))
        with self.writing("lập nhầm") as connection:
            records.end(connection, "establishments", code, _version(connection, code), "lập nhầm")
        self.now(code, state="ended")

    @precondition(lambda self: self.having("ended"))
    @rule(data=st.data())
    def bring_record_back(self, data: st.DataObject) -> None:
        code = self.pick(data, self.having("ended"))
        with self.writing("có thật") as connection:
            records.bring_back(connection, "establishments", code, _version(connection, code))
        self.now(code, state="active")

    @precondition(lambda self: self.having(*LIVING))
    @rule(data=st.data())
    def warn(self, data: st.DataObject) -> None:
        code, headline = self.pick(data, self.having(*LIVING)), f"Cảnh báo {next(NUMBER)}"
        values = {"establishment": code, "issued_on": today().isoformat(), "headline": headline, "agency": "Đoàn thử",
                  "source": "office"}  # fmt: skip
        with self.writing("cảnh báo") as connection:
            records.create(connection, "warnings", values, ward_id=self.ground.officer.ward_id)
        self.now(code, warnings=(*self.world.shops[code].warnings, (headline, None)))

    @precondition(lambda self: self.having(*LIVING, warned=True))
    @rule(data=st.data())
    def reply(self, data: st.DataObject) -> None:
        """The owner's words, as they stand once they were reviewed."""
        code, said = self.pick(data, self.having(*LIVING, warned=True)), f"Đã khắc phục {next(NUMBER)}"
        headline = data.draw(st.sampled_from([headline for headline, _ in self.world.shops[code].warnings]))
        with self.writing("ý kiến chủ cơ sở") as connection:
            warning = self._warning(connection, headline)
            version = records.version(connection, "warnings", warning)
            words = {"reply": said, "replied_on": today().isoformat()}
            records.change(connection, "warnings", warning, version or 0, words)
        known = self.world.shops[code].warnings
        self.now(code, warnings=tuple((each, said if each == headline else reply) for each, reply in known))

    @precondition(lambda self: self.having(*LIVING, warned=True))
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        code = self.pick(data, self.having(*LIVING, warned=True))
        headline = data.draw(st.sampled_from([headline for headline, _ in self.world.shops[code].warnings]))
        with self.writing("đã xong") as connection:
            warning = self._warning(connection, headline)
            version = records.version(connection, "warnings", warning)
            records.change(connection, "warnings", warning, version or 0, {"lifted_on": today().isoformat()})
        self.now(code, warnings=tuple(each for each in self.world.shops[code].warnings if each[0] != headline))

    def _warning(self, connection: Any, headline: str) -> str:
        asked = text("SELECT code FROM published.warnings WHERE headline = :headline")
        return str(connection.execute(asked, {"headline": headline}).scalar_one())

    @precondition(lambda self: self.having(*LIVING) and len(self.world.tags) < 12)
    @rule(data=st.data())
    def print_run(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.having(*LIVING)), min_size=1, max_size=2, unique=True))
        self.print_stickers(*chosen)

    def print_stickers(self, *wanted: str) -> None:
        with prepare_as(self.database, self.ground.officer) as connection:
            run = stickers.make_run(connection, self.secrets, self._order(), wanted, only_missing=False)
        self._note_run(run, list(wanted))

    def _order(self) -> RunOrder:
        officer = self.ground.officer
        return RunOrder(officer.ward_id, officer.staff_id, f"lives {next(NUMBER)}", "chosen", {}, "a4_10", 10)

    def _note_run(self, run: int, wanted: list[str], replaces: str | None = None) -> None:
        with self.database.owner.connect() as connection:
            asked = text("SELECT serial, key_version FROM register.sticker WHERE run_id = :run ORDER BY position")
            made = connection.execute(asked, {"run": run}).all()
        assert len(made) == len(wanted)
        for code, (serial, key) in zip(wanted, made, strict=True):
            assert serial not in self.world.tags
            self.world.tags[serial] = Tag(code, key, replaces=replaces)
            self.world.key = max(self.world.key, key)

    @precondition(lambda self: self.tagged(*OPEN_STATES))
    @rule(data=st.data())
    def move_sticker(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.tagged(*OPEN_STATES)))
        tag = self.world.tags[serial]
        possible = [state for state, before in stickers.MOVES.items() if tag.state in before and state != "replaced"]
        self._move(serial, data.draw(st.sampled_from(possible)))

    def _move(self, serial: str, state: str) -> None:
        me = self.ground.officer
        with prepare_as(self.database, me) as connection:
            asked = text("SELECT version FROM register.sticker WHERE serial = :serial")
            version = connection.execute(asked, {"serial": serial}).scalar_one()
            stickers.move(connection, serial, state, version, me.staff_id)
        tag = self.world.tags[serial]
        self.world.tags[serial] = replace(tag, state=state)
        old = self.world.tags.get(tag.replaces or "")
        if state == "installed" and tag.replaces and old and old.state == "installed":
            self.world.tags[tag.replaces] = replace(old, state="replaced")

    @precondition(lambda self: self.tagged(*stickers.MOVES))
    @rule(data=st.data())
    def find_misused(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.tagged(*stickers.MOVES)))
        with prepare_as(self.database, self.ground.officer) as connection:
            stickers.note(connection, serial, "misused", self.ground.officer.staff_id, "sao chép")
        self.world.tags[serial] = replace(self.world.tags[serial], misused=True)

    @precondition(lambda self: self.tagged("installed", "lost") and len(self.world.tags) < 16)
    @rule(data=st.data(), hang=st.booleans())
    def replace_sticker(self, data: st.DataObject, hang: bool) -> None:
        serial = data.draw(st.sampled_from(self.tagged("installed", "lost")))
        with prepare_as(self.database, self.ground.officer) as connection:
            run = stickers.replace(connection, self.secrets, self._order(), serial)
        self._note_run(run, [self.world.tags[serial].code], serial)
        if hang:
            self._move(list(self.world.tags)[-1], "installed")

    @precondition(lambda self: self.world.key < FIRST_KEYS)
    @rule()
    def rotate_keys(self) -> None:
        self._keep_signed()
        signing.rotate_key(self.database)
        with self.database.owner.begin() as connection:
            self.world.key = stickers.rotate_key(connection, self.secrets)

    @precondition(lambda self: len(self.backups) < 3)
    @rule()
    def back_up(self) -> None:
        folder = self.ground.folder / str(next(NUMBER))
        write_backup(self.database, folder)
        self.backups.append((folder, deepcopy(self.world)))

    @precondition(lambda self: self.backups and self.restored < 2)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """The register is as it was then; what hangs on doors is as it is now."""
        folder, then = data.draw(st.sampled_from(self.backups))
        assert self.lane is not None
        self.lane.__exit__(None, None, None)
        self.lane = None
        database = self.ground.database(None)
        read_backup(database, folder)
        self.open_register(database)
        known, self.restored = deepcopy(then), self.restored + 1
        known.lost |= self.world.lost | (self.world.shops.keys() - known.shops.keys())
        for serial, tag in self.world.tags.items():
            known.tags.setdefault(serial, replace(tag, listed=False))
        self.world = known

    def pick(self, data: st.DataObject, among: list[str], but: str = "") -> str:
        return data.draw(st.sampled_from([code for code in among if code != but]))

    def _keep_signed(self) -> None:
        """A record as somebody may have kept it who verifies it years later."""
        for code in self.having(*LIVING)[:1]:
            answer = self.app.get(f"/q/{code}.jws")
            assert answer.status_code == 200, answer.text
            self.signed.append(answer.text)

    @invariant()
    def every_signed_record_can_be_verified(self) -> None:
        keys = self.app.get("/.well-known/jwks.json").json()
        for record in self.signed:
            signing.verify(record, keys, time.time())

    @invariant()
    def every_code_answers_right(self) -> None:
        assert self.lane is not None
        STEPS["steps"] += 1
        for code in (*self.world.shops, *self.world.lost):
            self._answers(self.app, code)
        for beside, away in ((self.lane, False), (self.away, True)):
            for code in (*self.world.shops, *self.world.lost):
                _soon(lambda b=beside, c=code, a=away: self._answers(b, c, away=a))

    def _answers(self, web: TestClient, code: str, *, away: bool = False) -> None:
        scanned = [None, *(serial for serial, tag in self.world.tags.items() if tag.code == code)]
        for serial in scanned:
            page = _open(web, code, self._token(serial))
            STEPS["pages"] += 1
            self._right_page(page, code, serial, away=away)
        self._right_data(_open(web, f"{code}.json"), code, away=away)

    def _token(self, serial: str | None) -> str | None:
        if serial is None:
            return None
        tag = self.world.tags[serial]
        return serial + sticker_marks.mark(self.secrets.sticker_key(tag.key)[0], tag.code, serial)

    def _end(self, code: str) -> str:
        """The code whose page stands at the end of merges."""
        while (shop := self.world.shops[code]).state == "merged":
            code = str(shop.successor)
        return code

    def _right_page(self, page: httpx.Response, code: str, serial: str | None, *, away: bool) -> None:
        shown = unescape(page.text)
        assert FALSE not in shown, "a sticker of ours is called false"
        if code in self.world.lost:
            assert page.status_code == (503 if away else 404)
            assert codes.display(code) in shown and 'name="code"' in shown
            assert serial is None or away or ("mang dấu của phường" in shown and "có thể là giả" not in shown)
            assert not any(f">{shop.name}</h1>" in shown for shop in self.world.shops.values())
            return
        shop, end = self.world.shops[self._end(code)], self._end(code)
        if shop.state == "ended":
            assert page.status_code == 410 and codes.display(end) in shown and 'name="code"' in shown
            return
        assert page.status_code == 200
        assert f">{shop.name}</h1>" in shown
        assert not any(f">{other.name}</h1>" in shown for other in self.world.shops.values() if other.name != shop.name)
        self._right_status(shown, shop)
        self._right_warnings(shown, shop)
        merged = end != code
        assert (f"Mã {codes.display(code)}" in shown) is merged
        self._right_notice(shown, serial, away=away)

    def _right_status(self, shown: str, shop: Shop) -> None:
        marks = {"suspended": "tạm ngừng", "closed": "đã đóng cửa", "moved": "đã chuyển"}
        said = shown.partition("<h1")[0]
        for state, words in marks.items():
            assert (words in said.casefold()) is (shop.state == state), (state, shop)
        if shop.closed_on is not None:
            assert format_date(shop.closed_on) in said
        if shop.state == "moved":
            assert f'href="/q/{shop.successor}"' in said

    def _right_warnings(self, shown: str, shop: Shop) -> None:
        body = shown[shown.index("<body>") :]
        assert body.startswith('<body>\n<section class="warning"') is bool(shop.warnings)
        above = body.partition("<header>")[0]
        for headline, reply in shop.warnings:
            assert headline in above
            assert reply is None or above.index(headline) < above.index(reply)
            assert reply is None or f"({format_date(today())})" in above
        others = {each[0] for other in self.world.shops.values() for each in other.warnings} - {
            w[0] for w in shop.warnings
        }
        assert not any(f">{headline}<" in shown for headline in others)
        assert not shop.warnings or 'class="fact good"' not in body

    def _right_notice(self, shown: str, serial: str | None, *, away: bool) -> None:
        notice = shown.partition("<main")[2].partition("<h1")[0]
        tag = self.world.tags.get(serial or "")
        if tag is None:
            assert "Tem này" not in notice and "trên tem" not in notice
        elif not tag.listed:
            assert UNLISTED in notice or (away and "chưa kiểm tra được" in notice)
        elif tag.state in NOTICES:
            assert NOTICES[tag.state] in notice and format_date(today()) in notice
        else:
            assert not any(words in notice for words in NOTICES.values())
            assert "Tem này" not in notice and f"số tem {serial}" in shown
        assert ("sao chép hoặc dán sai chỗ" in notice) is bool(tag and tag.listed and tag.misused)

    def _right_data(self, data: httpx.Response, code: str, *, away: bool) -> None:
        if code in self.world.lost:
            assert data.status_code == (503 if away else 404)
            return
        end = self._end(code)
        shop = self.world.shops[end]
        if shop.state == "ended":
            assert data.status_code == (503 if away else 410)
            return
        told = data.json()
        assert data.status_code == 200
        assert (told["code"], told["name"], told["operating_status"]) == (end, shop.name, shop.state)
        assert told["live_warning"] is bool(shop.warnings)
        assert {each["headline"] for each in told["warnings"]} == {headline for headline, _ in shop.warnings}
        assert {each["reply"] for each in told["replies"]} == {reply for _, reply in shop.warnings if reply}
        assert told["closed_on"] == (shop.closed_on and shop.closed_on.isoformat())
        assert told.get("moved_to") == (shop.successor if shop.state == "moved" else None)
        assert ("saved_at" in told) is away


def _client(app: Any) -> TestClient:
    return TestClient(app, headers={"Accept": "text/html"}, follow_redirects=False, raise_server_exceptions=False)


def _version(connection: Any, code: str) -> int:
    found = records.version(connection, "establishments", code)
    assert found is not None
    return found


def _open(web: TestClient, code: str, token: str | None = None) -> httpx.Response:
    """The page at the end of redirects, as a phone follows them."""
    answer = web.get(f"/q/{code}" + (f"?t={token}" if token else ""))
    for _ in range(12):
        if answer.status_code not in (307, 308):
            return answer
        answer = web.get(answer.headers["location"])
    raise AssertionError(f"{code} leads round and round")


def _soon(right: Callable[[], None]) -> None:
    end = time.monotonic() + LATE_S
    while True:
        try:
            right()
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
