"""What officers wrote in the reports of a period: written and read. A correction is a newer version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from postgis import tables
from postgis.actor import Actor
from postgis.errors import FieldError, Forbidden, InvalidValues
from postgis.store.record_values import readable

PARTS = ("results", "shortcomings", "causes", "solutions")
MOST_LETTERS = 4_000
"""Of each part: some two pages. All four are to fit into a form (mapservice/forms.py)."""
_MAY_WRITE = ("officer", "approver", "admin")
_TABLE, _STAFF = tables.board_report, tables.staff


@dataclass(frozen=True, slots=True)
class Texts:
    """One version of the texts of a report, by part; version 0: nobody has written any."""

    version: int
    parts: Mapping[str, str]
    written_by: str = ""
    written_at: datetime | None = None


_NONE = Texts(0, dict.fromkeys(PARTS, ""))


class WrittenMeanwhile(Exception):
    """A colleague has written a newer version; `now` is it."""

    def __init__(self, now: Texts) -> None:
        super().__init__("written meanwhile")
        self.now = now


def versions(connection: Connection, ward_id: int, kind: str, period: str) -> list[Texts]:
    """All versions, newest first."""
    wanted = (
        select(_TABLE, _STAFF.c.display_name)
        .outerjoin(_STAFF, _STAFF.c.id == _TABLE.c.written_by)
        .where(_TABLE.c.ward_id == ward_id, _TABLE.c.kind == kind, _TABLE.c.period == period)
        .order_by(_TABLE.c.version.desc())
    )
    return [
        Texts(row["version"], {part: row[part] for part in PARTS}, row["display_name"] or "", row["written_at"])
        for row in connection.execute(wanted).mappings()
    ]


def texts(connection: Connection, ward_id: int, kind: str, period: str, version: int | None = None) -> Texts | None:
    """A version, or the newest; None where there is none of that number."""
    found = versions(connection, ward_id, kind, period)
    if version is None:
        return found[0] if found else _NONE
    return next((each for each in found if each.version == version), None) if version else _NONE


def write(
    connection: Connection, actor: Actor, kind: str, period: str, seen: int, parts: Mapping[str, str]
) -> Texts | None:
    """Adds a version after the one that the writer saw; None where nothing differs from it.

    Inside the turn of a writer. Raises InvalidValues, Forbidden, WrittenMeanwhile.
    """
    wanted = {part: _cleaned(parts.get(part, "")) for part in PARTS}
    wrong = [FieldError(part, "unreadable_text") for part in PARTS if not readable(wanted[part])]
    wrong += [
        FieldError(part, "too_long", {"most": MOST_LETTERS}) for part in PARTS if len(wanted[part]) > MOST_LETTERS
    ]
    if wrong:
        raise InvalidValues(wrong)
    if actor.role not in _MAY_WRITE:
        raise Forbidden
    now = texts(connection, actor.ward_id, kind, period) or _NONE
    if now.version != seen:
        raise WrittenMeanwhile(now)
    if all(wanted[part] == now.parts.get(part, "") for part in PARTS):
        return None
    row = {"ward_id": actor.ward_id, "kind": kind, "period": period, "version": seen + 1, "written_by": actor.staff_id}
    connection.execute(insert(_TABLE).values(**row, **wanted))
    return texts(connection, actor.ward_id, kind, period)


def _cleaned(text: str) -> str:
    """Without spaces at the ends of lines; paragraphs are kept."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()
