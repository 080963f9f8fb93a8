"""Opening hours in words: OpenStreetMap writes "Mo-Sa 05:30-20:30", people read "thứ Hai–thứ Bảy 05:30–20:30"."""

import re

from web import labels

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = "|".join(_DAYS)
_DAY_LIST = rf"(?:{_DAY})(?:-(?:{_DAY}))?(?:,\s?(?:{_DAY})(?:-(?:{_DAY}))?)*"
_TIME = r"\d{1,2}:\d{2}"
_TIME_LIST = rf"{_TIME}(?:-{_TIME}|\+)(?:,\s?{_TIME}(?:-{_TIME}|\+))*"
_RULE = re.compile(rf"(?:(?P<days>{_DAY_LIST})\s)?(?P<times>{_TIME_LIST})")


def in_words(written: str, lang: str) -> str:
    """Return hours in the usual part of OpenStreetMap's notation as words; any other text comes back as it was.

    Holidays, weeks of the year and the like are left alone: half a translation would say something else.
    """
    if written.strip() == "24/7":
        return labels.text("lookup.days.always", lang)
    rules = [_RULE.fullmatch(rule.strip()) for rule in written.strip().rstrip(";").split(";")]
    words = "; ".join(_rule(rule, lang) for rule in rules if rule)
    return words[:1].upper() + words[1:] if all(rules) else written


def without_every_day(written: str) -> str:
    """Hours that are the same on all days, without saying so: "Mo-Su 07:00-21:00" is "07:00-21:00"."""
    rule = _RULE.fullmatch(written.strip())
    return str(rule["times"]) if rule and rule["days"] == "Mo-Su" else written


def _rule(rule: re.Match[str], lang: str) -> str:
    days = rule["days"]
    if days in (None, "Mo-Su"):
        when = labels.text("lookup.days.every_day", lang)
    else:
        when = re.sub(_DAY, lambda day: labels.text(f"lookup.days.{day[0]}", lang), days.replace("-", "–"))
    times = [_time(part.strip(), lang) for part in rule["times"].split(",")]
    return re.sub(r",\s?", ", ", when) + " " + ", ".join(times)


def _time(part: str, lang: str) -> str:
    padded = re.sub(r"\b(\d):", r"0\1:", part)
    if padded.endswith("+"):
        return labels.text("lookup.days.onwards", lang, time=padded[:-1])
    return padded.replace("-", "–")
