"""MapLibre styles of our own tiles. `{base}` in a style is the address of the service, `{ward}` the ward's code."""

import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STYLES = tuple(sorted(path.stem for path in HERE.glob("*.json")))
"""The ids of the styles there are."""


@cache
def _text(style_id: str) -> str:
    return (HERE / f"{style_id}.json").read_text(encoding="utf-8")


def style(style_id: str, base: str, ward: str) -> dict[str, Any] | None:
    """A style with the service's address and ward filled in, or None when there is none by that id."""
    if style_id not in STYLES:
        return None
    found: dict[str, Any] = json.loads(_text(style_id).replace("{base}", base).replace("{ward}", ward))
    return found
