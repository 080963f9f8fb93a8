"""Words that stand for a code of the register: legal forms, statuses, payment, food safety, yes and no.

The whole cell is sought first, then the longest phrases in it; a "không" or "chưa" right before a phrase turns it
round, so such a cell goes to a person. The codes themselves are understood too: what this service exported comes back.
"""

import re
from collections.abc import Sequence

from ingest.values import Alternative, Cell, Problem, Reading, nothing, raw_text, tidy
from ingest.values_vocabulary import LEGAL_FORMS, MARKETPLACES, PAYMENTS, PENALTIES, YES_NO
from ingest.word_lists import WordList
from postgis.folding import search_key

_TICKS = {"✓": "yes", "✔": "yes", "☑": "yes", "√": "yes", "✗": "no", "✘": "no", "☐": "no", "+": "yes"}


def read_word(cell: Cell, words: WordList) -> Reading[str]:
    """The one code that a cell stands for."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    if (code := words.whole(text)) is not None:
        return Reading(raw, code, 1.0)
    found = words.find(text)
    meant = [each for each in found if not each.negated]
    turned = len(meant) < len(found)
    codes = list(dict.fromkeys(each.code for each in meant))
    if not codes:
        return Reading(raw, problems=(Problem("negated" if turned else "unknown_word"),))
    if len(codes) > 1 or turned:
        others = tuple(Alternative(code, 0.5) for code in codes)
        return Reading(
            raw, problems=(Problem("several_meanings" if len(codes) > 1 else "negated"),), alternatives=others
        )
    covered = sum(each.end - each.begin for each in meant) / max(len(search_key(text).split()), 1)
    return Reading(raw, codes[0], round(0.6 + 0.35 * covered, 2))


def read_legal_form(cell: Cell) -> Reading[str]:
    """A legal form from its own column, or from the name that begins with it ("Công ty TNHH …", "HKD …")."""
    reading = read_word(cell, LEGAL_FORMS)
    if reading.value is None and "several_meanings" in reading.codes:
        first = LEGAL_FORMS.find(tidy(cell))[0]
        if first.begin == 0:
            # "Chi nhánh Công ty …": what stands first decides.
            return Reading(reading.raw, first.code, 0.9, alternatives=reading.alternatives)
    return reading


def read_payments(cell: Cell) -> Reading[tuple[str, ...]]:
    """All payment methods that a cell names, in order. Cash beside another method is no method of its own."""
    if (empty := nothing(cell)) is not None:
        return empty
    raw, text = raw_text(cell), tidy(cell)
    found = PAYMENTS.find(text)
    codes = list(dict.fromkeys(each.code for each in found if not each.negated))
    if len(codes) > 1 and "cash_only" in codes:
        codes.remove("cash_only")
    if not codes:
        return Reading(raw, problems=(Problem("negated" if found else "unknown_word"),))
    problems = tuple([Problem("negated")] if any(each.negated for each in found) else [])
    known = sum(each.end - each.begin for each in found)
    words = [
        word for word in search_key(text).split() if word not in ("va", "hoac", "co", "bang", "thanh", "toan", "nhan")
    ]
    confidence = min(1.0, 0.6 + 0.4 * known / max(len(words), known, 1)) - 0.3 * bool(problems)
    return Reading(raw, tuple(codes), round(confidence, 2), problems)


def read_yes_no(cell: Cell) -> Reading[str]:
    """yes, no or unknown; an empty cell is neither."""
    if isinstance(cell, bool):
        return Reading(raw_text(cell), "yes" if cell else "no", 1.0)
    raw, text = raw_text(cell), tidy(cell)
    if text in _TICKS:
        return Reading(raw, _TICKS[text], 1.0)
    if text == "?":
        return Reading(raw, "unknown", 1.0)
    return read_word(cell, YES_NO)


def read_marketplace(cell: Cell) -> Reading[str]:
    """Whether a place sells on a platform: yes or no, or the platform's name for yes."""
    reading = read_yes_no(cell)
    named = read_word(cell, MARKETPLACES) if reading.value is None and reading.problems else reading
    return reading if named.value is None else named


def read_penalty(cell: Cell) -> Reading[str]:
    """What followed an inspection: no_penalty, reminder, fine or summoned, the gravest that is named."""
    reading = read_word(cell, PENALTIES)
    if reading.value is not None or not reading.alternatives:
        return reading
    named: Sequence[str] = [each.value for each in reading.alternatives]
    gravest = next(code for code in ("fine", "summoned", "reminder", "no_penalty") if code in named)
    return Reading(reading.raw, gravest, 0.7, reading.problems, reading.alternatives)


def days_allowed(text: str) -> int | None:
    """Days that a remedy may take, if the text says so: "khắc phục trong vòng 03 ngày"."""
    found = re.search(r"(\d{1,3})\s*ngay\b", search_key(text))
    return int(found[1]) if found else None
