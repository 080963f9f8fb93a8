"""The forms of a staff page as assistive technology has them: inputs with values and the messages they point to."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("checkbox", "radio", "submit", "button", "hidden")


@dataclass
class FoundInput:
    """One input of a form."""

    name: str
    kind: str
    value: str = ""
    invalid: bool = False
    described: list[str] = field(default_factory=list)
    chosen: bool = False


@dataclass
class FoundForm:
    """A form that is sent: where it goes, what it holds, and the buttons that say what to do."""

    action: str
    multipart: bool = False
    inputs: list[FoundInput] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def typed_into(self) -> list[str]:
        """Names of inputs that somebody types into or chooses from, each once."""
        names = [each.name for each in self.inputs if each.kind not in ("hidden", "file")]
        return list(dict.fromkeys(names))

    def values(self, **typed: str) -> dict[str, list[str]]:
        """What a browser would send, with some inputs filled anew."""
        found: dict[str, list[str]] = {}
        for each in self.inputs:
            if each.kind != "file" and (each.kind not in ("checkbox", "radio") or each.chosen):
                found.setdefault(each.name, []).append(each.value)
        return {**found, **{name: [value] for name, value in typed.items()}}

    def kind(self, name: str) -> str:
        """The kind of the inputs of that name that are seen."""
        return next(each.kind for each in self.inputs if each.name == name and each.kind != "hidden")

    def holds(self, name: str) -> list[str]:
        """What stands in the inputs of that name."""
        return [each.value for each in self.inputs if each.name == name and each.kind != "hidden"]


class StaffPage(HTMLParser):
    """All forms of a page, and the text of every element with an id."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[FoundForm] = []
        self.inside: FoundForm | None = None
        self.words: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self._area: FoundInput | None = None
        self._group: list[str] = []
        self.feed(page)

    def messages(self, form: FoundForm, name: str) -> list[str]:
        """The texts that the inputs of that name are marked wrong with."""
        ids = [each for one in form.inputs if one.name == name and one.invalid for each in one.described]
        return [self.words.get(each, "").strip() for each in dict.fromkeys(ids)]

    def like(self, form: FoundForm) -> FoundForm:
        """The same form on this page."""
        found = [each for each in self.forms if each.action == form.action]
        alike = [each for each in found if each.typed_into() == form.typed_into()]
        assert found, f"the form to {form.action} is gone"
        return (alike or found)[0]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Notes forms, inputs and ids."""
        given = {name: value or "" for name, value in attributes}
        if tag not in ("input", "img", "link", "meta", "br", "hr", "source"):
            self._open.append((tag, given.get("id", "")))
        if given.get("id"):
            self.words.setdefault(given["id"], "")
        if tag == "form":
            self.inside = FoundForm(given.get("action", ""), "multipart" in given.get("enctype", ""))
            if given.get("method") == "post":
                self.forms.append(self.inside)
        elif tag == "fieldset":
            self._group = given.get("aria-describedby", "").split()
        elif tag == "option" and self._area is not None and self._area.kind == "select":
            if "selected" in given or not self._area.chosen:
                self._area.value, self._area.chosen = given.get("value", ""), True
        elif self.inside is not None and given.get("name") and "disabled" not in given:
            self._input(tag, given)

    def _input(self, tag: str, given: dict[str, str]) -> None:
        assert self.inside is not None
        if tag == "button":
            self.inside.buttons.append((given["name"], given.get("value", "")))
            return
        described = given.get("aria-describedby", "").split()
        kind = given.get("type", "text") if tag == "input" else tag
        group = self._group if kind == "radio" else []
        found = FoundInput(
            given["name"], kind, given.get("value", ""), "aria-invalid" in given or bool(group), described + group
        )
        found.chosen = "checked" in given
        self.inside.inputs.append(found)
        if tag in ("select", "textarea"):
            self._area = found
            found.chosen = False

    def handle_endtag(self, tag: str) -> None:
        """Closes forms and areas."""
        if tag == "form":
            self.inside = None
        elif tag == "fieldset":
            self._group = []
        elif tag in ("select", "textarea"):
            if self._area is not None and tag == "textarea":
                self._area.value = self._area.value.removeprefix("\n")
            self._area = None
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                break

    def handle_data(self, data: str) -> None:
        """Adds to the text of every open element with an id."""
        if self._area is not None and self._area.kind == "textarea":
            self._area.value += data
        for _, name in self._open:
            if name:
                self.words[name] += data
