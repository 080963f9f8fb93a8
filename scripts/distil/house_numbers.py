"""House numbers of OpenStreetMap: what the geocoder interpolates between. Only number, street and point are kept."""

from pathlib import Path

from distil.files import read_csv, write_csv
from distil.names import tidy


def distil_house_numbers(data: Path, output: Path) -> None:
    """Write `house_numbers.csv`: spelt as the source has them, sorted by street and number."""
    rows = [
        {
            "number": tidy(row["housenumber"]),
            "street": tidy(row["street"]),
            "ward_code": row["ward_code"],
            "lon": round(float(row["lon"]), 6),
            "lat": round(float(row["lat"]), 6),
        }
        for row in read_csv(data / "open/osm_danang_addresses.csv")
        if row["street"] and row["housenumber"]
    ]
    rows.sort(key=lambda row: (row["street"], row["number"], row["lon"], row["lat"]))
    write_csv(output / "house_numbers.csv", ["number", "street", "ward_code", "lon", "lat"], rows)


def distil_street_names(data: Path, output: Path) -> None:
    """Write `street_names.csv`: the city's street names by old district, for streets that no map here draws."""
    rows = {
        (tidy(row["district_old"]).removeprefix("Quận ").removeprefix("Huyện "), tidy(row["street"]))
        for row in read_csv(data / "open/street_names_danang.csv")
        if any(letter.isalpha() for letter in row["street"]) and len(row["street"].split()) > 1
    }
    named = [{"district_old": district, "street": street} for district, street in sorted(rows)]
    write_csv(output / "street_names.csv", ["district_old", "street"], named)
