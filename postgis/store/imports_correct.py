"""Cells of a file that a person has written anew. The file itself stays as it was sent: what is written in its place is
kept beside it, encrypted, and holds at each reading.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, null, select

from postgis.errors import FieldError, InvalidValues
from postgis.secrets import Secrets
from postgis.store.imports import BATCH, Batch, id_of, row, unseal
from postgis.store.imports_decide import held, read_again
from postgis.store.record_values import readable

LONGEST = 2_000
"""Letters of a cell."""
MOST_ROWS = 2_000
"""With corrections: a list that is wrong in more of them is better mended by its sender."""
_MOST_LETTERS = 4_000_000


def correct(
    connection: Connection, secrets: Secrets, code: str, number: int, cells: Mapping[int, str],
    version: int | None = None,
) -> Batch:  # fmt: skip
    """Writes cells of a row anew, by column, and asks for the file to be read anew.

    What is as it stands already changes nothing, what is as in the file takes a correction back, and an empty text
    empties the cell. Raises NotFound, Stale, NotNow, InvalidValues for `cells` or `cells.COLUMN`, and for `file` when
    it is no longer kept.
    """
    batch = held(connection, code, version, "planned")
    found = row(connection, code, number)
    if found.verdict == "skipped":
        raise InvalidValues([FieldError("cells", "row_not_correctable")])
    written = _checked(batch, found.sheet, cells)
    opened = unseal(secrets, batch, found)
    standing = corrections_of(connection, secrets, code)
    of_row = dict(standing.get(number, {}))
    for column, text in written.items():
        present = opened["cells"].get(str(column), "")
        in_file = opened.get("replaced", {}).get(str(column), present)
        if _same(text, in_file):
            of_row.pop(column, None)
        elif not _same(text, present):
            of_row[column] = text
    if of_row == standing.get(number, {}):
        return batch
    merged = {**standing, number: of_row}
    if not of_row:
        del merged[number]
    content = json.dumps(merged, ensure_ascii=False)
    if len(merged) > MOST_ROWS or len(content) > _MOST_LETTERS:
        raise InvalidValues([FieldError("cells", "too_many_corrections", {"most": MOST_ROWS})])
    sealed = secrets.encrypt(content.encode(), context=_context(code)) if merged else null()
    return read_again(connection, batch, corrections_sealed=sealed)


def corrections_of(connection: Connection, secrets: Secrets, code: str) -> dict[int, dict[int, str]]:
    """What was written anew, by the number of the row and by column. Raises NotFound, Undecipherable."""
    this = BATCH.c.id == id_of(connection, code)
    sealed = connection.execute(select(BATCH.c.corrections_sealed).where(this)).scalar_one()
    if sealed is None:
        return {}
    opened: dict[str, dict[str, str]] = json.loads(secrets.decrypt(bytes(sealed), context=_context(code)))
    return {int(number): {int(column): text for column, text in of_row.items()} for number, of_row in opened.items()}


def _checked(batch: Batch, sheet: str, cells: Mapping[int, str]) -> dict[int, str]:
    columns = (batch.summary or {}).get("columns", ())
    headers = {each["column"]: each["header"] or str(each["column"]) for each in columns if each["sheet"] == sheet}
    checked: dict[int, str] = {}
    errors: list[FieldError] = []
    for column, text in cells.items():
        said: dict[str, Any] = {"header": headers.get(column, str(column)), "most": LONGEST}
        if column not in headers:
            errors.append(FieldError(f"cells.{column}", "unknown_cell", said))
        elif not readable(text):
            errors.append(FieldError(f"cells.{column}", "cell_unreadable", said))
        elif len(plain := unicodedata.normalize("NFC", text).strip()) > LONGEST:
            errors.append(FieldError(f"cells.{column}", "cell_too_long", said))
        else:
            checked[column] = plain
    if errors:
        raise InvalidValues(errors)
    return checked


def _same(text: str, other: str) -> bool:
    """A form sends spaces and ends of lines in its own way."""
    return " ".join(text.split()) == " ".join(other.split())


def _context(code: str) -> str:
    return f"import_corrections:{code}"
