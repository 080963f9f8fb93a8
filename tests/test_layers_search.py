"""Search as people type it: without marks, with i for y, half typed, misspelt; ranked as domain.md section 11 says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers import features
from layers.collections import ESTABLISHMENTS, STREETS
from layers.query import FeatureQuery
from postgis import codes
from postgis.store.establishments import NewEstablishment, add_many

NAMES = (
    "Phở Bắc Hải",
    "Phố cổ",
    "Photo Minh",
    "Quán Phở Bò",
    "GocPho Coffee",
    "Mì Quảng Bà Mua",
    "Mỳ Quảng Ếch",
    "Bánh mì chấm Pate",
    "Cà Phê Chim",
    "Ca Phe Jet",
    "Bún chả cá 109",
    "Đặng Gia",
    "Thủy Sản",
    "100% Cotton_shop",
)

READ_ONLY = [HealthCheck.function_scoped_fixture]
"""The connection is only read from: examples cannot see one another."""


@pytest.fixture
def shops(owner_connection: Connection) -> Connection:
    add_many(
        owner_connection,
        [
            NewEstablishment(
                values={
                    "code": codes.code_for(f"search:{name}"),
                    "name": name,
                    "sector_group": "other",
                    "source": "demo",
                    "source_ref": name,
                    "position_method": "generated",
                    "address": f"K{place}/12 Núi Thành",
                    "illustrative": True,
                },
                ward_code="20257",
                lon=108.22,
                lat=16.04,
            )
            for place, name in enumerate(NAMES)
        ],
    )
    return owner_connection


def _found(connection: Connection, q: str) -> list[str]:
    return [row["name"] for row in features.rows(connection, ESTABLISHMENTS, FeatureQuery(q=q)).rows]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("my quang", {"Mì Quảng Bà Mua", "Mỳ Quảng Ếch"}),
        ("mi quang", {"Mì Quảng Bà Mua", "Mỳ Quảng Ếch"}),
        ("MÌ QUẢNG", {"Mì Quảng Bà Mua", "Mỳ Quảng Ếch"}),
        ("banh mi", {"Bánh mì chấm Pate"}),
        ("ca phe", {"Cà Phê Chim", "Ca Phe Jet"}),
        ("bun cha ca", {"Bún chả cá 109"}),
        ("dang gia", {"Đặng Gia"}),
        ("thuy san", {"Thủy Sản"}),
        ("thuỷ", {"Thủy Sản"}),
        ("k6/12", {"Mỳ Quảng Ếch"}),
        ("banh mi nui thanh", {"Bánh mì chấm Pate"}),
        ("cotton_", {"100% Cotton_shop"}),
        ("bahn mi cham", {"Bánh mì chấm Pate"}),
    ],
)
def test_finds_without_marks(shops: Connection, q: str, names: set[str]) -> None:
    assert set(_found(shops, q)) == names


def test_decomposed_letters_of_a_mac_find_the_same(shops: Connection) -> None:
    import unicodedata

    assert _found(shops, unicodedata.normalize("NFD", "phở bắc hải")) == ["Phở Bắc Hải"]


def test_ranking(shops: Connection) -> None:
    assert _found(shops, "phở")[:2] == ["Phở Bắc Hải", "Quán Phở Bò"]
    folded = _found(shops, "pho")
    assert folded[-1] == "GocPho Coffee"
    assert set(folded[:3]) == {"Phở Bắc Hải", "Phố cổ", "Photo Minh"}
    assert _found(shops, "pho co")[0] == "Phố cổ"


def test_a_code_finds_its_place(shops: Connection) -> None:
    code = codes.code_for("search:Phố cổ")
    assert _found(shops, codes.display(code).lower()) == ["Phố cổ"]


def test_signs_alone_find_nothing(shops: Connection) -> None:
    for q in ("%", "_", "\\", "'; DROP TABLE x; --"[:1], "🍜", "()[]{}^$.*+?|"):
        assert _found(shops, q) == []


@settings(max_examples=150, deadline=None, suppress_health_check=READ_ONLY)
@given(q=st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1, max_size=60))
def test_any_text_is_an_answer_not_an_error(demo_connection: Connection, q: str) -> None:
    features.page(demo_connection, ESTABLISHMENTS, FeatureQuery(q=q, limit=3))


@settings(max_examples=40, deadline=None, suppress_health_check=READ_ONLY)
@given(data=st.data())
def test_every_place_is_found_by_its_own_name(demo_connection: Connection, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 9000))
    code, name = demo_connection.execute(
        text(
            "SELECT code, name FROM published.establishments WHERE name IS NOT NULL ORDER BY id OFFSET :place LIMIT 1"
        ),
        {"place": place},
    ).one()
    first = features.rows(demo_connection, ESTABLISHMENTS, FeatureQuery(q=name, limit=50)).rows
    assert code in {row["code"] for row in first} or sum(row["name"] == name for row in first) == 50


def test_search_uses_the_trigram_index(demo_connection: Connection) -> None:
    demo_connection.execute(text("SET LOCAL enable_seqscan = off"))
    plan = demo_connection.execute(
        text("EXPLAIN SELECT code FROM published.establishments WHERE search_key LIKE '%minh hoa 0123%'")
    ).scalars()
    assert "ix_establishment_search_key" in "\n".join(plan)


def test_streets_are_searchable(demo_connection: Connection) -> None:
    names = {row["name"] for row in features.rows(demo_connection, STREETS, FeatureQuery(q="nui thanh", limit=50)).rows}
    assert any("Núi Thành" in (name or "") for name in names)
