"""What the look-up page asks about the sticker that somebody scanned, from the published views alone."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, column, select, table

from postgis import sticker_marks
from postgis.secrets import Secrets

_STICKERS = table("stickers", *(column(name) for name in ("serial", "code", "state", "state_on")), schema="published")
_KEYS = table("sticker_keys", column("version"), column("fingerprint"), schema="published")
_DUMMY_KEY = b"\0" * 32
_NO_SERIAL = "22222"
KEYS_AHEAD = 3
"""Versions of the key that may have come after the newest one listed: the register may have been put back to before."""

Verdict = Literal["genuine", "unlisted", "unchecked", "false"]


@dataclass(frozen=True, slots=True)
class SeenSticker:
    """What a sticker's mark says."""

    verdict: Verdict
    """`genuine`: made here for this code. `unlisted`: the mark is right, but the register, restored perhaps from before
    it was made, does not list it. `unchecked`: this installation lacks a key that marks were made with. `false`: the
    ward has not made it."""
    serial: str | None = None
    """Of a genuine one."""
    state: str | None = None
    state_on: date | None = None
    """Day in Vietnam on which it came into its state."""


FALSE = SeenSticker("false")


def judge(connection: Connection, secrets: Secrets | None, code: str, token: str) -> SeenSticker:
    """What the sticker is that carries a code and `?t=` with a token.

    The same is asked and computed whatever code and token are: how long it takes tells nothing about which exist.
    `secrets` is None where this installation has not made its key.
    """
    parts = sticker_marks.split(token)
    serial, seen = parts or (_NO_SERIAL, _NO_SERIAL)
    rows = connection.execute(
        select(_KEYS.c.version, _KEYS.c.fingerprint, _STICKERS.c.code, _STICKERS.c.state, _STICKERS.c.state_on)
        .select_from(_KEYS.outerjoin(_STICKERS, _STICKERS.c.serial == serial))
        .order_by(_KEYS.c.version)
    ).all()
    right = lacking = False
    for row in rows:
        key, fingerprint = (_DUMMY_KEY, "") if secrets is None else secrets.sticker_key(row.version)
        equal = sticker_marks.same(sticker_marks.mark(key, code, serial), seen)
        lacking |= fingerprint != row.fingerprint
        right |= equal and fingerprint == row.fingerprint and parts is not None
    later = _made_later(secrets, rows[-1].version if rows else 0, code, serial, seen) and parts is not None
    if right or later:
        listed = right and rows[0].code is not None and rows[0].code == code
        return SeenSticker("genuine", serial, rows[0].state, rows[0].state_on) if listed else SeenSticker("unlisted")
    return SeenSticker("unchecked") if lacking and parts is not None else FALSE


def _made_later(secrets: Secrets | None, newest: int, code: str, serial: str, seen: str) -> bool:
    """Whether a mark was made with one of the versions of the key that follow the newest which the register lists."""
    found = False
    for version in range(newest + 1, newest + 1 + KEYS_AHEAD):
        key = _DUMMY_KEY if secrets is None else secrets.sticker_key(version)[0]
        found |= sticker_marks.same(sticker_marks.mark(key, code, serial), seen) and secrets is not None
    return found
