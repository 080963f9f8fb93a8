"""The look-up page in each of its states, as the demo's register has them."""

import random
from pathlib import Path

from sqlalchemy import text

from postgis import codes, sticker_marks
from postgis.engine import open_database
from postgis.secrets import open_secrets
from postgis.settings import DatabaseSettings

_PLACES = {
    "good": "NOT live_warning AND food_safety_status = 'certified' AND last_inspection_result = 'pass' "
    "AND licence_status = 'valid' AND operating_status = 'active'",
    "warned": "live_warning AND operating_status = 'active'",
    "never inspected": "NOT live_warning AND last_inspection_on IS NULL AND food_safety_status = 'unknown' "
    "AND sector_group = 'food_service' AND operating_status = 'active'",
    "closed": "operating_status = 'closed'",
}
"""By state, which places of the published view are in it."""


def variants(data_dir: Path) -> dict[str, str]:
    """A page's path by what it shows; that of a place is what its sticker would open, had it one."""
    with open_database(DatabaseSettings(data_dir=data_dir, database_url=None)) as database:
        with database.public.connect() as connection:
            found = {
                name: connection.execute(
                    text(f"SELECT code FROM published.establishments WHERE illustrative AND {wanted} "
                         "ORDER BY length(name) DESC, code LIMIT 1")
                ).scalar_one()
                for name, wanted in _PLACES.items()
            }  # fmt: skip
            gone = connection.execute(
                text("SELECT code, serial FROM published.stickers WHERE state = 'withdrawn' ORDER BY serial LIMIT 1")
            ).one()
        key = open_secrets(data_dir).sticker_key(1)[0]
    pages = {name: f"/q/{code}" for name, code in found.items()}
    pages["withdrawn sticker"] = f"/q/{gone.code}?t={gone.serial}{sticker_marks.mark(key, gone.code, gone.serial)}"
    pages["unknown"] = f"/q/{codes.new_code(random.Random(20257))}"
    pages["false sticker"] = f"{pages['good']}?t=2222222222"
    return pages
