"""Batches for tests, with rows as the plan leaves them: what is to be written stands in the rows already."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from postgis import codes
from postgis.actor import Actor
from postgis.engine import Database
from postgis.secrets import Secrets
from tests.small_ward import MIDDLE

SECRETS = Secrets(bytes(range(32)))


def point(ward: str, number: int = 0) -> dict[str, Any]:
    """A position in the ward, some metres from the others."""
    lon, lat = MIDDLE[ward]
    east, north = number % 250 * 0.00002, number // 250 * 0.00002
    return {"type": "Point", "coordinates": [round(lon + east, 7), round(lat + north, 7)]}


def new_place(ward: str, number: int, **values: Any) -> dict[str, Any]:
    """The wish for a place that is made."""
    said = {
        "name": f"Quán Nhập {number}", "address": f"{number} Đường Nhập", "operating_status": "active",
        "geometry": point(ward, number), "position_method": "interpolated", "position_accuracy_m": 30,
        "source": "import",
    }  # fmt: skip
    return {"collection": "establishments", "code": None, "values": {**said, **values}}


def new_entity(number: int, **values: Any) -> dict[str, Any]:
    """The wish for a legal entity that is made."""
    said = {"registered_name": f"Hộ kinh doanh Nhập {number}", "legal_form": "household_business"}
    return {"collection": "legal_entities", "code": None, "values": {**said, **values}}


def record(collection: str, **values: Any) -> dict[str, Any]:
    """The wish for a dated record that is made."""
    return {"collection": collection, "code": None, "values": {**values, "source": "import"}}


def licence(**values: Any) -> dict[str, Any]:
    return record(
        "licences", **{"kind": "business_registration", "number": "41A8000001", "checked_on": "2026-01-02"} | values
    )


def inspection(**values: Any) -> dict[str, Any]:
    said = {"inspected_on": "2026-01-02", "agency": "Đoàn nhập", "result": "pass", "signed_on": "2026-01-03"}
    return record("inspections", **{**said, **values})


def change(collection: str, code: str, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The wish for a record that is changed."""
    return {"collection": collection, "code": code, "before": dict(before), "values": dict(values)}


def row(
    wishes: Sequence[Mapping[str, Any]] | None = None, *, target: str | None = None, **columns: Any
) -> dict[str, Any]:
    """A row of the plan: new, or with a `target` changed. `personal` is sealed."""
    ways = columns.pop("ways", {"new": None, "update": {target: wishes}} if target else {"new": wishes, "update": {}})
    return {
        "verdict": "changed" if target else "new", "place_code": target, "wishes": ways, "changes": [], "personal": {},
        "decision": None, "target_code": None, **columns,
    }  # fmt: skip


def add_batch(
    database: Database, actor: Actor, rows: Sequence[Mapping[str, Any]], *, sha256: bytes = b"\x01", job: str = "apply"
) -> str:
    """A batch of these rows that the actor has asked to apply; its code."""
    code = f"IM{codes.new_code()}"
    with database.owner.begin() as connection:
        batch = connection.execute(
            text("INSERT INTO register.import_batch (code, ward_id, file_name, file_size, file_sha256, state, job, "
                 "job_by, created_by, reason) VALUES (:code, :ward, 'thu.xlsx', 1, :sha, 'applying', :job, :staff, "
                 ":staff, 'danh sách của chợ') RETURNING id"),
            {"code": code, "ward": actor.ward_id, "sha": sha256, "job": job, "staff": actor.staff_id},
        ).scalar_one()  # fmt: skip
        _add_rows(connection, batch, code, rows)
    return code


def _add_rows(connection: Connection, batch: int, code: str, rows: Sequence[Mapping[str, Any]]) -> None:
    given = []
    for number, said in enumerate(rows, 1):
        sealed = json.dumps({"cells": {}, "personal": said["personal"]}).encode()
        given.append({
            **{name: value for name, value in said.items() if name != "personal"}, "number": number,
            "sealed": SECRETS.encrypt(sealed, context=f"import_row:{code}:{number}").hex(),
        })  # fmt: skip
    for start in range(0, len(given), 5_000):
        connection.execute(
            text("INSERT INTO register.import_row (batch_id, number, sheet, row, verdict, place_code, decision, "
                 "target_code, wishes, changes, sealed) SELECT :batch, number, 'Trang 1', number + 1, verdict, "
                 "place_code, decision, target_code, wishes, changes, decode(sealed, 'hex') "
                 "FROM json_to_recordset(CAST(:rows AS json)) AS s (number int, verdict text, place_code text, "
                 "decision text, target_code text, wishes jsonb, changes jsonb, sealed text)"),
            {"batch": batch, "rows": json.dumps(given[start : start + 5_000])},
        )  # fmt: skip


def results(database: Database, code: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Outcome and values of each row, in order."""
    with database.owner.connect() as connection:
        found = connection.execute(
            text("SELECT r.outcome, r.outcome_values FROM register.import_row r JOIN register.import_batch b "
                 "ON b.id = r.batch_id WHERE b.code = :code ORDER BY r.number"), {"code": code},
        )  # fmt: skip
        return [(row.outcome, row.outcome_values or {}) for row in found]


def ask_undo(database: Database, actor: Actor, code: str, also: Sequence[str] = ()) -> None:
    """As an officer would have it undone."""
    with database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.import_batch SET job = 'undo', job_by = :staff, undo_reason = 'nhập nhầm tệp', "
                 "undo_also = CAST(:also AS jsonb) WHERE code = :code"),
            {"code": code, "staff": actor.staff_id, "also": json.dumps(list(also))},
        )  # fmt: skip
