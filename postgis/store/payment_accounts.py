"""Accounts that places are paid to: kept as keyed hashes by officers who saw them, compared for officers and buyers."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, LargeBinary, Text, cast, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.errors import NotFound
from postgis.secrets import Secrets

_TABLE, _PLACE, _STAFF = tables.payment_account, tables.establishment, tables.staff


def keep(
    connection: Connection,
    secrets: Secrets,
    actor: Actor,
    place: str,
    *,
    bank_bin: str,
    account: str,
    buyer_check: bool,
) -> None:
    """Notes the account that the actor saw at the place; seen again, its day and consent are those of now.

    `account`: bank and number, in the one spelling. Raises NotFound.
    """
    place_id, kept = _place_id(connection, place), _hash(secrets, place, account)
    seen = {"checked_by": actor.staff_id, "checked_on": func.current_date(), "buyer_check": buyer_check}
    same = (_TABLE.c.establishment_id == place_id, _TABLE.c.account_hash == kept, _TABLE.c.withdrawn_at.is_(None))
    if not connection.execute(update(_TABLE).where(*same).values(**seen)).rowcount:
        new = {"establishment_id": place_id, "bank_bin": bank_bin, "account_hash": kept}
        connection.execute(insert(_TABLE).values(**new, buyer_check=buyer_check, checked_by=actor.staff_id))


def withdraw(connection: Connection, place: str, number: int) -> None:
    """Ends an account of a place: it is compared with no longer. Raises NotFound."""
    chosen = (_TABLE.c.id == number, _TABLE.c.establishment_id == _place_id(connection, place))
    done = update(_TABLE).where(*chosen, _TABLE.c.withdrawn_at.is_(None)).values(withdrawn_at=func.now())
    if not connection.execute(done).rowcount:
        raise NotFound


def of_place(connection: Connection, place: str) -> Sequence[Any]:
    """The accounts of a place that are compared with: bank, day and officer; never the hash. Raises NotFound."""
    columns = (_TABLE.c.id, _TABLE.c.bank_bin, _TABLE.c.buyer_check, _TABLE.c.checked_on, _STAFF.c.display_name)
    return connection.execute(
        select(*columns)
        .join(_STAFF, _STAFF.c.id == _TABLE.c.checked_by)
        .where(_TABLE.c.establishment_id == _place_id(connection, place), _TABLE.c.withdrawn_at.is_(None))
        .order_by(_TABLE.c.id)
    ).all()


def compare(connection: Connection, secrets: Secrets, place: str, account: str) -> str:
    """For an officer: match, no_match or none. Raises NotFound."""
    known = select(_TABLE.c.account_hash).where(
        _TABLE.c.establishment_id == _place_id(connection, place), _TABLE.c.withdrawn_at.is_(None)
    )
    hashes = {bytes(found) for found in connection.execute(known).scalars()}
    return "none" if not hashes else "match" if _hash(secrets, place, account) in hashes else "no_match"


def compare_for_buyer(connection: Connection, secrets: Secrets, place: str, account: str) -> tuple[str, date | None]:
    """For anybody, where the owner agreed, within bounds: match, no_match, none or too_many, and the day of the check.

    Raises NotFound.
    """
    arguments = (cast(place, Text), cast(_hash(secrets, place, account), LargeBinary))
    found = func.register.check_payment(*arguments).table_valued("answer", "checked_on")
    try:
        with connection.begin_nested():
            row = connection.execute(select(found)).one()
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "P0002":
            raise NotFound from None
        raise
    return str(row.answer), row.checked_on


def _hash(secrets: Secrets, place: str, account: str) -> bytes:
    return secrets.lookup_hash(account, kind=f"payment-account:{place}")


def _place_id(connection: Connection, place: str) -> int:
    found = connection.execute(
        select(_PLACE.c.id).where(_PLACE.c.code == place, _PLACE.c.ended_at.is_(None))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return int(found)
