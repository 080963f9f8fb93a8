"""Locating addresses: each step of the way down, the figures on real house numbers, the command, its reader."""

import json
import subprocess
import sys
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from ingest.gazetteer import Gazetteer, GazetteerData, GroupArea, HousePoint, Landmark, WardArea
from ingest.geocode import Located, locate
from layers.gazetteer import surroundings
from mapservice import geocoding
from mapservice.cli import main
from postgis import tables
from postgis.engine import Database
from postgis.folding import search_key, similarity
from tests import geocode_trial

LON, LAT, DEGREE = 108.2, 16.04, 0.001
BOX = {"type": "Polygon", "coordinates": [[[108.19, 16.03], [108.21, 16.03], [108.21, 16.05], [108.19, 16.05],
                                           [108.19, 16.03]]]}  # fmt: skip


def line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "MultiLineString", "coordinates": [[list(point) for point in points]]}


def small() -> Gazetteer:
    """A street to the east with even numbers 10, 20 … 40 a hundred metres apart, an alley, a market, a group."""
    houses = [HousePoint(str(number), "Minh Họa", LON + number / 10 * DEGREE, LAT + 0.0001) for number in (10, 20, 40)]
    group = {"type": "Polygon", "coordinates": [[[108.2, 16.03], [108.202, 16.03], [108.202, 16.032], [108.2, 16.03]]]}
    return Gazetteer(
        GazetteerData(
            WardArea("20257", "Hòa Cường", BOX),
            [
                ("Đường Minh Họa", line((LON, LAT), (LON + 5 * DEGREE, LAT))),
                ("Kiệt 30 Minh Họa", line((LON + 3 * DEGREE, LAT + 2 * DEGREE), (LON + 3 * DEGREE, LAT))),
                ("Đường Không Số", line((LON, LAT + 0.005), (LON + DEGREE, LAT + 0.005))),
            ],
            houses,
            [
                Landmark("Chợ Minh Họa", LON, LAT + 0.004, 60.0, "map"),
                Landmark("Trung tâm Ánh Sao", LON + DEGREE, LAT + 0.004, 30.0),
            ],
            [GroupArea("20257-015", 15, group)],
            {"Hòa Cường": "20257", "Hòa Cường Nam": "20257", "Hải Châu": "20242"},
        )
    )


KNOWN = small()


def found(text: str) -> Located:
    located = locate(KNOWN, text)
    assert located is not None, text
    return located


@pytest.mark.parametrize(
    ("text", "basis", "lon", "lat"),
    [
        ("20 Minh Họa", "house_number", 2, 0.1),
        ("30 Minh Họa", "between_numbers", 3, 0.1),
        ("20B Minh Họa", "between_numbers", 2, 0.1),
        ("44 Minh Họa", "along_numbers", 4.2, 0),
        ("K30 Minh Họa", "alley", 3, 1),
        ("K30/8 Minh Họa", "alley", 3, 0.2),
        ("Đường Không Số", "street", 0.5, 5),
        ("quầy 12 chợ Minh Họa", "landmark", 0, 4),
        ("Tầng 2, Trung Tâm Ánh Sao", "landmark", 1, 4),
        ("tổ 15 phường Hòa Cường", "residential_group", 1.3, -9.3),
        ("phường Hòa Cường Nam", "ward", 0, 0),
    ],
)
def test_each_step_down_says_what_it_rests_on(text: str, basis: str, lon: float, lat: float) -> None:
    located = found(text)
    assert located.basis == basis
    assert (located.lon - LON) / DEGREE == pytest.approx(lon, abs=0.15)
    assert (located.lat - LAT) / DEGREE == pytest.approx(lat, abs=0.15)


def test_the_less_is_known_the_larger_the_error() -> None:
    texts = ("20 Minh Họa", "44 Minh Họa", "Minh Họa", "phường Hòa Cường")
    errors = [found(text).expected_error_m for text in texts]
    assert errors == sorted(errors) and errors[0] < errors[-1]


@pytest.mark.parametrize("text", ["", "xyzzy", "12 Đường Chưa Ai Biết", "phường Hải Châu", "tổ 99", "…", "12"])
def test_where_nothing_is_known_there_is_no_answer(text: str) -> None:
    assert locate(KNOWN, text) is None


def test_a_place_outside_the_ward_is_flagged() -> None:
    street = ("Đường Xa Xôi", line((108.22, 16.04), (108.221, 16.04)))
    located = locate(Gazetteer(GazetteerData(KNOWN.ward, [street])), "Xa Xôi")
    assert located is not None and not located.inside_ward and "outside_ward" in located.problems
    assert "other_ward_named" in found("20 Minh Họa, phường Hải Châu").problems


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    located = locate(KNOWN, text)
    assert located is None or located.expected_error_m > 0


def test_real_house_numbers_withheld_are_found_again() -> None:
    trials = geocode_trial.trials(geocode_trial.gazetteer())
    ward = [trial for trial in trials if trial.ward == geocode_trial.WARD]
    assert len(ward) == 173
    figures = geocode_trial.summary(ward)
    # Measured: median 10.5 m, 90 % within 80 m, 84 % within 50 m; 90 % within what was expected.
    assert figures["median_m"] < 15 and figures["p90_m"] < 110 and figures["within_50_m"] > 0.8
    assert 0.8 <= figures["within_expected"] <= 0.95
    for basis in ("between_numbers", "along_numbers"):
        share = geocode_trial.summary(geocode_trial.by_basis(ward)[basis])["within_expected"]
        assert 0.75 <= share <= 0.97, (basis, share)


def test_the_reader_brings_what_the_base_data_have(base_database: Database) -> None:
    with base_database.owner.connect() as connection:
        around = surroundings(connection, "20257")
        assert around is not None and surroundings(connection, "99999") is None
    assert around.ward_names["Hòa Cường Bắc"] == around.ward_names["Hòa Thuận Đông"] == "20257"
    assert around.ward_names["Hòa Liên"] is None
    assert len(around.houses) == 643 and len(around.streets) > 200
    located = locate(geocoding.gazetteer(around), "K152/9 Đường 2/9, P. Bình Thuận, Q. Hải Châu")
    assert located is not None and located.inside_ward and located.expected_error_m < 100


def test_measured_places_of_the_register_help_and_invented_ones_do_not(database: Database) -> None:
    place = tables.establishment
    with database.owner.begin() as connection:
        ward = connection.execute(
            select(tables.ward.c.id).where(tables.ward.c.code == "20257", tables.ward.c.valid_to.is_(None))
        ).scalar_one()
        common = {"ward_id": ward, "sector_group": "other", "street_name": "Lê Thanh Nghị",
                  "geom": "SRID=4326;POINT(108.2165 16.0355)"}  # fmt: skip
        for code, more in (
            ("X2222227", {"house_number": "77", "position_method": "gps", "source": "field_survey"}),
            (
                "X222223A",
                {"house_number": "79", "position_method": "generated", "source": "demo", "illustrative": True},
            ),
        ):
            code = _code(code)
            connection.execute(insert(tables.lookup_code).values(code=code))
            connection.execute(insert(place).values(code=code, **common, **more))
        around = surroundings(connection, "20257")
    assert around is not None
    numbers = {point.number for point in around.houses if point.street == "Lê Thanh Nghị"}
    assert "77" in numbers and "79" not in numbers
    located = locate(geocoding.gazetteer(around), "77 Lê Thanh Nghị")
    assert located is not None and located.method == "gps" and located.basis == "house_number"


def _code(text: str) -> str:
    from postgis.codes import ALPHABET, is_valid

    return next(text[:7] + letter for letter in ALPHABET if is_valid(text[:7] + letter))


def test_the_command_prints_one_object_and_refuses_the_unknown(
    base_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(geocoding, "open_database", lambda _store: nullcontext(base_database))
    assert main(["geocode", "K408/88 Hoàng Diệu", "--ward", "20257", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"lon", "lat", "method", "expected_error_m", "parts"} <= set(answer)
    assert answer["parts"] == {"house_number": "88", "alley": "K408", "street_name": "Hoàng Diệu"}
    assert main(["geocode", "xyzzy", "--ward", "20257", "--json"]) == 1
    told = capsys.readouterr()
    assert not told.out and "nothing is known" in told.err
    assert main(["geocode", "1 Núi Thành", "--ward", "1"]) == 1
    wrong_usage = subprocess.run([sys.executable, "-m", "mapservice.cli", "geocode"], capture_output=True, check=False)
    assert wrong_usage.returncode == 2


def test_names_fold_as_the_database_folds_them(base_database: Database) -> None:
    street = tables.street.c
    with base_database.owner.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, published.search_key(name) FROM register.street WHERE name IS NOT NULL UNION "
            "SELECT name, published.search_key(name) FROM register.ward UNION "
            "SELECT name, published.search_key(name) FROM register.sector_class WHERE name IS NOT NULL"
        ).all()
        assert connection.execute(select(street.id).limit(1)).all()
        pairs = list(pairwise(rows))[:300]
        for (_, one), (_, other) in pairs:
            told = connection.exec_driver_sql("SELECT public.similarity(%s, %s)", (one, other)).scalar_one()
            assert similarity(one, other) == pytest.approx(told, abs=1e-5)
    assert len(rows) > 500
    assert all(search_key(name) == key for name, key in rows)
