"""How much harm a wanted change can do, which decides who may apply it: the rules as a table.

- adverse: says to the public that a shop failed, or takes from the public what it was told. Applied only by a second
  person who may approve, with a legal basis and evidence (Law on Access to Information 2016, art. 17(1)(i)).
- low: no harm if wrong, soon put right. May be applied many at a time.
- normal: all others.

A change is adverse when one rule of `ADVERSE` matches, low when rules of `LOW` cover everything that it touches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from postgis.merge import same
from postgis.today import today

Risk = Literal["low", "normal", "adverse"]
RANK: dict[str, int] = {"low": 0, "normal": 1, "adverse": 2}

ENDED = "ended"
"""The field by which a change says that a record no longer counts; part of every record, stored as `ended_at`."""

OUTSIDERS = ("volunteer", "owner", "citizen")
"""Proposers whom the ward has given no account."""


class _Known:
    """In a rule: any value but null."""


KNOWN = _Known()


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches a change of one collection that meets every condition given."""

    collection: str
    why: str
    touches: tuple[str, ...] = ()
    """One of these fields changes; none named: any change."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """Values of the record as it is: a tuple means one of them, KNOWN any but null."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """Values of the record as it would be."""
    brings_forward: str | None = None
    """A last day that would come earlier than it was."""
    fills_in_past: str | None = None
    """A last day that would stand where none stood, and has gone by."""
    by: tuple[str, ...] = ()
    """Kinds of proposers; none named: anybody."""
    new: bool | None = None
    """Only for records that are made (true) or only for ones that are there (false)."""


ADVERSE: tuple[Rule, ...] = (
    # All but what the owner says to it, which any reviewer may let pass.
    Rule(
        "warnings",
        "a warning tells people to stay away; lifting one tells them to come back",
        touches=("establishment", "issued_on", "lifted_on", "headline", "instruction", "agency", "source", ENDED),
    ),
    Rule(
        "inspections",
        "a failed inspection becomes public once it is signed",
        touches=("establishment", "inspected_on", "agency", "result", "official_words", "signed_on", "source", ENDED),
        after={"result": ("fail", "c"), "signed_on": KNOWN},
    ),
    Rule(
        "inspections",
        "a signed conclusion is public: altering or withdrawing it takes back the authority's word",
        touches=("result", "official_words", "signed_on", "inspected_on", "agency", ENDED),
        before={"signed_on": KNOWN},
    ),
    Rule("licences", "a licence is withdrawn", touches=(ENDED,), after={ENDED: (True,)}),
    Rule("licences", "a licence ends sooner", brings_forward="expires_on"),
    Rule("licences", "a licence without a term is said to have ended", fills_in_past="expires_on", new=False),
    Rule("food_safety_records", "a food-safety file is withdrawn", touches=(ENDED,), after={ENDED: (True,)}),
    Rule("food_safety_records", "a food-safety file ends sooner", brings_forward="valid_until"),
    Rule("food_safety_records", "a file without a term is said to have ended", fills_in_past="valid_until", new=False),
    Rule(
        "food_safety_records",
        "what the public was told of is said to be missing, or said so again",
        touches=("kind", ENDED),
        after={"kind": ("missing",)},
        new=False,
    ),
    Rule(
        "food_safety_records",
        "hearsay that a required file is missing",
        after={"kind": ("missing",)},
        by=OUTSIDERS,
    ),
    Rule(
        "establishments",
        "a shop that people report as gone vanishes from the map",
        touches=("operating_status",),
        after={"operating_status": ("closed", "moved", "not_found", "suspended")},
        by=OUTSIDERS,
    ),
    Rule(
        "legal_entities",
        "a registration is withdrawn or doubted",
        touches=("registry_status",),
        after={"registry_status": ("revoked", "not_at_address", "bankruptcy")},
    ),
)

LOW: tuple[Rule, ...] = (
    Rule(
        "establishments",
        "what a shop says about itself",
        touches=("name_en", "offering", "opening_hours", "website"),
        new=False,
    ),
    Rule(
        "payment_acceptances",
        "a payment method that was only declared weighs least among the evidence",
        after={"accepted": (True,), "evidence_level": ("declared",)},
        new=True,
    ),
    Rule(
        "digital_uses", "a tool that was only stated, in no public figure by itself", after={"used": (True,)}, new=True
    ),
    Rule("outreach", "our own visits and trainings", new=True),
    Rule("visits", "our own visits", new=True),
)


def risk_of(collection: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], proposer_kind: str) -> Risk:
    """The risk of a change from one state of a record to another, both by wire names.

    `before` is None for a record that is made, unless it takes the place of another (`records.superseded`).
    """
    was = before or {}
    touched = [name for name in dict.fromkeys((*was, *after)) if not same(was.get(name), after.get(name))]
    asked = _Change(collection, was, after, touched, proposer_kind, before is None)
    if any(_matches(rule, asked) for rule in ADVERSE):
        return "adverse"
    lows = [rule for rule in LOW if _matches(rule, asked)]
    covered = {name for rule in lows for name in rule.touches or touched}
    return "low" if lows and set(touched) <= covered else "normal"


@dataclass(frozen=True, slots=True)
class _Change:
    collection: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    touched: list[str]
    proposer_kind: str
    new: bool


def _matches(rule: Rule, asked: _Change) -> bool:
    return (
        rule.collection == asked.collection
        and bool(asked.touched)
        and (not rule.touches or any(name in asked.touched for name in rule.touches))
        and (not rule.by or asked.proposer_kind in rule.by)
        and (rule.new is None or rule.new == asked.new)
        and all(_holds(asked.before.get(name), wanted) for name, wanted in rule.before.items())
        and all(_holds(asked.after.get(name), wanted) for name, wanted in rule.after.items())
        and (rule.brings_forward is None or _forward(asked, rule.brings_forward))
        and (rule.fills_in_past is None or _gone_by(asked, rule.fills_in_past))
    )


def _holds(value: Any, wanted: Any) -> bool:
    return value is not None if wanted is KNOWN else value in wanted


def _forward(asked: _Change, name: str) -> bool:
    """Whether a known last day comes earlier (ISO days sort as text). A day filled in where none stood completes."""
    was, wish = asked.before.get(name), asked.after.get(name)
    return was is not None and wish is not None and str(wish) < str(was)


def _gone_by(asked: _Change, name: str) -> bool:
    """Whether a last day is filled in that has gone by: what had no end is ended."""
    wish = asked.after.get(name)
    return asked.before.get(name) is None and wish is not None and str(wish) < today().isoformat()
