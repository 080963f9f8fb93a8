"""What can be wrong with a request for data that only the data can tell."""


class InvalidCursor(ValueError):
    """The cursor was not made by this service for this kind of query."""


class TooBroad(Exception):
    """To answer would take reading and sorting more rows than anybody may ask for; `names`: the parameters that make it
    so."""

    def __init__(self, *names: str) -> None:
        super().__init__(", ".join(names))
        self.names = names


class InvalidFilter(ValueError):
    """A filter cannot be read or asked of a collection: `code` says why, `values` with what."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values
