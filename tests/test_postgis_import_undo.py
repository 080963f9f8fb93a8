"""A batch is undone without harm to what people have changed since."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.store import life_cycle, personal_data, records
from postgis.store.changes import verify
from postgis.store.imports_apply import apply
from postgis.store.imports_undo import Undone, undo
from tests.import_batches import (
    SECRETS,
    add_batch,
    ask_undo,
    change,
    inspection,
    licence,
    new_entity,
    new_place,
    point,
    record,
    results,
    row,
)
from tests.small_ward import WARD, SmallWard, add_staff, fill

SHOWN = ("establishments", "licences", "inspections", "payment_acceptances")
PHONE = {"owner_phone": "0905123456"}


@pytest.fixture
def officer(database: Database) -> Actor:
    return add_staff(database, "officer", "officer")


@pytest.fixture
def small(database: Database, officer: Actor) -> Iterator[SmallWard]:
    yield fill(database, officer, 4)


def _published(connection: Connection) -> dict[str, list[Any]]:
    """All that the public sees, and what the entities hold, but for when it was last written."""
    found: dict[str, list[Any]] = {}
    for view in SHOWN:
        rows = connection.execute(text(f"SELECT to_jsonb(v) - 'updated_at' - 'version' FROM published.{view} v"))
        found[view] = sorted(rows.scalars(), key=str)
    found["legal_entities"] = sorted(
        tuple(row)
        for row in connection.execute(
            text("SELECT code, registered_name, legal_form, tax_code, registry_status FROM register.legal_entity "
                 "WHERE ended_at IS NULL")
        )
    )  # fmt: skip
    data = text("SELECT legal_entity_id, field, lookup_hash, ciphertext FROM register.personal_datum")
    found["personal_data"] = sorted((each[0], each[1], bytes(each[2])) for each in connection.execute(data))
    return found


def _state(database: Database) -> dict[str, list[Any]]:
    with database.owner.connect() as connection:
        return _published(connection)


def _whole(database: Database) -> None:
    with database.owner.connect() as connection:
        found = verify(connection)
    assert found.whole, found


def _undo(database: Database, actor: Actor, code: str, also: Sequence[str] = ()) -> Undone:
    ask_undo(database, actor, code, also)
    return undo(database, actor, code)


def _get(database: Database, actor: Actor, collection: str, code: str) -> records.Record:
    with read_as(database, actor) as connection:
        return records.get(connection, collection, code)


def _edit(database: Database, actor: Actor, collection: str, code: str, **values: Any) -> None:
    with write_as(database, actor, reason="sửa tay") as connection:
        found = records.get(connection, collection, code)
        records.change(connection, collection, code, found.version, values)


def _rows(small: SmallWard) -> list[dict[str, Any]]:
    """One of everything that a batch does."""
    one, two, three, _ = small.places
    return [
        row([new_entity(1), new_place(WARD, 1), licence(), inspection(),
             record("payment_acceptances", method="momo", accepted=True, evidence_level="declared",
                    checked_on="2026-03-02")], personal=PHONE),
        row([new_place(WARD, 2, name=None)]),
        row([change("establishments", one, {"name": "Quán Thử 0", "geometry": point(WARD) | {"coordinates": PLACED[0]},
                                            "position_method": "surveyed"},
                    {"name": "Quán Đổi", "geometry": point(WARD, 7), "position_method": "gps"}),
             change("legal_entities", small.entities[0], {"registered_name": "Hộ kinh doanh Thử 0"},
                    {"registered_name": "Hộ kinh doanh Đổi"}), licence(number="MỚI")],
            target=one, personal={"owner_email": "a@b.vn", "owner_phone": "0905000000"},
            changes=[{"field": "owner_phone", "before": "***", "after": "09*****000"}]),
        row([change("licences", small.codes["licences"][1], {"number": None}, {"number": "K-12"})], target=two),
        row([record("food_safety_records", kind="missing", checked_on="2026-06-01")], target=three),
    ]  # fmt: skip


PLACED = [[round(108.2136 + (number - 10) * 0.0003, 6), 16.0432] for number in range(4)]


def test_without_later_edits_all_is_as_before(database: Database, officer: Actor, small: SmallWard) -> None:
    before = _state(database)
    code = add_batch(database, officer, _rows(small))
    assert apply(database, SECRETS, officer, code).outcomes == {"applied": 4, "proposed": 1}
    assert _state(database) != before
    found = _undo(database, officer, code)
    assert found.kept == [] and found.first_seq is not None
    assert _state(database) == before
    with database.owner.connect() as connection:
        states = connection.execute(text("SELECT state FROM register.proposal WHERE source = 'import'")).scalars().all()
        ended = connection.execute(
            text("SELECT DISTINCT end_reason FROM register.establishment WHERE ended_at IS NOT NULL")
        ).scalars().all()  # fmt: skip
    assert states == ["withdrawn"] and ended == [f"nhập nhầm tệp [{code}]"]
    _whole(database)
    # Asked once more it stays as it is; applied once more from the same file, places are made anew.
    assert undo(database, officer, code) == found
    again = add_batch(database, officer, _rows(small))
    assert apply(database, SECRETS, officer, again).outcomes == {"applied": 4, "proposed": 1}
    codes = {values["code"] for _, values in results(database, code)[:2]}
    assert codes.isdisjoint({values["code"] for _, values in results(database, again)[:2]}), "no code is used twice"
    assert _undo(database, officer, again).kept == []
    assert _state(database) == before
    _whole(database)


def test_later_edits_win(database: Database, officer: Actor, small: SmallWard) -> None:
    rows = _rows(small)
    rows[1] = row([new_entity(2), new_place(WARD, 2), licence()])
    rows.append(row([new_entity(6), new_place(WARD, 6)], personal=PHONE))
    code = add_batch(database, officer, rows)
    apply(database, SECRETS, officer, code)
    made = [results(database, code)[number][1]["code"] for number in (0, 1, 5)]
    owners = [str(_get(database, officer, "establishments", place).values["legal_entity"]) for place in made]
    one = small.places[0]
    _edit(database, officer, "establishments", one, name="Sửa Tay")
    with write_as(database, officer, reason="sửa tay") as connection:
        # Under the first a visit; of the second the licence; to the third another place has moved; of an owner a phone.
        visit = {
            "establishment": made[0],
            "kind": "visit",
            "done_on": "2026-05-05",
            "topic": "Thăm",
            "source": "office",
        }
        records.create(connection, "outreach", visit, ward_id=officer.ward_id)
        other = records.get(connection, "establishments", small.places[3])
        life_cycle.move(connection, other.code, other.version, to=made[2])
        personal_data.keep(connection, SECRETS, small.entities[0], "owner_email", "khac@b.vn")
    theirs = _one(database, "SELECT l.code FROM register.licence l JOIN register.establishment e "
                            "ON e.id = l.establishment_id WHERE e.code = :code", code=made[1])  # fmt: skip
    _edit(database, officer, "licences", theirs, number="SỬA")
    found = _undo(database, officer, code)
    kept = {(each["collection"], each["code"]): (each["fields"], each["why"]) for each in found.kept}
    assert kept == {
        ("establishments", one): (["name"], "edited"),
        ("establishments", made[0]): (None, "edited"),
        ("establishments", made[1]): (None, "edited"),
        ("licences", theirs): (None, "edited"),
        ("establishments", made[2]): (None, "in_use"),
        ("legal_entities", owners[0]): (None, "in_use"),
        ("legal_entities", owners[1]): (None, "in_use"),
        ("legal_entities", owners[2]): (None, "in_use"),
        ("legal_entities", small.entities[0]): (["owner_email"], "edited"),
    }
    now = _get(database, officer, "establishments", one).values
    assert (
        now["name"] == "Sửa Tay"
        and now["geometry"]["coordinates"] == PLACED[0]
        and now["position_method"] == "surveyed"
    )
    assert (
        _get(database, officer, "legal_entities", small.entities[0]).values["registered_name"] == "Hộ kinh doanh Thử 0"
    )
    with read_as(database, officer) as connection:
        for place in made:
            assert not records.get(connection, "establishments", place).ended
        assert not records.get(connection, "licences", theirs).ended
        assert records.of_places(connection, "inspections", [made[0]]), "what was made of a kept place is kept with it"
        assert personal_data.find_by_identifier(connection, SECRETS, "0905123456") == sorted([owners[0], owners[2]])
        masks = {each.field: each.mask for each in personal_data.masked(connection, small.entities[0])}
        assert masks["owner_phone"] == "***", "as it was before the batch"
    _whole(database)


def test_a_person_undoes_nevertheless(database: Database, officer: Actor, small: SmallWard) -> None:
    code = add_batch(database, officer, _rows(small))
    apply(database, SECRETS, officer, code)
    made = [values["code"] for _, values in results(database, code)[:2]]
    _edit(database, officer, "establishments", made[0], name="Sửa Tay")
    _edit(database, officer, "establishments", made[1], name="Sửa Tay Nữa")
    _edit(database, officer, "establishments", small.places[0], name="Sửa Tay")
    number = small.codes["licences"][1]
    _edit(database, officer, "licences", number, number="SỬA")
    second = add_staff(database, "second", "approver")
    found = _undo(database, second, code, also=[made[0], small.places[0], f"licences:{number}"])
    assert found.kept == [{"collection": "establishments", "code": made[1], "fields": None, "why": "edited"}]
    assert _get(database, officer, "establishments", made[0]).ended
    assert not _get(database, officer, "establishments", made[1]).ended
    assert _get(database, officer, "establishments", small.places[0]).values["name"] == "Quán Thử 0"
    assert _get(database, officer, "licences", number).values["number"] is None
    _whole(database)
    # A week later somebody decides about the rest; what was not kept is not named by naming it.
    later = _undo(database, second, code, also=[made[1], small.places[1]])
    assert later.kept == [] and later.first_seq == found.first_seq and (later.last_seq or 0) > (found.last_seq or 0)
    assert _get(database, officer, "establishments", made[1]).ended
    assert not _get(database, officer, "establishments", small.places[1]).ended
    _whole(database)


def test_of_an_owner_kept_the_values_go_when_a_person_says_so(
    database: Database, officer: Actor, small: SmallWard
) -> None:
    code = add_batch(database, officer, _rows(small))
    apply(database, SECRETS, officer, code)
    made = results(database, code)[0][1]["code"]
    owner = str(_get(database, officer, "establishments", made).values["legal_entity"])
    _edit(database, officer, "legal_entities", owner, registered_name="Hộ kinh doanh Sửa Tay")
    with write_as(database, officer, reason="sửa tay") as connection:
        personal_data.keep(connection, SECRETS, small.entities[0], "owner_phone", "0905777777")
    found = _undo(database, officer, code)
    assert {each["code"] for each in found.kept} == {made, owner, small.entities[0]}
    later = _undo(database, officer, code, also=[made, owner, small.entities[0]])
    assert later.kept == []
    with read_as(database, officer) as connection:
        assert records.get(connection, "legal_entities", owner).ended
        assert personal_data.masked(connection, owner) == []
        assert [each.mask for each in personal_data.masked(connection, small.entities[0])] == ["***"]
    _whole(database)


def test_what_no_longer_fits_together_is_kept(database: Database, officer: Actor, small: SmallWard) -> None:
    held = small.codes["licences"]
    rows = [
        row([change("licences", held[number], {"issued_on": None, "expires_on": None},
                    {"issued_on": "2020-01-01", "expires_on": "2030-01-01"})], target=small.places[number])
        for number in range(2)
    ]  # fmt: skip
    first = add_batch(database, officer, rows)
    apply(database, SECRETS, officer, first)
    values = [{"expires_on": "2030-01-01"}, {"expires_on": "2035-01-01"}]
    second = add_batch(database, officer, [
        row([change("licences", held[number], *values)], target=small.places[number]) for number in range(2)
    ], sha256=b"\x02")  # fmt: skip
    apply(database, SECRETS, officer, second)
    _edit(database, officer, "licences", held[0], issued_on="2032-01-01")
    found = _undo(database, officer, second)
    assert found.kept == [{"collection": "licences", "code": held[0], "fields": None, "why": "refused"}]
    assert _get(database, officer, "licences", held[0]).values["expires_on"] == "2035-01-01"
    assert _get(database, officer, "licences", held[1]).values["expires_on"] == "2030-01-01"


def _one(database: Database, statement: str, **values: Any) -> Any:
    with database.owner.connect() as connection:
        return connection.execute(text(statement), values).scalar_one()


@pytest.fixture(scope="module")
def shared(server: Database, base_database: Database) -> Iterator[tuple[Database, Actor, SmallWard]]:
    base_database.dispose()
    own = create_database(server, "import_undo", template="base")
    actor = add_staff(own, "officer", "officer")
    yield own, actor, fill(own, actor, 8)
    own.dispose()
    drop_database(server, "import_undo")


_marks = itertools.count(1)
EDITS = ("name", "stall", "move", "licence", "visit", "phone", "nothing")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), edits=st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 11)), max_size=6))
def test_no_later_edit_is_lost(
    shared: tuple[Database, Actor, SmallWard], seed: int, edits: list[tuple[str, int]]
) -> None:
    database, officer, small = shared
    rng, mark = random.Random(seed), next(_marks)
    before = _state(database)
    rows = [
        row([new_entity(n), new_place(WARD, n, name=f"Mới {mark}-{n}"), licence()], personal=PHONE) for n in range(4)
    ]
    for place in small.places:
        now = _get(database, officer, "establishments", place).values
        wanted = {"name": f"Từ tệp {rng.random()}", "stall": str(rng.randrange(99)), "position_method": "gps",
                  "geometry": point(WARD, rng.randrange(99))}  # fmt: skip
        chosen = {name: wanted[name] for name in rng.sample(sorted(wanted), rng.randint(0, 4))}
        rows.append(row([change("establishments", place, {name: now[name] for name in chosen}, chosen)], target=place))
    code = add_batch(database, officer, rows, sha256=mark.to_bytes(4))
    applied = apply(database, SECRETS, officer, code)
    assert set(applied.outcomes) <= {"applied", "same"}
    places = [values["code"] for _, values in results(database, code)[:4]] + small.places
    done = [(kind, places[at]) for kind, at in edits if kind != "nothing"]
    for number, (kind, place) in enumerate(done):
        _do(database, officer, kind, place, f"{mark}-{number}")
    states = {place: _get(database, officer, "establishments", place).values for place in {place for _, place in done}}
    found = _undo(database, officer, code)
    if not done:
        assert found.kept == [] and _state(database) == before
    for kind, place in done:
        now = _get(database, officer, "establishments", place)
        assert not now.ended, "what somebody has changed is there"
        fields = {"name": ["name"], "stall": ["stall"], "move": ["geometry", "position_method"]}.get(kind, [])
        for name in fields:
            assert now.values[name] == states[place][name], (kind, name)
    _whole(database)


def _do(database: Database, officer: Actor, kind: str, place: str, mark: str) -> None:
    with write_as(database, officer, reason="sửa tay") as connection:
        now = records.get(connection, "establishments", place)
        if kind == "move":
            values = {"geometry": point(WARD, 77), "position_method": "surveyed"}
            records.change(connection, "establishments", place, now.version, values)
        elif kind in ("name", "stall"):
            records.change(connection, "establishments", place, now.version, {kind: f"Tay {mark}"})
        elif kind == "licence":
            made = {"establishment": place, "kind": "pharmacy", "checked_on": "2026-05-05", "source": "office"}
            records.create(connection, "licences", made, ward_id=officer.ward_id)
        elif kind == "visit":
            made = {"establishment": place, "kind": "visit", "done_on": "2026-05-05", "topic": "x", "source": "office"}
            records.create(connection, "outreach", made, ward_id=officer.ward_id)
        else:
            phone = f"09{sum(mark.encode()) % 10**8:08d}"
            personal_data.keep(connection, SECRETS, str(now.values["legal_entity"]), "owner_phone", phone)
