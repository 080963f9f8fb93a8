"""What proves each output of the rollout's phases, by ward: `reference/criteria/*.toml`, in no table."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from postgis.reference_files import REFERENCE, read_toml

UNITS = ("percent", "days", "layers", "keys", "lookups", "inspections")
BASES = ("plan", "setting")
"""Who says how much is needed: the ward's plan, or this service's setting where the plan gives no number."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion. `measure` is what the register is measured by; None: only a signed document proves it."""

    code: str
    phase: str
    output: str
    """As the plan names it."""
    basis: str
    measure: str | None = None
    needed: int | None = None
    """The least that meets it, in `unit`; None where a document proves it."""
    unit: str | None = None
    layers: tuple[str, ...] = ()
    """Where the measure is `layers`: those that must hold something."""


@cache
def planned_wards() -> dict[str, str]:
    """The wards whose plans there are (`reference/targets`), by code: what each is called."""
    plans = [read_toml(path) for path in sorted((REFERENCE / "targets").glob("*.toml"))]
    return {plan["ward_code"]: plan["ward_name"] for plan in plans}


@cache
def criteria_of(ward: str) -> tuple[Criterion, ...]:
    """The criteria of a ward by its code, in the order of the file; none for a ward without one."""
    path = REFERENCE / "criteria" / f"{ward}.toml"
    # Looked for among the files that there are: what a request names is no part of a path.
    if path not in set((REFERENCE / "criteria").glob("*.toml")):
        return ()
    return tuple(_criterion(row) for row in read_toml(path)["criterion"])


def _criterion(row: dict[str, Any]) -> Criterion:
    layers = tuple(row.pop("layers", ()))
    by_document = row.pop("document", False)
    needed = row.pop("needed", len(layers) or None)
    found = Criterion(**row, needed=needed, layers=layers)
    if by_document != (found.measure is None) or by_document != (found.needed is None):
        raise ValueError(f"criterion {found.code}: either a document, or a measure with what is needed")
    return found
