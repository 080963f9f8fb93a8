"""What holds for a whole list where its rows are silent: so far the legal form that its title or a head names."""

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.choices import NO_FORM, Choices
from ingest.columns import Table
from ingest.row_places import Locator
from ingest.values import NEEDS_PERSON_BELOW
from ingest.values_vocabulary import LEGAL_FORMS, LICENCE_KINDS
from ingest.values_words import read_word
from postgis.folding import search_key

_LISTS = ("danh sach", "bang ke", "thong ke", "tong hop", "so theo doi", "bieu")
_CERTIFICATE = ("gcn", "giay chung nhan", "dang ki")
_SHORT = frozenset(("hkd", "dn", "htx", "dntn"))


@dataclass(frozen=True, slots=True)
class FormProposal:
    """A legal form that a list seems to be of, how surely, and the words that say so."""

    legal_form: str
    confidence: float
    said_by: str


@dataclass(frozen=True, slots=True)
class ListFacts:
    """For one table. `legal_form`: of rows that name none; `proposal`: what the list itself says, used or not."""

    legal_form: str | None
    proposal: FormProposal | None
    middle: tuple[float, float, float]
    """Somewhere in the ward: longitude, latitude, how far off in metres."""
    licence_kind: str | None = None
    food_safety_kind: str | None = None
    """Of which paper the heads of its columns speak; None where they do not say: then no row's paper is guessed at."""


def facts_of(table: Table, locator: Locator, choices: Choices) -> ListFacts:
    """A person's word, else what the list says of itself, where that is sure enough."""
    proposal = propose_form(table)
    form = choices.legal_form
    if form is None and proposal is not None and proposal.confidence >= NEEDS_PERSON_BELOW:
        form = proposal.legal_form
    form = None if form == NO_FORM else form
    return ListFacts(form, proposal, locator.middle, _licence_kind(table), _food_safety_kind(table))


def _heads(table: Table, *fields: str) -> list[str]:
    return [search_key(column.header) for column in table.columns if column.field in fields]


def _licence_kind(table: Table) -> str | None:
    """The registration, or the licence that a head names ("Số giấy phép bán lẻ rượu")."""
    heads = _heads(table, "licence_number", "licence_issued_on", "licence_expires_on", "licence_issuer")
    named = {found for head in heads if (found := read_word(head, LICENCE_KINDS).value)}
    if len(named) == 1:
        return named.pop()
    return "business_registration" if not named and any(_names(head, _CERTIFICATE) for head in heads) else None


def _food_safety_kind(table: Table) -> str | None:
    heads = _heads(table, "food_safety_number", "food_safety_issued_on", "food_safety_expires_on", "food_safety_issuer")
    certificate = any(_names(head, (*_CERTIFICATE, "giay attp", "giay vsattp", "giay cn")) for head in heads)
    commitment = any("cam ket" in head for head in heads)
    return None if certificate == commitment else "certificate" if certificate else "commitment"


def _names(head: str, words: Iterable[str]) -> bool:
    return any(f" {word} " in f" {head} " for word in words)


def propose_form(table: Table) -> FormProposal | None:
    """The one legal form that a title, a head ("Tên hộ kinh doanh") or the sheet's name speaks of."""
    for title in table.titles:
        if form := _one_form([title]):
            named = any(word in search_key(title) for word in _LISTS)
            return FormProposal(form, 0.9 if named else 0.6, title[:200])
    heads = [column.header for column in table.columns if column.field in ("registered_name", "owner_name")]
    if form := _one_form(heads):
        return FormProposal(form, 0.85, " / ".join(head for head in heads if head)[:200])
    if form := _one_form([table.sheet.name]):
        return FormProposal(form, 0.7, table.sheet.name[:200])
    return None


def form_of_name(name: str) -> str | None:
    """The legal form with which a registered name begins: "Công ty TNHH …", "Hộ kinh doanh …"."""
    first = LEGAL_FORMS.at_start(name)
    if first is None or not (first.end > 1 or search_key(name).split(maxsplit=1)[0] in _SHORT):
        return None
    return first.code


def _one_form(texts: Iterable[str]) -> str | None:
    """The only form that texts name; one syllable ("hộ", "cổ phần" cut short) is too little."""
    codes = {
        found.code
        for text in texts
        for found in LEGAL_FORMS.find(text)
        if found.end - found.begin > 1 or search_key(text).split()[found.begin] in _SHORT
    }
    return codes.pop() if len(codes) == 1 else None
