"""How far the rollout of the business map has come: each criterion measured on the register now, or proved by a signed
document. Nothing is met by default, and no document takes the place of a measurement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select, text

from layers.standing import state_read
from postgis import tables
from postgis.criteria import Criterion, criteria_of
from postgis.today import today

_PROOF, _NOTE = tables.criterion_proof, tables.phase_note
_STAFF = tables.staff
MOST_NOTES = 200
_KEPT: dict[str, tuple[str, dict[str, "Figure"]]] = {}
"""By ward, of those whose plans have phases: the state that was read, and what was read."""
_READING = Lock()
"""One at a time reads every place; who comes meanwhile finds it read."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What the register was measured to hold: `yes` of `population`, of which `illustrative` are invented.

    `yes` is None where fewer than five are counted; `population` is None where a number is counted and no share.
    """

    yes: int | None
    population: int | None
    illustrative: int


@dataclass(frozen=True, slots=True)
class Document:
    """A signed document, as anybody may know of it."""

    title: str
    number: str
    dated_on: date
    signed_role: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion and how it stands."""

    criterion: Criterion
    figure: Figure | None
    measured: float | None
    """In the criterion's unit; None where it is not measured, or too few are counted."""
    met: bool
    documents: tuple[Document, ...]
    missing: tuple[str, ...] = ()
    """Where layers are counted: those that hold nothing."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a ward's plan with its criteria, in the order of its outputs."""

    code: str
    title: str
    starts: date
    due: date
    source: str
    outputs: tuple[str, ...]
    criteria: tuple[Judged, ...]

    @property
    def met(self) -> bool:
        """Whether each output has a criterion and every criterion is met."""
        proved = {each.criterion.output for each in self.criteria}
        return bool(self.criteria) and proved >= set(self.outputs) and all(each.met for each in self.criteria)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A ward's phases as of a day, in order."""

    ward: str
    as_of: date
    phases: tuple[Phase, ...]


def rollout(connection: Connection, ward: str) -> Rollout:
    """The phases of a ward and how each criterion stands now; no phase where its plan has none.

    Reads only what is published: the same for everybody.
    """
    asked = text(
        "SELECT code, title, starts, due, source, outputs FROM published.phases WHERE ward = :ward ORDER BY starts"
    )
    rows = connection.execute(asked, {"ward": ward}).all()
    if not rows:
        return Rollout(ward, today(), ())
    figures, documents = _figures(connection, ward), _documents(connection, ward)
    phases = [
        Phase(
            row.code,
            row.title,
            row.starts,
            row.due,
            row.source,
            tuple(row.outputs),
            tuple(
                judged(each, figures, documents.get(each.code, ()))
                for output in row.outputs
                for each in criteria_of(ward)
                if (each.phase, each.output) == (row.code, output)
            ),
        )
        for row in rows
    ]
    return Rollout(ward, today(), tuple(phases))


def judged(criterion: Criterion, figures: Mapping[str, Figure], documents: Sequence[Document]) -> Judged:
    """How a criterion stands. Raises KeyError for a measure that there is not."""
    if criterion.measure is None or criterion.needed is None:
        return Judged(criterion, None, None, bool(documents), tuple(documents))
    figure = _figure(criterion, figures)
    measured = _measured(criterion, figure)
    met = measured is not None and measured >= criterion.needed
    missing = tuple(name for name in criterion.layers if not figures[f"layer:{name}"].yes)
    return Judged(criterion, figure, measured, met, tuple(documents), missing)


def _figure(criterion: Criterion, figures: Mapping[str, Figure]) -> Figure:
    if criterion.measure == "layers":
        there = sum(figures[f"layer:{name}"].yes or 0 for name in criterion.layers)
        return Figure(there, len(criterion.layers), 0)
    return figures[str(criterion.measure)]


def _measured(criterion: Criterion, figure: Figure) -> float | None:
    if figure.yes is None:
        return None
    if criterion.unit != "percent":
        return figure.yes
    # Of none there is no share: neither 0 nor 100.
    return 100 * figure.yes / figure.population if figure.population else None


def _figures(connection: Connection, ward: str) -> dict[str, Figure]:
    found = _register_figures(connection, ward) | _read(connection, "rollout_use", ward)
    places = found["name_address"]
    for name in ("qr_issued", "qr_installed"):
        yes = None if places.yes is None else found[name].yes
        found[name] = Figure(yes, places.population, places.illustrative)
    return found


def _register_figures(connection: Connection, ward: str) -> dict[str, Figure]:
    """What every place of the ward must be read for: read again only once something published has changed."""
    # Before the figures: should they be newer than their name, nobody asks by it for long.
    state = state_read(connection)
    with _READING:
        kept = _KEPT.get(ward)
        if kept is None or kept[0] != state:
            kept = _KEPT[ward] = (state, _read(connection, "rollout_register", ward))
    return kept[1]


def _read(connection: Connection, function: str, ward: str) -> dict[str, Figure]:
    asked = text(f"SELECT measure, yes, population, illustrative FROM published.{function}(:ward)")
    rows = connection.execute(asked, {"ward": ward})
    return {row.measure: Figure(row.yes, row.population, row.illustrative) for row in rows}


def _documents(connection: Connection, ward: str) -> dict[str, list[Document]]:
    asked = text(
        "SELECT criterion, title, number, dated_on, signed_role, signed_on FROM published.rollout_proofs(:ward)"
    )
    found: dict[str, list[Document]] = {}
    for row in connection.execute(asked, {"ward": ward}):
        found.setdefault(row.criterion, []).append(Document(*row[1:]))
    return found


def proofs(connection: Connection) -> list[dict[str, Any]]:
    """Every document of the own ward, withdrawn ones too, latest first; for its officers."""
    adder, withdrawer = _STAFF.alias("adder"), _STAFF.alias("withdrawer")
    columns = (
        "id", "criterion", "title", "number", "dated_on", "file_kind", "file_bytes", "added_at", "signed_name",
        "signed_role", "signed_at", "withdrawn_at", "withdrawn_reason",
    )  # fmt: skip
    asked = (
        select(
            *(_PROOF.c[name] for name in columns),
            adder.c.display_name.label("added_name"),
            withdrawer.c.display_name.label("withdrawn_name"),
        )
        .select_from(
            _PROOF.outerjoin(adder, adder.c.id == _PROOF.c.added_by).outerjoin(
                withdrawer, withdrawer.c.id == _PROOF.c.withdrawn_by
            )
        )
        .order_by(_PROOF.c.id.desc())
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def notes(connection: Connection) -> list[dict[str, Any]]:
    """What was noted about the phases of the own ward, latest first; `open`: a blocker that nothing has ended yet."""
    ended = _NOTE.alias("ended")
    columns = ("id", "phase", "kind", "state", "words", "solves_id", "staff_name", "staff_role", "at")
    still = (_NOTE.c.kind == "blocker") & ~select(ended.c.id).where(ended.c.solves_id == _NOTE.c.id).exists()
    asked = select(*(_NOTE.c[name] for name in columns), still.label("open"))
    # What still stands in the way comes whole, however much was noted since.
    latest = select(_NOTE.c.id).order_by(_NOTE.c.id.desc()).limit(MOST_NOTES)
    asked = asked.where(_NOTE.c.id.in_(latest) | still).order_by(_NOTE.c.id.desc())
    return [dict(row) for row in connection.execute(asked).mappings()]
