"""What somebody found at a place on a list, as the form says it, and how it is noted: a visit, and what was learnt.

The visit is the visitor's own deed and is written at once. What was learnt of the place, officers write; others propose
it, and it is reviewed by its risk like every proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from layers.indicator_codes import MEASURED
from mapservice.forms import Form
from mapservice.rights import can
from postgis.actor import Actor
from postgis.errors import FieldError, InvalidValues
from postgis.store import proposals, records, write_keys
from postgis.store.write_keys import Made
from postgis.today import today
from postgis.vocabulary import CASHLESS_METHODS, DIGITAL_USES, EVIDENCE_LEVELS

RESULTS = ("refused", "nobody_there", "not_found", "cash_only", "accepts", "use", "outreach")
_ONLY_VISITS = ("refused", "nobody_there", "not_found")
SOURCE = "field_survey"
PAYMENT = ("model_site_active_acceptance", "model_site_payment_method", "payment_account_or_qr", "large_retail_payment")
OUTREACH = "digital_outreach"
TOOLS = tuple(code for code in MEASURED if code not in PAYMENT and code != OUTREACH)
"""Indicators that ask for digital tools, beside payment or instead of it."""
_TRANSACTIONS = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True, slots=True)
class Found:
    """The form as it was filled in, checked as far as it can be without the register."""

    result: str
    methods: tuple[str, ...] = ()
    transactions: str = "unknown"
    evidence: str = "observed"
    document: str = ""
    tools: tuple[str, ...] = ()
    asked_all: bool = False
    errors: tuple[FieldError, ...] = field(default=())

    def digest(self, place: str) -> bytes:
        """Tells the same form sent again from another one."""
        return sha256(repr((place, self)).encode()).digest()


def read_found(form: Form) -> Found:
    """What was tapped. Raises ValueError where it is no result at all."""
    result = form["result"]
    if result not in RESULTS:
        raise ValueError(result)
    methods = tuple(code for code in CASHLESS_METHODS if code in form.all("method"))
    tools = tuple(code for code in DIGITAL_USES if code in form.all("tool"))
    asked_all = form["asked_all"] == "true"
    transactions = form["transactions"] if form["transactions"] in _TRANSACTIONS else "unknown"
    evidence = form["evidence"] if form["evidence"] in EVIDENCE_LEVELS else "observed"
    errors = []
    if result == "accepts" and not methods:
        errors.append(FieldError("method", "no_method"))
    if result == "use" and not tools and not asked_all:
        errors.append(FieldError("tool", "no_tool"))
    return Found(result, methods, transactions, evidence, form["document"], tools, asked_all, tuple(errors))


def facts_of(found: Found, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """The records that say what was learnt: collection and values, without the place."""
    day = {"checked_on": today().isoformat(), "source": SOURCE}
    how = {"evidence_level": found.evidence, "document": found.document or None, **day}
    if found.result == "cash_only":
        return [("payment_acceptances", {"method": "cash_only", "accepted": True, **how})]
    if found.result == "accepts":
        seen = _TRANSACTIONS[found.transactions]
        return [
            ("payment_acceptances", {"method": method, "accepted": True, "has_transactions": seen, **how})
            for method in found.methods
        ]
    if found.result == "use":
        asked = DIGITAL_USES if found.asked_all else found.tools
        return [("digital_uses", {"kind": kind, "used": kind in found.tools, **day}) for kind in asked]
    if found.result == "outreach":
        done = {"kind": "visit", "done_on": today().isoformat(), "topic": topic, "source": SOURCE}
        return [("outreach", done)]
    return []


def may_record(actor: Actor, row: Mapping[str, Any]) -> bool:
    """Whether the actor notes results on a list: an officer, or whom it was given to."""
    open_ = row["ended_at"] is None and actor.scope == "write"
    return open_ and (can(actor, "create", "visits") or row["assignee_id"] == actor.staff_id)


def noted(connection: Connection, actor: Actor, place: str, found: Found, key: str) -> bool:
    """Whether this very form was noted before. Raises KeyReused."""
    return write_keys.find(connection, actor, key, found.digest(place)) is not None


def record(connection: Connection, actor: Actor, place: str, found: Found, reason: str, key: str) -> Made:
    """Notes the visit and what was learnt; the same form sent again notes nothing twice.

    Raises InvalidValues, Forbidden, KeyReused.
    """
    digest = found.digest(place)
    made = write_keys.find(connection, actor, key, digest)
    if made is not None:
        return made
    if found.errors:
        raise InvalidValues(found.errors)
    outcome = found.result if found.result in _ONLY_VISITS else "surveyed"
    visit = {"establishment": place, "visited_on": today().isoformat(), "outcome": outcome, "source": SOURCE}
    code = records.create(connection, "visits", visit, ward_id=actor.ward_id).code
    facts = [(collection, {"establishment": place, **values}) for collection, values in facts_of(found, reason)]
    made = Made(code, _learn(connection, actor, facts, reason))
    write_keys.keep(connection, actor, key, digest, made)
    return made


def _learn(connection: Connection, actor: Actor, facts: Sequence[tuple[str, Mapping[str, Any]]], reason: str) -> bool:
    """Writes the facts, or proposes them; whether any waits for somebody else."""
    waits = False
    for collection, values in facts:
        if can(actor, "create", collection):
            records.create(connection, collection, values, ward_id=actor.ward_id)
        else:
            proposals.propose(
                connection, actor, collection=collection, record_code=None, patch=values, reason=reason, source=SOURCE
            )
            waits = True
    return waits
