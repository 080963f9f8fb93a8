"""JSON Schemas of a place as /q/{code}.json answers it, and of a citizen's report: every member by name."""

from typing import Any

from layers.collections import ESTABLISHMENTS, Field
from postgis.vocabulary import CODE_LISTS, INSPECTION_RESULTS, REPORT_KINDS, REPORT_OUTCOMES, REPORT_STATES

Schema = dict[str, Any]

_DAY: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_TEXT: Schema = {"type": "string"}
_LINK: Schema = {"type": "string", "format": "uri"}


def _or_null(schema: Schema) -> Schema:
    """The same, or null: nothing is known."""
    allowed = {**schema, "enum": [*schema["enum"], None]} if "enum" in schema else schema
    return {**allowed, "type": [schema["type"], "null"]} if "type" in schema else allowed


def _whole(optional: str = "", **members: Schema) -> Schema:
    """An object that always has each of its members but the optional ones."""
    return {
        "type": "object",
        "required": [name for name in members if name not in optional.split()],
        "properties": members,
    }


def _property(field: Field) -> Schema:
    values: Schema = {"enum": list(CODE_LISTS[field.code_list])} if field.code_list else {}
    if field.type == "array":
        return {"type": "array", "items": {**_TEXT, **values}}
    if field.type in ("date", "date-time"):
        return _or_null({"type": "string", "format": field.type})
    if field.name == ESTABLISHMENTS.id_field:
        return _TEXT
    return _or_null({"type": field.type, **values})


_WARNING = _whole(code=_TEXT, issued_on=_DAY, headline=_TEXT, instruction=_or_null(_TEXT), agency=_TEXT)
_REPLY = _whole(
    collection={"enum": ["warnings", "inspections"]}, code=_TEXT, fact_on=_DAY, reply=_TEXT, replied_on=_DAY
)
_INSPECTION = _whole(
    code=_TEXT, inspected_on=_DAY, result={"type": "string", "enum": list(INSPECTION_RESULTS)}, agency=_TEXT,
    official_words=_or_null(_TEXT),
)  # fmt: skip
_POINT = _whole(
    type={"const": "Point"}, coordinates={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
)

PLACE: Schema = _whole(
    "merged_from moved_to saved_at",
    **{field.name: _property(field) for field in ESTABLISHMENTS.fields},
    closed_on=_or_null(_DAY),
    warnings={"type": "array", "items": _WARNING, "description": "live ones, latest first"},
    replies={
        "type": "array",
        "items": _REPLY,
        "description": "what the owner says to the adverse facts here, by their collection and code; reviewed",
    },
    last_inspection=_or_null(_INSPECTION),
    food_safety_agency=_or_null(_TEXT),
    former_names={"type": "array", "items": _TEXT},
    photo=_or_null(_LINK),
    geometry=_POINT,
    url=_LINK,
    merged_from={**_TEXT, "description": "the duplicate's code that led here"},
    moved_to={**_TEXT, "description": "code of the place that it has moved to"},
    saved_at={**_MOMENT, "description": "from a copy of that moment: newer warnings may be missing"},
)

REPORT: Schema = _whole(
    receipt=_TEXT,
    kind={"type": "string", "enum": list(REPORT_KINDS)},
    place_code=_or_null(_TEXT),
    place_name=_or_null(_TEXT),
    typed_code={**_or_null(_TEXT), "description": "what a sticker says that leads to no place"},
    with_photo={"type": "boolean"},
    state={"type": "string", "enum": list(REPORT_STATES)},
    received_at=_MOMENT,
    due_on={**_DAY, "description": "the day by which the ward answers"},
    due_certain={"type": "boolean", "description": "the days off until then are announced"},
    extended={"type": "boolean"},
    outcome=_or_null({"type": "string", "enum": list(REPORT_OUTCOMES)}),
    answer=_or_null(_TEXT),
    answered_at=_or_null(_MOMENT),
    closed_at=_or_null(_MOMENT),
    ward=_TEXT,
)
