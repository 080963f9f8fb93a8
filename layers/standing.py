"""Which state of the data a transaction reads."""

from sqlalchemy import Connection, text

_STATE = text("""
    SELECT pg_current_snapshot(), seq, mark, base_loaded_at, today FROM published.register_head(0)
""")


def state_read(connection: Connection) -> str:
    """Names what the connection's transaction, of one snapshot, reads: two of one name read the same.

    More than the history's number, since a write that changes nothing moves `updated_at` and stands in no history: the
    snapshot says which transactions are seen. The rest tells the state from that of another database and another day.
    """
    return " ".join(map(str, connection.execute(_STATE).one()))
