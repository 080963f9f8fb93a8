"""How well real addresses are read: the 644 of OpenStreetMap, each written in several ways.

    .venv/bin/python -m tests.address_trial

What is right is told by OpenStreetMap's own two columns: a plain number and a plain street name mean themselves
(without zeros in front and "Đường"), "Kiệt 25 X" is alley K25 of X. All others (64 spellings) were labelled by hand, in
tests/data/addresses_by_hand.csv. An address counts as right only when house number, alley, street and plot all are.
The columns are joined to one text first, so that the parser sees no column. Nine rows of ten are a plain number and
street: the share says little about odd ones, which have their own tests.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ingest.address_book import AddressBook
from ingest.addresses import parse_address
from ingest.street_names import StreetNames, read_alley
from postgis.folding import search_key
from postgis.reference_files import read_features, read_rows

COLLECTED = Path(__file__).parent.parent.parent / "shared/data/open/osm_danang_addresses.csv"
Row = dict[str, str]
Truth = tuple[str, str, str, str]


def book() -> AddressBook:
    """The city as the base data know it."""
    drawn = [name for feature in read_features("streets.geojsonl.gz") if (name := feature.properties.get("name"))]
    names = [name for name in drawn if read_alley(name) is None and " / " not in name]
    names += [str(row["street"]) for row in read_rows("street_names.csv")]
    present = {feature.properties["name"]: feature.properties["code"] for feature in read_features("wards.geojsonl.gz")}
    former: dict[str, str | None] = {str(row["name"]): None for row in read_rows("former_wards.csv")}
    return AddressBook(StreetNames(names), former | present)


def rows() -> list[Row]:
    """The real addresses; without the collected data those of the base data, which have a street and no ward's name."""
    if COLLECTED.exists():
        with COLLECTED.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(unicodedata.normalize("NFC", line) for line in stream))
    return [
        {"housenumber": str(row["number"]), "street": str(row["street"]), "subdistrict": "", "district": "", "city": ""}
        for row in read_rows("house_numbers.csv")
    ]


def truth(row: Row) -> Truth:
    """House number, alley, street and plot that an address means."""
    by_hand = _by_hand().get((row["housenumber"], row["street"]))
    if by_hand is not None:
        return by_hand
    number, street = row["housenumber"], row["street"].removeprefix("Đường ")
    assert re.fullmatch(r"\d+[A-Z]?", number), number
    alley = ""
    if found := re.fullmatch(r"Kiệt 0*(\d+[A-Z]?) (?:Đường )?(.+)", street):
        alley, street = f"K{found[1]}", found[2].replace("2-9", "2 Tháng 9")
    assert "/" not in street and "Hem" not in street, street
    return number.lstrip("0"), alley, street, ""


def _by_hand() -> dict[tuple[str, str], Truth]:
    with (Path(__file__).parent / "data/addresses_by_hand.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["number"], row["street"]): (row["house_number"], row["alley"], row["street_name"], row["lot"])
            for row in csv.DictReader(stream)
        }


def spellings(row: Row) -> Iterator[tuple[str, str]]:
    """The address as different people write it, each with the name of the way."""
    written = f"{row['housenumber']} {row['street']}".strip()
    area = [row[part] for part in ("subdistrict", "district", "city") if row[part]]
    yield "as in the source", ", ".join([written, *area])
    yield "with ward and city", f"{written}, phường Hòa Cường, TP. Đà Nẵng"
    yield "short, old ward", f"{written}, P. Bình Thuận, Q. Hải Châu, TP Đà Nẵng"
    yield "no commas", f"{written} phường Hòa Cường Bắc quận Hải Châu Đà Nẵng"
    yield "with a group", f"Số {written}, tổ 15, P.Hòa Cường Nam" if written[0].isdigit() else f"{written}, tổ 15"
    yield "no marks", " ".join(_bare(word) for word in f"{written}, phường Bình Thuận, Đà Nẵng".split())
    yield "capitals", f"{written}, phường Bình Thuận, Đà Nẵng".upper()


def _bare(word: str) -> str:
    mark = word[-1] if word[-1] in ",;" else ""
    kept = re.sub(r"[^\d/;.,A-Za-z-]", "", word) if word[0].isdigit() else None
    return kept if kept is not None else f"{search_key(word).replace(' ', '-')}{mark}"


def run() -> dict[str, tuple[int, int, list[str]]]:
    """By way of writing: how many are right, of how many, and those that are not."""
    known = book()
    found: dict[str, tuple[int, int, list[str]]] = {}
    for row in rows():
        wanted = truth(row)
        for way, text in spellings(row):
            address = parse_address(text, known)
            got = (address.house_number, address.alley, address.street_name, address.lot)
            same = all((mine or "").casefold() == theirs.casefold() for mine, theirs in zip(got, wanted, strict=True))
            right, of, wrong = found.get(way, (0, 0, []))
            found[way] = (right + same, of + 1, wrong if same else [*wrong, f"{text} → {got}, not {wanted}"])
    return found


if __name__ == "__main__":
    for way, (right, of, wrong) in run().items():
        print(f"{way:20} {right:4} of {of} {right / of:7.1%}")
        for line in sorted(set(wrong))[:8]:
            print("   ", line)
