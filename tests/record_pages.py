"""Forms of the staff's pages as a browser without JavaScript sees them: read from the page, changed, sent."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from tests.staff_clients import Browser


@dataclass
class FoundForm:
    """A form of a page: where it goes and what it holds."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def values(self, **typed: str) -> dict[str, list[str]]:
        """What the form would send, with some inputs filled anew."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return {**found, **{name: [value] for name, value in typed.items()}}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FoundForm] = []
        self.select: str | None = None
        self.chosen: str | None = None
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append(FoundForm(given.get("action", "") if given.get("method") == "post" else ""))
        elif not self.forms:
            return
        elif tag == "input" and "name" in given:
            self.forms[-1].names.add(given["name"])
            if given.get("type") not in ("checkbox", "radio", "file") or "checked" in given:
                self.forms[-1].fields.append((given["name"], given.get("value", "")))
        elif tag == "select":
            self.forms[-1].names.add(given["name"])
            self.select, self.chosen = given["name"], None
        elif tag == "option" and self.select and ("selected" in given or self.chosen is None):
            self.chosen = given.get("value", "")
        elif tag == "textarea":
            self.forms[-1].names.add(given["name"])
            self.area, self.text = given["name"], ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self.select:
            self.forms[-1].fields.append((self.select, self.chosen or ""))
            self.select = None
        elif tag == "textarea" and self.area:
            self.forms[-1].fields.append((self.area, self.text.removeprefix("\n")))
            self.area = None


def form_to(page: str, action: str) -> FoundForm:
    """The form of a page that goes to an address."""
    reader = _Forms()
    reader.feed(page)
    # A form that only looks something up goes to the same address, and comes first.
    found = [form for form in reader.forms if form.action == action and "look" not in form.names]
    assert found, f"no form to {action}; there are {[form.action for form in reader.forms]}"
    return found[0]


def fill_in(browser: Browser, page: str, action: str, **typed: str) -> httpx.Response:
    """Opens a page, fills in one of its forms and sends it."""
    answer = browser.get(page)
    assert answer.status_code == 200, answer.text
    return send(browser, answer.text, action, **typed)


def send(browser: Browser, page: str, action: str, **typed: str) -> httpx.Response:
    """Sends a form of a page that is already open, with some inputs filled anew."""
    return browser.client.post(action, data=form_to(page, action).values(**typed))


def block_of(page: str, name: str, within: str = "") -> str:
    """The HTML around one input: label, input, errors."""
    start = page.index(f'action="{within}"') if within else 0
    found = re.search(rf'data-field="{name}">(.*?)(?=data-field=|</form>)', page[start:], re.S)
    assert found, f"no field {name}"
    return found[1]


def errors_at(page: str, name: str, within: str = "") -> list[str]:
    """The messages at one input, as read."""
    block = block_of(page, name, within)
    return [html.unescape(words) for words in re.findall(r'class="error"[^>]*>(.*?)</p>', block, re.S)]


def holds(page: str, name: str, typed: str, within: str = "") -> bool:
    """Whether an input still holds what was typed."""
    block = html.unescape(block_of(page, name, within))
    return f'value="{typed}"' in block or f">\n{typed}</textarea>" in block
