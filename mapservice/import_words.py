"""A plan in the shape of the contract, and in words for people. Neither repeats what stands in a cell."""

from collections.abc import Iterator
from typing import Any

from ingest.columns import Column
from ingest.plan import Plan, PlannedRow, SheetPlan
from ingest.refusal import Refusal
from ingest.row_values import Finding
from web import labels

_SHOWN = 20


def refusal_words(refusal: Refusal, lang: str) -> str:
    """Why a file is refused."""
    return labels.text(f"import_refusals.{refusal.code}", lang, **refusal.values)


def finding_words(finding: Finding, lang: str) -> str:
    """What is to be said of a row."""
    table = "import_cells" if finding.code.startswith("formula_") else "import_problems"
    return labels.text(f"{table}.{finding.code}", lang, **dict(finding.values))


def as_json(plan: Plan, lang: str) -> dict[str, Any]:
    """The object that `mapservice ingest --json` prints."""
    return {
        "rows_read": plan.rows_read,
        **{str(verdict): count for verdict, count in plan.counts.items()},
        "notes": [{"code": code, "message": message} for code, message in _notes(plan, lang)],
        "sheets": [_sheet(sheet) for sheet in plan.sheets],
        "columns": [_column(sheet, column) for sheet, column in _columns(plan)],
        "problems": [
            {
                "sheet": row.read.sheet,
                "row": row.read.row,
                "column": finding.column,
                "code": finding.code,
                "message": finding_words(finding, lang),
                "weight": finding.weight,
            }
            for row, finding in _findings(plan)
        ],
    }


def as_text(plan: Plan, file: str, lang: str) -> str:
    """The same for people, with the first problems."""
    lines = [labels.text("import_plan.title", lang, file=file, rows=plan.rows_read)]
    names = labels.code_list("import_verdict", lang)
    lines += [f"  {names[verdict]}: {labels.number(count, lang)}" for verdict, count in plan.counts.items()]
    lines += [message for _, message in _notes(plan, lang)]
    for sheet in plan.sheets:
        lines += ["", *_sheet_lines(sheet, lang)]
    findings = list(_findings(plan))
    # What the sender must mend comes first, then what a person decides.
    findings.sort(key=lambda pair: ("wrong", "doubtful", "note").index(pair[1].weight))
    lines.append("")
    if not findings:
        return "\n".join([*lines, labels.text("import_plan.no_problems", lang)])
    shown = findings[:_SHOWN]
    lines.append(labels.text("import_plan.problems", lang, shown=len(shown), count=len(findings)))
    return "\n".join([*lines, *(_problem_line(row, finding, lang) for row, finding in shown)])


def _notes(plan: Plan, lang: str) -> list[tuple[str, str]]:
    return [(code, labels.text(f"import_notes.{code}", lang, **values)) for code, values in plan.notes]


def column_letters(number: int) -> str:
    """A column as the sender's screen names it: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters


def _sheet(sheet: SheetPlan) -> dict[str, Any]:
    reasons: dict[str, int] = {}
    for row in sheet.skipped:
        reasons[row.reason] = reasons.get(row.reason, 0) + 1
    return {
        "name": sheet.table.sheet.name,
        "hidden": sheet.table.sheet.hidden,
        "header_rows": list(sheet.table.header_rows),
        "rows_read": sheet.rows_read,
        **{str(verdict): count for verdict, count in sheet.counts.items()},
        "skipped_because": reasons,
    }


def _column(sheet: SheetPlan, column: Column) -> dict[str, Any]:
    return {
        "sheet": sheet.table.sheet.name,
        "column": column.number,
        "header": column.header,
        "field": column.field,
        "confidence": round(column.confidence, 2),
        "hidden": column.hidden,
        "encodings": [proposal.encoding for proposal in column.encodings],
    }


def _columns(plan: Plan) -> Iterator[tuple[SheetPlan, Column]]:
    return ((sheet, column) for sheet in plan.sheets for column in sheet.table.columns)


def _findings(plan: Plan) -> Iterator[tuple[PlannedRow, Finding]]:
    return ((row, finding) for row in plan.rows for finding in row.read.findings)


def _sheet_lines(sheet: SheetPlan, lang: str) -> list[str]:
    key = "import_plan.sheet_hidden" if sheet.table.sheet.hidden else "import_plan.sheet"
    lines = [labels.text(key, lang, sheet=sheet.table.sheet.name, rows=sheet.rows_read)]
    for reason, count in _sheet(sheet)["skipped_because"].items():
        words = labels.text(f"import_skips.{reason}", lang)
        lines.append("  " + labels.text("import_plan.skipped", lang, count=count, reason=words))
    if sheet.table.is_table:
        lines.append(labels.text("import_plan.columns", lang))
        lines += [_column_line(column, lang) for column in sheet.table.columns]
    return lines


def _column_line(column: Column, lang: str) -> str:
    header = column.header or labels.text("import_plan.no_header", lang)
    place = column_letters(column.number)
    if column.field is None:
        return labels.text("import_plan.column_kept", lang, column=place, header=header)
    field = labels.text(f"import_fields.{column.field}", lang)
    share = round(column.confidence * 100)
    line = labels.text("import_plan.column", lang, column=place, header=header, field=field, share=share)
    names = [labels.text(f"import_encodings.{proposal.encoding}", lang) for proposal in column.encodings]
    return line + (labels.text("import_plan.decoded", lang, encodings=", ".join(names)) if names else "")


def _problem_line(row: PlannedRow, finding: Finding, lang: str) -> str:
    said = {"sheet": row.read.sheet, "row": str(row.read.row), "message": finding_words(finding, lang)}
    if finding.column is None:
        return labels.text("import_plan.problem_of_row", lang, **said)
    return labels.text("import_plan.problem", lang, column=column_letters(finding.column), **said)
