"""The owner's pages in words: signing in with a code from the ward office, what is public, what was asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from web import labels, lookup
from web.reports import Errors, Frame, public_page, words_by_field


def sign_in_page(frame: Frame, *, place: str, refused: bool, signed_out: bool) -> str:
    """The form that asks for the place's code and the one-time code."""
    return public_page(
        "owner/sign_in.html",
        frame,
        place=place,
        signed_out=signed_out,
        problem=labels.text("owner.refused", frame.lang) if refused else None,
        errors={},
    )


def owner_page(
    frame: Frame,
    *,
    place: Mapping[str, Any],
    facts: Sequence[Mapping[str, Any]],
    requests: Sequence[Any],
    csrf_token: str,
    typed: Mapping[str, str],
    errors: Errors = (),
    problem: str | None = None,
    done: str = "",
) -> str:
    """What an owner sees. `facts` as `layers.owner.adverse_facts`, `requests` as `postgis.store.owners.requests`."""
    lang = frame.lang
    replies = {each.record_code: each for each in reversed(requests) if each.collection in ("warnings", "inspections")}
    return public_page(
        "owner/page.html",
        frame,
        place=place,
        name=lookup.place_name(place, lang),
        facts=[_fact(each, replies.get(each["code"]), lang) for each in facts],
        requests=[
            {
                "receipt": each.receipt,
                "what": labels.text(f"owner.asked.{each.collection}", lang),
                "state": labels.code_label("proposal_state", each.state, lang),
                "proposed_at": each.proposed_at,
            }
            for each in requests
        ],
        csrf_token=csrf_token,
        typed={"fact": "", "reply": "", **typed},
        errors=words_by_field("warnings", errors, lang),
        problem=labels.text(problem, lang) if problem else None,
        done=labels.text(f"owner.done.{done}", lang) if done else None,
    )


def _fact(fact: Mapping[str, Any], asked: Any, lang: str) -> dict[str, Any]:
    """An adverse fact in words, with the reply that is shown and the one that waits."""
    words = fact["fact"]
    if fact["collection"] == "inspections":
        words = labels.text("lookup.food.failed", lang, result=labels.code_label("inspection_result", words, lang))
    return {**fact, "words": words, "waits": asked is not None and asked.state == "pending"}
