"""What can be wrong with a request for data that only the data can tell."""


class InvalidCursor(ValueError):
    """The cursor was not made by this service for this kind of query."""
