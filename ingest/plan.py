"""The plan of a file: row by row what it would do to the register, and why. Nothing is written.

Each row read is counted once: new, changed, same, doubtful, wrong or skipped. What is wrong the sender mends; what is
doubtful a person decides; the rest needs nobody. Rows come out in the order of the file and are not kept, so that a
list of 200,000 rows needs no more memory than the file and an index of it.
"""

from collections.abc import Callable, Iterator

from ingest.choices import Choices
from ingest.columns import Table, correct, recognise
from ingest.identity import Identities
from ingest.judging import Judging
from ingest.known import KnownRegister
from ingest.list_facts import facts_of
from ingest.plan_summary import PlanSummary
from ingest.planned import PlannedRow, SkippedRow
from ingest.records import Corrections, Record, read_records
from ingest.row_places import Locator
from ingest.rows import RowReader
from ingest.workbook import Sheet, Workbook

Progress = Callable[[str, int], None]
"""What is being done (`reading`: the columns are found out, `matching`: rows are read and compared), and with how many
rows it is done."""
_STEP = 500


class Cancelled(Exception):
    """A person has asked to stop; nothing of the plan holds."""


def plan_rows(
    workbook: Workbook, locator: Locator, register: KnownRegister, identities: Identities,
    choices: Choices | None = None, progress: Progress = lambda _step, _done: None,
    cancelled: Callable[[], bool] = lambda: False, summary: PlanSummary | None = None,
    corrections: Corrections | None = None,
) -> Iterator[PlannedRow | SkippedRow]:  # fmt: skip
    """Every row of a file in its order, judged. `summary` is filled on the way, and whole when the last row is out.
    `corrections`: cells that a person has written anew, by the number of their row.

    May raise `Refusal` while it reads, and `Cancelled`.
    """
    choices = choices or Choices()
    summary = summary if summary is not None else PlanSummary()
    summary.notes += workbook.notes
    tables: list[Table] = []
    for sheet in workbook.sheets:
        progress("reading", len(tables))
        if cancelled():
            raise Cancelled
        tables.append(understand(sheet, choices))
    judging = Judging(locator, register, identities, choices)
    number = 0
    for table in tables:
        left_out = table.sheet.name in choices.sheets_left_out
        facts = facts_of(table, locator, choices)
        part = summary.sheet(table, facts, left_out=left_out)
        reader = RowReader(table, locator, choices)
        for found in read_records(table, left_out=left_out, corrections=corrections or {}, before=number):
            number += 1
            if number % _STEP == 0:
                progress("matching", number)
                if cancelled():
                    raise Cancelled
            if isinstance(found, Record):
                row = PlannedRow(number, reader.read(found))
                judging.judge(row, facts)
                part.count(row.verdict)
                summary.tell(number, row.read)
                yield row
            else:
                part.skip(found)
                yield SkippedRow(number, found)


def understand(sheet: Sheet, choices: Choices) -> Table:
    """A sheet's header and columns as found, with a person's choices over them."""
    table = recognise(sheet, choices.encodings.get(sheet.name))
    if correction := choices.correction(table):
        correct(table, correction)
    return table
