"""A ward with a street of shops that do and do not accept cashless payment, for tests of worklists."""

from typing import Any

from sqlalchemy import text

from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.store import records

STREET = "Đường Thử Việc"
INDICATOR = "payment_account_or_qr"
DAY = "2026-02-03"


def add_street(database: Database, actor: Actor, lon: float = 108.2136, lat: float = 16.0432) -> dict[str, str]:
    """Twelve shops, house numbers 1 to 12, some 20 m apart to the east: the first three accept, the next two take cash
    only, the sixth refused, of the others nobody knows. Codes by house number."""
    made: dict[str, str] = {}
    with write_as(database, actor, reason="a street", source="office") as connection:
        for number in range(1, 13):
            point = [round(lon + number * 0.0002, 6), round(lat + (0.0001 if number % 2 else -0.0001), 6)]
            place = records.create(
                connection, "establishments",
                {"name": f"Quán số {number}", "sector_group": "food_service", "source": "office",
                 "operating_status": "active", "address": f"{number} {STREET}", "house_number": str(number),
                 "street_name": STREET, "legal_form": "household_business", "position_method": "surveyed",
                 "geometry": {"type": "Point", "coordinates": point}},
                ward_id=actor.ward_id,
            ).code  # fmt: skip
            made[str(number)] = place
            office: dict[str, Any] = {"establishment": place, "source": "office"}
            if number <= 5:
                method = "vietqr" if number <= 3 else "cash_only"
                records.create(
                    connection, "payment_acceptances",
                    {"method": method, "accepted": True, "evidence_level": "observed", "checked_on": DAY, **office},
                    ward_id=actor.ward_id,
                )  # fmt: skip
            if number == 6:
                visit = {"visited_on": DAY, "outcome": "refused", **office}
                records.create(connection, "visits", visit, ward_id=actor.ward_id)
    return made


def plan(database: Database, ward: str, value: float = 50) -> None:
    """The indicator with a target, as a plan of the ward."""
    with database.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO register.indicator (ward_code, code, title, unit, report, source, measured_by) "
                 "VALUES (:ward, :code, 'Thử', '%', 'monthly', '1', 'register') ON CONFLICT DO NOTHING"),
            {"ward": ward, "code": INDICATOR},
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO register.target (ward_code, indicator_code, due, comparator, value) "
                 "VALUES (:ward, :code, '2026-12-31', 'at_least', :value) ON CONFLICT DO NOTHING"),
            {"ward": ward, "code": INDICATOR, "value": value},
        )  # fmt: skip
