"""How far a fact may be relied on, in words: its source, the day of its check, the last day it may be taken as true."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from web import labels
from web.render import VIETNAM, format_ago, format_date


@dataclass(frozen=True)
class Trust:
    """How far a fact may be relied on, in words."""

    source: str
    checked: str
    until: str
    stale: bool


def trust(source: Any, checked: Any, until: Any, lang: str, today: date | None = None) -> Trust:
    """Source, day of the check and how long the fact may be relied on, in words."""
    now = today or datetime.now(VIETNAM).date()
    unknown = labels.text("register.trust.never", lang)
    stale = until is not None and until < now
    key = "register.trust.stale" if stale else "register.trust.until"
    return Trust(
        labels.code_label("source", str(source), lang) if source else "",
        labels.text("register.trust.checked", lang, date=format_date(checked), ago=format_ago(checked, lang, now))
        if checked
        else unknown,
        labels.text(key, lang, date=format_date(until)) if until else "",
        stale,
    )
