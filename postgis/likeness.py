"""How likely two records are one place of business: the one rule, for the guard when a place is added, for the
worklist of pairs, and for the matching of imported rows. Here, since two packages that do not know one another use it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

NEAR_M = 30.0
GUARD_FROM = 0.5
"""Score from which a place that is being added is held up to ask."""
PAIR_FROM = 0.65
"""Score from which two places that stand in the register are listed as a possible pair."""
SIMILAR_FROM = 0.55
_GENERIC = frozenset(
    (
        "ho",
        "kinh",
        "doanh",
        "quan",
        "tiem",
        "cua",
        "hang",
        "shop",
        "nha",
        "cong",
        "ti",
        "cty",
        "tnhh",
        "mtv",
        "cp",
        "dntn",
    )
)
"""Folded words that tell what kind of place it is, not which one."""

WEIGHTS: Mapping[str, float] = {
    "same_name": 0.55,
    "similar_name": 0.45,
    "same_address": 0.4,
    "near": 0.25,
    "same_tax_code": 0.5,
    "same_phone": 0.5,
    "same_stall": 0.7,
}
"""Weight of each sign that two records are one place; several add up as 1 - (1 - a)(1 - b)..."""
OTHER_STALL, OTHER_NAME, FAR = 0.3, 0.5, 0.7
"""What is left of a score where stalls, names or the distance speak against it."""
OTHER_ADDRESS, OTHER_TAX_CODE = 0.65, 0.6
"""The same where both addresses or both tax codes are known and are not one."""
COMMON_NAME = 0.6
"""What is left of the weight of a name that several places have: a chain's, or one of words for goods alone."""
FAR_FROM_M = 300.0
_NUMBERS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Signs:
    """What two records have in common, as SQL compared them."""

    name: str
    other_name: str
    similarity: float
    same_address: bool
    distance_m: float | None
    same_tax_code: bool
    same_phone: bool
    same_site: bool
    stall: str
    other_stall: str
    other_address: bool = False
    other_tax_code: bool = False
    common_name: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """How likely two records are one place, 0 to 1, and why, strongest reason first; and what speaks against it."""

    score: float
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()


def weigh(signs: Signs) -> Weighed:
    """The rule. Two stalls at one address, or two branches whose names differ in a number, are two places."""
    reasons, against = [], []
    numbered_apart = numbers_of(signs.name) != numbers_of(signs.other_name)
    named = bool(signs.name and signs.other_name)
    if named and not numbered_apart:
        if core_words(signs.name) == core_words(signs.other_name):
            reasons.append("same_name")
        elif signs.similarity >= SIMILAR_FROM:
            reasons.append("similar_name")
    stalled = bool(signs.stall and signs.other_stall)
    if stalled and signs.same_site and signs.stall == signs.other_stall:
        reasons.append("same_stall")
    for reason in ("same_tax_code", "same_phone", "same_address"):
        if getattr(signs, reason):
            reasons.append(reason)
    if signs.distance_m is not None and signs.distance_m <= NEAR_M:
        reasons.append("near")
    rest = 1.0
    for reason in reasons:
        weight = WEIGHTS[reason] * (signs.similarity if reason == "similar_name" else 1)
        rest *= 1 - weight * (COMMON_NAME if signs.common_name and reason.endswith("_name") else 1)
    surely_named = {"same_name", "similar_name", "same_tax_code", "same_phone", "same_stall"} & set(reasons)
    far = signs.distance_m is not None and signs.distance_m > FAR_FROM_M
    speaking_against = (
        ("other_stall", OTHER_STALL, stalled and signs.stall != signs.other_stall),
        ("other_name", OTHER_NAME, named and not surely_named),
        # One firm has many branches under one name.
        ("far", FAR, far),
        # Another house nearby; one far off has been counted.
        ("other_address", OTHER_ADDRESS, signs.other_address and not far),
        ("other_tax_code", OTHER_TAX_CODE, signs.other_tax_code),
    )
    score = 1 - rest
    for name, left, speaks in speaking_against:
        if speaks:
            score *= left
            against.append(name)
    if named and numbered_apart:
        against.append("other_number")
    ordered = tuple(sorted(reasons, key=lambda reason: -WEIGHTS[reason]))
    return Weighed(round(score, 3), ordered, tuple(against))


def numbers_of(name: str) -> list[str]:
    """The numbers in a folded name: branches and stalls differ in them."""
    return _NUMBERS.findall(name)


def core_words(name: str) -> list[str]:
    """The words of a folded name that tell which place it is."""
    words = name.split()
    return [word for word in words if word not in _GENERIC] or words
