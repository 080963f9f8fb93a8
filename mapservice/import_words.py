"""A plan in the shape of the contract, and in words for people. Neither repeats what stands in a cell."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ingest.row_values import KEPT_FIELDS
from ingest.verdicts import VERDICTS
from web import labels

if TYPE_CHECKING:
    # Only named here: they bring shapely and numpy, which no web worker needs.
    from ingest.columns import Column
    from ingest.list_facts import FormProposal
    from ingest.plan_summary import PlanSummary, ProblemSummary, SheetSummary
    from ingest.refusal import Refusal
    from ingest.rows import ReadRow

_SHOWN = 20


def refusal_words(refusal: "Refusal", lang: str) -> str:
    """Why a file is refused."""
    return labels.text(f"import_refusals.{refusal.code}", lang, **refusal.values)


def failure_words(error: Mapping[str, Any], lang: str) -> str:
    """Why a job of an import was given up: what stands in the batch's `error`."""
    code, values = error["code"], error.get("values") or {}
    table = "import_failures" if code in labels.table("import_failures", lang) else "import_refusals"
    return labels.text(f"{table}.{code}", lang, **values)


def finding_words(code: str, values: Mapping[str, str] | Iterable[tuple[str, str]], lang: str) -> str:
    """What is to be said of a row."""
    table = "import_cells" if code.startswith("formula_") else "import_problems"
    return labels.text(f"{table}.{code}", lang, **dict(values))


def problems_of(row: "ReadRow", lang: str) -> list[dict[str, Any]]:
    """All that is to be said of a row, in the shape of the contract."""
    return [
        {
            "sheet": row.sheet,
            "row": row.row,
            "column": finding.column,
            "code": finding.code,
            "message": finding_words(finding.code, finding.values, lang),
            "weight": finding.weight,
        }
        for finding in row.findings
    ]


def as_json(
    summary: Mapping[str, Any], counts: Mapping[str, int], problems: list[dict[str, Any]], lang: str
) -> dict[str, Any]:
    """The object that `mapservice ingest --json` prints; `summary` as it is stored."""
    return {
        "rows_read": counts["rows_read"],
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "notes": [
            {"code": note["code"], "message": labels.text(f"import_notes.{note['code']}", lang, **note["values"])}
            for note in summary["notes"]
        ],
        "sheets": summary["sheets"],
        "columns": [{**column, "encodings": column["decoded_from"]} for column in summary["columns"]],
        "problems": problems,
        "sectors": summary["sectors"],
        "points": summary["points"],
    }


def as_text(plan: "PlanSummary", file: str, lang: str) -> str:
    """The same for people: each thing that was found once, with how often and where first."""
    lines = [labels.text("import_plan.title", lang, file=file, rows=labels.number(plan.rows_read, lang))]
    names = labels.code_list("import_verdict", lang)
    lines += [f"  {names[verdict]}: {labels.number(count, lang)}" for verdict, count in plan.counts.items()]
    lines += [message for _, message in _notes(plan, lang)]
    for sheet in plan.sheets:
        lines += ["", *_sheet_lines(sheet, lang)]
    # What the sender must mend comes first, then what a person decides.
    problems = sorted(plan.problems.values(), key=lambda each: ("wrong", "doubtful", "note").index(each.weight))
    lines.append("")
    if not problems:
        return "\n".join([*lines, labels.text("import_plan.no_problems", lang)])
    lines.append(labels.text("import_plan.problems", lang, shown=min(len(problems), _SHOWN), count=len(problems)))
    return "\n".join([*lines, *(_problem_line(problem, lang) for problem in problems[:_SHOWN])])


def _notes(plan: "PlanSummary", lang: str) -> list[tuple[str, str]]:
    return [(code, labels.text(f"import_notes.{code}", lang, **values)) for code, values in plan.notes]


def column_letters(number: int) -> str:
    """A column as the sender's screen names it: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters


def _sheet_lines(sheet: "SheetSummary", lang: str) -> list[str]:
    key = "import_plan.sheet_hidden" if sheet.table.sheet.hidden else "import_plan.sheet"
    lines = [labels.text(key, lang, sheet=sheet.table.sheet.name, rows=sheet.rows_read)]
    for reason, count in sheet.skipped_because.items():
        words = labels.text(f"import_skips.{reason}", lang)
        lines.append("  " + labels.text("import_plan.skipped", lang, count=count, reason=words))
    if sheet.proposal is not None:
        lines.append(_form_line(sheet.proposal, sheet.legal_form, lang))
    if sheet.table.is_table:
        lines.append(labels.text("import_plan.columns", lang))
        lines += [_column_line(column, lang) for column in sheet.table.columns]
    return lines


def _form_line(proposal: "FormProposal", used: str | None, lang: str) -> str:
    form = labels.text(f"codes.legal_form.{proposal.legal_form}", lang)
    key = "list_form" if used == proposal.legal_form else "list_form_unused"
    return "  " + labels.text(f"import_plan.{key}", lang, form=form, said_by=proposal.said_by)


def _column_line(column: "Column", lang: str) -> str:
    header = column.header or labels.text("import_plan.no_header", lang)
    place = column_letters(column.number)
    if column.field is None or column.field in KEPT_FIELDS:
        return labels.text("import_plan.column_kept", lang, column=place, header=header)
    field = labels.text(f"import_fields.{column.field}", lang)
    share = round(column.confidence * 100)
    line = labels.text("import_plan.column", lang, column=place, header=header, field=field, share=share)
    names = [labels.text(f"import_encodings.{proposal.encoding}", lang) for proposal in column.encodings]
    return line + (labels.text("import_plan.decoded", lang, encodings=", ".join(names)) if names else "")


def _problem_line(problem: "ProblemSummary", lang: str) -> str:
    message = finding_words(problem.code, problem.values, lang)
    rows = ", ".join(labels.number(row, lang) for row in problem.rows)
    more = ", …" if problem.count > len(problem.rows) else ""
    said = {
        "sheet": problem.sheet,
        "count": labels.number(problem.count, lang),
        "rows": rows + more,
        "message": message,
    }
    if problem.column is None:
        return labels.text("import_plan.problem_of_row", lang, **said)
    return labels.text("import_plan.problem", lang, column=column_letters(problem.column), **said)
