"""What Schemathesis is told of this service: codes that exist, versions that were seen, features worth sending.

Loaded by Schemathesis itself (SCHEMATHESIS_HOOKS). Without it nearly every call would end at 404 or 412, before what
there is to try. MAPSERVICE_TRIED names a JSON file with the codes, MAPSERVICE_CALLS one that the counts go to.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

_TRIED: dict[str, Any] = json.loads(Path(os.environ["MAPSERVICE_TRIED"]).read_text(encoding="utf-8"))
_CODES: dict[str, list[str]] = _TRIED["codes"]
_COUNTS: Counter[str] = Counter()
_LONLAT = st.tuples(st.floats(108.19, 108.24), st.floats(16.02, 16.07))
_FIELDS: dict[str, dict[str, Any]] = {
    "establishments": {
        "name": st.text(min_size=1, max_size=30), "sector_group": st.sampled_from(["food_service", "retail", "x"]),
        "operating_status": st.sampled_from(["active", "closed", "suspended"]), "source": st.just("office"),
        "position_method": st.just("map"), "opening_hours": st.text(max_size=20), "name_en": st.text(max_size=20),
    },
    "licences": {"kind": st.text(max_size=10), "number": st.text(max_size=10), "valid_until": st.dates().map(str)},
    "inspections": {"inspected_on": st.dates().map(str), "result": st.sampled_from(["passed", "failed"])},
    "warnings": {"headline": st.text(max_size=30), "issued_on": st.dates().map(str)},
    "payment_acceptances": {"method": st.sampled_from(["vietqr", "cash", "momo"]), "source": st.just("office")},
}  # fmt: skip


def _mostly(found: st.SearchStrategy[Any], drawn: Any) -> st.SearchStrategy[Any]:
    """Two of three times what exists, else what was drawn."""
    return st.one_of(found, found, st.just(drawn))


@schemathesis.hook
def flatmap_path_parameters(context: Any, path_parameters: Any) -> st.SearchStrategy[Any]:
    """Codes of records, receipts and batches that exist."""
    del context
    given = dict(path_parameters or {})
    if given.get("collectionId") in _CODES and "featureId" in given:
        known = st.sampled_from(_CODES[given["collectionId"]])
        return known.flatmap(lambda code: _mostly(st.just({**given, "featureId": code}), given))
    if "action" in given and _CODES.get("establishments"):
        steps = st.sampled_from(["suspend", "reopen", "close", "move", "change-owner", "merge", "undo-merge"])
        places = st.sampled_from(_CODES["establishments"])
        found = st.fixed_dictionaries({"collectionId": st.just("establishments"), "featureId": places, "action": steps})
        return _mostly(found, given)
    for name, kind in (("code", "establishments"), ("receipt", "receipts"), ("batch_id", "batches")):
        if name in given and _CODES.get(kind):
            return _mostly(st.sampled_from(_CODES[kind]).map(lambda code, name=name: {**given, name: code}), given)
    return st.just(path_parameters)


@schemathesis.hook
def flatmap_headers(context: Any, headers: Any) -> st.SearchStrategy[Any]:
    """The first versions of records, as If-Match."""
    del context
    if not headers or "If-Match" not in headers:
        return st.just(headers)
    seen = st.integers(1, 3).map(lambda version: {**headers, "If-Match": f'"{version}-0"'})
    return _mostly(seen, headers)


@schemathesis.hook
def flatmap_body(context: Any, body: Any) -> st.SearchStrategy[Any]:
    """Features that could be stored, for the items of any collection."""
    if "/items" not in context.operation.path or not isinstance(body, dict) or "{action}" in context.operation.path:
        return st.just(body)
    geometry = st.one_of(
        st.none(), _LONLAT.map(lambda at: {"type": "Point", "coordinates": [*at]}), st.just(body.get("geometry"))
    )
    place = st.sampled_from(_CODES["establishments"]) if _CODES.get("establishments") else st.just("x")
    kinds = [
        st.fixed_dictionaries({}, optional={**fields, **({} if kind == "establishments" else {"establishment": place})})
        for kind, fields in _FIELDS.items()
    ]
    feature = st.fixed_dictionaries(
        {"type": st.just("Feature"), "geometry": geometry, "properties": st.one_of(*kinds), "reason": st.just("thử")}
    )
    return _mostly(feature, body)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Counts what came back."""
    del context
    _COUNTS[f"{case.operation.method.upper()} {case.operation.path} {response.status_code}"] += 1
    if sum(_COUNTS.values()) % 50 == 0 or response.status_code >= 500:
        _keep()


def _keep() -> None:
    Path(os.environ["MAPSERVICE_CALLS"]).write_text(json.dumps(_COUNTS), encoding="utf-8")


import atexit  # noqa: E402

atexit.register(_keep)
