"""What the five wards have promised, from their own plans."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from distil.files import Row

_COMPARATORS = ("at_least", "more_than")
_INDICATOR_KEYS = ("code", "title", "unit", "report", "source", "evidence", "measured_by")
_PHASE_KEYS = ("code", "title", "starts", "due", "source", "outputs")


def distil_targets(plans: Path, output: Path) -> int:
    """Write one `targets/<ward code>.toml` for each plan; return how many.

    The plans say each target as `{due, at_least = 50}`; ours says comparator and value apart, as the table does.
    """
    output.mkdir(exist_ok=True)
    count = 0
    for path in sorted(plans.glob("*.toml")):
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
        (output / f"{plan['ward']}.toml").write_text(_toml(plan, _source_line(path)), encoding="utf-8")
        count += 1
    return count


def _source_line(path: Path) -> str:
    """The comment at the head of a plan: which document it was taken from."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def _toml(plan: dict[str, Any], source: str) -> str:
    head = {"ward_code": plan["ward"], "ward_name": plan["name"], "plan": source}
    blocks = [_pairs(head)]
    for indicator in plan.get("indicator", []):
        given = {**indicator, "measured_by": indicator.get("measured_by", "register")}
        blocks.append(["[[indicator]]", *_pairs({key: given[key] for key in _INDICATOR_KEYS if key in given})])
        blocks.extend(_target(target) for target in indicator["targets"])
    for phase in plan.get("phase", []):
        blocks.append(["[[phase]]", *_pairs({key: phase[key] for key in _PHASE_KEYS})])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _target(target: Row) -> list[str]:
    comparator = next(word for word in _COMPARATORS if word in target)
    return [
        "[[indicator.target]]",
        *_pairs({"due": target["due"], "comparator": comparator, "value": target[comparator]}),
    ]


def _pairs(values: Row) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in values.items()]


def _value(value: str | int | date | list[str]) -> str:
    """A TOML value; a JSON string is a valid TOML basic string."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
