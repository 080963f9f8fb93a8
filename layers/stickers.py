"""What the look-up page asks about the sticker that somebody scanned, from the published views alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, column, select, table

from layers.statements import Shapes
from postgis import sticker_marks
from postgis.secrets import Secrets

_STICKERS = table(
    "stickers",
    *(column(name) for name in ("serial", "code", "state", "state_on", "misused_on")),
    schema="published",
)
_KEYS = table("sticker_keys", column("version"), column("fingerprint"), schema="published")
_SHOWN = ("state", "state_on", "misused_on")
"""What is said of a sticker."""
_SHAPES = Shapes()
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
    misused_on: date | None = None
    """Day on which an officer last found it copied, or hung where it does not belong."""


FALSE = SeenSticker("false")


def _keys_and_sticker() -> Select[Any]:
    """Every version of the key, each beside the sticker with a serial."""
    return (
        select(_KEYS.c.version, _KEYS.c.fingerprint, _STICKERS.c.code, *(_STICKERS.c[name] for name in _SHOWN))
        .select_from(_KEYS.outerjoin(_STICKERS, _STICKERS.c.serial == bindparam("serial", "")))
        .order_by(_KEYS.c.version)
    )


FIRST_KEYS = 8
"""Versions of the key that `marked` tries; an installation gets a new one when it has lost the old one, or by will."""


def marked(secrets: Secrets | None, code: str, token: str) -> tuple[str, str] | None:
    """Serial and mark of a token whose mark this installation made for that code, as far as can be told without asking
    the register; None for any other.

    The same is computed whatever is given. `secrets` is None where this installation has not made its key.
    """
    parts = sticker_marks.split(token)
    serial, seen = parts or (_NO_SERIAL, _NO_SERIAL)
    keys = [secrets.sticker_key(version)[0] if secrets else _DUMMY_KEY for version in range(1, FIRST_KEYS + 1)]
    found = [sticker_marks.same(sticker_marks.mark(key, code, serial), seen) for key in keys]
    return parts if secrets is not None and any(found) else None


def stickers_of(connection: Connection, wanted: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The stickers with these codes, by code and serial: `state`, `state_on` and `misused_on`, as of `SeenSticker`."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    asked = select(_STICKERS.c.code, _STICKERS.c.serial, *(_STICKERS.c[name] for name in _SHOWN))
    for row in connection.execute(asked.where(_STICKERS.c.code.in_(list(wanted))).order_by(_STICKERS.c.serial)):
        found.setdefault(row.code, {})[row.serial] = {name: getattr(row, name) for name in _SHOWN}
    return found


def judge(connection: Connection, secrets: Secrets | None, code: str, token: str) -> SeenSticker:
    """What the sticker is that carries a code and `?t=` with a token.

    The same is asked and computed whatever code and token are: how long it takes tells nothing about which exist.
    `secrets` is None where this installation has not made its key.
    """
    parts = sticker_marks.split(token)
    serial, seen = parts or (_NO_SERIAL, _NO_SERIAL)
    rows = _SHAPES.statement("judge", _keys_and_sticker).run_planned(connection, {"serial": serial})
    right = lacking = False
    for version, registered, *_ in rows:
        key, fingerprint = (_DUMMY_KEY, "") if secrets is None else secrets.sticker_key(version)
        equal = sticker_marks.same(sticker_marks.mark(key, code, serial), seen)
        lacking |= fingerprint != registered
        right |= equal and fingerprint == registered and parts is not None
    newest = rows[-1][0] if rows else 0
    later = _made_later(secrets, newest, code, serial, seen) and parts is not None
    if right or later:
        carried, *shown = rows[0][2:] if right else (None,)
        return SeenSticker("genuine", serial, *shown) if carried == code else SeenSticker("unlisted")
    return SeenSticker("unchecked") if lacking and parts is not None else FALSE


def _made_later(secrets: Secrets | None, newest: int, code: str, serial: str, seen: str) -> bool:
    """Whether a mark was made with one of the versions of the key that follow the newest which the register lists."""
    found = False
    for version in range(newest + 1, newest + 1 + KEYS_AHEAD):
        key = _DUMMY_KEY if secrets is None else secrets.sticker_key(version)[0]
        found |= sticker_marks.same(sticker_marks.mark(key, code, serial), seen) and secrets is not None
    return found
