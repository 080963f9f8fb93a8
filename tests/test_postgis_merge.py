"""The three-way merge and the table of risks: every case that there is, without a database."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postgis.merge import POINT_TOLERANCE, Conflict, same, three_way
from postgis.risk import ADVERSE, ENDED, LOW, OUTSIDERS, RANK, risk_of
from postgis.store.record_types import RECORD_TYPES
from postgis.vocabulary import PROPOSER_KINDS

NAMES = st.sampled_from(["name", "address", "geometry", "payment_methods", "operating_status", "accuracy"])
POINTS = st.builds(
    lambda lon, lat: {"type": "Point", "coordinates": [lon, lat]},
    st.sampled_from([108.22, 108.22000004, 108.2200002, 108.23]),
    st.sampled_from([16.04, 16.05]),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from(["Mì Quảng", "Mì quảng", ""]),
    st.lists(st.sampled_from(["vietqr", "momo"]), max_size=2),
    POINTS,
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=6)
EVERY_CASE = settings(max_examples=800, deadline=None)


@EVERY_CASE
@given(RECORDS, RECORDS, RECORDS)
def test_no_field_that_one_side_alone_changed_is_lost(
    base: dict[str, Any], current: dict[str, Any], wanted: dict[str, Any]
) -> None:
    merged = three_way(base, current, wanted)
    for name in {*base, *current, *wanted}:
        was, now, wish = base.get(name), current.get(name), wanted.get(name)
        if same(was, now):
            assert same(merged.values.get(name), wish), name
        if same(was, wish):
            assert same(merged.values.get(name), now), name


@EVERY_CASE
@given(RECORDS, RECORDS, RECORDS)
def test_a_conflict_is_always_reported_and_nothing_else_is(
    base: dict[str, Any], current: dict[str, Any], wanted: dict[str, Any]
) -> None:
    merged = three_way(base, current, wanted)
    expected = {
        name
        for name in {*base, *current, *wanted}
        if not same(base.get(name), current.get(name))
        and not same(base.get(name), wanted.get(name))
        and not same(current.get(name), wanted.get(name))
    }
    assert {conflict.field for conflict in merged.conflicts} == expected
    for conflict in merged.conflicts:
        assert conflict == Conflict(
            conflict.field, base.get(conflict.field), current.get(conflict.field), wanted.get(conflict.field)
        )
        assert merged.values.get(conflict.field) == current.get(conflict.field), "nothing is overwritten unasked"


@EVERY_CASE
@given(RECORDS, RECORDS, RECORDS)
def test_merging_twice_changes_nothing_more(
    base: dict[str, Any], current: dict[str, Any], wanted: dict[str, Any]
) -> None:
    once = three_way(base, current, wanted)
    twice = three_way(base, once.values, wanted)
    assert twice.values == once.values
    assert {conflict.field for conflict in twice.conflicts} == {conflict.field for conflict in once.conflicts}


@EVERY_CASE
@given(RECORDS, RECORDS, RECORDS)
def test_the_sides_may_change_places(base: dict[str, Any], current: dict[str, Any], wanted: dict[str, Any]) -> None:
    one, other = three_way(base, current, wanted), three_way(base, wanted, current)
    mirrored = {(conflict.field, repr(conflict.wanted), repr(conflict.current)) for conflict in other.conflicts}
    assert {(conflict.field, repr(conflict.current), repr(conflict.wanted)) for conflict in one.conflicts} == mirrored
    for name in one.values.keys() - {conflict.field for conflict in one.conflicts}:
        assert same(one.values[name], other.values.get(name)), name


@EVERY_CASE
@given(RECORDS, RECORDS)
def test_with_one_side_at_rest_the_other_is_followed_whole(base: dict[str, Any], wanted: dict[str, Any]) -> None:
    merged = three_way(base, base, wanted)
    assert not merged.conflicts
    assert all(same(merged.values.get(name), wanted.get(name)) for name in {*base, *wanted})
    assert three_way(base, wanted, base).conflicts == ()


def test_a_field_removed_meanwhile_is_a_conflict_for_who_changed_it() -> None:
    merged = three_way({"website": "https://a"}, {}, {"website": "https://b"})
    assert merged.conflicts == (Conflict("website", "https://a", None, "https://b"),)
    assert three_way({"website": "https://a"}, {}, {"website": "https://a"}).values == {}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (12, 12.0, True),
        (True, 1, False),
        (False, None, False),
        (None, "", False),
        (["a", "b"], ["b", "a"], False),
        (["a"], ["a"], True),
        ({"type": "Point", "coordinates": [108.2, 16.0]}, {"type": "Point", "coordinates": [108.2000001, 16.0]}, True),
        ({"type": "Point", "coordinates": [108.2, 16.0]}, {"type": "Point", "coordinates": [108.2000002, 16.0]}, False),
        ({"type": "Point", "coordinates": [108.2, 16.0]}, {"type": "Polygon", "coordinates": []}, False),
        ({"type": "Polygon", "coordinates": [[0, 1]]}, {"type": "Polygon", "coordinates": [[0, 1.0]]}, True),
        ({"type": "Point", "coordinates": None}, {"type": "Point", "coordinates": [1, 2]}, False),
    ],
)
def test_what_counts_as_the_same(one: Any, other: Any, alike: bool) -> None:
    assert same(one, other) is alike
    assert same(other, one) is alike
    assert POINT_TOLERANCE == 1e-7


SIGNED = {"result": "pass", "signed_on": "2026-01-02", "official_words": None, ENDED: False}
LICENCE = {"kind": "alcohol_retail", "number": "1", "expires_on": "2028-01-01", ENDED: False}
SHOP = {"name": "Quán", "operating_status": "active", "website": None, "opening_hours": None, ENDED: False}
PAYMENT = {"method": "vietqr", "accepted": True, "evidence_level": "declared"}


@pytest.mark.parametrize(
    ("collection", "before", "patch", "kind", "risk"),
    [
        ("warnings", None, {"headline": "Tạm dừng"}, "staff", "adverse"),
        ("warnings", {"headline": "Tạm dừng", "lifted_on": None}, {"lifted_on": "2026-02-01"}, "staff", "adverse"),
        ("inspections", None, {"result": "fail", "signed_on": "2026-01-02"}, "staff", "adverse"),
        ("inspections", None, {"result": "c", "signed_on": "2026-01-02"}, "staff", "adverse"),
        ("inspections", None, {"result": "fail", "signed_on": None}, "staff", "normal"),
        ("inspections", None, {"result": "pass", "signed_on": "2026-01-02"}, "staff", "normal"),
        ("inspections", {"result": "c", "signed_on": None}, {"signed_on": "2026-01-02"}, "staff", "adverse"),
        ("inspections", {**SIGNED, "result": "fail"}, {"result": "pass"}, "staff", "adverse"),
        ("inspections", SIGNED, {ENDED: True}, "staff", "adverse"),
        ("licences", LICENCE, {ENDED: True}, "staff", "adverse"),
        ("licences", LICENCE, {"expires_on": "2026-01-01"}, "staff", "adverse"),
        ("licences", LICENCE, {"expires_on": "2029-01-01"}, "staff", "normal"),
        ("licences", {**LICENCE, "expires_on": None}, {"expires_on": "2029-01-01"}, "staff", "normal"),
        ("licences", {**LICENCE, "expires_on": None}, {"expires_on": "2020-01-01"}, "staff", "adverse"),
        ("licences", None, LICENCE, "staff", "normal"),
        ("licences", None, {**LICENCE, "expires_on": "2020-01-01"}, "staff", "normal"),
        ("food_safety_records", {"kind": "certificate"}, {"kind": "missing"}, "staff", "adverse"),
        ("food_safety_records", {"kind": "commitment"}, {"kind": "missing"}, "import", "adverse"),
        ("food_safety_records", {"kind": "equivalent"}, {"kind": "missing"}, "owner", "adverse"),
        ("food_safety_records", {"kind": "missing", ENDED: True}, {ENDED: False}, "staff", "adverse"),
        ("food_safety_records", {"kind": "missing"}, {"kind": "certificate"}, "staff", "normal"),
        ("food_safety_records", {"kind": "missing"}, {"agency": "UBND"}, "staff", "normal"),
        ("food_safety_records", {"kind": "commitment"}, {"valid_until": "2020-01-01"}, "staff", "adverse"),
        ("food_safety_records", {"kind": "commitment"}, {"valid_until": "2190-01-01"}, "staff", "normal"),
        ("food_safety_records", None, {"kind": "missing"}, "citizen", "adverse"),
        ("food_safety_records", None, {"kind": "missing"}, "staff", "normal"),
        ("legal_entities", {"registry_status": "active"}, {"registry_status": "revoked"}, "import", "adverse"),
        ("establishments", SHOP, {"operating_status": "closed"}, "citizen", "adverse"),
        ("establishments", SHOP, {"operating_status": "closed"}, "staff", "normal"),
        ("establishments", {**SHOP, "operating_status": "closed"}, {"operating_status": "active"}, "owner", "normal"),
        ("establishments", SHOP, {"website": "https://a.vn", "opening_hours": "Mo-Su"}, "owner", "low"),
        ("establishments", SHOP, {"website": "https://a.vn", "name": "Quán khác"}, "owner", "normal"),
        ("establishments", SHOP, {"website": "https://a.vn", "operating_status": "closed"}, "owner", "adverse"),
        ("establishments", None, SHOP, "staff", "normal"),
        ("payment_acceptances", None, PAYMENT, "owner", "low"),
        ("payment_acceptances", None, {**PAYMENT, "accepted": False}, "owner", "normal"),
        ("payment_acceptances", None, {**PAYMENT, "evidence_level": "confirmed"}, "staff", "normal"),
        ("outreach", None, {"kind": "visit", "topic": "QR"}, "staff", "low"),
        ("model_sites", {"name": "Chợ"}, {"name": "Chợ mới"}, "staff", "normal"),
    ],
)
def test_risk(collection: str, before: dict[str, Any] | None, patch: dict[str, Any], kind: str, risk: str) -> None:
    assert risk_of(collection, before, {**(before or {}), **patch}, kind) == risk


def test_every_rule_names_what_there_is_and_says_why() -> None:
    for rule in (*ADVERSE, *LOW):
        record_type = RECORD_TYPES[rule.collection]
        days = {rule.brings_forward, rule.fills_in_past} - {None}
        names = {*rule.touches, *rule.before, *rule.after, *days}
        assert names - {ENDED} <= {field.name for field in record_type.fields}, rule
        assert set(rule.by) <= set(PROPOSER_KINDS)
        assert rule.why
    assert set(OUTSIDERS) < set(PROPOSER_KINDS)
    assert list(RANK) == ["low", "normal", "adverse"]


@given(st.sampled_from(sorted(RECORD_TYPES)), RECORDS, RECORDS, st.sampled_from(PROPOSER_KINDS))
def test_a_change_that_changes_nothing_is_never_adverse(
    collection: str, before: dict[str, Any], after: dict[str, Any], kind: str
) -> None:
    assert risk_of(collection, before, before, kind) == "normal"
    assert risk_of(collection, before, after, kind) in RANK
