"""Pages as they are read from top to bottom: what may be seen of them, and in which order."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_NOT_READ = frozenset({"head", "script", "style", "template", "select", "datalist", "nav", "textarea"})
"""Elements that tell nothing about a place: choices of a form say what could be said of any."""


@dataclass(frozen=True)
class Said:
    """A run of text of a page."""

    at: int
    text: str
    classes: frozenset[str]
    """Of all the elements that it stands in."""
    row: int
    """The row of a table or the item of a list that it stands in; 0: none."""
    box: int
    """The fact that it belongs to; 0: none."""


@dataclass
class Page:
    """A page in the order in which it is read."""

    said: list[Said] = field(default_factory=list)
    items: list[tuple[str, str]] = field(default_factory=list)
    """Names of schema.org markup, each with the text or address it stands for."""
    types: list[str] = field(default_factory=list)

    def first(self, words: re.Pattern[str], row: int | None = None) -> int | None:
        """Where something is said first; None where it is not."""
        return next((each.at for each in self.said if words.search(each.text) and row in (None, each.row)), None)

    def having(self, name: str) -> list[Said]:
        """What stands in elements of a class."""
        return [each for each in self.said if name in each.classes]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(each.text for each in self.said)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._open: list[tuple[str, frozenset[str], bool, int, int, str | None]] = []
        self._rows = self._boxes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "itemtype" in given:
            self.page.types.append(given["itemtype"])
        if tag in _VOID:
            if "itemprop" in given:
                self.page.items.append((given["itemprop"], given.get("src", given.get("content", ""))))
            return
        classes = frozenset(given.get("class", "").split())
        unseen = tag in _NOT_READ or "hidden" in given or "visually-hidden" in classes
        row, box = self._open[-1][3:5] if self._open else (0, 0)
        if tag in ("tr", "li", "article"):
            self._rows += 1
            row = self._rows
        if "fact" in classes:
            self._boxes += 1
            box = self._boxes
        self._open.append((tag, classes, unseen, row, box, given.get("itemprop")))

    def handle_endtag(self, tag: str) -> None:
        if any(tag == each[0] for each in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or any(each[2] for each in self._open):
            return
        classes = frozenset().union(*(each[1] for each in self._open))
        self.page.said.append(
            Said(len(self.page.said), text, classes, *(self._open[-1][3:5] if self._open else (0, 0)))
        )
        for *_, name in self._open:
            if name:
                self.page.items.append((name, text))


def read(html: str) -> Page:
    """A page as somebody reads it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
