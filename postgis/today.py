"""What day it is where the wards are, whatever the machine's clock is set to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def today() -> date:
    """The day in Vietnam."""
    return datetime.now(VIETNAM).date()
