"""Saves what an officer typed: at once, as a proposal where a second person must decide, or not at all, with everything
kept that was typed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from layers.record_sheet import last_change
from mapservice.errors import Problem
from mapservice.forms import Form
from mapservice.record_forms import argument_errors, changed, seen_values, seen_version, typed_texts, wire_values
from mapservice.rights import can
from mapservice.writing import write_or_propose
from postgis.actor import Actor, read_as, write_as
from postgis.engine import Database
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.merge import same
from postgis.risk import ENDED
from postgis.store import proposals, records
from postgis.store.record_types import RECORD_TYPES, WritableField
from web.staff_forms import State

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class Saved:
    """It stands in the register."""

    code: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """It waits for a second person."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing differed from what the form was made from."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not saved; the form is to be shown again as `state` says, on top of `seen`, the record as it is now."""

    state: State
    seen: Mapping[str, Any] | None = None
    version: int | None = None

    @property
    def status(self) -> int:
        """HTTP: a conflict is another matter than a mistake."""
        return 422 if self.state.errors or self.seen is None else 409


Outcome = Saved | Proposed | Unchanged | Refused


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be saved: a record of a collection (`code` None: a new one) with some of its fields.

    `fixed` are values that no input holds, such as the establishment that a licence belongs to. `aside` is a person's
    number typed as `tax_code`: it is kept by `keep_aside` in the same transaction, and in no record or proposal.
    """

    collection: str
    fields: Sequence[WritableField]
    code: str | None = None
    fixed: Mapping[str, Any] | None = None
    aside: str | None = None
    keep_aside: Callable[[Connection, str, str], None] | None = None


def save(database: Database, actor: Actor, form: Form, wish: Wish) -> Outcome:
    """Saves the form. Raises NotFound, Problem `forbidden`."""
    typed = typed_texts(form, wish.fields) | {name: form[name] for name in ("reason", "evidence", "legal_basis")}
    values = wire_values(typed, wish.fields) | ({"tax_code": None} if wish.aside else {})
    seen = seen_values(form) if wish.code else {}
    errors = argument_errors(typed)
    for name in form.all("clash"):
        choice = form[f"choice.{name}"]
        if choice == THEIRS:
            values.pop(name, None)
        elif choice != MINE:
            errors.append(FieldError(name, "no_choice"))
    patch = changed(values, seen) if wish.code else values
    if wish.code and not (patch or errors or wish.aside):
        return Unchanged()
    if not can(actor, "change" if wish.code else "create", wish.collection):
        _may_propose(actor, wish.collection)
        if wish.aside:
            errors.append(FieldError("tax_code", "household_tax_code"))
    try:
        return _write(database, actor, wish, patch, seen, seen_version(form), typed, errors)
    except InvalidValues as invalid:
        return _again(database, actor, form, wish, State(typed, _once([*errors, *invalid.errors])), patch)
    except Stale as stale:
        return _conflict(database, actor, wish, typed, patch, seen, stale.current)
    except Forbidden:
        raise Problem("forbidden") from None


def end(database: Database, actor: Actor, form: Form, collection: str, code: str) -> Outcome:
    """Ends a record, with a reason; where that takes something from the public, proposes it. Raises NotFound."""
    return _step(database, actor, form, collection, code, ended=True)


def bring_back(database: Database, actor: Actor, form: Form, collection: str, code: str) -> Outcome:
    """Undoes an end; where that tells the public of a failure, proposes it. Raises NotFound, Problem."""
    return _step(database, actor, form, collection, code, ended=False)


def _step(database: Database, actor: Actor, form: Form, collection: str, code: str, *, ended: bool) -> Outcome:
    direct = can(actor, "end", collection)
    if not direct:
        _may_propose(actor, collection)
    typed = {name: form[name] for name in _ARGUMENTS}
    errors, version = argument_errors(typed), seen_version(form)
    if errors:
        return Refused(State(typed, errors))

    try:
        with write_as(database, actor, reason=typed["reason"]) as connection:
            before = records.get(connection, collection, code)

            def write() -> records.Record:
                if ended:
                    return records.end(connection, collection, code, version, typed["reason"])
                return records.bring_back(connection, collection, code, version)

            arguments = _arguments(typed)
            if direct:
                done = write_or_propose(connection, actor, before, write, {ENDED: ended}, arguments, collection)
            else:
                done = proposals.propose(
                    connection,
                    actor,
                    collection=collection,
                    record_code=code,
                    patch={ENDED: ended},
                    base_version=version,
                    **arguments,
                )
            if isinstance(done, proposals.Proposal):
                _check_argued(done, typed)
                return Proposed(done.receipt)
            return Saved(code)
    except InvalidValues as invalid:
        return Refused(State(typed, invalid.errors))
    except Stale as stale:
        return _conflict(database, actor, Wish(collection, ()), typed, {}, {}, stale.current)
    except (Forbidden, proposals.RecordEnded):
        raise Problem("forbidden") from None


def _may_propose(actor: Actor, collection: str) -> None:
    if not can(actor, "propose", collection):
        raise Problem("forbidden")


_ARGUMENTS = ("reason", "evidence", "legal_basis")


def _arguments(typed: Mapping[str, str]) -> dict[str, Any]:
    return {"reason": typed["reason"], **{name: typed[name] or None for name in ("evidence", "legal_basis")}}


def _check_argued(proposal: proposals.Proposal, typed: Mapping[str, str]) -> None:
    """What may harm somebody is not even proposed by staff without its grounds. Raises InvalidValues."""
    missing = [name for name in ("evidence", "legal_basis") if not typed[name].strip()]
    if proposal.risk == "adverse" and missing:
        raise InvalidValues([FieldError(name, "required") for name in missing])


def _once(errors: Sequence[FieldError]) -> list[FieldError]:
    """The first error of each field and kind."""
    return list({(error.field, error.code): error for error in reversed(errors)}.values())[::-1]


def _write(
    database: Database,
    actor: Actor,
    wish: Wish,
    patch: Mapping[str, Any],
    seen: Mapping[str, Any],
    version: int,
    typed: Mapping[str, str],
    first: Sequence[FieldError],
) -> Outcome:
    """Writes, or proposes. The stored record says whether a second person is needed, not what the form says of it."""
    values = {**patch, **(wish.fixed or {})} if wish.code is None else dict(patch)
    source = str(values.get("source") or "office")
    source = source if source in _SOURCES else "office"
    with write_as(database, actor, reason=typed["reason"], source=source) as connection:
        # Tried whatever is wrong with the reason, so that every mistake is shown at once; nothing of it may stay.
        arguments = {**_arguments(typed), "reason": (typed["reason"] if not first else "") or _UNSAID}
        if can(actor, "change" if wish.code else "create", wish.collection):
            before = records.get(connection, wish.collection, wish.code) if wish.code else None
            done = write_or_propose(
                connection,
                actor,
                before,
                lambda: _directly(connection, actor, wish, values, version),
                values,
                arguments,
                wish.collection,
                source=source,
            )
        elif first and not values:
            raise InvalidValues(())
        else:
            done = proposals.propose(
                connection,
                actor,
                collection=wish.collection,
                record_code=wish.code,
                patch=values,
                source=source,
                base={name: seen.get(name) for name in patch} if wish.code else None,
                base_version=version if wish.code else None,
                **arguments,
            )
        if isinstance(done, proposals.Proposal):
            if wish.aside:
                raise InvalidValues([FieldError("tax_code", "household_tax_code")])
            _check_argued(done, typed)
        elif wish.aside and wish.keep_aside:
            wish.keep_aside(connection, done.code, wish.aside)
        if first:
            raise InvalidValues(())
        return Proposed(done.receipt) if isinstance(done, proposals.Proposal) else Saved(done.code)


_SOURCES = RECORD_TYPES["licences"].field("source").codes  # type: ignore[union-attr]
_UNSAID = "?"
"""Stands for a reason that is missing while the rest is tried; never stored."""


def _directly(
    connection: Connection, actor: Actor, wish: Wish, values: Mapping[str, Any], version: int
) -> records.Record:
    if wish.code is None:
        return records.create(connection, wish.collection, values, ward_id=actor.ward_id)
    return records.change(connection, wish.collection, wish.code, version, values)


def _again(
    database: Database,
    actor: Actor,
    form: Form,
    wish: Wish,
    state: State,
    patch: Mapping[str, Any],
) -> Outcome:
    """The form with its errors; the choices of an earlier conflict are still to be made."""
    names = form.all("clash")
    if not names or wish.code is None:
        return Refused(state)
    with read_as(database, actor) as connection:
        current = records.get(connection, wish.collection, wish.code)
    clashes = {name: (patch[name], current.values.get(name)) for name in names if name in patch}
    return Refused(State(state.typed, state.errors, clashes), current.values, current.version)


def _conflict(
    database: Database,
    actor: Actor,
    wish: Wish,
    typed: Mapping[str, str],
    patch: Mapping[str, Any],
    seen: Mapping[str, Any],
    current: records.Record,
) -> Outcome:
    """What a colleague changed since, and where the two differ."""
    moved = {
        each.name: current.values.get(each.name)
        for each in wish.fields
        if each.kind != "shape" and not same(current.values.get(each.name), seen.get(each.name))
    }
    mine = {name: value for name, value in patch.items() if not same(value, current.values.get(name))}
    clashes = {name: (value, moved[name]) for name, value in mine.items() if name in moved}
    kept = {name: text for name, text in typed.items() if _field_of(name) in mine or name in _ARGUMENTS}
    with read_as(database, actor) as connection:
        who = last_change(connection, wish.collection, current.code)
    state = State(kept, (), clashes, {name: value for name, value in moved.items() if name not in mine}, who)
    return Refused(state, current.values, current.version)


def _field_of(name: str) -> str:
    return "geometry" if name in ("lat", "lon") else name


__all__ = ["NotFound", "Outcome", "Proposed", "Refused", "Saved", "Unchanged", "Wish", "bring_back", "end", "save"]
