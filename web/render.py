"""Pages from templates: HTML with every value escaped, in Vietnamese or English."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from web import labels
from web.assets import asset
from web.sectors import FAMILIES, family_of

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_IN_TEMPLATES = (
    labels.code_label,
    labels.code_list,
    labels.collection_description,
    labels.collection_title,
    labels.field_title,
    labels.table,
)
"""Functions that templates call without the language, which they take last."""

Moment = date | datetime | str
"""A day or a moment: as Python has it, or as ISO 8601 text from JSON."""


def render(template: str, lang: str, **context: object) -> str:
    """Render a template in a language (`vi` or `en`).

    Templates get `t(key, **values)`, `local(path, **query)` for our own addresses, and the functions of `web.labels`
    bound to that language. A name that the context lacks raises; it never prints as nothing.
    """
    words: dict[str, Callable[..., Any]] = {
        "t": partial(_text, lang),
        "local": partial(local, lang),
        "has_field_title": partial(_has_field_title, lang),
        **{function.__name__: partial(_last_lang, function, lang) for function in _IN_TEMPLATES},
    }
    return _environment().get_template(template).render({**words, **context}, lang=lang)


def format_date(value: Moment) -> str:
    """Write a day as 31/12/2026, as it was in Vietnam."""
    return f"{_day(value):%d/%m/%Y}"


def format_ago(value: Moment, lang: str, today: date | None = None) -> str:
    """Say how long ago a day was ("cách đây 14 tháng") or how far ahead it is ("còn 40 ngày")."""
    day, now = _day(value), today or datetime.now(VIETNAM).date()
    if day == now:
        return labels.text("time.today", lang)
    direction = "ago" if day < now else "ahead"
    earlier, later = min(day, now), max(day, now)
    days = (later - earlier).days
    months = (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
    if days < 60:
        return labels.text(f"time.{direction}_days", lang, count=days)
    if months < 24:
        return labels.text(f"time.{direction}_months", lang, count=max(months, 1))
    return labels.text(f"time.{direction}_years", lang, count=months // 12)


def format_code(code: str) -> str:
    """Write a look-up code the way people read it aloud: K7M4-2XPA."""
    return f"{code[:4]}-{code[4:]}" if len(code) == 8 else code


_WRITTEN_CODE = re.compile(r"\b[2-9A-Y]{4}-[2-9A-Y]{4}\b")


def _whole_codes(words: str) -> Markup:
    """Words in which no line breaks within a look-up code; needs the class `code`."""
    return Markup(_WRITTEN_CODE.sub(r'<span class="code">\g<0></span>', str(escape(words))))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        date=format_date,
        ago=_ago,
        number=_number,
        lookup_code=format_code,
        whole_codes=_whole_codes,
        with_query=with_query,
    )
    environment.globals.update(asset=asset, sector_families=FAMILIES, family_of=family_of)
    return environment


def _text(lang: str, key: str, **values: object) -> str:
    return labels.text(key, lang, **values)


def local(lang: str, path: str, **query: object) -> str:
    """An address of ours that keeps the language; parameters without a value are left out."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return with_query(path, **kept, **({} if lang == "vi" else {"lang": lang}))


def with_query(address: str, **query: object) -> str:
    """Return an address with some parameters of its query set anew; None takes one away."""
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in query]
    added = [(name, str(value)) for name, value in query.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode(kept + added, safe=",:/"))) or "?"


def _last_lang(function: Callable[..., Any], lang: str, *arguments: object) -> Any:
    return function(*arguments, lang)


def _has_field_title(lang: str, collection: str, field: str) -> bool:
    try:
        labels.field_title(collection, field, lang)
    except labels.MissingLabelError:
        return False
    return True


@pass_context
def _ago(context: Context, value: Moment) -> str:
    return format_ago(value, str(context["lang"]))


@pass_context
def _number(context: Context, value: float, decimals: int = 0) -> str:
    return labels.number(value, str(context["lang"]), decimals)


def _day(value: Moment) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(VIETNAM).date()
    return value
