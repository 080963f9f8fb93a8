"""Issues public look-up codes. A code once issued is kept for ever: it stays on a door long after the shop has gone."""

import random
from collections.abc import Sequence

from sqlalchemy import Connection, text

from postgis import codes

_INSERT = text(
    "INSERT INTO register.lookup_code (code) SELECT unnest(CAST(:codes AS text[])) "
    "ON CONFLICT DO NOTHING RETURNING code"
)


def issue(connection: Connection, count: int = 1, rng: random.Random | None = None) -> list[str]:
    """Issues that many codes that nobody ever had. They are random, so one code tells nothing about another.

    `rng` makes them repeatable, for tests only.
    """
    issued: list[str] = []
    while len(issued) < count:
        # One that is taken already, here or by somebody else at this moment, comes back as not inserted: draw again.
        wanted = list(dict.fromkeys(codes.new_code(rng) for _ in range(count - len(issued))))
        issued.extend(connection.execute(_INSERT, {"codes": wanted}).scalars())
    return issued


def register_codes(connection: Connection, wanted: Sequence[str]) -> int:
    """Records codes that were made elsewhere (sample, restored register) as issued; returns how many were not before.

    A code that was issued before stays as it was: whether it is free for an establishment, the establishment's own
    unique code decides. Raises ValueError for a text that is no code in canonical form.
    """
    wrong = [code for code in wanted if not codes.is_valid(code)]
    if wrong:
        raise ValueError(f"no look-up code in canonical form: {wrong[0]!r}")
    return len(connection.execute(_INSERT, {"codes": list(wanted)}).scalars().all())
