"""Personal data about legal entities: encrypted at rest, found by keyed hash, shown masked, revealed with a purpose.

Every function works inside the caller's transaction (`postgis.actor`); row-level security lets officers and above of
the ward in, nobody else. A value is in no error, log line, address or history row: callers must keep it so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from postgis import identifiers, tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, refused_by_database
from postgis.secrets import Secrets
from postgis.store.record_values import readable
from postgis.vocabulary import PERSONAL_FIELDS

MIN_PURPOSE = 5
MAX_PURPOSE = 300
HOUSEHOLDS = frozenset({"household_business", "unregistered_individual"})
"""Legal forms whose tax code is a person's."""
READERS = frozenset({"officer", "approver", "admin"})
"""Roles that personal data is for; the policies of the database say the same."""

OVERSEERS = frozenset({"approver", "admin"})
"""Roles that see everybody's readings of the ward; others see their own."""

_ENTITY, _DATUM, _REVEAL, _STAFF = tables.legal_entity, tables.personal_datum, tables.reveal, tables.staff


@dataclass(frozen=True, slots=True)
class Masked:
    """A personal field as the screen shows it."""

    field: str
    mask: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Reveal:
    """One reading of a personal value."""

    at: datetime
    login: str
    display_name: str
    role: str
    entity: str
    registered_name: str
    field: str
    purpose: str


def masked(connection: Connection, entity: str) -> list[Masked]:
    """The personal fields that a legal entity has, masked, in the order of PERSONAL_FIELDS. Raises NotFound."""
    entity_id = _entity_id(connection, entity)
    rows = connection.execute(
        select(_DATUM.c.field, _DATUM.c.mask, _DATUM.c.updated_at).where(_DATUM.c.legal_entity_id == entity_id)
    )
    return sorted((Masked(*row) for row in rows), key=lambda found: PERSONAL_FIELDS.index(found.field))


def keep(connection: Connection, secrets: Secrets, entity: str, field: str, raw: str) -> Masked:
    """Sets or replaces a personal field, in its one spelling. The same value again changes nothing.

    Raises NotFound, InvalidValues, Forbidden.
    """
    value = _normalised(field, raw)
    entity_id = _entity_id(connection, entity)
    if field == "household_tax_code":
        form = connection.execute(select(_ENTITY.c.legal_form).where(_ENTITY.c.id == entity_id)).scalar_one()
        refuse_firms_number(form, value)
    found = {
        "lookup_hash": secrets.lookup_hash(value, kind=field),
        "mask": identifiers.mask(field, value),
    }
    if (same := _unchanged(connection, entity_id, field, found["lookup_hash"])) is not None:
        return same
    found["ciphertext"] = secrets.encrypt(value.encode(), context=context(entity, field))
    statement = upsert(_DATUM).values(legal_entity_id=entity_id, field=field, **found)
    statement = statement.on_conflict_do_update(
        index_elements=["legal_entity_id", "field"], set_={**found, "updated_at": func.clock_timestamp()}
    )
    try:
        with connection.begin_nested():
            row = connection.execute(statement.returning(_DATUM.c.field, _DATUM.c.mask, _DATUM.c.updated_at)).one()
    except DBAPIError as error:
        raise refused_by_database(error, "personal_datum") or error from None
    return Masked(*row)


def split_personal_number(values: Mapping[str, Any], legal_form: str | None) -> tuple[dict[str, Any], str | None]:
    """What may be written to a legal entity, and the number typed as `tax_code` that is to be kept with `keep` instead.

    `legal_form` is what the entity is after the write. A household's tax code, and any number that names a person, is
    the personal field household_tax_code: a personal ID is the owner's tax code since 1 July 2025. Otherwise None.
    """
    typed = values.get("tax_code")
    if not isinstance(typed, str) or not typed.strip():
        return dict(values), None
    if legal_form not in HOUSEHOLDS and not identifiers.classify(typed).is_personal:
        return dict(values), None
    return {**values, "tax_code": None}, typed


def forget(connection: Connection, entity: str, field: str) -> None:
    """Removes a personal field for good; the history keeps that it was there. Raises NotFound, Forbidden."""
    try:
        with connection.begin_nested():
            done = connection.execute(select(func.register.forget_personal_datum(entity, field))).scalar_one()
    except DBAPIError as error:
        raise refused_by_database(error, "personal_datum") or error from None
    if not done:
        raise NotFound


def reveal(connection: Connection, secrets: Secrets, actor: Actor, entity: str, field: str, purpose: str) -> str:
    """The value, after its reading has been written down; nothing is read when that fails.

    The caller commits before it shows the value. Raises InvalidValues (`purpose`), NotFound, Forbidden, and
    Undecipherable when the key of this installation is not the one it was encrypted with.
    """
    stated = " ".join(purpose.split())
    if not readable(stated):
        raise InvalidValues([FieldError("purpose", "unreadable_personal")])
    if not MIN_PURPOSE <= len(stated) <= MAX_PURPOSE:
        raise InvalidValues([FieldError("purpose", "purpose", {"least": MIN_PURPOSE, "most": MAX_PURPOSE})])
    if actor.role not in READERS:
        raise Forbidden
    entity_id = _entity_id(connection, entity)
    wanted = and_(_DATUM.c.legal_entity_id == entity_id, _DATUM.c.field == field)
    if connection.execute(select(_DATUM.c.id).where(wanted)).first() is None:
        raise NotFound
    try:
        with connection.begin_nested():
            connection.execute(
                insert(_REVEAL).values(staff_id=actor.staff_id, legal_entity_id=entity_id, field=field, purpose=stated)
            )
    except DBAPIError as error:
        raise refused_by_database(error, "reveal") or error from None
    ciphertext = connection.execute(select(_DATUM.c.ciphertext).where(wanted)).scalar_one()
    return secrets.decrypt(ciphertext, context=context(entity, field)).decode()


def unopened(connection: Connection, secrets: Secrets | None) -> tuple[int, int]:
    """How many values these secrets (None: no key at all) do not open, and how many there are. As owner, shows none."""
    wanted = select(_ENTITY.c.code, _DATUM.c.field, _DATUM.c.ciphertext).join_from(_DATUM, _ENTITY)
    rows = connection.execute(wanted).all()
    opened = [
        row for row in rows if secrets is not None and secrets.opens(row.ciphertext, context(row.code, row.field))
    ]
    return len(rows) - len(opened), len(rows)


def reveals(
    connection: Connection, *, before: int | None = None, entity: str | None = None, limit: int = 100
) -> tuple[list[Reveal], int | None]:
    """Who read what, when and why, the latest first, as far as the actor may know; and where the next page starts."""
    statement = _reveals().order_by(_REVEAL.c.id.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(_REVEAL.c.id < before)
    if entity is not None:
        statement = statement.where(_ENTITY.c.code == entity)
    rows = connection.execute(statement).all()
    following = rows[limit - 1].id if len(rows) > limit else None
    found = [
        Reveal(row.at, row.login, row.display_name, row.role, row.code, row.registered_name, row.field, row.purpose)
        for row in rows[:limit]
    ]
    return found, following


def find_by_identifier(connection: Connection, secrets: Secrets, typed: str) -> list[str]:
    """Codes of the legal entities with exactly this phone number, personal ID or tax code, however it is written.

    Personal numbers are compared by keyed hash, so a role that may not read personal data finds none of them.
    """
    wanted = [(field, secrets.lookup_hash(value, kind=field)) for field, value in identifiers.candidates(typed)]
    having = select(_DATUM.c.legal_entity_id).where(tuple_(_DATUM.c.field, _DATUM.c.lookup_hash).in_(wanted))
    matches: list[ColumnElement[bool]] = [_ENTITY.c.id.in_(having)] if wanted else []
    if (tax_code := identifiers.company_tax_code(typed)) is not None:
        matches.append(_ENTITY.c.tax_code == tax_code)
    if not matches:
        return []
    found = select(_ENTITY.c.code).where(or_(*matches), _ENTITY.c.ended_at.is_(None)).order_by(_ENTITY.c.code)
    return list(connection.execute(found).scalars())


def _normalised(field: str, raw: str) -> str:
    if field not in PERSONAL_FIELDS:
        raise InvalidValues([FieldError(field, "unknown_field")])
    try:
        return identifiers.normalise(field, raw)
    except identifiers.NotRecognised as wrong:
        # Not `from wrong`, and no value: what was typed may be somebody's number with one digit missing.
        raise InvalidValues([FieldError(field, wrong.code)]) from None


def refuse_firms_number(legal_form: str | None, value: str) -> None:
    """A firm's tax code is public and stands in `tax_code`: hidden as a household's, nobody would find it.

    Raises InvalidValues.
    """
    if legal_form not in HOUSEHOLDS and identifiers.classify(value).kind in ("tax_code", "unit_tax_code"):
        raise InvalidValues([FieldError("household_tax_code", "company_tax_code")])


def _entity_id(connection: Connection, entity: str) -> int:
    found = connection.execute(select(_ENTITY.c.id).where(_ENTITY.c.code == entity)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return int(found)


def _unchanged(connection: Connection, entity_id: int, field: str, lookup_hash: object) -> Masked | None:
    row = connection.execute(
        select(_DATUM.c.field, _DATUM.c.mask, _DATUM.c.updated_at).where(
            _DATUM.c.legal_entity_id == entity_id, _DATUM.c.field == field, _DATUM.c.lookup_hash == lookup_hash
        )
    ).one_or_none()
    return None if row is None else Masked(*row)


def context(entity: str, field: str) -> str:
    """Binds a ciphertext to its place: copied to another row it does not open."""
    return f"{field}:{entity}"


def _reveals() -> Select[tuple[int, datetime, str, str, str, str, str, str, str]]:
    return select(
        _REVEAL.c.id,
        _REVEAL.c.at,
        _STAFF.c.login,
        _STAFF.c.display_name,
        _STAFF.c.role,
        _ENTITY.c.code,
        _ENTITY.c.registered_name,
        _REVEAL.c.field,
        _REVEAL.c.purpose,
    ).select_from(
        _REVEAL.join(_STAFF, _STAFF.c.id == _REVEAL.c.staff_id).join(_ENTITY, _ENTITY.c.id == _REVEAL.c.legal_entity_id)
    )
