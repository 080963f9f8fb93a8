"""A register with staff of two wards and the API on it, for tests that write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi.testclient import TestClient

from mapservice.app import create_app, create_service
from mapservice.middleware import Observe
from mapservice.settings import HttpSettings
from postgis.actor import Actor
from postgis.engine import Database, create_database, drop_database
from postgis.store import tokens
from tests.small_ward import OTHER_WARD, ROLES, WARD, SmallWard, add_staff, fill

ITEMS = "/ogc/collections/{}/items"


@dataclass
class Api:
    """The API as people of several roles use it; `other` is an officer of another ward."""

    database: Database
    client: TestClient
    actors: dict[str, Actor]
    tokens: dict[str, str]
    ward: SmallWard
    other_ward: SmallWard

    def ask(
        self,
        method: str,
        path: str,
        who: str | None = None,
        *,
        seen: str | None = None,
        body: Any = None,
        **headers: str,
    ) -> httpx.Response:
        """A request; `seen` is the ETag for If-Match, `body` is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        if seen is not None:
            sent["If-Match"] = seen
        more = {} if body is None else {"json": body}
        answer: httpx.Response = self.client.request(method, path, headers=sent, follow_redirects=False, **more)
        return answer

    def get(self, path: str, who: str | None = None) -> Any:
        """What a GET answers, which must be well."""
        answer = self.ask("GET", path, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def etag(self, path: str, who: str = "officer") -> str:
        """The ETag of a feature."""
        answer = self.ask("GET", path, who)
        assert answer.status_code == 200, answer.text
        return str(answer.headers["etag"])

    def add(self, collection: str, **properties: Any) -> str:
        """A new record of the officer's; its address."""
        geometry = properties.pop("geometry", None)
        body = {"type": "Feature", "geometry": geometry, "properties": properties}
        answer = self.ask("POST", ITEMS.format(collection), "officer", body=body)
        assert answer.status_code == 201, answer.text
        return str(httpx.URL(answer.headers["location"]).path)

    def add_place(self, **properties: Any) -> str:
        """A new establishment in the middle of the ward; its address."""
        values = {"name": "Quán Thử", "sector_group": "food_service", "source": "office", "position_method": "map"}
        point = {"type": "Point", "coordinates": [108.2136, 16.0432]}
        return self.add("establishments", **{**values, "operating_status": "active", "geometry": point, **properties})

    def act(self, place: str, action: str, who: str = "officer", **said: Any) -> httpx.Response:
        """A step of the life cycle, on the version as it is."""
        return self.ask("POST", f"{place}/{action}", who, seen=self.etag(place, who), body=said)


@contextmanager
def register_api(
    server: Database, base_database: Database, name: str, places: int = 2, *, lane: bool = False
) -> Iterator[Api]:
    """The API on a database of its own, with a small ward and a smaller one beside it; `lane`: with kept answers."""
    base_database.dispose()
    own = create_database(server, name, template="base")
    actors = {role: add_staff(own, role, role) for role in ROLES}
    actors["other"] = add_staff(own, "other", "officer", OTHER_WARD)
    ward, other_ward = fill(own, actors["officer"], places), fill(own, actors["other"], 1)
    with own.owner.begin() as connection:
        given = {who: tokens.issue(connection, actor.staff_id, "thử", "write", 1) for who, actor in actors.items()}
        given["reader"] = tokens.issue(connection, actors["officer"].staff_id, "reader", "read", 1)
    settings = HttpSettings(sample="none", ward=WARD)
    app = create_service(settings, own) if lane else Observe(create_app(settings, own))
    client = TestClient(app, raise_server_exceptions=False)
    with client:
        yield Api(own, client, actors, given, ward, other_ward)
    own.dispose()
    drop_database(server, name)


def code_of(path: str) -> str:
    """The id at the end of a feature's address."""
    return path.rsplit("/", 1)[1]
