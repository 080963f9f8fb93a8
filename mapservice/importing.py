"""What the API and the screens of imports share: who may, refusals as problems, choices as they are sent."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from ingest.choices import Choices
from mapservice.dependencies import database
from mapservice.errors import Problem
from mapservice.security import require
from mapservice.write_problems import FieldsRefused
from postgis.actor import Actor, prepare_as, read_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, NotNow, Stale
from postgis.store import imports
from postgis.store.imports import Batch
from web import labels

MAX_REASON = 500
_ARGUMENTS = {
    name: name for name in ("file", "ward", "decision", "target", "reason", "also", "choices", "number", "cells")
}
_RECORD = re.compile(r"(?:[a-z_]{1,40}:)?[0-9A-Z]{1,20}")
_MOST_CHOSEN = 512 * 1024
"""Letters of the choices about one file: thousands of sector texts."""


@contextlib.contextmanager
def looking(request: Request, actor: Actor) -> Iterator[Connection]:
    """A connection that reads imports. Raises Problem."""
    require(actor, "read", "imports")
    with _told(request), read_as(database(request), actor) as connection:
        yield connection


@contextlib.contextmanager
def deciding(request: Request, actor: Actor, verb: str = "change") -> Iterator[Connection]:
    """A transaction in which something about an import is decided or asked. Raises Problem."""
    require(actor, verb, "imports")
    with _told(request), prepare_as(database(request), actor) as connection:
        yield connection


def found(connection: Connection, code: str) -> Batch:
    """A batch of the actor's ward. Raises NotFound for what cannot be a code, too."""
    if not (code.isascii() and code.isalnum() and len(code) <= 20):
        raise NotFound
    return imports.get(connection, code)


def checked_choices(sent: Any) -> dict[str, Any]:
    """Choices as they are stored. Raises InvalidValues where something in them is none: nothing is passed over."""
    if not isinstance(sent, dict):
        raise InvalidValues([FieldError("choices", "not_an_object")])
    if len(json.dumps(sent)) > _MOST_CHOSEN:
        raise InvalidValues([FieldError("choices", "too_much")])
    kept = Choices.from_json(sent).as_json()
    wrong = [name for name, value in sent.items() if value and _plain(kept.get(name)) != _plain(value)]
    if wrong:
        raise InvalidValues([FieldError("choices", "not_understood", {"value": ", ".join(map(str, wrong))})])
    return kept


def reason_of(text: Any) -> str | None:
    """A reason as typed. Raises InvalidValues where it is no text, or too long."""
    if text is None or text == "":
        return None
    if not isinstance(text, str) or "\0" in text:
        raise InvalidValues([FieldError("reason", "not_text")])
    if len(text) > MAX_REASON:
        raise InvalidValues([FieldError("reason", "too_long", {"most": MAX_REASON})])
    return text


def also_undone(sent: Any) -> list[str]:
    """Records to undo although they were edited since: codes, of dated records after their collection and a colon.

    Raises InvalidValues.
    """
    if not isinstance(sent, list) or not all(isinstance(code, str) and _RECORD.fullmatch(code) for code in sent):
        raise InvalidValues([FieldError("also", "not_allowed")])
    return list(sent)


@contextlib.contextmanager
def _told(request: Request) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise Problem("unknown_import") from None
    except NotNow as refusal:
        lang = "en" if request.query_params.get("lang") == "en" else "vi"
        state = labels.code_label("import_state", refusal.state, lang).lower()
        raise Problem("import_not_now", state=state) from None
    except Stale:
        raise Problem("import_stale") from None
    except InvalidValues as invalid:
        raise FieldsRefused("imports", invalid.errors, arguments=_ARGUMENTS) from None
    except Forbidden:
        raise Problem("forbidden") from None


def _plain(value: Any) -> Any:
    """Order of names and of lists does not matter."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items() if inner or inner is None}
    return sorted(map(str, value)) if isinstance(value, (list, tuple)) else value
