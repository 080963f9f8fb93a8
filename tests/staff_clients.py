"""Browsers for tests of the staff screens: sign in, read the form's proof, send forms as a browser does."""

import re
from typing import Any

import httpx
from fastapi.testclient import TestClient

from mapservice import passwords
from mapservice.app import create_app
from mapservice.middleware import Observe
from mapservice.settings import HttpSettings
from postgis.engine import Database
from postgis.store import staff

WARD = "20257"
OTHER_WARD = "20275"
PASSWORD = "com-ga-ba-buoi"
_KEPT: dict[str, str] = {}


def add_member(
    database: Database,
    login: str,
    role: str = "officer",
    *,
    ward: str = WARD,
    password: str = PASSWORD,
    must_change: bool = False,
) -> int:
    """An account that can sign in. One hash for one password: it costs a tenth of a second."""
    kept = _KEPT.setdefault(password, passwords.hash_password(password))
    with database.owner.begin() as connection:
        return staff.add(
            connection,
            login=login,
            display_name=f"Người thử {login}",
            role=role,
            ward_code=ward,
            password_hash=kept,
            must_change_password=must_change,
        )


class Browser:
    """A person with a browser at the application on that database."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.client = TestClient(
            Observe(create_app(HttpSettings(sample="none", **settings), database)),
            headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"},
            follow_redirects=False,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form with exactly these fields."""
        return self.client.post(path, data=form or {}, headers=headers)

    def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Open a page and send a form of it, with the proof that stands there."""
        return self.post(path, {"csrf_token": self.proof(page), **fields})

    def proof(self, page: str) -> str:
        """What the forms of a page carry as `csrf_token`."""
        found = hidden(self.get(page).text, "csrf_token")
        assert found
        return found

    def sign_in(self, login: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        """Fill in the sign-in page."""
        return self.post("/staff/sign-in", {"login": login, "password": password, **fields})


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of a page; empty when there is none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def location(answer: httpx.Response) -> str:
    """Where a redirect leads."""
    assert answer.status_code == 303, answer.status_code
    return answer.headers["location"]
