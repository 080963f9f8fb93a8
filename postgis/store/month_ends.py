"""The counts of indicators at the ends of months that are over, kept for all who read them."""

from sqlalchemy import Connection, func, select, text


def keep(connection: Connection) -> str | None:
    """Counts what is final and not kept yet of one ward, whose code is returned; None where there is nothing to do.

    Within the caller's transaction of the role mapservice_staff, for which nobody need be signed in.
    """
    # Nobody waits for it, and a large ward may take longer than a request.
    connection.execute(text("SET LOCAL statement_timeout = '30min'"))
    kept: str | None = connection.execute(select(func.register.keep_month_ends())).scalar_one()
    return kept
