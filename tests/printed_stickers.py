"""Stickers for tests: printed for places as an office does, with the key of the data directory."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import text

from postgis import sticker_marks
from postgis.actor import Actor, prepare_as
from postgis.engine import Database
from postgis.secrets import Secrets
from postgis.store import stickers
from postgis.store.stickers import RunOrder


class PrintedStickers:
    """One sticker for each place; those that the small ward has, whose key is nobody's, are gone."""

    def __init__(self, database: Database, officer: Actor, secrets: Secrets, places: Sequence[str]) -> None:
        self.database, self.officer, self.secrets = database, officer, secrets
        with database.owner.begin() as connection:
            for table in ("sticker_event", "sticker", "sticker_print", "sticker_run", "sticker_key"):
                connection.execute(text(f"DELETE FROM register.{table}"))
        self.serials = self.print(places)
        """By code."""

    def print(self, places: Sequence[str]) -> dict[str, str]:
        """Another sticker for each place: its serial, by code."""
        order = RunOrder(self.officer.ward_id, self.officer.staff_id, uuid4().hex, "chosen", {}, "a4_10", 10)
        with prepare_as(self.database, self.officer) as connection:
            run = stickers.make_run(connection, self.secrets, order, places, only_missing=False)
        asked = (
            "SELECT e.code, s.serial FROM register.sticker s JOIN register.establishment e ON e.id = s.establishment_id"
        )
        with self.database.owner.connect() as connection:
            rows = connection.execute(text(f"{asked} WHERE s.run_id = :run"), {"run": run}).all()
        return {row.code: row.serial for row in rows}

    def token(self, code: str, serial: str | None = None, version: int = 1) -> str:
        """What the address of a place's sticker carries."""
        serial = serial or self.serials[code]
        return serial + sticker_marks.mark(self.secrets.sticker_key(version)[0], code, serial)

    def path(self, code: str, serial: str | None = None) -> str:
        """What a place's sticker opens."""
        return f"/q/{code}?t={self.token(code, serial)}"

    def move(self, code: str, *states: str, first: int = 1) -> None:
        """Takes a place's sticker, seen in the version `first`, through states."""
        with prepare_as(self.database, self.officer) as connection:
            for version, state in enumerate(states, start=first):
                stickers.move(connection, self.serials[code], state, version, self.officer.staff_id)
