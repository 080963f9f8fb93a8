"""Stickers: marks that only the key makes, runs that never give a serial twice, states that never go back."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from layers.stickers import KEYS_AHEAD, judge
from postgis import codes, sticker_marks, tables
from postgis.actor import Actor, prepare_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import InvalidValues, NotFound, Stale
from postgis.secrets import KEY_BYTES, Secrets
from postgis.store import stickers
from postgis.store.stickers import RunOrder
from tests.small_ward import OTHER_WARD, SmallWard, add_staff, fill

KEY = Secrets(bytes(range(KEY_BYTES)))
OTHER_KEY = Secrets(bytes(KEY_BYTES))
PLACES = 24


class World:
    """A ward with places, and two officers."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.officer = add_staff(database, "officer", "officer")
        self.colleague = add_staff(database, "colleague", "officer")
        self.stranger = add_staff(database, "stranger", "officer", OTHER_WARD)
        self.ward: SmallWard = fill(database, self.officer, PLACES)
        with database.owner.begin() as connection:  # without the sticker of the small ward, whose key is nobody's
            for table in ("sticker_event", "sticker", "sticker_print", "sticker_run", "sticker_key"):
                connection.execute(text(f"DELETE FROM register.{table}"))

    def order(self, key: str, actor: Actor | None = None, per_page: int = 10) -> RunOrder:
        actor = actor or self.officer
        return RunOrder(actor.ward_id, actor.staff_id, key, "chosen", {}, "a4_10", per_page)

    def run(self, key: str, places: list[str] | None = None, *, only_missing: bool = False) -> int:
        with prepare_as(self.database, self.officer) as connection:
            wanted = self.ward.places if places is None else places
            return stickers.make_run(connection, KEY, self.order(key), wanted, only_missing=only_missing)

    def serials(self, run: int) -> list[str]:
        with self.database.owner.connect() as connection:
            asked = select(tables.sticker.c.serial).where(tables.sticker.c.run_id == run)
            return list(connection.execute(asked.order_by(tables.sticker.c.position)).scalars())

    def move(self, serial: str, state: str, version: int, words: str | None = None) -> None:
        with prepare_as(self.database, self.officer) as connection:
            stickers.move(connection, serial, state, version, self.officer.staff_id, words=words)


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "stickers", template="base")
    yield World(own)
    own.dispose()
    drop_database(server, "stickers")


def token(code: str, serial: str, version: int = 1, secrets: Secrets = KEY) -> str:
    return serial + sticker_marks.mark(secrets.sticker_key(version)[0], code, serial)


@pytest.fixture
def public(world: World) -> Iterator[Connection]:
    with world.database.public.connect() as connection:
        yield connection


def test_a_run_fixes_who_gets_which_serial(world: World) -> None:
    run = world.run("fixed")
    serials = world.serials(run)
    assert len(set(serials)) == PLACES
    assert all(sticker_marks.canonical(serial.lower()) == serial for serial in serials)
    assert world.run("fixed") == run  # the form sent twice
    with world.database.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT e.code FROM register.sticker s JOIN register.establishment e ON e.id = s.establishment_id "
                 "WHERE s.run_id = :run ORDER BY s.position"), {"run": run},
        )  # fmt: skip
        assert list(rows.scalars()) == world.ward.places
        kinds = connection.execute(
            text("SELECT kind, staff_id, count(*) FROM register.sticker_event v JOIN register.sticker s "
                 "ON s.id = v.sticker_id WHERE s.run_id = :run GROUP BY 1, 2"), {"run": run},
        )  # fmt: skip
        assert kinds.all() == [("printed", world.officer.staff_id, PLACES)]


def test_places_that_have_a_sticker_are_left_out_where_asked(world: World) -> None:
    first = world.ward.places[:5]
    run = world.run("some", first)
    assert len(world.serials(run)) == 5
    with pytest.raises(InvalidValues) as refused:
        world.run("none left", only_missing=True)
    assert [(error.field, error.code) for error in refused.value.errors] == [("places", "all_have_stickers")]
    for serial in world.serials(run):
        world.move(serial, "spoilt", 1, "lem mực")
    assert world.run("some again", first) != run


def test_a_code_of_another_ward_is_refused(world: World) -> None:
    with prepare_as(world.database, world.stranger) as connection, pytest.raises(NotFound):
        order = world.order("stranger", world.stranger)
        stickers.make_run(connection, KEY, order, world.ward.places, only_missing=False)


def test_two_officers_at_once_never_print_a_serial_twice(world: World) -> None:
    run = world.run("both")
    taken: list[tuple[int, int]] = []
    start = threading.Barrier(2)

    def take(actor: Actor) -> None:
        start.wait()
        while True:
            try:
                with prepare_as(world.database, actor) as connection:
                    made = stickers.take_pages(connection, run, 1, actor.staff_id)
                    pages = tables.sticker_print.c
                    asked = select(pages.first_page, pages.last_page).where(pages.id == made)
                    first, last = connection.execute(asked).one()
            except InvalidValues:
                return
            taken.append((first, last))

    with world.database.owner.begin() as connection:  # more pages than anybody could take before the other starts
        connection.execute(text("ALTER TABLE register.sticker_run DISABLE TRIGGER guard"))
        connection.execute(text("UPDATE register.sticker_run SET pages = 30 WHERE id = :run"), {"run": run})
        connection.execute(text("ALTER TABLE register.sticker_run ENABLE TRIGGER guard"))
    both = [threading.Thread(target=take, args=(actor,)) for actor in (world.officer, world.colleague)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(taken) == [(page, page) for page in range(1, 31)]


def test_two_officers_who_ask_for_the_same_places_share_them(world: World) -> None:
    with world.database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.sticker SET state = 'withdrawn' WHERE state IN ('printed', 'installed')")
        )
    got: list[list[str]] = []
    refused: list[str] = []
    start = threading.Barrier(2)

    def ask(actor: Actor, places: list[str]) -> None:
        start.wait()
        try:
            with prepare_as(world.database, actor) as connection:
                order = world.order(f"share {actor.login}", actor)
                run = stickers.make_run(connection, KEY, order, places, only_missing=True)
            got.append(world.serials(run))
        except InvalidValues as invalid:
            refused.append(invalid.errors[0].code)

    both = [threading.Thread(target=ask, args=(who, world.ward.places)) for who in (world.officer, world.colleague)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert [len(serials) for serials in got] == [PLACES] and refused == ["all_have_stickers"]


def test_a_run_that_was_cut_off_goes_on_and_its_pages_can_be_printed_again(world: World) -> None:
    run, me = world.run("cut off"), world.officer.staff_id
    with prepare_as(world.database, world.officer) as connection:
        first = stickers.take_pages(connection, run, 2, me)
        with pytest.raises(InvalidValues):
            stickers.print_again(connection, run, 2, 3, "kẹt giấy", me)
    with prepare_as(world.database, world.officer) as connection:
        again = stickers.print_again(connection, run, 2, 2, "kẹt giấy", me)
        rest = stickers.take_pages(connection, run, 50, me)
        with pytest.raises(InvalidValues):
            stickers.take_pages(connection, run, 1, me)
    with world.database.owner.connect() as connection:
        asked = text(
            "SELECT first_page, last_page, reason FROM register.sticker_print WHERE id = ANY (:ids) ORDER BY id"
        )
        rows = connection.execute(asked, {"ids": [first, again, rest]}).all()
    assert rows == [(1, 2, None), (2, 2, "kẹt giấy"), (3, 3, None)]


def test_states_go_one_way(world: World) -> None:
    serial, other, third = world.serials(world.run("states"))[:3]
    world.move(serial, "installed", 1)
    with pytest.raises(Stale):
        world.move(serial, "lost", 1)
    with pytest.raises(InvalidValues):
        world.move(serial, "spoilt", 2)
    world.move(serial, "lost", 2)
    for state in ("installed", "withdrawn", "replaced", "spoilt", "lost"):
        with pytest.raises(InvalidValues):
            world.move(serial, state, 3)
    world.move(other, "withdrawn", 1, "cơ sở đóng cửa")
    with world.database.owner.connect() as connection:
        asked = text("SELECT kind FROM register.sticker_event v JOIN register.sticker s ON s.id = v.sticker_id "
                     "WHERE s.serial = :serial ORDER BY v.id")  # fmt: skip
        assert list(connection.execute(asked, {"serial": serial}).scalars()) == ["printed", "installed", "lost"]
    for statement in (
        "UPDATE register.sticker SET state = 'installed' WHERE serial = :gone",
        "UPDATE register.sticker SET state = 'printed' WHERE serial = :gone",
        "UPDATE register.sticker SET serial = '22223' WHERE serial = :third",
        "UPDATE register.sticker_event SET kind = 'seen'",
        "INSERT INTO register.sticker_event (sticker_id, kind) SELECT id, 'seen' FROM register.sticker LIMIT 1",
        "UPDATE register.sticker_run SET stickers = stickers + 1",
        "UPDATE register.sticker_run SET pages_taken = pages_taken - 1 WHERE pages_taken > 0",
    ):
        with prepare_as(world.database, world.officer) as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement), {"gone": serial, "third": third})
        assert getattr(refused.value.orig, "pgcode", None) == "42501", statement
        # The transaction is gone: `prepare_as` would commit it.


def test_the_old_one_hangs_until_the_new_one_is_installed(world: World) -> None:
    old = world.serials(world.run("to be replaced"))[0]
    world.move(old, "installed", 1)
    with prepare_as(world.database, world.officer) as connection:
        run = stickers.replace(connection, KEY, world.order("in its place"), old)
        assert stickers.replace(connection, KEY, world.order("in its place"), old) == run
    (new,) = world.serials(run)
    states = {old: "installed", new: "printed"}
    with world.database.public.connect() as connection:
        asked = text("SELECT serial, state FROM published.stickers WHERE serial = ANY (:both)")
        assert dict(connection.execute(asked, {"both": [old, new]}).all()) == states
    world.move(new, "installed", 1)
    with world.database.public.connect() as connection:
        states = dict(connection.execute(asked, {"both": [old, new]}).all())
    assert states == {old: "replaced", new: "installed"}


def test_a_mark_is_good_for_one_code_and_one_serial(world: World, public: Connection) -> None:
    serials = world.serials(world.run("marks"))
    code, other = world.ward.places[:2]
    good = token(code, serials[0])
    found = judge(public, KEY, code, good)
    assert (found.verdict, found.serial, found.state) == ("genuine", serials[0], "printed")
    assert judge(public, KEY, code, f" {good.lower()} ").verdict == "genuine"
    assert judge(public, KEY, other, good).verdict == "false"
    assert judge(public, KEY, code, serials[1] + good[5:]).verdict == "false"
    for wrong in ("", "?", good[:9], good + "2", "0" * 10, good * 50, "ＡＡＡ", "\x00" * 10):
        assert judge(public, KEY, code, wrong).verdict == "false", wrong
    # Made with the key, but in no list: the register was restored from before.
    unknown = next(serial for n in range(99) if (serial := sticker_marks.new_serial(random.Random(n))) not in serials)
    assert judge(public, KEY, code, token(code, unknown)).verdict == "unlisted"


def test_nobody_is_accused_when_the_key_was_lost(world: World, public: Connection) -> None:
    serial = world.serials(world.run("lost key"))[0]
    code = world.ward.places[0]
    assert judge(public, OTHER_KEY, code, token(code, serial)).verdict == "unchecked"
    assert judge(public, None, code, token(code, serial)).verdict == "unchecked"
    with world.database.owner.connect() as connection:
        stickers_made = connection.execute(text("SELECT count(*) FROM register.sticker")).scalar_one()
        assert stickers.keys_lacking(connection, KEY) == (0, 0)
        for lost in (OTHER_KEY, None):
            assert stickers.keys_lacking(connection, lost) == (1, stickers_made)


def test_older_keys_stay_recognised(world: World, public: Connection) -> None:
    code, old = world.ward.places[0], world.serials(world.run("before rotation"))[0]
    with world.database.owner.begin() as connection:
        version = stickers.rotate_key(connection, KEY)
    new = world.serials(world.run("after rotation"))[0]
    assert judge(public, KEY, code, token(code, old, version - 1)).verdict == "genuine"
    assert judge(public, KEY, code, token(code, new, version)).verdict == "genuine"
    # Made after the backup that the register was put back from, key and all: nobody is accused.
    assert judge(public, KEY, code, token(code, new, version + 1)).verdict == "unlisted"
    assert judge(public, KEY, code, token(code, new, version + KEYS_AHEAD + 1)).verdict == "false"
    assert judge(public, None, code, token(code, new, version + 1)).verdict == "unchecked"
    assert KEY.sticker_key(1)[0] != KEY.sticker_key(2)[0]


def test_of_a_hundred_thousand_random_and_mutated_marks_only_chance_gets_one_accepted(
    world: World, public: Connection
) -> None:
    """What a forger can do without the key: guess, change signs, take a mark to another place, mix two stickers."""
    dice = random.Random(20257)
    keys = [KEY.sticker_key(version)[0] for version in range(1, 101)]
    run = world.run("to be forged")
    versions = public.execute(text("SELECT max(version) FROM published.sticker_keys")).scalar_one()
    genuine = [
        code + serial + sticker_marks.mark(keys[versions - 1], code, serial)
        for code, serial in zip(world.ward.places, world.serials(run), strict=True)
    ]
    assert all(judge(public, KEY, one[:8], one[8:]).verdict == "genuine" for one in genuine)
    accepted = asked = 0
    for number in range(100_000):
        one = dice.choice(genuine)
        forged = _forged(dice, one, dice.choice(genuine), number % 5)
        code = codes.normalise(forged[:8])
        if forged in genuine or code is None:
            continue  # the check character has caught it
        asked += 1
        right = [sticker_marks.mark(key, code, forged[8:13]) == forged[13:] for key in keys[:versions]]
        accepted += any(right)
        # The register is asked for a share of them: each costs a round trip.
        if number % 50 == 0:
            assert (judge(public, KEY, code, forged[8:]).verdict == "false") == (not any(right))
    assert asked > 60_000
    # Places, and so marks, are made anew each time, and for each key one guess in 28 million is right: in about one run
    # of two hundred one is. Two of a run are no accident.
    assert accepted <= 1


def _forged(dice: random.Random, one: str, other: str, way: int) -> str:
    if way == 0:
        return one[:8] + "".join(dice.choices(codes.ALPHABET, k=10))
    if way == 1:
        return codes.new_code(dice) + one[8:]
    if way == 2:
        return one[:13] + other[13:]
    if way == 3:
        return other[:8] + one[8:]
    place = dice.randrange(8, len(one))
    return one[:place] + dice.choice(codes.ALPHABET) + one[place + 1 :]


def test_the_same_work_is_done_whatever_the_code_is(
    world: World, public: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timing tells nothing: as many marks and comparisons for codes and serials that exist as for others."""
    serial, code = world.serials(world.run("timing"))[0], world.ward.places[0]
    never = codes.new_code(random.Random(1))
    made: list[str] = []
    compared: list[int] = []
    mark, same = sticker_marks.mark, sticker_marks.same
    monkeypatch.setattr(sticker_marks, "mark", lambda *given: made.append(given[1]) or mark(*given))
    monkeypatch.setattr(sticker_marks, "same", lambda one, two: compared.append(1) or same(one, two))
    work = set()
    for at, t in (
        (code, token(code, serial)),
        (code, serial + "22222"),
        (never, "2222222222"),
        (code, "x"),
        (never, ""),
    ):
        made.clear()
        compared.clear()
        judge(public, KEY, at, t)
        work.add((len(made), len(compared)))
    assert len(work) == 1
    assert "compare_digest" in Path(sticker_marks.__file__).read_text()
