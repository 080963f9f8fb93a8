"""The last look at a row: whatever it says in a column that means something, and that nothing was made of, is told.

Columns that mean nothing to the register, or that it has no place for, are told of once, in the plan's summary.
"""

from collections.abc import Iterator

from ingest.row_values import KEPT_FIELDS, Finding
from ingest.rows import ReadRow
from ingest.said import Said
from ingest.values import is_empty, tidy
from postgis.folding import search_key

_SEEN_TO = frozenset(
    (
        "code", "address", "legal_form", "operating_status", "registry_status", "registered_name", "owner_name",
        "phone", "email", "home_address", "birth_date", "tax_code", "personal_id", "licence_number", "payment",
        "wallet", "vietqr", "bank_transfer", "pos_card", "e_invoice", "sales_software", "marketplace", "market",
        "stall",
    )
)  # fmt: skip
"""Their own readers make something of every value, or say why not."""
_OF_AN_INSPECTION = frozenset(("no_agency", "inspection_incomplete"))
"""They say of an inspection as a whole that it is kept as text."""
_PASSED_OVER = _SEEN_TO | KEPT_FIELDS
_WAY = ("house_number", "alley", "street_name")
_POINTS = (("lat", "lon"), ("northing", "easting"), ("coordinates",))


def say_kept(row: ReadRow, said: Said) -> None:
    """Add a finding for each column whose content is in no value, no record and no finding."""
    told = {finding.column for finding in row.findings if finding.code != "corrected_by_person"}
    open_ones = [
        (field, column)
        for field, columns in row.columns.items()
        if field not in _PASSED_OVER
        for column in columns
        if column in row.cells and column not in told
    ]
    if not open_ones:
        return
    used = set(_used(row, said))
    for field, column in open_ones:
        if field not in used and not is_empty(tidy(row.cells[column])):
            row.findings.append(Finding(column, "kept_as_text"))


def _used(row: ReadRow, said: Said) -> Iterator[str]:
    """The fields that something was made of."""
    place = said.place
    yield from (name for name in ("name", "name_en", "opening_hours", "website", "opened_on", "closed_on")
                if name in place)  # fmt: skip
    if "offering" in place or "sector_code" in place:
        yield from ("business_line", "sector_code", *(["offering"] if "offering" in place else []))
    if said.licence:
        yield from ("licence_kind", *(f"licence_{name}" for name in ("issued_on", "expires_on", "issuer")
                                      if name in said.licence))  # fmt: skip
    for record in said.food_safety:
        yield "food_safety_kind"
        if record["kind"] == "commitment":
            yield "commitment_signed_on"
        named = {"issued_on": "issued_on", "valid_until": "expires_on", "number": "number", "agency": "issuer"}
        yield from (f"food_safety_{name}" for value, name in named.items() if value in record)
        if not row.text_of("food_safety_kind"):
            # "Đã cam kết" where a number is asked for.
            yield "food_safety_number"
    if said.inspection:
        yield from ("inspected_on", "inspection_result", "inspection_agency")
        if "official_words" in said.inspection:
            yield "penalty"
    elif any(finding.code in _OF_AN_INSPECTION for finding in row.findings):
        yield from ("inspected_on", "inspection_result", "inspection_agency", "penalty")
    if said.licence or said.food_safety or said.payments or said.uses:
        yield "surveyed_on"
    yield from _used_of_place(row, said)


def _used_of_place(row: ReadRow, said: Said) -> Iterator[str]:
    address = row.place.address
    if said.group is not None:
        yield "residential_group"
    if address.ward_code is not None:
        yield "ward"
    if row.place.shown is not None:
        # Where a row states its point twice, the first way counts.
        yield from next((pair for pair in _POINTS if all(row.text_of(name) for name in pair)), ())
    stated = search_key(row.place.stated)
    for name in _WAY:
        text = row.text_of(name)
        if text and search_key(text) in stated:
            yield name
