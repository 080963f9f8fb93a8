"""The state that streamed exports name: whoever reads one state reads the same, and what nobody sees moves it not."""

import random
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from layers.collections import COLLECTIONS
from layers.standing import state_read
from mapservice.reading import reading_long
from postgis.actor import write_as, write_own_account
from postgis.engine import Database
from postgis.migrate import upgrade
from postgis.store import lookup_days, records, sessions
from postgis.store.imports_apply import apply
from postgis.today import today
from tests.import_batches import SECRETS, add_batch, new_place, row
from tests.register_api import Api, register_api
from tests.small_ward import WARD

SECONDS = 12.0


@pytest.fixture(scope="module")
def api(server: Database, base_database: Database) -> Iterator[Api]:
    with register_api(server, base_database, "standing", places=6) as found:
        yield found


def state(api: Api) -> str:
    with reading_long(api.database, None, 60) as connection:
        return state_read(connection)


def as_owner(statement: str) -> Callable[[Api], None]:
    def write(api: Api) -> None:
        with api.database.owner.begin() as connection:
            connection.execute(text(statement))

    return write


def edit(api: Api, name: str | None = None) -> None:
    place = api.ward.places[0]
    with write_as(api.database, api.actors["officer"], reason="thử") as connection:
        version = records.version(connection, "establishments", place)
        assert version is not None
        values = {"name": name or f"Quán {random.random()}"}
        records.change(connection, "establishments", place, version, values)


def import_places(api: Api) -> None:
    officer = api.actors["officer"]
    apply(api.database, SECRETS, officer, add_batch(api.database, officer, [row([new_place(WARD, 77)])]))


MOVING: dict[str, Callable[[Api], None]] = {
    "edit": edit,
    "edit of nothing": lambda api: edit(api, "Quán Như Cũ"),
    "record that changes nothing": as_owner("UPDATE register.licence SET kind = kind"),
    "model site that changes nothing": as_owner("UPDATE register.model_site SET name = name"),
    "warning": as_owner("UPDATE register.warning SET lifted_on = current_date WHERE lifted_on IS NULL"),
    "import": import_places,
    "base data": as_owner(
        "UPDATE register.street SET name = name || '.' WHERE id = (SELECT min(id) FROM register.street)"
    ),
    "residential groups": as_owner("UPDATE register.residential_group SET name = name || '.'"),
    "upgrade": lambda api: upgrade(api.database) and None,
}


@pytest.mark.parametrize("name", MOVING)
def test_what_may_be_seen_moves_it(api: Api, name: str) -> None:
    edit(api, "Quán Như Cũ")
    before = state(api)
    MOVING[name](api)
    assert state(api) != before


def sign_in(api: Api) -> None:
    with write_own_account(api.database, api.actors["officer"].staff_id) as connection:
        assert sessions.find(connection, sessions.start(connection, api.actors["officer"].staff_id))
    as_owner("UPDATE account.staff SET failed_logins = failed_logins + 1")(api)


def look_up(api: Api) -> None:
    with api.database.staff.begin() as connection:
        lookup_days.add(connection, today(), {api.ward.places[0]: 3})


def report(api: Api) -> None:
    sent = {"kind": "hygiene", "words": "Sàn bếp rất bẩn, thấy sáng nay."}
    answer = api.client.post(
        f"/q/{api.ward.places[1]}/report", data=sent, files={"photo": ("", b"")}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text


def keep_house(api: Api) -> None:
    with api.database.owner.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM (ANALYZE) register.establishment"))
        connection.execute(text("SELECT pg_current_xact_id()"))


UNSEEN: dict[str, Callable[[Api], None]] = {
    "nothing": lambda _: None,
    "sign-in": sign_in,
    "look-ups": look_up,
    "sticker": as_owner(
        "INSERT INTO register.sticker_event (sticker_id, kind) SELECT id, 'seen' FROM register.sticker"
    ),
    "report": report,
    "housekeeping": keep_house,
    "edit that hits nothing": as_owner("UPDATE register.establishment SET name = name WHERE false"),
    "edit that is taken back": lambda api: _taken_back(api),
}


def _taken_back(api: Api) -> None:
    with api.database.owner.connect() as connection, connection.begin() as transaction:
        connection.execute(text("UPDATE register.establishment SET name = name || '.'"))
        connection.execute(text("UPDATE register.ward SET name = name || '.'"))
        transaction.rollback()


@pytest.mark.parametrize("name", UNSEEN)
def test_what_nobody_sees_does_not_move_it(api: Api, name: str) -> None:
    before = state(api)
    UNSEEN[name](api)
    assert state(api) == before


def test_midnight_moves_it(api: Api) -> None:
    found = set()
    for zone in ("Etc/GMT+12", "Etc/GMT-14"):  # 26 hours apart: never the same day
        with reading_long(api.database, None, 60) as connection:
            connection.execute(text(f"SET LOCAL timezone = '{zone}'"))
            found.add(state_read(connection))
    assert len(found) == 2


def test_all_that_collections_read_is_watched(api: Api) -> None:
    """Each table behind a published collection has its changes in the history, or moves the mark, or follows those."""
    reads = text("""
        WITH RECURSIVE behind AS (
            SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'published'::regnamespace AND c.relname = ANY (:views)
            UNION
            SELECT d.refobjid FROM behind b
              JOIN pg_rewrite r ON r.ev_class = b.oid
              JOIN pg_depend d ON d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
        )
        SELECT c.relname,
               EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname IN ('note_changed', 'move_mark'))
          FROM behind b JOIN pg_class c ON c.oid = b.oid WHERE c.relkind = 'r'
    """)
    with api.database.owner.connect() as connection:
        views = [collection.view.name for collection in COLLECTIONS.values()]
        found = dict(connection.execute(reads, {"views": views}).tuples().all())
    assert len(found) > 8
    assert {name for name, watched in found.items() if not watched} <= {"establishment_fact"}


CONTENT = text("""
    SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
        SELECT row_to_json(e)::text AS line FROM published.establishments e
        UNION ALL SELECT row_to_json(l)::text FROM published.licences l
        UNION ALL SELECT row_to_json(i)::text FROM published.inspections i
        UNION ALL SELECT row_to_json(w)::text FROM published.warnings w
        UNION ALL SELECT row_to_json(m)::text FROM published.model_sites m
        UNION ALL SELECT row_to_json(g)::text FROM published.residential_groups g
        UNION ALL SELECT name FROM published.streets WHERE id = (SELECT min(id) FROM published.streets)
    ) AS lines
""")

_STATEMENTS = (
    "UPDATE register.establishment SET name = 'Quán ' || random() WHERE code = :place",
    "UPDATE register.establishment SET name = name WHERE code = :place",
    "UPDATE register.licence SET checked_on = checked_on WHERE code = :licence",
    "UPDATE register.licence SET issuer = 'Nơi cấp ' || random() WHERE code = :licence",
    "UPDATE register.warning SET lifted_on = CASE WHEN lifted_on IS NULL THEN current_date END",
    "UPDATE register.model_site SET name = name",
    "UPDATE register.street SET name = 'Đường ' || random() WHERE id = (SELECT min(id) FROM register.street)",
    "UPDATE register.residential_group SET name = 'Tổ ' || random()",
    "UPDATE account.staff SET failed_logins = failed_logins + 1",
)


def _scribble(api: Api, seed: int, end: float) -> None:
    """Transactions of one to three writes, taken back or kept, with pauses in which others come between."""
    rng = random.Random(seed)
    while time.monotonic() < end:
        with api.database.owner.connect() as connection, connection.begin() as transaction:
            # Every writer of the history takes its turn first; base data is written without.
            statements = rng.choices(_STATEMENTS, k=rng.randint(1, 3)) if rng.random() < 0.6 else [_STATEMENTS[6]]
            if statements != [_STATEMENTS[6]]:
                connection.execute(text("SELECT pg_advisory_xact_lock(20257002)"))
            for statement in statements:
                values = {"place": rng.choice(api.ward.places), "licence": rng.choice(api.ward.codes["licences"])}
                connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
                time.sleep(rng.random() * 0.02)
            if rng.random() < 0.2:
                transaction.rollback()
        time.sleep(rng.random() * 0.03)


def _read(connection: Connection, rng: random.Random) -> tuple[str, str]:
    """State and content of one snapshot, in either order."""
    if rng.random() < 0.5:
        named = state_read(connection)
        time.sleep(rng.random() * 0.01)
        return named, connection.execute(CONTENT).scalar_one()
    content = connection.execute(CONTENT).scalar_one()
    time.sleep(rng.random() * 0.01)
    return state_read(connection), content


def test_one_state_is_one_content_however_writes_interleave(api: Api) -> None:
    """Readers among writers, each of one snapshot: whenever two name the same state, they have read the same."""
    end, failed = time.monotonic() + SECONDS, []
    seen: dict[str, set[str]] = {}
    again = [0]

    def read(seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < end:
            with reading_long(api.database, None, 60) as connection:
                named, content = _read(connection, rng)
            if named in seen:
                again[0] += 1
            seen.setdefault(named, set()).add(content)

    def guarded(work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(_scribble, api, seed, end)) for seed in range(4)]
    threads += [threading.Thread(target=guarded, args=(read, seed)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(seen) > 30 and again[0] > 30
    assert [named for named, contents in seen.items() if len(contents) > 1] == []
