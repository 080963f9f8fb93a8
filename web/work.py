"""Lists of places to visit in words: what lags where, what is to be done by whom, and how far it has come."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from web import labels, lookup
from web.render import format_ago, format_code, format_date, local

PAGE = "/board/work"
CASHLESS = ("vietqr", "bank_transfer", "pos_card", "momo", "zalopay", "vnpay_qr", "vnpay_wallet", "shopeepay",
            "mobile_money", "card_online")  # fmt: skip
"""Methods as a visitor meets them, the commonest first."""
EVIDENCE = ("observed", "declared", "documented", "confirmed")
FINISHED = ("yes", "no", "proposed", "gone")
"""Outcomes after which nobody has to go there again."""
USUAL_DAYS = 14


class Counted(Protocol):
    """A figure, as `layers.indicators` has it."""

    @property
    def population(self) -> int | None:
        """How many places count."""

    @property
    def yes(self) -> int | None:
        """How many of them meet the indicator."""

    @property
    def no(self) -> int | None:
        """How many do not."""

    @property
    def refused(self) -> int | None:
        """Of the unknown, how many did not want to say."""

    @property
    def not_surveyed(self) -> int | None:
        """Of the unknown, how many nobody has asked."""


def area(scope: str, code: str, names: Mapping[str, Mapping[str, str]]) -> str:
    """What a list is made for, as people call it; `names`: the ward's residential groups and model sites by code."""
    return names.get(scope, {}).get(code, code)


def percent(value: float, lang: str) -> str:
    """60 or 48,2."""
    return labels.number(value, lang, 0 if value == int(value) else 1)


def outside(scope: str, count: int, lang: str) -> str:
    """How many places no group, street or site tells of; nothing where each is in one."""
    return labels.text(f"work.outside.{scope}", lang, count=labels.number(count, lang)) if count else ""


def gap_row(
    indicator: str, scope: str, code: str, needed: int, figure: Counted, target: float,
    names: Mapping[str, Mapping[str, str]], lang: str,
) -> dict[str, Any]:  # fmt: skip
    """How far one group, street or site lags, and where to draw up the list."""
    name = area(scope, code, names)
    return {
        "name": name,
        "needed": needed,
        "words": labels.text("work.gap", lang, count=needed, area=name, target=percent(target, lang)),
        "population": figure.population or 0,
        "yes": figure.yes or 0,
        "no": figure.no or 0,
        "refused": figure.refused or 0,
        "not_surveyed": figure.not_surveyed or 0,
        "href": local(lang, f"{PAGE}/new", indicator=indicator, scope=scope, code=code),
    }


def list_row(row: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], lang: str, today: date) -> dict[str, Any]:
    """A list with its progress."""
    left = row["places"] - row["visited"]
    open_ = row["ended_at"] is None
    return {
        **{name: row[name] for name in ("code", "title", "version", "responsibility", "product", "expected_result")},
        "href": local(lang, f"{PAGE}/{row['code']}"),
        "area": area(row["scope"], row["scope_code"], names),
        "scope": labels.code_label("work_scope", row["scope"], lang),
        "assignee": row["assignee_name"] or "",
        "made": labels.text("work.made", lang, name=row["made_by_name"] or "", date=format_date(row["made_at"])),
        "due": f"{format_date(row['due_on'])} ({format_ago(row['due_on'], lang, today)})",
        "late": open_ and row["due_on"] < today and left > 0,
        "closed": "" if open_ else labels.text("work.closed_on", lang, date=format_date(row["ended_at"])),
        "outcome": row["end_reason"] or "",
        "places": row["places"],
        "visited": row["visited"],
        "left": left,
        "progress": labels.text("work.progress", lang, visited=row["visited"], places=row["places"]),
        "counts": [
            (labels.text(f"work.outcomes.{name}", lang), row[name])
            for name in ("yes", "no", "proposed", "refused", "nobody_there", "not_found", "gone", "left")
            if row[name]
        ],
    }


def item_row(row: Mapping[str, Any], list_code: str, lang: str) -> dict[str, Any]:
    """A place on a list, and what came of it."""
    visited = row["visited_on"]
    return {
        "position": row["position"],
        "href": local(lang, f"{PAGE}/{list_code}/places/{row['position']}"),
        "record_href": local(lang, f"/staff/establishments/{row['code']}"),
        "code": format_code(row["code"]),
        "name": lookup.place_name(row, lang),
        "address": lookup.street_address(row, lang) or labels.text("place.no_address", lang),
        "stall": row["stall"] or "",
        "illustrative": row["illustrative"],
        "standing": labels.code_label("work_standing", row["standing"], lang),
        "outcome": row["outcome"],
        "outcome_words": labels.text(f"work.outcomes.{row['outcome']}", lang),
        "finished": row["outcome"] in FINISHED,
        "visited": labels.text("work.visited", lang, date=format_date(visited),
                               outcome=labels.code_label("visit_outcome", row["visit_outcome"], lang))
        if visited else "",
        "methods": ", ".join(labels.code_label("payment_method", method, lang) for method in row["payment_methods"]),
        "geo": f"geo:{row['lat']:.6f},{row['lon']:.6f}?q={row['lat']:.6f},{row['lon']:.6f}",
    }  # fmt: skip


def suggested(
    area_name: str, needed: int, target: float | None, due: date | None, today: date, names: Sequence[str], lang: str
) -> dict[str, str]:
    """What a new list says until its maker says otherwise; `names`: of its maker and of who is to do it."""
    soon = today + timedelta(days=USUAL_DAYS)
    until = min(soon, due) if due is not None and due > today else soon
    result = "work.suggested.result" if target is not None and needed else "work.suggested.result_all"
    return {
        "title": labels.text("work.suggested.title", lang, area=area_name),
        "due_on": format_date(until),
        "responsibility": labels.text("work.suggested.responsibility", lang, maker=names[0]),
        "product": labels.text("work.suggested.product", lang),
        "expected_result": labels.text(result, lang, count=needed, target=percent(target or 0, lang), area=area_name),
    }
