"""A file that is not read at all, or not to its end: why, as a code that `web/translations` has words for."""

from typing import Any


class Refusal(Exception):
    """The file as a whole is refused. `code` names the wording (`import_refusals.CODE`), `values` fill it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
