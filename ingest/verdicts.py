"""What becomes of a row, in the words of the wire."""

from typing import Literal

Verdict = Literal["new", "changed", "same", "doubtful", "wrong", "skipped"]
VERDICTS: tuple[Verdict, ...] = ("new", "changed", "same", "doubtful", "wrong", "skipped")
