"""Signed records: verified by another library and by our own tool, offline; rotation; and what is no record."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import KeySet

from mapservice import signing
from mapservice.cli import main
from postgis.engine import Database, create_database, drop_database
from postgis.unavailable import StoreUnavailableError
from tests.small_ward import SmallWard, add_staff, fill
from tests.staff_clients import Browser

PUBLIC_URL = "https://bando.example.vn"


@dataclass
class World:
    database: Database
    ward: SmallWard
    web: Browser

    def record(self) -> str:
        answer = self.web.get(f"/q/{self.ward.places[0]}.jws")
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/jose"
        return answer.text

    def keys(self) -> dict[str, Any]:
        answer = self.web.get("/.well-known/jwks.json")
        assert answer.headers["content-type"] == "application/jwk-set+json"
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def world(server: Database, base_database: Database) -> Iterator[World]:
    base_database.dispose()
    own = create_database(server, "signing", template="base")
    signing.ensure_key(own)
    ward = fill(own, add_staff(own, "officer", "officer"), 2)
    yield World(own, ward, Browser(own, public_url=PUBLIC_URL))
    own.dispose()
    drop_database(server, "signing")


def parts(record: str) -> list[dict[str, Any]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in record.split(".")[:2]]


def test_another_library_verifies_what_is_signed(world: World) -> None:
    record = world.record()
    found = jws.deserialize_compact(record, KeySet.import_key_set(world.keys()), algorithms=["EdDSA"])
    payload = json.loads(found.payload)
    data = world.web.get(f"/q/{world.ward.places[0]}.json").json()
    assert payload == {**data, "iss": PUBLIC_URL, "iat": payload["iat"]}
    assert abs(payload["iat"] - time.time()) < 60
    assert parts(record)[0]["kid"] == world.keys()["keys"][0]["kid"]
    assert "d" not in world.keys()["keys"][0]


def test_our_tool_verifies_offline(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, keys = tmp_path / "record.jws", tmp_path / "jwks.json"
    record.write_text(world.record() + "\n")
    keys.write_text(json.dumps(world.keys()))
    assert main(["verify-record", str(record), "--keys", str(keys)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Genuine.") and world.ward.places[0] in told and "A WARNING WAS IN FORCE" in told
    head, body, signature = world.record().split(".")
    lifted = {**parts(world.record())[1], "live_warning": False}
    forged = base64.urlsafe_b64encode(json.dumps(lifted).encode()).rstrip(b"=").decode()
    record.write_text(f"{head}.{forged}.{signature}")
    assert main(["verify-record", str(record), "--keys", str(keys)]) == 1
    assert "the signature does not fit" in capsys.readouterr().err
    keys.write_text("{}")
    record.write_text(f"{head}.{body}.{signature}")
    assert main(["verify-record", str(record), "--keys", str(keys)]) == 1
    assert "not among the published" in capsys.readouterr().err
    assert main(["verify-record", str(tmp_path / "none"), "--keys", str(keys)]) == 1


def test_an_old_record_stays_genuine_after_a_rotation(world: World) -> None:
    old = world.record()
    key, retired = signing.rotate_key(world.database)
    assert retired == [parts(old)[0]["kid"]]
    new = world.record()
    assert parts(new)[0]["kid"] == key.kid
    for record in (old, new):
        assert signing.verify(record, world.keys(), time.time())["code"] == world.ward.places[0]
        jws.deserialize_compact(record, KeySet.import_key_set(world.keys()), algorithms=["EdDSA"])
    states = {listed["kid"]: "retired_at" in listed for listed in world.keys()["keys"]}
    assert states == {retired[0]: True, key.kid: False}


def test_a_retired_key_signs_nothing_new(world: World) -> None:
    key = signing.ensure_key(world.database)
    listed = {"keys": [{**world.keys()["keys"][-1], "kid": key.kid, "x": key.x, "nbf": 1000, "retired_at": 2000}]}
    assert signing.verify(key.sign(b'{"iat": 1500}'), listed, time.time()) == {"iat": 1500}
    for moment in (100, 5000, 10**11):
        with pytest.raises(signing.NotGenuine):
            signing.verify(key.sign(json.dumps({"iat": moment}).encode()), listed, time.time())


def test_the_key_is_for_the_service_alone(world: World, tmp_path: Path) -> None:
    file = world.database.settings.data_dir / signing.FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600 and len(file.read_bytes()) == 32
    assert not list(file.parent.glob(f"{signing.FILE_NAME}.*"))
    assert signing.current_key(tmp_path) is None
    (tmp_path / signing.FILE_NAME).write_bytes(b"short")
    with pytest.raises(StoreUnavailableError, match="no signing key"):
        signing.current_key(tmp_path)


def test_without_a_key_there_is_no_record_but_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapservice.routes.public.lookup.current_key", lambda _: None)
    answer = world.web.get(f"/q/{world.ward.places[0]}.jws", Accept="*/*")
    assert answer.status_code == 503 and answer.json()["type"].endswith("not_signed")
    assert world.web.get(f"/q/{world.ward.places[0]}").status_code == 200


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_nothing_altered_and_no_noise_is_genuine(world: World, data: st.DataObject) -> None:
    key = signing.ensure_key(world.database)
    record = key.sign(json.dumps({"iat": int(time.time()), "code": "K7M42XP2"}).encode())
    keys = world.keys()
    assert signing.verify(record, keys, time.time())["code"] == "K7M42XP2"
    place = data.draw(st.integers(0, len(record) - 1))
    sign = data.draw(st.sampled_from("ABab01-_.=+ é\x00"))
    for text in (record[:place] + sign + record[place + 1 :], record[:place], data.draw(st.text(max_size=60))):
        # The last sign of a part of base64url holds bits that stand for nothing.
        if _bytes(text) == _bytes(record):
            continue
        with pytest.raises(signing.NotGenuine):
            signing.verify(text, keys, time.time())


def _bytes(record: str) -> list[bytes] | None:
    try:
        head, body, signature = record.strip().split(".")
        return [head.encode(), body.encode(), base64.urlsafe_b64decode(signature + "==")]
    except ValueError:
        return None


@pytest.mark.parametrize(
    "header",
    [{"alg": "none"}, {"alg": "HS256"}, {"alg": "EdDSA", "crit": ["b64"]}, {"alg": "EdDSA", "kid": "other"}, [], "x"],
)
def test_other_ways_of_signing_are_refused(world: World, header: Any) -> None:
    key = signing.ensure_key(world.database)
    named = {"kid": key.kid, **header} if isinstance(header, dict) else header
    head = base64.urlsafe_b64encode(json.dumps(named).encode()).rstrip(b"=").decode()
    _, body, signature = key.sign(b'{"iat": 1500}').split(".")
    with pytest.raises(signing.NotGenuine):
        signing.verify(f"{head}.{body}.{signature}", world.keys(), time.time())
