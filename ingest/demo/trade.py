"""What the invented businesses deal in: about a hundred trades and how common each is.

The lists stand in `hospitality.py`, `retail.py` and `services.py`. Shares follow Đà Nẵng's statistical yearbook for
individual establishments in 2020 (trade 37 %, lodging and food 25 %, manufacturing 5.5 %, transport 3.7 %, construction
0.4 %, all else 28.4 %); within a section, and for legal forms and permits, they are assumptions. Sector codes are
VSIC 2025 (Decision 36/2025/QĐ-TTg), level 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Hours = tuple[str, ...]

EARLY: Hours = ("Mo-Su 05:30-10:30", "Mo-Su 06:00-11:00", "Mo-Su 06:00-10:00,16:00-21:00", "Mo-Sa 05:30-10:00")
MEALS: Hours = ("Mo-Su 10:00-14:00,17:00-21:30", "Mo-Su 09:00-21:00", "Mo-Su 10:00-22:00", "Mo-Su 06:00-21:00")
EVENING: Hours = ("Mo-Su 16:00-23:00", "Mo-Su 15:00-22:30", "Mo-Su 17:00-24:00")
CAFE: Hours = ("Mo-Su 06:00-22:00", "Mo-Su 06:30-22:30", "Mo-Su 07:00-22:00", "Mo-Su 06:00-18:00")
SHOP: Hours = ("Mo-Su 07:00-21:00", "Mo-Su 08:00-21:00", "Mo-Sa 08:00-20:00", "Mo-Su 08:00-21:30", "Mo-Su 06:30-22:00")
MORNING: Hours = ("Mo-Su 06:00-18:00", "Mo-Su 05:30-12:00", "Mo-Su 06:00-19:00")
DAY: Hours = ("Mo-Sa 07:30-18:00", "Mo-Su 07:30-18:30", "Mo-Sa 08:00-17:30")
OFFICE: Hours = ("Mo-Fr 08:00-17:00", "Mo-Fr 07:30-17:00; Sa 07:30-11:30", "Mo-Sa 08:00-17:00")
ALWAYS: Hours = ("24/7",)


@dataclass(frozen=True, slots=True)
class Trade:
    """A line of business.

    `share` is its share of all businesses in per cent; `front` how much it wants a main road (0 to 1); `enterprise`,
    `vendor` (trading without registration) and `branch` are shares of its businesses; `food` says which ministry's
    rules hold (health, trade, agri); `till` is the habit of payment; `permits` gives the share that holds each licence.
    """

    word: str
    sector_group: str
    sector_code: str | None
    share: float
    kind: str | None = None
    front: float = 0.5
    enterprise: float = 0.15
    vendor: float = 0.0
    branch: float = 0.0
    food: str | None = None
    till: str = "shop"
    hours: Hours = SHOP
    offering: str | None = None
    stall: bool = False
    permits: Mapping[str, float] = field(default_factory=dict)


def dish(word: str, share: float, offering: str | None, **more: Any) -> Trade:
    """A place to eat."""
    place = Trade(word, "food_service", "5610", share, "restaurant", enterprise=0.07, food="health", till="cafe")
    return replace(place, offering=offering, **{"hours": MEALS, **more})


def drink(word: str, share: float, offering: str | None, **more: Any) -> Trade:
    """A place to drink."""
    place = Trade(word, "cafe_drinks", "5630", share, "cafe", enterprise=0.08, food="health", till="cafe", hours=CAFE)
    return replace(place, offering=offering, **more)


def fresh(word: str, share: float, **more: Any) -> Trade:
    """A seller of fresh food, in a shop or on a stall."""
    seller = Trade(word, "food_retail", "4722", share, None, 0.3, 0.06, 0.2, food="agri", hours=MORNING, stall=True)
    return replace(seller, **more)


def office(word: str, group: str, code: str, share: float, **more: Any) -> Trade:
    """Mostly an enterprise, behind a desk."""
    return replace(Trade(word, group, code, share, None, 0.6, 0.85, till="office", hours=OFFICE), **more)


def service(word: str, group: str, code: str, share: float, **more: Any) -> Trade:
    """A small service, mostly a household's."""
    return replace(Trade(word, group, code, share, None, 0.4, 0.1, till="service"), **more)
