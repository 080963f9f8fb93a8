"""The encodings of a whole column: proposed with a preview, and decoded cell by cell.

A cell that reads both ways follows the clear cells of its column.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable

from ingest.encoding import ENCODINGS, Encoding, decode, guess, is_plain, score

_NOT_VIETNAMESE = re.compile(r"[\x80-\x9f\xa1-\xaf\xb1-\xb6\xb8-\xbf\xc4-\xc7\xcb\xce-\xd1\xd6-\xd8\xdb\xdc\xde\xdf"
                             r"\xe4-\xe7\xeb\xee-\xf1\xf6-\xf8\xfb\xfc\xfe\xff\u0300-\u036f]")  # fmt: skip
_WEAK_VIQR = re.compile(r"[aeiouyAEIOUY]['`?~](?=\s|$)")
_EXAMPLES = 5
_CLOSELY = 3_000
_FOLLOWED = 4
_REMEMBERED = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """One encoding found in a column: in how many cells, how surely, and what decoding would make of some of them."""

    encoding: Encoding
    cells: int
    confidence: float
    examples: tuple[tuple[str, str], ...]


def stands_out(text: str) -> bool:
    """Whether a text has a letter that is in no Vietnamese word."""
    return _NOT_VIETNAMESE.search(text) is not None


class ColumnEncodings:
    """What encodings the cells of one column are in. Feed it all texts of the column, then ask."""

    def __init__(self) -> None:
        self.texts = 0
        self._found: Counter[Encoding] = Counter()
        self._sure: Counter[Encoding] = Counter()
        self._examples: dict[Encoding, list[str]] = {}
        self._right = 0
        self._unclear = 0

    def add(self, text: str) -> None:
        """Look at one cell: closely at the first thousands, later only where a letter stands out."""
        self.texts += 1
        if self.texts > _CLOSELY and not _NOT_VIETNAMESE.search(text) and not ("^" in text and is_plain(text)):
            return
        encoding, sure = guess(text)
        if encoding is None:
            if not is_plain(text):
                good, bad = score(text)
                self._unclear += bool(bad)
                self._right += any(letter > "\xff" for letter in text) and not bad and good > 0
            return
        self._found[encoding] += 1
        self._sure[encoding] += sure
        examples = self._examples.setdefault(encoding, [])
        if sure and len(examples) < _EXAMPLES and text not in examples:
            examples.append(text)

    def proposals(self) -> list[Proposal]:
        """The encodings to decode from, the most frequent first."""
        proposals = []
        for encoding, count in self._found.most_common():
            sure = self._sure[encoding]
            if not sure:
                continue
            doubt = count - sure + (self._unclear if encoding in ("tcvn3", "vni") else 0)
            if encoding == "viqr" and count * 20 < self.texts and sure < 3:
                doubt += 2
            confidence = round((sure + 0.5) / (sure + doubt + 1), 2) if encoding != "nfd" else 1.0
            examples = tuple((text, decode(text, encoding)) for text in self._examples.get(encoding, ()))
            proposals.append(Proposal(encoding, count, confidence, examples))
        return proposals

    def decoder(self) -> "Decoder":
        """What decodes the cells of this column."""
        return Decoder([proposal.encoding for proposal in self.proposals()], self._leading())

    def _leading(self) -> Encoding | None:
        """The encoding that cells which read both ways follow: where nearly all clear cells are in it."""
        legacy: list[tuple[int, Encoding]] = [(self._sure[name], name) for name in ("tcvn3", "vni")]
        (_, _), (count, name) = sorted(legacy)
        others = self._right + min(legacy)[0]
        if self._sure["viqr"] > _FOLLOWED * (others + count):
            return "viqr"
        return name if count > _FOLLOWED * others else None


def chosen_decoder(encoding: str) -> "Decoder":
    """What decodes a column that a person says is in this encoding; no encoding's name: it stays as it stands."""
    return Decoder([known for known in ENCODINGS if known == encoding], chosen=True)


class Decoder:
    """Decodes the cells of one column from the encodings found, or accepted by a person, for it."""

    def __init__(self, encodings: Iterable[Encoding], leading: Encoding | None = None, *, chosen: bool = False) -> None:
        self.encodings = tuple(encodings)
        self.leading = leading
        self.chosen = chosen
        """A person says that every cell is in the one encoding: no cell is judged by itself."""
        self._known: dict[str, tuple[str, Encoding | None]] = {}

    def __call__(self, text: str) -> tuple[str, Encoding | None]:
        """The text as it should read, and the encoding it was in; None when nothing was changed."""
        if not self.encodings or ("viqr" not in self.encodings and is_plain(text)):
            return text, None
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[text] = self._decoded(text)
        return known

    def _decoded(self, text: str) -> tuple[str, Encoding | None]:
        if self.chosen:
            decoded = decode(text, self.encodings[0])
            return (decoded, self.encodings[0]) if decoded != text else (text, None)
        by_column = self._by_column(text)
        if by_column is not None:
            return decode(text, by_column), by_column
        encoding, _ = guess(text)
        if self.leading == "viqr" and encoding is None and _WEAK_VIQR.search(text) and is_plain(text):
            encoding = "viqr"
        if encoding is None or encoding not in self.encodings:
            return text, None
        decoded = decode(text, encoding)
        if encoding == "nfd" and not decoded.isascii():
            decoded = self._after_composing(decoded)
        return (decoded, encoding) if decoded != text else (text, None)

    def _by_column(self, text: str) -> Encoding | None:
        """The column's leading encoding, where a cell that reads both ways reads well in it."""
        if self.leading in (None, "viqr") or is_plain(text) or any(letter > "\xff" for letter in text):
            return None
        decoded = decode(text, self.leading)
        return self.leading if decoded != text and score(decoded)[1] == 0 else None

    def _after_composing(self, text: str) -> str:
        encoding, _ = guess(text)
        return decode(text, encoding) if encoding in self.encodings and encoding != "nfd" else text
