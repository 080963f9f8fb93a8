"""Proposals in the store: what may be wanted, who may apply it, and that nothing is overwritten or applied twice."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from layers import proposals as reading
from layers.proposals import QueueFilter
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.errors import Forbidden, InvalidValues, NotFound, Stale
from postgis.store import applying, proposals, records, suggestions
from postgis.store.applying import ApproverNeeded, BasisNeeded, Chosen, Conflicts, SecondPersonNeeded
from postgis.store.proposals import AlreadyDecided, Proposal, RecordEnded
from tests.small_ward import OTHER_WARD, add_staff, fill

PLACES = 30
BASIS = {"legal_basis": "Luật Tiếp cận thông tin 2016, điều 17", "evidence": "Biên bản số 12 (minh họa)"}


@dataclass
class Ward:
    database: Database
    surveyor: Actor
    officer: Actor
    officer2: Actor
    approver: Actor
    other: Actor
    codes: dict[str, list[str]]
    places: Iterator[str]

    def propose(self, actor: Actor, collection: str, code: str | None, patch: dict[str, Any], **more: Any) -> Proposal:
        with write_as(self.database, actor, reason=None) as connection:
            return proposals.propose(
                connection, actor, collection=collection, record_code=code, patch=patch, **{"reason": "vì thế", **more}
            )

    def apply(self, actor: Actor, receipt: str, resolutions: Any = None, **more: Any) -> records.Record:
        with write_as(self.database, actor, reason=None) as connection:
            return applying.apply(connection, receipt, actor, resolutions, **more)

    def edit(self, collection: str, code: str, **values: Any) -> records.Record:
        with write_as(self.database, self.officer, reason="sửa") as connection:
            version = records.get(connection, collection, code).version
            return records.change(connection, collection, code, version, values)

    def suggest(self, place: str, patch: dict[str, Any], kind: str = "owner", **more: Any) -> str:
        with self.database.staff.begin() as connection:
            values: dict[str, Any] = {"collection": "establishments", "reason": "xin sửa", **more}
            return suggestions.suggest(connection, establishment=place, patch=patch, proposer_kind=kind, **values)

    def get(self, receipt: str) -> Proposal:
        with read_as(self.database, self.officer) as connection:
            return proposals.get(connection, receipt)

    def record(self, collection: str, code: str) -> records.Record:
        with read_as(self.database, self.officer) as connection:
            return records.get(connection, collection, code)


@pytest.fixture(scope="module")
def ward(server: Database, base_database: Database) -> Iterator[Ward]:
    base_database.dispose()
    own = create_database(server, "proposals", template="base")
    staff = {
        login: add_staff(own, login, login.rstrip("2")) for login in ("surveyor", "officer", "officer2", "approver")
    }
    other = add_staff(own, "elsewhere", "approver", OTHER_WARD)
    made = fill(own, staff["officer"], PLACES)
    yield Ward(own, **staff, other=other, codes=made.codes, places=iter(made.places))
    own.dispose()
    drop_database(server, "proposals")


def failed(ward: Ward, place: str, **more: Any) -> Proposal:
    patch = {"establishment": place, "inspected_on": "2026-03-01", "agency": "Đoàn", "result": "fail",
             "signed_on": "2026-03-02"}  # fmt: skip
    return ward.propose(ward.surveyor, "inspections", None, patch, **more)


def test_a_wish_is_noted_with_what_the_proposer_saw(ward: Ward) -> None:
    place = next(ward.places)
    made = ward.propose(ward.surveyor, "establishments", place, {"name": "  Quán Mới "}, evidence="ảnh")
    assert made.patch == {"name": "Quán Mới"}
    assert made.base is not None
    assert made.base["name"].startswith("Quán Thử")
    assert made.base["ended"] is False
    assert (made.base_version, made.risk, made.state, made.proposer_kind) == (1, "normal", "pending", "staff")
    assert made.proposed_by == ward.surveyor.staff_id
    assert proposals.read_receipt(made.receipt.lower().replace("-", " ")) == made.receipt
    assert proposals.read_receipt("K7M4") is None
    assert proposals.read_receipt("O" * 16) is None


@pytest.mark.parametrize(
    ("collection", "existing", "patch", "errors"),
    [
        ("establishments", True, {"name": "x" * 300}, {("name", "too_long")}),
        ("establishments", True, {"name": "a\x00b"}, {("name", "unreadable_text")}),
        ("establishments", True, {"owner_phone": "0905000000"}, {("owner_phone", "unknown_field")}),
        ("establishments", True, {"operating_status": "gone"}, {("operating_status", "not_in_list")}),
        ("establishments", True, {"geometry": "here"}, {("geometry", "not_a_geometry")}),
        ("establishments", True, {"geometry": None}, {("geometry", "required")}),
        ("establishments", True, {}, {("patch", "required")}),
        ("establishments", True, {"operating_status": "active"}, {("patch", "no_change")}),
        ("establishments", True, {"ended": True, "name": "x"}, {("ended", "stands_alone")}),
        ("establishments", True, {"ended": "yes"}, {("ended", "not_yes_or_no")}),
        ("establishments", False, {"ended": True}, {("ended", "stands_alone")}),
        ("licences", True, {"establishment": "22222222"}, {("establishment", "fixed")}),
        ("outreach", False, {"done_on": "2026-01-01", "kind": "visit", "topic": "QR"}, {("establishment", "required")}),
        ("inspections", True, {"agency": "  "}, {("agency", "required")}),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_on_its_field(
    ward: Ward, collection: str, existing: bool, patch: dict[str, Any], errors: set[tuple[str, str]]
) -> None:
    code = ward.codes[collection][0] if existing else None
    with pytest.raises(InvalidValues) as refused:
        ward.propose(ward.officer, collection, code, patch)
    assert {(error.field, error.code) for error in refused.value.errors} == errors


def test_a_wish_needs_a_reason_and_a_record_that_is_there(ward: Ward) -> None:
    with pytest.raises(InvalidValues) as refused:
        ward.propose(ward.officer, "establishments", ward.codes["establishments"][0], {"name": "a"}, reason=" ")
    assert [error.field for error in refused.value.errors] == ["reason"]
    with pytest.raises(NotFound):
        ward.propose(ward.officer, "establishments", "22222222", {"name": "a"})
    with pytest.raises(Stale):
        ward.propose(ward.officer, "establishments", ward.codes["establishments"][0], {"name": "a"}, base_version=99)


def test_a_stale_base_merges_field_by_field(ward: Ward) -> None:
    place = next(ward.places)
    made = ward.propose(
        ward.surveyor, "establishments", place, {"name": "Tên của người khảo sát", "website": "https://a.vn"}
    )
    ward.edit("establishments", place, offering="Mì Quảng", website="https://a.vn")
    record = ward.apply(ward.officer2, made.receipt)
    assert record.values["name"] == "Tên của người khảo sát"
    assert record.values["offering"] == "Mì Quảng"
    assert record.values["website"] == "https://a.vn"
    assert ward.get(made.receipt).state == "applied"


def test_an_old_snapshot_is_merged_from_what_it_says_it_saw(ward: Ward) -> None:
    place = next(ward.places)
    ward.edit("establishments", place, website="https://new.vn")
    seen = {"website": None, "offering": None}
    made = ward.propose(
        ward.surveyor, "establishments", place, {"website": "https://old.vn"}, base=seen, base_version=1
    )  # fmt: skip
    with pytest.raises(Conflicts) as refused:
        ward.apply(ward.officer, made.receipt)
    assert [(c.field, c.base, c.current, c.wanted) for c in refused.value.conflicts] == [
        ("website", None, "https://new.vn", "https://old.vn")
    ]
    with pytest.raises(InvalidValues, match="base_missing"):
        ward.propose(ward.surveyor, "establishments", place, {"name": "x"}, base=seen)


def test_a_true_conflict_waits_for_a_person_who_saw_both_values(ward: Ward) -> None:
    place = next(ward.places)
    made = ward.propose(ward.surveyor, "establishments", place, {"name": "A", "address": "1 Đường A"})
    ward.edit("establishments", place, name="B", address="1 Đường B")
    with pytest.raises(Conflicts) as refused:
        ward.apply(ward.officer, made.receipt)
    version = refused.value.version
    assert {conflict.field for conflict in refused.value.conflicts} == {"name", "address"}
    assert ward.record("establishments", place).values["name"] == "B", "nothing was overwritten"
    with pytest.raises(Conflicts) as half:
        ward.apply(ward.officer, made.receipt, {"name": "wanted"}, seen_version=version)
    assert [conflict.field for conflict in half.value.conflicts] == ["address"]
    with pytest.raises(InvalidValues, match="website: not_in_conflict"):
        ward.apply(ward.officer, made.receipt, {"website": "wanted"}, seen_version=version)
    # Somebody edits once more between the look and the choice: the choice was for other values.
    ward.edit("establishments", place, name="C")
    choice: dict[str, Any] = {"name": "wanted", "address": Chosen("1 Đường C")}
    with pytest.raises(Conflicts) as again:
        ward.apply(ward.officer, made.receipt, choice, seen_version=version)
    assert {conflict.current for conflict in again.value.conflicts} == {"C", "1 Đường B"}
    record = ward.apply(ward.officer, made.receipt, choice, seen_version=again.value.version)
    assert (record.values["name"], record.values["address"]) == ("A", "1 Đường C")


def test_a_field_removed_meanwhile_is_a_conflict(ward: Ward) -> None:
    place = next(ward.places)
    ward.edit("establishments", place, website="https://a.vn")
    made = ward.propose(ward.surveyor, "establishments", place, {"website": "https://b.vn"})
    ward.edit("establishments", place, website=None)
    with pytest.raises(Conflicts) as refused:
        ward.apply(ward.officer, made.receipt)
    assert refused.value.conflicts[0].current is None
    record = ward.apply(ward.officer, made.receipt, {"website": "current"}, seen_version=refused.value.version)
    assert record.values["website"] is None


def test_a_point_that_was_only_rounded_is_no_conflict(ward: Ward) -> None:
    place = next(ward.places)
    lon, lat = ward.record("establishments", place).values["geometry"]["coordinates"]
    moved = {"type": "Point", "coordinates": [lon + 0.0002, lat]}
    made = ward.propose(ward.surveyor, "establishments", place, {"geometry": json.dumps(moved)})
    assert made.patch["geometry"] == moved
    ward.edit("establishments", place, geometry={"type": "Point", "coordinates": [lon + 4e-8, lat]})
    record = ward.apply(ward.officer, made.receipt)
    assert record.values["geometry"]["coordinates"][0] == pytest.approx(lon + 0.0002, abs=1e-7)


def test_a_new_record_and_an_end_and_its_undoing(ward: Ward) -> None:
    place = next(ward.places)
    patch = {"establishment": place, "kind": "alcohol_retail", "expires_on": "2028-01-01", "checked_on": "2026-01-02"}
    made = ward.propose(ward.surveyor, "licences", None, patch, source="field_survey")
    assert made.patch["source"] == "field_survey"
    licence = ward.apply(ward.officer, made.receipt)
    assert licence.values["establishment"] == place
    ended = ward.propose(ward.surveyor, "licences", licence.code, {"ended": True}, **BASIS)
    assert ended.risk == "adverse"
    assert ward.apply(ward.approver, ended.receipt).ended
    with pytest.raises(RecordEnded):
        ward.propose(ward.surveyor, "licences", licence.code, {"number": "7"})
    back = ward.propose(ward.surveyor, "licences", licence.code, {"ended": False})
    assert not ward.apply(ward.officer, back.receipt).ended


def test_a_change_of_a_record_that_ended_meanwhile_is_refused(ward: Ward) -> None:
    code = ward.codes["outreach"][0]
    made = ward.propose(ward.surveyor, "outreach", code, {"topic": "QR"})
    with write_as(ward.database, ward.officer, reason="nhầm") as connection:
        records.end(connection, "outreach", code, 1, "nhầm")
    with pytest.raises(RecordEnded):
        ward.apply(ward.officer, made.receipt)
    assert ward.get(made.receipt).state == "pending"


def test_an_adverse_fact_needs_a_second_person_a_basis_and_evidence(ward: Ward) -> None:
    place = next(ward.places)
    bare = failed(ward, place)
    assert bare.risk == "adverse"
    with pytest.raises(ApproverNeeded):
        ward.apply(ward.officer, bare.receipt)
    with pytest.raises(Forbidden):
        ward.apply(ward.surveyor, bare.receipt)
    with pytest.raises(BasisNeeded) as refused:
        ward.apply(ward.approver, bare.receipt, evidence="Biên bản 7 (minh họa)")
    assert refused.value.missing == ("legal_basis",)
    assert ward.get(bare.receipt).state == "pending"
    ward.apply(ward.approver, bare.receipt, **BASIS)
    stored = ward.get(bare.receipt)
    assert (stored.state, stored.legal_basis) == ("applied", BASIS["legal_basis"])


def test_a_proposer_cannot_approve_their_own_adverse_fact(ward: Ward) -> None:
    place = next(ward.places)
    patch = {"establishment": place, "issued_on": "2026-03-01", "headline": "Tạm dừng", "agency": "Đoàn"}
    made = ward.propose(ward.approver, "warnings", None, patch, **BASIS)
    with pytest.raises(SecondPersonNeeded):
        ward.apply(ward.approver, made.receipt)
    # Nor past the code above: the table itself refuses.
    for setting, match in (
        ("state = 'applied', decided_by = :me, decided_at = now()", "second_person"),
        ("state = 'applied', decided_by = 1, decided_at = now()", "may not decide"),
        ("risk = 'low'", "as it was asked"),
        ("proposed_by = 1", "as it was asked"),
        ("patch = '{}'", "as it was asked"),
        ("evidence = 'x'", "as it was asked"),
    ):
        with (
            pytest.raises(DBAPIError, match=match),
            write_as(ward.database, ward.approver, reason=None) as connection,
        ):
            statement = text(f"UPDATE register.proposal SET {setting} WHERE receipt = :r")
            connection.execute(statement, {"r": made.receipt, "me": ward.approver.staff_id})
    assert ward.get(made.receipt).state == "pending"


def test_sql_lets_no_officer_apply_an_adverse_fact_and_nobody_propose_as_another(ward: Ward) -> None:
    made = failed(ward, next(ward.places), **BASIS)
    decide = "UPDATE register.proposal SET state = 'applied', decided_by = :me, decided_at = now() WHERE receipt = :r"
    with (
        pytest.raises(DBAPIError, match="may not decide"),
        write_as(ward.database, ward.officer, reason=None) as connection,
    ):
        connection.execute(text(decide), {"r": made.receipt, "me": ward.officer.staff_id})
    forge = (
        "INSERT INTO register.proposal (receipt, ward_id, collection, patch, reason, source, risk, proposer_kind, "
        "proposed_by) VALUES ('forged', :ward, 'establishments', '{}', 'x', 'office', 'low', 'staff', :them)"
    )
    with (
        pytest.raises(DBAPIError, match="own name"),
        write_as(ward.database, ward.surveyor, reason=None) as connection,
    ):
        connection.execute(text(forge), {"ward": ward.surveyor.ward_id, "them": ward.officer.staff_id})


def test_a_change_that_became_adverse_meanwhile_needs_the_second_person_too(ward: Ward) -> None:
    place = next(ward.places)
    draft = {"establishment": place, "inspected_on": "2026-03-01", "agency": "Đoàn", "result": "pending"}
    code = ward.apply(ward.officer, ward.propose(ward.surveyor, "inspections", None, draft).receipt).code
    made = ward.propose(ward.surveyor, "inspections", code, {"signed_on": "2026-03-05"})
    assert made.risk == "normal"
    ward.edit("inspections", code, result="fail")
    with pytest.raises(ApproverNeeded):
        ward.apply(ward.officer, made.receipt)
    ward.apply(ward.approver, made.receipt, **BASIS)
    assert ward.get(made.receipt).risk == "adverse"


def test_two_reviewers_at_once_apply_it_once(ward: Ward) -> None:
    place = next(ward.places)
    patch = {"establishment": place, "kind": "training", "done_on": "2026-02-01", "topic": "QR"}
    made = ward.propose(ward.surveyor, "outreach", None, patch)
    results: list[str] = []
    start = threading.Barrier(6)

    def decide(actor: Actor) -> None:
        start.wait()
        try:
            ward.apply(actor, made.receipt)
            results.append("applied")
        except AlreadyDecided as decided:
            results.append(decided.proposal.state + " already")

    threads = [threading.Thread(target=decide, args=(actor,)) for actor in (ward.officer, ward.officer2) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["applied", *["applied already"] * 5]
    with ward.database.owner.connect() as owner:
        written = "SELECT count(*) FROM register.change WHERE reason LIKE :receipt"
        assert owner.execute(text(written), {"receipt": f"%[{made.receipt}]"}).scalar_one() == 1


def test_the_history_tells_why_from_where_and_by_which_proposal(ward: Ward) -> None:
    place = next(ward.places)
    made = ward.propose(
        ward.surveyor, "establishments", place, {"name": "Tên"}, source="field_survey", reason="bảng hiệu"
    )
    ward.apply(ward.officer, made.receipt)
    with ward.database.owner.connect() as owner:
        row = owner.execute(
            text(
                "SELECT actor_id, reason, source FROM register.change WHERE record_code = :c ORDER BY seq DESC LIMIT 1"
            ),
            {"c": place},
        ).one()
        assert owner.execute(text("SELECT broken_seq FROM register.verify_changes()")).scalar_one() is None
    assert tuple(row) == (ward.officer.staff_id, f"bảng hiệu [{made.receipt}]", "field_survey")


def test_it_goes_back_is_turned_down_or_withdrawn_with_a_word_and_once(ward: Ward) -> None:
    place = next(ward.places)
    first, second, third = (ward.propose(ward.surveyor, "establishments", place, {"name": f"N{i}"}) for i in range(3))

    def act(actor: Actor, name: str, receipt: str, *words: str) -> Proposal:
        with write_as(ward.database, actor, reason=None) as connection:
            found: Proposal = getattr(proposals, name)(connection, receipt, actor, *words)
            return found

    with pytest.raises(InvalidValues, match="note: required"):
        act(ward.officer, "send_back", first.receipt, "  ")
    with pytest.raises(Forbidden):
        act(ward.surveyor, "send_back", first.receipt, "tự trả")
    returned = act(ward.officer, "send_back", first.receipt, "thiếu ảnh")
    assert (returned.state, returned.decision_note, returned.decided_by) == (
        "returned",
        "thiếu ảnh",
        ward.officer.staff_id,
    )
    assert act(ward.officer, "reject", second.receipt, "trùng").state == "rejected"
    with pytest.raises(Forbidden):
        act(ward.officer, "withdraw", third.receipt)
    assert act(ward.surveyor, "withdraw", third.receipt).state == "withdrawn"
    for receipt in (first.receipt, second.receipt, third.receipt):
        with pytest.raises(AlreadyDecided):
            ward.apply(ward.officer, receipt)
        with pytest.raises(AlreadyDecided):
            act(ward.officer, "reject", receipt, "lại")


def test_another_wards_reviewer_finds_nothing(ward: Ward) -> None:
    made = ward.propose(ward.surveyor, "establishments", ward.codes["establishments"][0], {"name": "Ẩn"})
    with pytest.raises(NotFound):
        ward.apply(ward.other, made.receipt)
    with write_as(ward.database, ward.other, reason=None) as connection:
        for act in (proposals.send_back, proposals.reject):
            with pytest.raises(NotFound):
                act(connection, made.receipt, ward.other, "x")
        assert reading.queue(connection, QueueFilter())[0] == []
    with pytest.raises(NotFound):
        ward.propose(ward.other, "establishments", ward.codes["establishments"][0], {"name": "Ẩn"})


def test_many_of_low_risk_at_once_each_for_itself(ward: Ward) -> None:
    low = [
        ward.propose(ward.surveyor, "establishments", next(ward.places), {"website": f"https://{i}.vn"})
        for i in range(3)
    ]
    stale = ward.propose(ward.surveyor, "establishments", str(low[0].record_code), {"website": "https://x.vn"})
    normal = ward.propose(ward.surveyor, "establishments", str(low[0].record_code), {"name": "Khác"})
    receipts = [*(made.receipt for made in low), stale.receipt, normal.receipt, low[0].receipt, "NONE"]
    with write_as(ward.database, ward.officer, reason=None) as connection:
        outcomes = applying.apply_many(connection, receipts, ward.officer)
    refusals = [type(outcome.refusal).__name__ for outcome in outcomes]
    assert refusals == ["NoneType"] * 3 + ["Conflicts", "Forbidden", "NotFound"]
    assert [ward.get(made.receipt).state for made in [*low, stale, normal]] == ["applied"] * 3 + ["pending"] * 2
    with ward.database.owner.connect() as owner:
        reasons = owner.execute(text("SELECT reason FROM register.change ORDER BY seq DESC LIMIT 3")).scalars().all()
    assert reasons == [f"vì thế [{made.receipt}]" for made in reversed(low)]


def test_people_without_an_account_suggest_within_bounds(ward: Ward) -> None:
    place = next(ward.places)
    receipt = ward.suggest(place, {"opening_hours": "Mo-Su 07:00-22:00"})
    stored = ward.get(receipt)
    assert (stored.ward_id, stored.proposed_by, stored.risk, stored.proposer_kind) == (
        ward.officer.ward_id, None, "low", "owner",
    )  # fmt: skip
    assert stored.base == {"opening_hours": None}
    gone = ward.get(ward.suggest(place, {"operating_status": "closed"}, "citizen"))
    assert gone.risk == "adverse"
    paid = ward.suggest(place, {"method": "momo", "accepted": True}, collection="payment_acceptances")
    assert ward.get(paid).patch["evidence_level"] == "declared"
    assert ward.apply(ward.officer, paid).values["establishment"] == place
    lon, lat = ward.record("establishments", place).values["geometry"]["coordinates"]
    pin = ward.suggest(place, {"geometry": {"type": "Point", "coordinates": [lon + 0.001, lat]}})
    assert ward.apply(ward.officer, pin).values["position_method"] == "map"
    for patch, code in (
        ({"source": "office"}, "unknown_field"),
        ({"outside_accepted": True}, "unknown_field"),
        ({"legal_entity": "LE1"}, "unknown_field"),
        ({"operating_status": "active"}, "no_change"),
        ({"ended": True}, "unknown_field"),
    ):
        with pytest.raises(InvalidValues, match=code):
            ward.suggest(place, patch)
    with pytest.raises(NotFound):
        ward.suggest("22222222", {"name": "x"})
    with pytest.raises(NotFound):
        ward.suggest("22222222", {"method": "momo", "accepted": True}, collection="payment_acceptances")
    for kind in ("staff", "import"):
        with pytest.raises(DBAPIError, match="without an account"):
            ward.suggest(place, {"name": "x"}, kind)


def test_a_receipt_tells_its_holder_the_state_and_no_names(ward: Ward) -> None:
    place = next(ward.places)
    receipt = ward.suggest(place, {"name": "Quán Của Tôi"})
    with write_as(ward.database, ward.officer, reason=None) as connection:
        proposals.send_back(connection, receipt, ward.officer, "Cho xin ảnh bảng hiệu")
    draft = failed(ward, place, reason="bí mật", **BASIS)
    with ward.database.public.connect() as public:
        seen = reading.receipt_state(public, receipt)
        hidden = reading.receipt_state(public, draft.receipt)
        assert reading.receipt_state(public, "2222-2222-2222-2222") is None
        with pytest.raises(DBAPIError, match="permission denied"):
            public.execute(text("SELECT * FROM register.proposal"))
    assert seen is not None
    assert hidden is not None
    assert (seen["state"], seen["asked"], seen["decision_note"]) == (
        "returned", {"name": "Quán Của Tôi"}, "Cho xin ảnh bảng hiệu",
    )  # fmt: skip
    assert not any(ward.officer.display_name in str(value) for value in seen.values())
    assert hidden["state"] == "pending"
    assert {name for name, value in hidden.items() if value is not None} == {
        "receipt", "state", "proposer_kind", "proposed_at",
    }  # fmt: skip


def test_who_holds_the_receipt_takes_it_back(ward: Ward) -> None:
    receipt = ward.suggest(next(ward.places), {"name": "Nhầm"})
    staff_made = ward.propose(ward.surveyor, "establishments", ward.codes["establishments"][1], {"name": "Y"})
    with ward.database.staff.begin() as connection:
        assert suggestions.withdraw(connection, receipt)
        assert not suggestions.withdraw(connection, receipt)
        assert not suggestions.withdraw(connection, staff_made.receipt), "a member of staff signs in for that"
    assert ward.get(receipt).state == "withdrawn"


def test_the_queue_shows_the_gravest_first_and_pages_without_gaps(ward: Ward) -> None:
    numbers = count()
    for _ in range(3):
        failed(ward, ward.codes["establishments"][0])
        ward.propose(ward.surveyor, "establishments", ward.codes["establishments"][0], {"offering": f"{next(numbers)}"})
    with read_as(ward.database, ward.officer) as connection:
        whole, none = reading.queue(connection, QueueFilter(), limit=500)
        paged, after = [], None
        while True:
            page, after = reading.queue(connection, QueueFilter(), limit=4, after=after)
            paged += page
            if after is None:
                break
        decided, _ = reading.queue(connection, QueueFilter(state="applied"), limit=5)
        own, _ = reading.queue(connection, QueueFilter(proposed_by=ward.approver.staff_id), limit=500)
        kinds = reading.counts(connection, QueueFilter(risk="low"))
    assert none is None
    ranks = [("adverse", "normal", "low").index(row.proposal.risk) for row in whole]
    assert ranks == sorted(ranks)
    assert [row.proposal.receipt for row in paged] == [row.proposal.receipt for row in whole]
    assert sum(row["count"] for row in kinds) == len(whole)
    assert all(row.proposal.proposed_by == ward.approver.staff_id for row in own)
    assert [row.decider for row in decided if row.decider is None] == []
    found = next(row for row in whole if row.proposal.collection == "inspections")
    assert found.place_name
    assert found.proposer == ward.surveyor.display_name
    assert {change.field for change in found.changes} >= {"result", "signed_on"}
    assert all(change.state == "new" for change in found.changes)


def test_too_many_about_one_place_or_in_an_hour_are_refused(database: Database) -> None:
    officer = add_staff(database, "officer", "officer")
    places = fill(database, officer, 12).places

    def suggest(place: str, number: int) -> str:
        with database.staff.begin() as connection:
            return suggestions.suggest(
                connection,
                collection="establishments",
                establishment=place,
                patch={"name": f"Tên {number}"},
                reason="x",
                proposer_kind="citizen",
            )

    receipts = [suggest(places[0], number) for number in range(20)]
    with pytest.raises(suggestions.TooManyProposals):
        suggest(places[0], 20)
    with database.staff.begin() as connection:
        suggestions.withdraw(connection, receipts[0])
    suggest(places[0], 21)
    for number in range(179):
        suggest(places[1 + number // 19], number)
    with pytest.raises(suggestions.TooManyProposals):
        suggest(places[11], 0)
    with database.owner.begin() as owner:
        owner.execute(text("UPDATE register.proposal SET proposed_at = proposed_at - interval '61 minutes'"))
    suggest(places[11], 0)
