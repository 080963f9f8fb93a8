"""Who may do what: every route of the application asked by everybody, against one table.

A route that is not in the table fails the test: whoever adds one says here who may use it. Staff pages are asked with a
browser's session, all else with bearer tokens. Writes are sent so that whoever is let in is refused for the content
(400, 412, 422, 428 …) or changes nothing that another row of the table needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from mapservice.app import ROUTERS, create_app
from mapservice.asker import COOKIE
from mapservice.settings import HttpSettings
from mapservice.signing import ensure_key
from postgis.actor import Actor, write_as
from postgis.engine import Database, create_database, drop_database
from postgis.secrets import open_secrets
from postgis.store import documents, personal_data, photos, sessions, tokens
from postgis.store.proposals import new_receipt
from tests.small_ward import OTHER_WARD, ROLES, SmallWard, add_staff, fill

ASKERS = ("nobody", *ROLES, "other", "expired", "revoked")
"""`other`: an officer of another ward. `expired`, `revoked`: an officer's tokens that are no longer good."""

TABLE = """
                                                            nobody surveyor officer approver admin other expired revoked
GET    /healthz                                                200      200     200      200   200   200     200     200
GET    /readyz                                                 200      200     200      200   200   200     200     200
GET    /metrics                                                200      200     200      200   200   200     200     200
GET    /static/{path:path}                                     200      200     200      200   200   200     200     200
GET    /                                                       200      200     200      200   200   200     200     200
GET    /about                                                  200      200     200      200   200   200     200     200
GET    /about/data                                             200      200     200      200   200   200     200     200
GET    /open-data                                              200      200     200      200   200   200     200     200
GET    /open-data/catalog.jsonld                               200      200     200      200   200   200     200     200
GET    /open-data/dictionary.json                              200      200     200      200   200   200     200     200
GET    /open-data/dictionary.csv                               200      200     200      200   200   200     200     200
GET    /q                                                      200      200     200      200   200   200     200     200
GET    /q/{code}                                               200      200     200      200   200   200     200     200
GET    /q/{code}.json                                          200      200     200      200   200   200     200     200
GET    /q/{code}.jws                                           200      200     200      200   200   200     200     200
GET    /.well-known/jwks.json                                  200      200     200      200   200   200     200     200
GET    /q/{code}.svg                                           200      200     200      200   200   200     200     200
GET    /q/{code}.png                                           200      200     200      200   200   200     200     200

GET    /q/{code}/report                                        200      200     200      200   200   200     200     200
POST   /q/{code}/report                                        422      422     422      422   422   422     401     401
GET    /q/{code}/correct                                       200      200     200      200   200   200     200     200
POST   /q/{code}/correct                                       422      422     422      422   422   422     401     401
GET    /q/{code}/payment                                       200      200     200      200   200   200     200     200
POST   /q/{code}/payment                                       200      200     200      200   200   200     401     401
GET    /reports/{receipt}                                      200      200     200      200   200   200     200     200

GET    /owner                                                  200      200     200      200   200   200     200     200
POST   /owner                                                  403      403     403      403   403   403     403     403
POST   /owner/sign-out                                         401      401     401      401   401   401     401     401
GET    /owner/correct                                          401      401     401      401   401   401     401     401
POST   /owner/correct                                          401      401     401      401   401   401     401     401
POST   /owner/reply                                            401      401     401      401   401   401     401     401

GET    /board/adoption                                         200      200     200      200   200   200     401     401
GET    /board/map.html                                         200      200     200      200   200   200     401     401
GET    /rollout                                                200      200     200      200   200   200     200     200
GET    /board/rollout                                          200      200     200      200   200   200     401     401
GET    /board/data-quality                                     401      200     200      200   200   200     401     401
POST   /staff/rollout/proofs                                   401      403     422      422   422   422     401     401
POST   /staff/rollout/proofs/{proof}/{action}                  401      403     422      422   422   404     401     401
GET    /staff/rollout/proofs/{proof}/document                  401      403     200      200   200   404     401     401
POST   /staff/rollout/notes/{phase}/{kind}                     401      403     400      400   400   400     401     401

GET    /ogc                                                    200      200     200      200   200   200     200     200
GET    /ogc/conformance                                        200      200     200      200   200   200     200     200
GET    /ogc/api                                                200      200     200      200   200   200     200     200
GET    /ogc/tileMatrixSets                                     200      200     200      200   200   200     200     200
GET    /ogc/tileMatrixSets/{tileMatrixSetId}                   200      200     200      200   200   200     200     200
GET    /ogc/styles                                             200      200     200      200   200   200     200     200
GET    /ogc/styles/{styleId}                                   200      200     200      200   200   200     200     200
GET    /ogc/collections                                        200      200     200      200   200   200     401     401
GET    /ogc/collections/{collectionId}                         200      200     200      200   200   200     401     401
GET    /ogc/collections/{collectionId}/schema                  200      200     200      200   200   200     401     401
GET    /ogc/collections/{collectionId}/queryables              200      200     200      200   200   200     401     401
GET    /ogc/collections/{collectionId}/sortables               200      200     200      200   200   200     401     401
GET    {items}                                                 200      200     200      200   200   200     401     401
GET    {items}/{featureId}                                     200      200     200      200   200   200     401     401
GET    {tiles}                                                 200      200     200      200   200   200     200     200
GET    {tiles}/{tileMatrixSetId}                               200      200     200      200   200   200     200     200
GET    {tiles}/{tileMatrixSetId}/tilejson.json                 200      200     200      200   200   200     200     200
GET    {tiles}/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}
                                                               200      200     200      200   200   200     200     200
GET    /ogc/tiles                                              200      200     200      200   200   200     200     200
GET    /ogc/tiles/{tileMatrixSetId}                            200      200     200      200   200   200     200     200
GET    /ogc/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}
                                                               200      200     200      200   200   200     200     200

POST   {items}                                                 401      403     422      422   422   422     401     401
PUT    {items}/{featureId}                                     401      403     412      412   412   403     401     401
PATCH  {items}/{featureId}                                     401      403     412      412   412   403     401     401
DELETE {items}/{featureId}                                     401      403     412      412   412   403     401     401
POST   {items}/{featureId}/{action}                            401      403     412      412   412   403     401     401

GET    /changes                                                200      200     200      200   200   200     401     401
GET    /staff/figures/entered                                  401      200     200      200   200   200     401     401
POST   /staff/figures/entered                                  401      403     422      422   422   422     401     401
GET    /board/reports                                          401      403     200      200   200   200     401     401
POST   /board/reports                                          401      403     409      409   409   409     401     401
GET    /board/reports/file.{form}                              401      403     200      200   200   200     401     401
GET    /indicators                                             200      200     200      200   200   200     401     401
GET    /board                                                  200      200     200      200   200   200     401     401
GET    /board/indicators/{indicator}                           200      200     200      200   200   404     401     401
GET    /board/widget                                           200      200     200      200   200   200     200     200
GET    /photos/{file}                                          404      200     200      200   200   404     401     401

GET    /proposals                                              401      200     200      200   200   200     401     401
POST   /proposals                                              201      201     201      201   201   404     401     401
GET    /proposals/{receipt}                                    200      200     200      200   200   200     401     401
POST   /proposals/{receipt}/apply                              401      403     409      409   409   404     401     401
POST   /proposals/{receipt}/return                             401      403     409      409   409   404     401     401
POST   /proposals/{receipt}/reject                             401      403     409      409   409   404     401     401
POST   /proposals/{receipt}/withdraw                           403      403     403      403   403   403     401     401

GET    /staff                                                  401      303     303      303   303   303     401     401
GET    /staff/sign-in                                          200      303     303      303   303   303     200     200
POST   /staff/sign-in                                          403      403     403      403   403   403     403     403
POST   /staff/sign-in/code                                     403      403     403      403   403   403     403     403
POST   /staff/sign-out                                         401      303     303      303   303   303     401     401
GET    /staff/password                                         401      200     200      200   200   200     401     401
POST   /staff/password                                         401      422     422      422   422   422     401     401
GET    /staff/account                                          401      200     200      200   200   200     401     401
POST   /staff/account/sessions/end                             401      303     303      303   303   303     401     401
GET    /staff/account/totp                                     401      200     200      200   200   200     401     401
POST   /staff/account/totp                                     401      422     422      422   422   422     401     401
POST   /staff/account/totp/remove                              401      422     422      422   422   422     401     401
POST   /staff/account/tokens                                   401      422     422      422   422   422     401     401
POST   /staff/account/tokens/{token_id}/revoke                 401      303     303      303   303   303     401     401

GET    /staff/accounts                                         401      403     403      403   200   403     401     401
POST   /staff/accounts                                         401      403     403      403   422   403     401     401
GET    /staff/accounts/{login}                                 401      403     403      403   200   403     401     401
POST   /staff/accounts/{login}                                 401      403     403      403   422   403     401     401
POST   /staff/accounts/{login}/password                        401      403     403      403   200   403     401     401
POST   /staff/accounts/{login}/totp/remove                     401      403     403      403   303   403     401     401
POST   /staff/accounts/{login}/sessions/end                    401      403     403      403   303   403     401     401
POST   /staff/accounts/{login}/tokens/revoke                   401      403     403      403   303   403     401     401
POST   /staff/accounts/{login}/disable                         401      403     403      403   303   403     401     401
POST   /staff/accounts/{login}/enable                          401      403     403      403   303   403     401     401

GET    /staff/establishments                                   401      200     200      200   200   200     401     401
POST   /staff/establishments/find                              401      303     303      303   303   303     401     401
GET    /staff/establishments/export                            401      403     200      200   200   200     401     401
POST   /staff/establishments/views                             401      422     422      422   422   422     401     401
POST   /staff/establishments/views/{view}/{action}             401      404     404      404   404   404     401     401
GET    /staff/establishments/new                               401      200     200      200   200   200     401     401
POST   /staff/establishments/new                               401      422     422      422   422   422     401     401
GET    /staff/establishments/{code}                            401      200     200      200   200   404     401     401
POST   /staff/establishments/{code}                            401      422     409      409   409   404     401     401
GET    /staff/establishments/{code}/history                    401      200     200      200   200   404     401     401
POST   /staff/establishments/{code}/legal-entity               401      403     409      409   409   404     401     401
POST   /staff/establishments/{code}/legal_entities             401      403     422      422   422   404     401     401
POST   /staff/establishments/{code}/legal_entities/{entity}    401      422     409      409   409   404     401     401
GET    /staff/establishments/{code}/merge                      401      403     200      200   200   404     401     401
POST   /staff/establishments/{code}/merge                      401      403     409      409   409   404     401     401
GET    /staff/establishments/{code}/steps/{step}               401      200     200      200   200   404     401     401
POST   /staff/establishments/{code}/steps/{step}               401      422     409      409   409   404     401     401
GET    /staff/establishments/{code}/payment-qr                 401      403     200      200   200   404     401     401
POST   /staff/establishments/{code}/payment-qr                 401      403     422      422   422   404     401     401
GET    /staff/establishments/{code}/owner-codes                401      403     200      200   200   404     401     401
POST   /staff/establishments/{code}/owner-codes                401      403     400      400   400   400     401     401
POST   /staff/establishments/{code}/photos                     401      403     422      422   422   404     401     401
POST   /staff/establishments/{code}/photos/{photo}/end         401      403     422      422   422   404     401     401
POST   /staff/establishments/{code}/{collection}               401      422     422      422   422   404     401     401
POST   /staff/establishments/{code}/{collection}/{record}      401      422     409      409   409   404     401     401
POST   /staff/establishments/{code}/{collection}/{record}/end
                                                               401      422     422      422   422   404     401     401
POST   /staff/establishments/{code}/{collection}/{record}/restore
                                                               401      403     422      422   422   404     401     401

GET    /staff/figures                                          401      200     200      200   200   200     401     401

GET    /staff/this-week                                        401      200     200      200   200   200     401     401
GET    /staff/this-week/duplicates                             401      200     200      200   200   200     401     401
POST   /staff/this-week/duplicates                             401      403     422      422   422   422     401     401
GET    /staff/lookups                                          401      200     200      200   200   200     401     401
GET    /staff/this-week/{worklist}                             401      200     200      200   200   200     401     401
GET    /staff/changes                                          401      200     200      200   200   200     401     401
GET    /staff/shelf-lives                                      401      200     200      200   200   200     401     401
POST   /staff/shelf-lives                                      401      403     403      409   409   403     401     401

GET    /board/model-sites                                      200      200     200      200   200   200     401     401
POST   /board/model-sites                                      401      403     422      422   422   422     401     401
GET    /board/model-sites/{code}                               401      200     200      200   200   404     401     401
POST   /board/model-sites/{code}/outline                       401      403     422      422   422   404     401     401
GET    /board/work                                             401      200     200      200   200   200     401     401
POST   /board/work                                             401      403     400      400   400   400     401     401
GET    /board/work/new                                         401      403     200      200   200   400     401     401
GET    /board/work/{code}                                      401      200     200      200   200   404     401     401
POST   /board/work/{code}                                      401      403     409      409   409   404     401     401
GET    /board/work/{code}/places/{position}                    401      200     200      200   200   404     401     401
POST   /board/work/{code}/places/{position}                    401      403     422      422   422   404     401     401

GET    /staff/stickers                                         401      200     200      200   200   200     401     401
GET    /staff/stickers/{serial}                                401      200     200      200   200   404     401     401
POST   /staff/stickers/{serial}/install                        401      403     422      422   422   404     401     401
POST   /staff/stickers/{serial}/{action}                       401      403     422      422   422   404     401     401
GET    /staff/stickers/runs                                    401      200     200      200   200   200     401     401
GET    /staff/stickers/runs/new                                401      403     200      200   200   200     401     401
POST   /staff/stickers/runs                                    401      403     422      422   422   422     401     401
GET    /staff/stickers/runs/{run}                              401      200     200      200   200   404     401     401
POST   /staff/stickers/runs/{run}/prints                       401      403     422      422   422   404     401     401
GET    /staff/stickers/runs/{run}/prints/{print_id}.pdf        401      403     200      200   200   404     401     401
GET    /staff/proposals                                        401      200     200      200   200   200     401     401
POST   /staff/proposals/apply                                  401      403     200      200   200   200     401     401
GET    /staff/proposals/{receipt}                              401      200     200      200   200   404     401     401
POST   /staff/proposals/{receipt}                              401      403     409      409   409   404     401     401

GET    /staff/reports                                          401      403     200      200   200   200     401     401
GET    /staff/reports/{number}                                 401      403     200      200   200   404     401     401
POST   /staff/reports/{number}                                 401      403     422      422   422   404     401     401
GET    /staff/reports/{number}/photo                           401      403     404      404   404   404     401     401

GET    /staff/legal_entities/{code}/personal                   401      403     200      200   200   404     401     401
POST   /staff/legal_entities/{code}/personal/{field}           401      403     422      422   422   404     401     401
POST   /staff/legal_entities/{code}/personal/{field}/reveal    401      403     422      422   422   404     401     401
POST   /staff/legal_entities/{code}/personal/{field}/remove    401      403     422      422   422   404     401     401
GET    /staff/reveals                                          401      403     200      200   200   200     401     401

GET    /imports                                                401      403     200      200   200   200     401     401
POST   /imports                                                401      403     202      202   202   202     401     401
GET    /imports/{batch_id}                                     401      403     200      200   200   404     401     401
PATCH  /imports/{batch_id}                                     401      403     412      412   412   404     401     401
GET    /imports/{batch_id}/rows                                401      403     200      200   200   404     401     401
PATCH  /imports/{batch_id}/rows/{number}                       401      403     412      412   412   404     401     401
POST   /imports/{batch_id}/apply                               401      403     409      409   409   404     401     401
POST   /imports/{batch_id}/undo                                401      403     409      409   409   404     401     401
POST   /imports/{batch_id}/cancel                              401      403     409      409   409   404     401     401
GET    /imports/{batch_id}/errors.xlsx                         401      403     200      200   200   404     401     401
GET    /staff/imports                                          401      403     200      200   200   200     401     401
POST   /staff/imports                                          401      403     303      303   303   303     401     401
GET    /staff/imports/{batch_id}                               401      403     200      200   200   404     401     401
POST   /staff/imports/{batch_id}/choices                       401      403     400      400   400   400     401     401
POST   /staff/imports/{batch_id}/rows                          401      403     409      409   409   404     401     401
POST   /staff/imports/{batch_id}/apply                         401      403     409      409   409   404     401     401
POST   /staff/imports/{batch_id}/undo                          401      403     409      409   409   404     401     401
POST   /staff/imports/{batch_id}/cancel                        401      403     409      409   409   404     401     401
"""

PARAMETERS = {
    "indicator": "digital_platform_use",
    "collectionId": "establishments",
    "featureId": "{place}",
    "tileMatrixSetId": "WebMercatorQuad",
    "tileMatrix": "15",
    "tileRow": "14904",
    "tileCol": "26233",
    "styleId": "map",
    "code": "{place}",
    "path:path": "icon.svg",
    "field": "owner_phone",
    "login": "{login}",
    "token_id": "999999",
    "receipt": "{receipt}",
    "worklist": "licence_30",
    "view": "999999",
    "file": "{photo_file}",
    "photo": "{photo}",
    "entity": "{entity}",
    "step": "close",
    "collection": "licences",
    "record": "{licence}",
    "batch_id": "{batch}",
    "number": "1",
    "serial": "2A257",
    "action": "lost",
    "run": "{run}",
    "print_id": "{print}",
    "position": "1",
    "proof": "{proof}",
    "phase": "phase_1",
    "kind": "state",
}
"""What stands for each parameter of an address; `{place}` and the like are of the test's own ward."""


@dataclass(frozen=True)
class Ask:
    """How a route is asked, where an empty request says too little."""

    form: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    query: str = ""
    file: str = ""


STAFF_PAGES = ("/staff", "/board/work", "/board/model-sites", "/board/reports")
NO_FORM_TOKEN = {"/staff/sign-in", "/staff/sign-in/code", "/staff/establishments/find"}
"""Forms that change nothing for a session: they begin one, or only lead to an address."""
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
STALE = {"If-Match": '"999"'}
PERSONAL = "/staff/legal_entities/{code}/personal"
WISH = {"collection": "establishments", "id": "{place}", "patch": {"opening_hours": "07:00-21:00"}, "reason": "thử"}
DECIDED = Ask(body={"note": "thử"}, parameters={"receipt": "{decided}"})
ITEMS = "/ogc/collections/{collectionId}/items"
ASKS = {
    "POST /staff/sign-in": Ask(headers=OWN_PAGE, form={"login": "nobody", "password": "sai"}),
    "POST /staff/sign-in/code": Ask(headers=OWN_PAGE, form={"code": "000000"}),
    f"GET {PERSONAL}": Ask(parameters={"code": "{entity}"}),
    f"POST {PERSONAL}/{{field}}": Ask(parameters={"code": "{entity}"}),
    f"POST {PERSONAL}/{{field}}/reveal": Ask(parameters={"code": "{entity}"}),
    f"POST {PERSONAL}/{{field}}/remove": Ask(parameters={"code": "{entity}"}),
    f"POST {ITEMS}": Ask(body={"type": "Feature", "properties": {"name": 1}}),
    f"PUT {ITEMS}/{{featureId}}": Ask(body={"type": "Feature", "properties": {}}, headers=STALE),
    f"PATCH {ITEMS}/{{featureId}}": Ask(body={"properties": {"name": "Quán Mới"}}, headers=STALE),
    f"DELETE {ITEMS}/{{featureId}}": Ask(body={"reason": "thử"}, headers=STALE),
    f"POST {ITEMS}/{{featureId}}/{{action}}": Ask(body={}, headers=STALE, parameters={"action": "close"}),
    "POST /staff/establishments/views/{view}/{action}": Ask(parameters={"action": "delete"}),
    "POST /staff/establishments/{code}/photos": Ask(file="photo"),
    "GET /ogc/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}": Ask(query="?collections=establishments"),
    # Decided already, so that who may decide gets a conflict and changes nothing.
    "POST /proposals/{receipt}/apply": DECIDED,
    "POST /proposals/{receipt}/return": DECIDED,
    "POST /proposals/{receipt}/reject": DECIDED,
    "POST /proposals/{receipt}/withdraw": Ask(parameters={"receipt": "{theirs}"}),
    "POST /proposals": Ask(body=WISH),
    "POST /staff/rollout/proofs": Ask(file="file"),
    "POST /staff/rollout/proofs/{proof}/{action}": Ask(parameters={"action": "withdraw"}),
    "POST /staff/stickers/{serial}/install": Ask(file="photo"),
    "POST /q/{code}/report": Ask(file="photo"),
    "POST /q/{code}/payment": Ask(file="photo"),
    "POST /staff/establishments/{code}/payment-qr": Ask(file="photo", form={"action": "compare"}),
    "GET /reports/{receipt}": Ask(parameters={"receipt": "{report}"}),
    "GET /staff/reports/{number}": Ask(parameters={"number": "{report_number}"}),
    "GET /staff/reports/{number}/photo": Ask(parameters={"number": "{report_number}"}),
    "POST /staff/reports/{number}": Ask(form={"action": "answer"}, parameters={"number": "{report_number}"}),
    "POST /imports": Ask(file="file"),
    "POST /staff/imports": Ask(file="file"),
    "PATCH /imports/{batch_id}": Ask(body={"choices": {}}, headers=STALE),
    "PATCH /imports/{batch_id}/rows/{number}": Ask(body={"decision": "leave"}, headers=STALE),
    "POST /imports/{batch_id}/apply": Ask(body={}, headers=STALE),
    "POST /staff/imports/{batch_id}/rows": Ask(form={"number": "1", "decision": "leave"}),
    "GET /board/reports": Ask(query="?provisional=1"),
    "POST /board/reports": Ask(form={"seen": "7"}),
    "GET /board/reports/file.{form}": Ask(query="?provisional=1", parameters={"form": "xlsx"}),
    "GET /board/work/new": Ask(query="?indicator=digital_platform_use&scope=residential_group&code=20257-901"),
    "GET /board/model-sites/{code}": Ask(parameters={"code": "{site}"}),
    "POST /board/model-sites/{code}/outline": Ask(parameters={"code": "{site}"}),
    "GET /board/work/{code}": Ask(parameters={"code": "{list}"}),
    "POST /board/work/{code}": Ask(parameters={"code": "{list}"}),
    "GET /board/work/{code}/places/{position}": Ask(parameters={"code": "{list}"}),
    "POST /board/work/{code}/places/{position}": Ask(
        form={"result": "accepts", "key": "k" * 20, "version": "0"}, parameters={"code": "{list}"}
    ),
    "POST /staff/proposals/apply": Ask(form={"receipt": "{decided}"}),
    "POST /staff/proposals/{receipt}": Ask(
        form={"action": "reject", "note": "thử"}, parameters={"receipt": "{decided}"}
    ),
}


@dataclass
class World:
    """The application on a small register, and everybody who asks it."""

    database: Database
    client: TestClient
    actors: dict[str, Actor]
    tokens: dict[str, str]
    names: dict[str, str]

    def ask(self, method: str, path: str, asker: str) -> int:
        """The status that the asker gets."""
        headers, form = {}, {}
        self.client.cookies.clear()
        if path.startswith(STAFF_PAGES) and asker in self.actors:
            cookie, form["csrf_token"] = self.session(asker)
            self.client.cookies.set(COOKIE, cookie)
            headers = dict(OWN_PAGE)
        elif asker in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[asker]}"
        return self.send(method, path, headers, form).status_code

    def send(self, method: str, path: str, headers: dict[str, str], form: dict[str, str]) -> httpx.Response:
        """Sends the request of a row, with the headers and form fields that say who asks."""
        how = ASKS.get(f"{method} {path}", Ask())
        form = {name: value.format_map(self.names) for name, value in how.form.items()} | form
        sent: dict[str, Any] = {}
        if how.file:
            sent = {"data": form, "files": {how.file: b"no picture"}}
        elif method != "GET" and path.startswith((*STAFF_PAGES, "/owner", "/q/")):
            sent = {"data": {"csrf_token": "", **form}}
        elif method != "GET":
            sent = {"json": _filled(how.body, self.names)}
        address = _address(path, {**PARAMETERS, **how.parameters}, self.names) + how.query
        headers = {"Accept": "*/*", **how.headers, **headers}
        return self.client.request(method, address, headers=headers, follow_redirects=False, **sent)

    def session(self, asker: str) -> tuple[str, str]:
        with self.database.owner.begin() as connection:
            cookie = sessions.start(connection, self.actors[asker].staff_id)
            found = sessions.find(connection, cookie)
        assert found is not None
        return cookie, found.csrf_token


def _filled(body: dict[str, Any] | None, names: dict[str, str]) -> dict[str, Any] | None:
    """The body with its texts filled in like an address."""
    if body is None:
        return None
    return {name: value.format_map(names) if isinstance(value, str) else value for name, value in body.items()}


def _address(path: str, parameters: dict[str, str], names: dict[str, str]) -> str:
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value.format_map(names))
    assert "{" not in path, f"no value for a parameter of {path}"
    return path


def _table() -> dict[tuple[str, str], dict[str, int]]:
    """The table above, by method and path."""
    words = TABLE.replace("{tiles}", "/ogc/collections/{collectionId}/tiles").replace("{items}", ITEMS).split()
    assert tuple(words[: len(ASKERS)]) == ASKERS
    rows = iter(words[len(ASKERS) :])
    found: dict[tuple[str, str], dict[str, int]] = {}
    for method in rows:
        key = (method, next(rows))
        assert key not in found, f"twice in the table: {key}"
        found[key] = {asker: int(next(rows)) for asker in ASKERS}
    return found


def _routes() -> set[tuple[str, str]]:
    found = set()
    for router in ROUTERS:
        for route in router.routes:
            methods, path = getattr(route, "methods", None), getattr(route, "path", None)
            assert methods and path, f"how can {route!r} be asked?"
            found |= {(method, path) for method in methods if method not in ("HEAD", "OPTIONS")}
    return found


EXPECTED = _table()


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "rights_matrix", template="base")
    actors = {role: add_staff(own, role, role) for role in ROLES}
    actors["other"] = add_staff(own, "other", "officer", OTHER_WARD)
    add_staff(own, "target", "surveyor")
    ward = fill(own, actors["officer"], 3)
    fill(own, actors["other"], 1)
    with write_as(own, actors["officer"], reason="thử") as connection:
        personal_data.keep(
            connection, open_secrets(own.settings.data_dir), ward.entities[-1], "owner_phone", "0905000111"
        )
    # As uvicorn would: what is not handled inside is a 500, not an exception of the test's.
    client = TestClient(create_app(HttpSettings(sample="none"), own), raise_server_exceptions=False)
    yield World(own, client, actors, _tokens(own, actors), _names(own, ward))
    own.dispose()
    drop_database(server, "rights_matrix")


def _tokens(database: Database, actors: dict[str, Actor]) -> dict[str, str]:
    officer = actors["officer"].staff_id
    with database.owner.begin() as connection:
        found = {asker: tokens.issue(connection, actor.staff_id, "thử", "write", 1) for asker, actor in actors.items()}
        found |= {name: tokens.issue(connection, officer, name, "write", 1) for name in ("expired", "revoked")}
        found["reader"] = tokens.issue(connection, officer, "reader", "read", 1)
        connection.execute(text("UPDATE account.token SET revoked_at = now() WHERE label = 'revoked'"))
        connection.execute(text("UPDATE account.token SET expires_at = now() WHERE label = 'expired'"))
    return found


def _names(database: Database, ward: SmallWard) -> dict[str, str]:
    """The ward's own records; the photo is one that was taken away, which the ward's staff may still look at."""
    ensure_key(database)
    with database.owner.begin() as connection:
        row = connection.execute(
            text("UPDATE register.photo SET ended_at = now(), end_reason = 'thử' WHERE establishment_id = "
                 "(SELECT id FROM register.establishment WHERE code = :place) RETURNING code, file"),
            {"place": ward.places[0]},
        ).one()  # fmt: skip
        decided, theirs = new_receipt(), new_receipt()
        for new, state in ((decided, "withdrawn"), (theirs, "pending")):
            connection.execute(text(_ANOTHER), {"receipt": ward.receipt, "new": new, "state": state})
        of_ward = {"ward": ward.ward}
        batch = connection.execute(
            text("SELECT code FROM register.import_batch WHERE ward_id = (SELECT id FROM register.ward "
                 "WHERE code = :ward AND valid_to IS NULL)"), of_ward,
        ).scalar_one()  # fmt: skip
        printed = connection.execute(
            text("SELECT p.run_id, p.id FROM register.sticker_print p JOIN register.sticker_run r ON r.id = p.run_id "
                 "JOIN register.ward w ON w.id = r.ward_id WHERE w.code = :ward"), of_ward,
        ).one()  # fmt: skip
        report = connection.execute(
            text("SELECT id FROM register.citizen_report WHERE receipt = :receipt"), {"receipt": ward.report}
        ).scalar_one()
        work_list = connection.execute(
            text(
                "SELECT l.code FROM register.work_list l JOIN register.ward w ON w.id = l.ward_id WHERE w.code = :ward"
            ),
            of_ward,
        ).scalar_one()
        proof = connection.execute(
            text("SELECT p.id, p.file FROM register.criterion_proof p JOIN register.ward w ON w.id = p.ward_id "
                 "WHERE w.code = :ward"), of_ward,
        ).one()  # fmt: skip
    for folder, file in ((photos.FOLDER, f"{row.file}.jpg"), (documents.FOLDER, f"{proof.file}.pdf")):
        (database.settings.data_dir / folder).mkdir(parents=True, exist_ok=True)
        (database.settings.data_dir / folder / file).write_bytes(b"a picture")
    return {
        "place": ward.places[-1],
        "entity": ward.entities[-1],
        "licence": ward.codes["licences"][-1],
        "list": work_list,
        "site": ward.codes["model_sites"][0],
        "receipt": ward.receipt,
        "decided": decided,
        "theirs": theirs,
        "login": "target",
        "photo": row.code,
        "photo_file": f"{row.file}.jpg",
        "batch": batch,
        "run": str(printed.run_id),
        "print": str(printed.id),
        "proof": str(proof.id),
        "report": ward.report,
        "report_number": str(report),
    }


_ANOTHER = """
    INSERT INTO register.proposal (receipt, ward_id, collection, record_code, base_version, base, patch, reason, source,
                                   risk, state, proposer_kind, proposed_by)
    SELECT :new, ward_id, collection, record_code, base_version, base, patch, reason, source, risk, :state,
           proposer_kind, (SELECT id FROM account.staff WHERE login = 'target')
      FROM register.proposal WHERE receipt = :receipt
"""


def test_the_table_names_every_route_and_no_other() -> None:
    routes = _routes()
    missing = sorted(f"{method} {path}" for method, path in routes - EXPECTED.keys())
    gone = sorted(f"{method} {path}" for method, path in EXPECTED.keys() - routes)
    assert not missing, f"who may use these? {missing}"
    assert not gone, f"no such route any more: {gone}"


@pytest.mark.parametrize(("method", "path"), EXPECTED, ids=lambda part: str(part))
def test_everybody_gets_what_the_table_says(world: World, method: str, path: str) -> None:
    found = {asker: world.ask(method, path, asker) for asker in ASKERS}
    assert found == EXPECTED[method, path]


def _writes() -> list[tuple[str, str]]:
    return sorted(key for key in EXPECTED if key[0] != "GET")


READERS_MAY = {
    "/staff/establishments/find": "it only leads to the address of a list",
    "/staff/establishments/views": "a list of one's own, nothing of the register",
    "/staff/establishments/views/{view}/{action}": "a list of one's own, nothing of the register",
}


@pytest.mark.parametrize(("method", "path"), _writes(), ids=lambda part: str(part))
def test_a_token_for_reading_writes_nothing(world: World, method: str, path: str) -> None:
    if path in READERS_MAY:
        return
    world.client.cookies.clear()
    answer = world.send(method, path, {"Authorization": f"Bearer {world.tokens['reader']}"}, {})
    assert answer.status_code in (401, 403), answer.text[:300]


@pytest.mark.parametrize(("method", "path"), _writes(), ids=lambda part: str(part))
def test_another_sites_page_writes_nothing_with_a_session(world: World, method: str, path: str) -> None:
    cookie, csrf_token = world.session("admin")
    others: tuple[dict[str, str], ...] = (
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://elsewhere.example"},
    )  # fmt: skip
    for headers in others:
        world.client.cookies.clear()
        world.client.cookies.set(COOKIE, cookie)
        answer = world.send(method, path, headers, {"csrf_token": csrf_token})
        assert answer.status_code == 403, (headers, answer.text[:300])
        assert "cross_site" in answer.text[:300]


@pytest.mark.parametrize(("method", "path"), _writes(), ids=lambda part: str(part))
def test_a_form_without_the_sessions_token_writes_nothing(world: World, method: str, path: str) -> None:
    """For programs' addresses the origin alone decides: a page of another site cannot send JSON with our cookie."""
    if not path.startswith(STAFF_PAGES) or path in NO_FORM_TOKEN:
        return
    cookie, _ = world.session("admin")
    for csrf_token in ("", "x"):
        world.client.cookies.clear()
        world.client.cookies.set(COOKIE, cookie)
        answer = world.send(method, path, OWN_PAGE, {"csrf_token": csrf_token})
        assert (answer.status_code, "form_expired" in answer.text) == (403, True), answer.text[:300]
