"""What is public: every field has a reason and words, none is left over, and the page tells what the service does."""

from html import unescape

import httpx
import pytest
from sqlalchemy import Connection, text

from layers.collections import COLLECTIONS, STAFF_COLLECTIONS, disclosure
from layers.collections.disclosure import (
    LEGAL_BASES,
    PHOTO_FIELDS,
    WITHOUT_COLLECTION,
    disclosures,
    of_collection,
    reason_of,
)
from layers.collections.model import Field
from postgis import tables
from postgis.vocabulary import PERSONAL_FIELDS
from web import labels
from web.data_page import FieldPolicy, data_page, field_words, group_words

FOUND = list(disclosures())


KEPT_TO_ITSELF = {"id", "ward_id", "establishment_id", "version", "withdrawn_at", "position", "key_version"}
KEPT_TO_ITSELF |= {"proposal_receipt", "due_certain"}
"""Columns that say nothing of their own."""


def _columns(table: str) -> set[str]:
    return {column.name for column in tables.metadata.tables[f"register.{table}"].columns} - KEPT_TO_ITSELF


def test_every_registered_field_has_a_reason_and_stands_on_the_page_once() -> None:
    """Staff's and personal ones too."""
    expected = {(collection.id, field.name) for collection in STAFF_COLLECTIONS.values() for field in collection.fields}
    expected |= {(collection.id, "geometry") for collection in STAFF_COLLECTIONS.values() if collection.geometry}
    expected |= {("personal_data", name) for name in PERSONAL_FIELDS} | {("photos", name) for name in PHOTO_FIELDS}
    expected |= {(table, name) for table in WITHOUT_COLLECTION for name in _columns(table)}
    expected |= {("never_kept", name) for name in disclosure.NEVER_KEPT}
    told = [(found.collection, found.field) for found in FOUND]
    assert len(told) == len(set(told))
    assert set(told) == expected


def test_a_field_that_nobody_has_explained_is_refused() -> None:
    added = Field("mood")
    with pytest.raises(LookupError, match=r"licences\.mood"):
        reason_of("licences", added.name)


def test_no_reason_is_given_for_a_field_that_is_not_there() -> None:
    told = {(found.collection, found.field): found.reason.code for found in FOUND}
    for collection, reasons in disclosure._BY_COLLECTION.items():
        shared = reasons is disclosure._BASE
        for code, names in reasons.items():
            assert shared or all(told.get((collection, name)) == code for name in names), (collection, code)
    for names in (*disclosure._SHARED.values(), *disclosure._BASE.values()):
        assert set(names) <= {field for _, field in told}
    assert {found.reason.code for found in FOUND} == set(disclosure._REASONS)
    assert {basis for found in FOUND for basis in found.reason.bases} == set(LEGAL_BASES)


def test_what_is_called_public_is_what_the_public_gets() -> None:
    shown = {(found.collection, found.field): found.shown for found in FOUND}
    for collection in STAFF_COLLECTIONS.values():
        public = COLLECTIONS.get(collection.id)
        for field in collection.fields:
            got = public is not None and field.name in public.field_by_name
            told = shown[(collection.id, field.name)]
            assert told in (("public", "partly") if got else ("staff", "partly")), (collection.id, field.name)
    assert {shown[("personal_data", name)] for name in PERSONAL_FIELDS} == {"personal"}
    partly = {key for key, told in shown.items() if told == "partly"}
    answers = ("receipt", "state", "outcome", "answer", "answered_at", "closed_at")
    assert partly == (
        {("licences", "number")}
        | {("establishments", name) for name in ("closed_on", "moved_to", "merged_into")}
        | {("citizen_report", name) for name in answers}
        | {("sticker", name) for name in ("serial", "state", "state_at")}
    )


def test_the_photos_told_of_are_those_of_the_published_view(owner_connection: Connection) -> None:
    statement = "SELECT attname FROM pg_attribute WHERE attrelid = 'published.photos'::regclass AND attnum > 0"
    columns = owner_connection.execute(text(statement)).scalars()
    assert set(columns) == set(PHOTO_FIELDS)


@pytest.mark.parametrize("lang", labels.LANGUAGES)
def test_the_page_names_every_field_its_reason_and_its_basis(lang: str) -> None:
    policies = [FieldPolicy(d.collection, d.field, d.shown, d.reason.code, d.reason.bases) for d in FOUND]
    page = unescape(data_page(policies, LEGAL_BASES, None, lang))
    for found in FOUND:
        words = field_words(found.collection, found.field, lang)
        assert f'<span id="{found.collection}.{found.field}">{words}</span>' in page
        assert group_words(found.collection, lang) in page
        assert labels.text(f"data.reasons.{found.reason.code}", lang) in page
    for basis in LEGAL_BASES:
        assert f'id="basis-{basis}"' in page


def test_a_collection_tells_of_its_own_fields_in_its_order() -> None:
    licences, places = STAFF_COLLECTIONS["licences"], STAFF_COLLECTIONS["establishments"]
    assert [found.field for found in of_collection(licences)] == [field.name for field in licences.fields]
    assert [found.field for found in of_collection(places)] == ["geometry", *(field.name for field in places.fields)]


def test_the_page_is_served_in_both_languages(client: httpx.Client) -> None:
    vietnamese, english = client.get("/about/data"), client.get("/about/data?lang=en")
    assert vietnamese.status_code == english.status_code == 200
    assert "Thông tin nào được công khai" in vietnamese.text and "What is public" in english.text
    assert vietnamese.headers["content-language"] == "vi" and english.headers["content-language"] == "en"
    assert "set-cookie" not in vietnamese.headers
