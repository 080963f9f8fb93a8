"""The rollout in words: what each criterion asks, what was measured, and what that rests on. Plain values in."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from web import labels
from web.render import format_date


def criterion_words(criterion: Mapping[str, Any], as_of: date, lang: str) -> dict[str, str]:
    """`title`, `definition`, `basis`, `measured`, `needed` and `evidence` of a criterion, as sentences or figures.

    It has `code`, `measure`, `unit`, `basis`, `needed`, `measured`, `yes`, `population`, `illustrative`, `missing` and
    `documents`, each with `title`, `number`, `dated_on`, `signed_role`, `signed_on`.
    """
    own = f"rollout.criteria.{criterion['code']}"
    by_document = criterion["measure"] is None
    return {
        "title": labels.text(f"{own}.title", lang),
        "definition": labels.text(f"{own}.definition", lang),
        "basis": labels.text("rollout.basis." + ("document" if by_document else criterion["basis"]), lang),
        "measured": "" if by_document else amount(criterion["measured"], criterion["unit"], lang),
        "needed": labels.text("rollout.needed_document", lang)
        if by_document
        else labels.text("rollout.at_least", lang, amount=amount(criterion["needed"], criterion["unit"], lang)),
        "evidence": " ".join(_evidence(criterion, as_of, lang)),
    }


def amount(value: float | None, unit: str, lang: str) -> str:
    """A measured or needed value with its unit; what is not measured in words."""
    if value is None:
        return labels.text("rollout.not_measured", lang)
    if unit == "percent":
        return f"{share(value, lang)} %"
    return labels.text(f"rollout.units.{unit}", lang, count=int(value))


def share(value: float, lang: str) -> str:
    """A percentage with one decimal, never rounded up to what it does not reach."""
    return labels.number(int(value * 10 + 1e-9) / 10, lang, 0 if value in (0, 100) or isinstance(value, int) else 1)


def _evidence(criterion: Mapping[str, Any], as_of: date, lang: str) -> list[str]:
    documents = [_document(each, lang) for each in criterion["documents"]]
    if criterion["measure"] is None:
        return documents or [labels.text("rollout.evidence.no_document", lang)]
    words = [_measurement(criterion, as_of, lang)]
    if criterion["illustrative"]:
        words.append(labels.text("rollout.evidence.illustrative", lang, count=criterion["illustrative"]))
    if documents:
        words += [labels.text("rollout.evidence.documents_beside", lang), *documents]
    return words


def _measurement(criterion: Mapping[str, Any], as_of: date, lang: str) -> str:
    day = format_date(as_of)
    key = f"rollout.evidence.{criterion['measure']}"
    if criterion["unit"] == "layers":
        missing = _names(criterion["missing"], lang)
        return labels.text(
            key + ("_missing" if missing else ""), lang, count=criterion["yes"], of=criterion["population"],
            missing=missing, date=day,
        )  # fmt: skip
    if criterion["unit"] == "percent" and not criterion["population"]:
        return labels.text(
            "rollout.evidence.too_few" if criterion["population"] is None else "rollout.evidence.none", lang
        )
    if criterion["yes"] is None:
        return labels.text(f"{key}_untold", lang, date=day)
    return labels.text(key, lang, count=criterion["yes"], of=criterion["population"], date=day)


def _names(layers: Sequence[str], lang: str) -> str:
    return ", ".join(labels.text(f"rollout.layers.{name}", lang) for name in layers)


def _document(document: Mapping[str, Any], lang: str) -> str:
    return labels.text(
        "rollout.evidence.document",
        lang,
        title=document["title"],
        number=document["number"],
        dated=format_date(document["dated_on"]),
        role=labels.code_label("staff_role", document["signed_role"], lang),
        signed=format_date(document["signed_on"]),
    )
