"""An officer at the import screens and the API, for tests: files are sent, and jobs done in this process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from mapservice.import_work import work_off
from postgis.engine import Database
from postgis.store import tokens
from tests.small_ward import WARD, add_staff
from tests.staff_clients import PASSWORD, Browser, add_member, location

WORKBOOKS = Path(__file__).parent / "data" / "workbooks"
PAGE = "/staff/imports"


@dataclass
class Desk:
    """One ward's database, with an officer's browser and a token for programs."""

    database: Database
    officer: Browser
    token: str

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask as a program of the officer's."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", **more.pop("headers", {})}
        self.officer.client.cookies.clear()
        return self.officer.client.request(method, path, headers=headers, **more)

    def send(self, name: str, data: bytes | None = None, **fields: str) -> str:
        """Send a file of the corpus, or these bytes under that name; returns the batch's id."""
        content = (WORKBOOKS / name).read_bytes() if data is None else data
        answer = self.api("POST", "/imports", files={"file": (name, content)}, data={"ward": WARD, **fields})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def read(self, name: str, data: bytes | None = None) -> dict[str, Any]:
        """The same, read to its end: what the API tells of the batch."""
        code = self.send(name, data)
        self.work()
        return self.batch(code)

    def batch(self, code: str) -> dict[str, Any]:
        """What the API tells of a batch."""
        found: dict[str, Any] = self.api("GET", f"/imports/{code}").json()
        return found

    def rows(self, code: str, **filters: str) -> list[dict[str, Any]]:
        """All rows that the filters leave."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            answer = self.api("GET", f"/imports/{code}/rows", params={**filters, "limit": "1000", "after": after})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["rows"]
            if not page["links"]:
                return found
            after = found[-1]["number"]

    def work(self) -> int:
        """Do every job that waits."""
        return work_off(self.database)

    def signed_in(self) -> Browser:
        """The officer's browser, signed in."""
        self.officer.client.cookies.clear()
        location(self.officer.sign_in("can.bo"))
        return self.officer

    def etag(self, code: str) -> str:
        """The ETag of a batch."""
        return self.api("GET", f"/imports/{code}").headers["etag"]


def open_desk(database: Database) -> Desk:
    """A desk at a database with base data."""
    staff_id = add_member(database, "can.bo", "officer", password=PASSWORD)
    with database.owner.begin() as connection:
        token = tokens.issue(connection, staff_id, "thử", "write", 1)
    return Desk(database, Browser(database), token)


def forget(database: Database) -> None:
    """Take every batch away, so that a file can be sent anew."""
    with database.owner.begin() as connection:
        connection.execute(text("DELETE FROM register.import_progress"))
        connection.execute(text("DELETE FROM register.import_row"))
        connection.execute(text("DELETE FROM register.import_batch"))


__all__ = ["PAGE", "WORKBOOKS", "Desk", "add_staff", "forget", "open_desk"]
