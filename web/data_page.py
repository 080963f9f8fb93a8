"""/about/data: what is public, what is not, why, and on which legal basis. The caller brings the fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from web import labels
from web.lookup import ward_title
from web.render import render

_WITHOUT_TITLES = ("citizen_report", "sticker", "payment_account", "owner_code", "personal_data", "never_kept")
"""Groups of fields that are no collection: they are named by this page's own words."""


@dataclass(frozen=True)
class FieldPolicy:
    """What holds of one field: who sees it (`public`, `partly`, `staff`, `personal`, `never`), why, on which basis."""

    collection: str
    name: str
    shown: str
    reason: str
    bases: Sequence[str]


@dataclass
class _Row:
    shown: str
    reason: str
    bases: Sequence[str]
    fields: list[tuple[str, str]] = field(default_factory=list)


def data_page(policies: Iterable[FieldPolicy], bases: Sequence[str], ward: Mapping[str, Any] | None, lang: str) -> str:
    """The page, with the fields of each collection gathered under what they have in common.

    `bases` are the legal bases in the order in which the page lists them. Raises MissingLabelError for one of them, a
    reason or a field without words.
    """
    groups: dict[str, dict[tuple[str, str], _Row]] = {}
    for policy in policies:
        rows = groups.setdefault(policy.collection, {})
        row = rows.setdefault((policy.shown, policy.reason), _Row(policy.shown, policy.reason, policy.bases))
        row.fields.append((policy.name, field_words(policy.collection, policy.name, lang)))
    return render(
        "data.html",
        lang,
        ward_title=ward_title(ward, lang),
        groups=[(name, group_words(name, lang), list(rows.values())) for name, rows in groups.items()],
        bases=bases,
    )


def group_words(collection: str, lang: str) -> str:
    """The title of a collection, or of a group of fields that is none."""
    if collection in _WITHOUT_TITLES:
        return labels.text(f"data.groups.{collection}", lang)
    return labels.collection_title(collection, lang)


def field_words(collection: str, name: str, lang: str) -> str:
    """The title of a field."""
    if collection == "personal_data":
        return labels.code_label("personal_field", name, lang)
    if collection in _WITHOUT_TITLES:
        return labels.text(f"data.{collection}.{name}", lang)
    return labels.field_title(collection, name, lang)
