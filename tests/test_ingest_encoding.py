"""Old encodings: 2,000 Vietnamese strings written three ways among English and numbers, and what must never change."""

import random
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.encoding import decode, guess
from ingest.encoding_columns import ColumnEncodings, Decoder
from ingest.syllables import is_marked_syllable, is_syllable, words
from postgis.reference_files import read_features, read_rows
from tests.old_encodings import encode
from web import labels

WAYS = ("tcvn3", "vni", "viqr")
# Right as they are, and among the others in every column of the test.
OTHERS = (
    "The Coffee House", "Circle K", "0905123456", "minhhoa@example.com", "K12/4", "SN-001", "C++", "O+", "Ms. Hoa",
    "2.5", "www.example.vn", "Café Amazon", "Nestlé", "Zoë's Bakery", "Crème brûlée", "12/4 Tiểu La", "20257",
    "31/12/2026",
    "A & B Co., Ltd.", "(0236) 3 123 456", "16.0471, 108.2153", "Phở Hà Nội", "https://example.vn/?q=a",
)  # fmt: skip


@cache
def strings() -> tuple[str, ...]:
    """2,000 texts with diacritics: streets, places, wards and sectors of the reference files, and our own screens."""
    found: list[str] = []
    for name in ("streets.geojsonl.gz", "osm_places.geojsonl.gz", "wards.geojsonl.gz"):
        found += [feature.properties.get("name") or "" for feature in read_features(name)]
    for name in ("vsic_2025.csv", "former_wards.csv"):
        found += [row.get("name") or row.get("name_vi") or "" for row in read_rows(name)]
    for key in labels.keys("vi"):
        table, _, name = key.rpartition(".")
        found.append(re.sub(r"\{.*?\}", "", str(labels.table(table, "vi")[name])))
    texts = dict.fromkeys(unicodedata.normalize("NFC", text.strip()) for text in found)
    kept = [text for text in texts if 1 < len(text) < 90 and any(is_marked_syllable(word) for word in words(text))]
    random.Random(20257).shuffle(kept)
    return tuple(kept[:2_000])


def _decoder(texts: Iterable[str]) -> Decoder:
    found = ColumnEncodings()
    for text in texts:
        found.add(text)
    return found.decoder()


def _possible(text: str, way: str) -> str:
    """What can be had back: TCVN3 has no capitals with a tone, so `ÁNH` comes back, but `Ánh` only as `ánh`."""
    return text.casefold() if way == "tcvn3" else text


def test_there_are_enough_strings() -> None:
    assert len(strings()) == 2_000


@pytest.mark.parametrize("way", WAYS)
def test_a_column_in_one_encoding(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [(text, encode(text, way)) for text in strings()] + [(text, text) for text in OTHERS * 10]
    random.Random(1).shuffle(cells)
    to_decoded = _decoder(raw for _, raw in cells)
    wrong = [(text, raw, to_decoded(raw)[0]) for text, raw in cells if to_decoded(raw)[0] != text]
    but_capitals = [case for case in wrong if _possible(case[0], way) != _possible(case[2], way)]
    share = 1 - len(wrong) / len(cells)
    with capsys.disabled():
        print(
            f"\n{way}: {share:.2%} of {len(cells)} cells exactly right,", f"{len(but_capitals)} wrong but for capitals"
        )
    # TCVN3 has no capitals with marks: how often a text begins with one is the corpus's, not the decoder's.
    assert 1 - len(but_capitals) / len(cells) > 0.985 and share > 0.98, wrong[:20]
    assert not [text for text, raw, got in wrong if text in OTHERS and raw != got and way != "viqr"]


def test_a_column_in_four_encodings(capsys: pytest.CaptureFixture[str]) -> None:
    pick = random.Random(2)
    cells = []
    for text in strings():
        way = pick.choice((*WAYS, ""))
        cells.append((text, encode(text, way) if way else text))
    cells += [(text, text) for text in OTHERS * 10]
    pick.shuffle(cells)
    to_decoded = _decoder(raw for _, raw in cells)
    wrong = [(text, raw, to_decoded(raw)[0]) for text, raw in cells if to_decoded(raw)[0] != text]
    silently = [case for case in wrong if case[1] != case[2] and case[0].casefold() != case[2].casefold()]
    with capsys.disabled():
        share = 1 - len(wrong) / len(cells)
        print(f"\nmixed: {share:.2%} of {len(cells)} exactly right,", f"{len(silently)} made into something else")
    assert len(wrong) / len(cells) < 0.03, wrong[:20]
    assert len(silently) / len(cells) < 0.005, silently


def test_right_text_is_never_touched() -> None:
    texts = [*strings(), *OTHERS]
    assert [text for text in texts if guess(text)[0] is not None] == []
    to_decoded = _decoder(texts)
    assert all(to_decoded(text) == (text, None) for text in texts)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("§Þa chØ", "Địa chỉ"),
        ("Ph­êng Hßa C­êng", "Phường Hòa Cường"),
        ("PH¦êNG HßA C¦êNG", "PHƯỜNG HÒA CƯỜNG"),
        ("Phöôøng Hoøa Cöôøng", "Phường Hòa Cường"),
        ("Maõ soá thueá", "Mã số thuế"),
        ("Ho^. kinh doanh.", "Hộ kinh doanh."),
        ("Ðà Nẵng", "Đà Nẵng"),
        ("ÐKKD", "ĐKKD"),
        ("Pho\u031b\u0309", "Phở"),
        ("Ä\x90á»\x8ba chá»\x89", "Địa chỉ"),
    ],
)
def test_samples(raw: str, text: str) -> None:
    encoding, _ = guess(raw)
    assert encoding is not None and decode(raw, encoding) == text


def test_a_cell_that_reads_both_ways_follows_its_column() -> None:
    old = _decoder([*(encode(text, "tcvn3") for text in strings()[:50]), "Hé"])
    right = _decoder([*strings()[:50], "Hé"])
    assert old("Hé") == ("Hộ", "tcvn3")
    assert right("Hé") == ("Hé", None)


def test_a_proposal_shows_before_and_after() -> None:
    found = ColumnEncodings()
    for text in strings()[:40]:
        found.add(encode(text, "vni"))
    best = found.proposals()[0]
    assert best.encoding == "vni" and best.confidence > 0.9 and len(best.examples) == 5
    assert all(before != after and decode(before, "vni") == after for before, after in best.examples)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
@settings(max_examples=300, deadline=None)
def test_ascii_is_left_alone_unless_it_is_plainly_viqr(text: str) -> None:
    to_decoded = _decoder(["The Coffee House", "K12/4", text])
    got, encoding = to_decoded(text)
    assert got == text or (encoding == "viqr" and any(is_marked_syllable(word) for word in words(got)))


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_looked_at(text: str) -> None:
    to_decoded = _decoder([text])
    got, encoding = to_decoded(text)
    assert (got == text) == (encoding is None)


@pytest.mark.parametrize("word", ["nghiêng", "quý", "giá", "gì", "hòa", "hoà", "thuở", "khuỷu", "Đường", "yến", "kiệt"])
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["Nguyeãn", "höôøng", "hõac", "tèp", "zoo", "§Þa", "bcd"])
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)
