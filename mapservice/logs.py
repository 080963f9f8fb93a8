"""Structured logs: one JSON object a line on standard error, without personal data.

Only the message we wrote and the fields we named are logged. Exception texts are not: they may quote what somebody
typed.
"""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = ("request_id", "method", "route", "status", "ms", "error", "frames", "rows", "seconds", "step", "detail")
"""The fields that may stand beside a message. Nothing else passed in `extra` reaches the log."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: record.__dict__[name] for name in FIELDS if name in record.__dict__})
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return _write(line)


_write = json.JSONEncoder(ensure_ascii=False, default=str).encode


def configure(level: int = logging.INFO) -> None:
    """Sends the logs of this process to standard error, as JSON lines."""
    # Found out for every line, and in none of ours.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # uvicorn's own lines would hold the address as typed and who asked.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # fontTools and Pillow narrate every table they read.
    for name in ("fontTools", "PIL", "fpdf"):
        logging.getLogger(name).setLevel(logging.WARNING)
