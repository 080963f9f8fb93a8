"""Features in every format, read back by readers that are not ours: the same records, values, places and rights."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from layers.collections import COLLECTIONS, STAFF_COLLECTIONS
from layers.formats import FORMATS

ITEMS = "/ogc/collections/{}/items"
SOME = "sector_group=food_service&bbox=108.2,16.02,108.24,16.045&sortby=name,-updated_at"
STAFF_ONLY = {field.name for field in STAFF_COLLECTIONS["establishments"].fields if field.access == "staff"} - {
    field.name for field in COLLECTIONS["establishments"].fields
}

Record = dict[str, Any]


def _json(client: httpx.Client, address: str) -> list[Record]:
    features: list[Record] = client.get(address).raise_for_status().json()["features"]
    return features


def _read_csv(body: bytes, _: Path) -> list[Record]:
    assert body.startswith(b"\xef\xbb\xbf"), "without it Excel takes UTF-8 for Windows-1252"
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def _read_xlsx(body: bytes, _: Path) -> list[Record]:
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def _read_sequence(body: bytes, _: Path) -> list[Record]:
    texts = body.split(b"\x1e")
    assert texts[0] == b""
    assert all(text.endswith(b"\n") for text in texts[1:])
    return [_flat(json.loads(text)) for text in texts[1:]]


def _read_parquet(_: bytes, path: Path) -> list[Record]:
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"][geo["primary_column"]]["encoding"] == "WKB"
    rows: list[Record] = table.to_pylist()
    for row in rows:
        place = shapely.from_wkb(row.pop("geometry"))
        row |= {"lon": place.x, "lat": place.y}
    return rows


def _read_gdal(_: bytes, path: Path) -> list[Record]:
    meta, _fids, geometry, columns = pyogrio.raw.read(path)
    places = shapely.from_wkb(geometry)
    return [
        {**dict(zip(meta["fields"], values, strict=True)), "lon": place.x, "lat": place.y}
        for place, *values in zip(places, *columns, strict=True)
    ]


def _flat(feature: Record) -> Record:
    lon, lat = feature["geometry"]["coordinates"]
    return {**feature["properties"], "lon": lon, "lat": lat}


READERS: dict[str, Callable[[bytes, Path], list[Record]]] = {
    "csv": _read_csv,
    "xlsx": _read_xlsx,
    "geojsonseq": _read_sequence,
    "parquet": _read_parquet,
    "fgb": _read_gdal,
    "gpkg": _read_gdal,
}


@pytest.mark.parametrize("form", list(READERS))
def test_a_format_holds_what_the_page_holds(client: httpx.Client, tmp_path: Path, form: str) -> None:
    """Same records under the same filters, same places to 0.1 m, Vietnamese to the letter, nothing for staff alone."""
    address = ITEMS.format("establishments")
    wanted = [_flat(feature) for feature in _json(client, f"{address}?{SOME}&limit=1000")]
    assert len(wanted) > 100
    answer = client.get(f"{address}?{SOME}&f={form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == FORMATS[form].media_type
    assert f".{FORMATS[form].suffix}" in answer.headers["content-disposition"]
    path = tmp_path / f"places.{FORMATS[form].suffix}"
    path.write_bytes(answer.content)
    found = READERS[form](answer.content, path)
    by_code = {row["code"]: row for row in found}
    assert len(by_code) == len(found) == len(wanted)
    if form != "fgb":  # whose index has an order of its own
        assert [row["code"] for row in found] == [row["code"] for row in wanted]
    for row in wanted:
        other = by_code[row["code"]]
        assert (other["name"] or None) == row["name"]
        assert float(other["lon"]) == pytest.approx(row["lon"], abs=1.5e-6)
        assert float(other["lat"]) == pytest.approx(row["lat"], abs=1.5e-6)
        assert str(other["illustrative"]).lower() == str(row["illustrative"]).lower()
        methods = other["payment_methods"] or []
        assert (methods if isinstance(methods, list) else methods.split(",")) == row["payment_methods"]
    assert STAFF_ONLY
    assert not STAFF_ONLY & set(found[0])


@pytest.mark.parametrize(("collection", "form"), [("wards", "gpkg"), ("licences", "fgb"), ("streets", "parquet")])
def test_collections_of_other_shapes(client: httpx.Client, tmp_path: Path, collection: str, form: str) -> None:
    wanted = _json(client, f"{ITEMS.format(collection)}?limit=20")
    body = client.get(f"{ITEMS.format(collection)}?limit=20&f={form}").raise_for_status().content
    path = tmp_path / f"{collection}.{form}"
    path.write_bytes(body)
    if form == "parquet":
        assert pq.read_table(path).column("code").to_pylist() == [feature["id"] for feature in wanted]
        return
    listed = subprocess.run(["ogrinfo", "-ro", "-al", "-geom=NO", path], capture_output=True, text=True, check=True)
    assert listed.stdout.count("\nOGRFeature(") == len(wanted) == 20
    for feature in wanted:
        assert f"code (String) = {feature['id']}\n" in listed.stdout


def test_places_in_vn_2000(client: httpx.Client, tmp_path: Path) -> None:
    """Binary formats have the easting first and name the CRS; a table calls its columns easting and northing."""
    crs = "http://www.opengis.net/def/crs/EPSG/0/5899"
    address = f"{ITEMS.format('establishments')}?limit=3&crs={crs}"
    page = client.get(address).raise_for_status()
    places = {feature["id"]: feature["geometry"]["coordinates"] for feature in page.json()["features"]}
    path = tmp_path / "places.gpkg"
    path.write_bytes(client.get(f"{address}&f=gpkg").raise_for_status().content)
    assert pyogrio.read_info(path)["crs"] == "EPSG:5899"
    table = client.get(f"{address}&f=csv").raise_for_status()
    assert table.headers["content-crs"] == page.headers["content-crs"] == f"<{crs}>"
    from_gdal = {row["code"]: (row["lon"], row["lat"]) for row in _read_gdal(b"", path)}
    for row in _read_csv(table.content, path):
        easting, northing = places[row["code"]]
        assert (float(row["easting"]), float(row["northing"])) == pytest.approx((easting, northing), abs=0.02)
        assert from_gdal[row["code"]] == pytest.approx((easting, northing), abs=0.02)


def test_chosen_properties(client: httpx.Client) -> None:
    address = f"{ITEMS.format('establishments')}?limit=2&properties=name,accepts_cashless"
    page = client.get(address).raise_for_status().json()
    assert [list(feature["properties"]) for feature in page["features"]] == [["name", "accepts_cashless"]] * 2
    rows = _read_csv(client.get(f"{address}&f=csv").raise_for_status().content, Path())
    assert list(rows[0]) == ["code", "name", "accepts_cashless", "lon", "lat"]
    assert [row["code"] for row in rows] == [feature["id"] for feature in page["features"]]


def test_accept_chooses_the_format(client: httpx.Client) -> None:
    address = f"{ITEMS.format('model_sites')}"
    for form in ("csv", "geojsonseq", "json"):
        answer = client.get(address, headers={"Accept": f"{FORMATS[form].media_type}, */*;q=0.1"})
        assert answer.headers["content-type"].split(";")[0] == FORMATS[form].media_type
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert client.get(address, headers={"Accept": browser}).headers["content-type"].startswith("text/html")
    weighed = {"Accept": "text/html;q=0.2, text/csv;q=0.7"}
    assert client.get(address, headers=weighed).headers["content-type"].startswith("text/csv")
    assert client.get(f"{address}?f=shp").status_code == 400


def test_a_long_page_is_streamed_and_whole(client: httpx.Client) -> None:
    """Beyond a thousand features the same features come, with the same way on."""
    address = f"{ITEMS.format('establishments')}?sortby=-last_inspection_on,name"
    whole = client.get(f"{address}&limit=100000").raise_for_status().json()
    assert whole["numberReturned"] == whole["numberMatched"] == len(whole["features"])
    assert not [link for link in whole["links"] if link["rel"] == "next"]
    ids: list[str] = []
    following: str | None = f"{address}&limit=3333"
    while following:
        page = client.get(following).raise_for_status().json()
        ids += [feature["id"] for feature in page["features"]]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert ids == [feature["id"] for feature in whole["features"]]
    days = [feature["properties"]["last_inspection_on"] for feature in whole["features"]]
    known = [day for day in days if day]
    assert known == sorted(known, reverse=True)
    assert not any(days[len(known) :]), "what is not known comes last"
