"""Text search: which rows a text means, and which of them are meant most."""

import re
import unicodedata
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Numeric,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from layers.collections import Collection
from postgis import codes

MAX_WORDS = 8
"""Words of `q` that are looked for; each further one would cost a scan and narrow nothing."""
LEAST_SIMILARITY = 0.6
"""Share of a search's three-letter pieces that a row must have to be called similar."""
BEST = 200
"""So many matches are ranked, two pages of a hundred: to rank all that a letter matches would take as long as there
are places. Where there are more, the rest follow as registered."""
_REST = 9
"""The rank of those that are not ranked."""

_FOLD = text("SELECT published.search_key(:q) AS folded")
_PLACES = text("""
    SELECT k.folded, s.ids, s.alike, s.cut
      FROM (SELECT published.search_key(:q) AS folded) k
     CROSS JOIN LATERAL published.search_places(k.folded, :code, :most) s
""")


class Search:
    """A text search: its folded form (folded by the database, the only place that knows the rule) and its SQL.

    Rows match when the text stands in name, address or goods, or all its words do, the last one as far as it is typed.
    Only when nothing matches so, what is spelled alike is found: a typing error should not end the search, and a right
    word should not bring a page of look-alikes.

    Ranks, best first: exact with marks, part of the name with marks, folded name, folded prefix, folded word start,
    folded part of the name, words somewhere else, similar (domain.md, section 11).
    """

    def __init__(self, connection: Connection, collection: Collection, q: str) -> None:
        self.view = collection.view
        # Names are NFC in the register (a constraint says so); what a Mac types is not.
        self.text = unicodedata.normalize("NFC", " ".join(q.split()).lower())
        self.code = codes.normalise(q)
        self.ids: list[int] | None = None
        """Where matches are found by their words: a bounded number of them, all unless they are `cut`."""
        self.cut = False
        if collection.found_by_words:
            row = connection.execute(_PLACES, {"q": q, "code": self.code, "most": BEST}).one()
            self.folded, self.similar = str(row.folded), bool(row.alike)
            self.ids, self.cut = list(dict.fromkeys(row.ids)), bool(row.cut)
        else:
            self.folded, self.similar = str(connection.execute(_FOLD, {"q": q}).scalar_one()), False
        self.words = self.folded.split()[:MAX_WORDS]
        if self.ids is None and self.words:
            found = select(select(self.view.c.id).where(self._direct()).exists())
            self.similar = not connection.execute(found).scalar_one()

    def shape(self, *, brief: bool) -> Hashable | None:
        """What makes the text of these expressions differ from that of another search, all but the values of `bound`;
        None where the words stand in it. `brief`: with `best` in place of `condition`."""
        by_ids = self.ids is not None and (brief or not self.cut)
        return ("q", self.text != self.folded, self.similar, bool(self.words), self.cut, brief) if by_ids else None

    @cached_property
    def bound(self) -> dict[str, Any]:
        """The values of the bind parameters, by name."""
        escaped = re.sub(r"([\\%_])", r"\\\1", self.text)
        return {
            "q_ids": self.ids, "q_code": self.code or "", "q_text": self.text, "q_with_marks": f"%{escaped}%",
            "q_folded": self.folded, "q_begins": f"{self.folded}%", "q_word": f"% {self.folded}%",
            "q_inside": f"%{self.folded}%",
        }  # fmt: skip

    def _bound(self, name: str) -> ColumnElement[str]:
        return bindparam(name, self.bound[name], Text())

    def condition(self) -> ColumnElement[bool]:
        """Which rows match at all. Its parts can use an index, but there may be any number of rows."""
        if not self.words:
            return literal(False)
        if self.ids is not None and not self.cut:
            return and_(self._among(), self._alike()) if self.similar else self._among()
        if not self.similar:
            return self._direct()
        alike = literal(self.folded).op("OPERATOR(public.<%)", is_comparison=True)(self.view.c.search_key)
        return and_(alike, self._alike())

    def best(self) -> ColumnElement[bool]:
        """Which rows are ranked: all that match, or BEST of them."""
        return self._among() if self.cut else self.condition()

    def narrow(self, connection: Connection, others: Sequence[ColumnElement[bool]]) -> None:
        """Ranks among those that also meet other conditions, where there are more matches than are ranked."""
        if self.cut:
            # As an expression no index holds it: that of a common word would be read to its end, for a few streets.
            direct = self._direct(self.view.c.search_key.concat(""))
            met = select(self.view.c.id).where(*others, direct).order_by(self.view.c.id).limit(BEST)
            self.ids = list(connection.execute(met).scalars())

    def _among(self) -> ColumnElement[bool]:
        return self.view.c.id == any_(cast(bindparam("q_ids", self.ids, ARRAY(BigInteger)), ARRAY(BigInteger)))

    def _alike(self) -> ColumnElement[bool]:
        return func.public.word_similarity(self._bound("q_folded"), self.view.c.search_key) >= LEAST_SIMILARITY

    def _direct(self, key: ColumnElement[str] | None = None) -> ColumnElement[bool]:
        """The words are letters and digits only (folding saw to that), so they are safe inside a pattern."""
        key = self.view.c.search_key if key is None else key
        *whole, begun = self.words or [""]
        words = [key.regexp_match(rf"\m{word}\M") for word in whole] + [key.regexp_match(rf"\m{begun}")]
        found = [key.like(f"%{self.folded}%"), and_(*words)]
        if self.code:
            found.append(self.view.c.code == self.code)
        return or_(*found)

    def rank(self) -> ColumnElement[int]:
        """0 is best; after all that are ranked come the rest."""
        return case((self._among(), self.rank_among()), else_=_REST) if self.cut else self.rank_among()

    def distance(self) -> ColumnElement[Any]:
        """How far the text is from the row's best words, 0 to 1; the rest are not told apart."""
        return (
            case((self._among(), self.distance_among()), else_=cast(0, Numeric)) if self.cut else self.distance_among()
        )

    def rank_among(self) -> ColumnElement[int]:
        """The rank among those that are ranked."""
        name_key, name, folded = self.view.c.name_key, func.lower(self.view.c.name), self._bound("q_folded")
        with_marks = [(name.like(self._bound("q_with_marks")), 1)] if self.text != self.folded else []
        return case(
            (self.view.c.code == self._bound("q_code"), 0),
            (name == self._bound("q_text"), 0),
            *with_marks,
            (name_key == folded, 2),
            (name_key.like(self._bound("q_begins")), 3),
            (name_key.like(self._bound("q_word")), 4),
            (name_key.like(self._bound("q_inside")), 5),
            else_=6,
        )

    def distance_among(self) -> ColumnElement[Any]:
        """How far the text is from the row's best words, 0 to 1, rounded so that a cursor holds it exactly."""
        similarity = func.public.word_similarity(self._bound("q_folded"), func.coalesce(self.view.c.name_key, ""))
        return func.round(cast(1 - similarity, Numeric), 4)
