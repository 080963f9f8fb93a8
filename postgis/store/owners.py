"""Owners of places: codes that officers give out, sessions that they open, and what owners propose and reply.

A code is shown once, when it is made; the table keeps a keyed hash of it, bound to its place. Nothing an owner sends is
shown before a reviewer has let it pass.
"""

import secrets as random_source
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, LargeBinary, Text, cast, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from postgis import tables
from postgis.actor import Actor
from postgis.codes import ALPHABET
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound
from postgis.risk import risk_of
from postgis.secrets import Secrets
from postgis.store.proposals import new_receipt, spoken
from postgis.store.sessions import MAX_COOKIE, digest
from postgis.store.suggestions import TooManyProposals, wish_of_place
from postgis.today import today

LETTERS = 10
VALID = timedelta(days=7)
REPLIES = ("warnings", "inspections")
"""Collections of adverse facts that an owner may reply to."""
REPLY_FIELDS = ("reply", "replied_on")
"""What an owner says to one of them, and when."""
MOST_REPLY = 500

_CODE, _PLACE, _STAFF = tables.owner_code, tables.establishment, tables.staff


@dataclass(frozen=True, slots=True)
class OwnerSession:
    """An owner's signed-in browser: of which place, and what its forms must carry."""

    place: str
    csrf_token: str
    token_hash: bytes


def make_code(connection: Connection, secrets: Secrets, actor: Actor, place: str) -> str:
    """A new code for the owner of a place, which ends those before it. Shown once. Raises NotFound."""
    place_id = _place_id(connection, place)
    withdraw_codes(connection, place)
    code = "".join(random_source.choice(ALPHABET) for _ in range(LETTERS))
    values = {
        "establishment_id": place_id,
        "code_hash": _hash(secrets, place, code),
        "made_by": actor.staff_id,
        "expires_at": func.now() + literal(VALID),
    }
    connection.execute(insert(_CODE).values(**values))
    return f"{code[: LETTERS // 2]}-{code[LETTERS // 2 :]}"


def withdraw_codes(connection: Connection, place: str) -> int:
    """Ends every code of a place that still works, and its sessions; returns how many codes. Raises NotFound."""
    live = (_CODE.c.establishment_id == _place_id(connection, place), _CODE.c.used_at.is_(None))
    done = update(_CODE).where(*live, _CODE.c.withdrawn_at.is_(None)).values(withdrawn_at=func.now())
    ended = connection.execute(done).rowcount
    connection.execute(select(func.account.end_owner_sessions(cast(place, Text))))
    return ended


def codes_of(connection: Connection, place: str) -> Sequence[Any]:
    """The latest codes of a place: when and by whom made, how they ended; never the codes."""
    columns = (_CODE.c.made_at, _CODE.c.expires_at, _CODE.c.tries_left, _CODE.c.used_at, _CODE.c.withdrawn_at)
    live = _CODE.c.used_at.is_(None) & _CODE.c.withdrawn_at.is_(None) & (_CODE.c.expires_at > func.now())
    return connection.execute(
        select(*columns, _STAFF.c.display_name, (live & (_CODE.c.tries_left > 0)).label("live"))
        .join(_STAFF, _STAFF.c.id == _CODE.c.made_by)
        .where(_CODE.c.establishment_id == _place_id(connection, place))
        .order_by(_CODE.c.id.desc())
        .limit(10)
    ).all()


def sign_in(connection: Connection, secrets: Secrets, place: str, typed: str) -> str | None:
    """Begins a session and returns its cookie's value; None when the code is not the place's live one."""
    code = "".join(letter for letter in typed.upper() if letter in ALPHABET)
    cookie = random_source.token_urlsafe(32)
    found = func.account.owner_sign_in(
        cast(place, Text),
        cast(_hash(secrets, place, code), LargeBinary),
        cast(digest(cookie), LargeBinary),
        cast(random_source.token_urlsafe(32), Text),
    )
    return cookie if connection.execute(select(found)).scalar_one() else None


def find(connection: Connection, cookie: str) -> OwnerSession | None:
    """The live session of a cookie."""
    if not cookie or len(cookie) > MAX_COOKIE:
        return None
    token_hash = digest(cookie)
    holder = func.account.owner_holder(cast(token_hash, LargeBinary)).table_valued("place_code", "csrf_token")
    row = connection.execute(select(holder)).one_or_none()
    return None if row is None else OwnerSession(row.place_code, row.csrf_token, token_hash)


def sign_out(connection: Connection, session: OwnerSession) -> None:
    """Ends a session."""
    connection.execute(select(func.account.end_owner_session(cast(session.token_hash, LargeBinary))))


def requests(connection: Connection, session: OwnerSession) -> Sequence[Any]:
    """What the owner has asked for, the latest first."""
    names = ("receipt", "collection", "record_code", "state", "proposed_at", "decided_at")
    found = func.register.owner_requests(cast(session.token_hash, LargeBinary)).table_valued(*names)
    return connection.execute(select(found)).all()


def reply(
    connection: Connection, session: OwnerSession, collection: str, record: str, seen: Mapping[str, Any], words: str
) -> str:
    """Notes the owner's reply to an adverse fact, for review; returns the receipt.

    `seen`: `reply` and `replied_on` as published. Raises InvalidValues, NotFound, TooManyProposals, Forbidden.
    """
    said = " ".join(words.split())
    if not said:
        raise InvalidValues([FieldError("reply", "required")])
    if len(said) > MOST_REPLY:
        raise InvalidValues([FieldError("reply", "too_long", {"most": MOST_REPLY})])
    if not said.isprintable() or "\ufffd" in said:
        raise InvalidValues([FieldError("reply", "unreadable_text")])
    if collection not in REPLIES:
        raise NotFound
    if said == seen.get("reply"):
        raise InvalidValues([FieldError("reply", "no_change")])
    return propose(
        connection, session, collection, record, seen, {"reply": said, "replied_on": today().isoformat()}, said
    )


def correct(connection: Connection, session: OwnerSession, patch: Mapping[str, Any], reason: str) -> str:
    """Notes what the owner wants changed of the place's public fields; returns the receipt.

    Raises InvalidValues, NotFound, TooManyProposals, Forbidden.
    """
    said = spoken(connection, reason=reason)["reason"]
    wish, seen = wish_of_place(connection, session.place, patch)
    return propose(connection, session, "establishments", session.place, seen, wish, said)


def propose(
    connection: Connection,
    session: OwnerSession,
    collection: str,
    record: str,
    seen: Mapping[str, Any],
    wanted: Mapping[str, Any],
    reason: str,
) -> str:
    """Notes what a signed-in owner wants, already checked; returns the receipt.

    Raises NotFound, TooManyProposals, and Forbidden when the session has ended.
    """
    receipt = new_receipt()
    values = (
        cast(session.token_hash, LargeBinary),
        cast(receipt, Text),
        cast(collection, Text),
        cast(record, Text),
        cast(dict(seen), JSONB),
        cast(dict(wanted), JSONB),
        cast(reason, Text),
        cast(risk_of(collection, seen, {**seen, **wanted}, "owner"), Text),
    )
    refusals: dict[str, type[Exception]] = {"MS429": TooManyProposals, "P0002": NotFound, "42501": Forbidden}
    try:
        with connection.begin_nested():
            connection.execute(select(func.register.propose_as_owner(*values)))
    except DBAPIError as error:
        refusal = refusals.get(getattr(error.orig, "pgcode", None) or "")
        if refusal is None:
            raise
        raise refusal from None
    return receipt


def _hash(secrets: Secrets, place: str, code: str) -> bytes:
    return secrets.lookup_hash(code, kind=f"owner-code:{place}")


def _place_id(connection: Connection, place: str) -> int:
    found = connection.execute(
        select(_PLACE.c.id).where(_PLACE.c.code == place, _PLACE.c.ended_at.is_(None))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return int(found)
