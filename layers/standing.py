"""Which state of the data a transaction reads."""

from sqlalchemy import Connection, text

_STATE = text("SELECT seq, history_mark, published_mark, today FROM published.standing")


def state_read(connection: Connection) -> str:
    """Names what the connection's transaction, of one snapshot, reads: two of one name read the same published data.

    What the public sees changes with the history, or moves the mark beside it, or with the day; nothing else moves it.
    """
    return " ".join(map(str, connection.execute(_STATE).one()))
