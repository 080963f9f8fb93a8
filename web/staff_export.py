"""The columns of exported lists: for people in words, for machines the codes beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from web import labels

COLLECTION = "establishments"
_LISTS: Mapping[str, str] = {
    "legal_form": "legal_form",
    "registry_status": "registry_status",
    "sector_group": "sector_group",
    "operating_status": "operating_status",
    "licence_status": "licence_status",
    "food_safety_status": "food_safety_status",
    "last_inspection_result": "inspection_result",
    "accepts_cashless": "yes_no_unknown",
    "active_acceptance": "yes_no_unknown",
    "on_digital_platform": "yes_no_unknown",
    "payment_methods": "payment_method",
    "position_method": "position_method",
    "source": "source",
}
_NAMED: Mapping[str, str] = {"model_site": "model_site_name"}
"""Fields that hold a code of the ward's own, and where its name stands."""
_OTHERWISE = ("food_safety_status",)
"""Fields whose title alone would read, in a list that comes back, as the number of the paper."""


def columns(names: Sequence[str], lang: str) -> list[tuple[str, str]]:
    """Key and title of each column: a field with a code list gives two."""
    found = []
    for name in names:
        if name in _NAMED.values():
            continue
        title = labels.field_title(COLLECTION, name, lang)
        if name in _OTHERWISE:
            title = labels.text(f"register.export.titles.{name}", lang)
        found.append((name, title))
        if name in _LISTS or name in _NAMED:
            found.append((f"{name}_code", labels.text("register.export.code_column", lang, title=title)))
    return found


class Words:
    """Rows with their codes in words. Made once for a file: the lists are looked up once, not for each of its cells."""

    def __init__(self, lang: str) -> None:
        self._lists = {name: labels.code_list(code_list, lang) for name, code_list in _LISTS.items()}
        self._answers = {answer: labels.text(f"register.{'yes' if answer else 'no'}", lang) for answer in (True, False)}

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row in words, with the codes themselves under `..._code`."""
        found: dict[str, Any] = dict(row)
        for name, value in row.items():
            if isinstance(value, bool):
                found[name] = self._answers[value]
            elif name in self._lists:
                codes = [
                    str(code) for code in (value if isinstance(value, (list, tuple)) else [value]) if code is not None
                ]
                found[name] = ", ".join(self._lists[name].get(code, code) for code in codes)
                found[f"{name}_code"] = ",".join(codes)
            elif name in _NAMED:
                found[name], found[f"{name}_code"] = row[_NAMED[name]], value
        return found
