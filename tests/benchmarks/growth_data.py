"""Invented registers of any size, all of the same density: more wards, not denser ones.

A ward is a square of 3 km with 10,000 places along its streets, as Hòa Cường has; ten wards make a town, and towns lie
scattered over open water off the central coast, far from land and from both archipelagos, where no real name is. The
first ward is the same row by row at every size. Every row is marked illustrative, and no name belongs to anybody.

Set-based SQL straight into the register's own tables, past its triggers: facts are made by the register's own function,
the history is left out. For measuring only.
"""

import math
from collections.abc import Callable

from sqlalchemy import Connection, text

from postgis.bulk import analyse
from postgis.engine import Database

WARD_PLACES = 10_000
_TOWN_WARDS = 10
_SIDE = 0.027
"""Degrees: 3 km."""
FIRST_WARD = "90001"
_PACE = """
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    SET LOCAL maintenance_work_mem = '1GB';
    SET LOCAL max_parallel_maintenance_workers = 2;
"""

_WARD = text(f"""
    INSERT INTO register.ward (code, name, name_en, kind, province_code, valid_from, population, area_km2, geom)
    VALUES (:code, 'Phường Minh Họa ' || :number, 'Illustration ward ' || :number, 'ward', '90', '2025-07-01', 40000, 9,
            ST_Multi(ST_MakeEnvelope(:west, :south, :west + {_SIDE}, :south + {_SIDE}, 4326)))
    RETURNING id
""")

_GROUPS = text(f"""
    INSERT INTO register.residential_group (code, ward_id, number, name, illustrative, geom)
    SELECT :code || '-' || lpad((n + 1)::text, 3, '0'), :ward, n + 1, 'Tổ minh họa ' || n + 1, true,
           ST_Multi(ST_MakeEnvelope(:west + n % 10 * {_SIDE / 10}, :south + n / 10 * {_SIDE / 10},
                                    :west + (n % 10 + 1) * {_SIDE / 10}, :south + (n / 10 + 1) * {_SIDE / 10}, 4326))
      FROM generate_series(0, 99) n
    ORDER BY n
""")

# A number 0 <= r < 1 for each row and purpose, the same on every machine: hashes, not random().
_DRAWS = ", ".join(f"(hashint8extended(n + :seed * 1000003, {r}) & 1048575) / 1048576.0 AS r{r}" for r in range(1, 10))
_DRAWN = f"""
    WITH drawn AS (
        SELECT n, :first + n + 1 AS serial,
               {
    ", ".join(
        f"(hashint8extended(n + :seed * 1000003, {purpose}) & 1048575) / 1048576.0 AS r{purpose}"
        for purpose in range(1, 10)
    )
}
          FROM generate_series(0, {WARD_PLACES - 1}) n
    )
"""

_DIGITS = [f"(number / {23 ** (7 - place)} % 23)::int" for place in range(1, 8)]
_SUM = " + ".join(f"{place} * {digit}" for place, digit in enumerate(_DIGITS, 1))
# The multiplier has no factor 23, so that no two numbers share a code; neighbours get codes that are far apart.
MAKE_CODE = f"""
    CREATE OR REPLACE FUNCTION pg_temp.invented_code(serial bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT {" || ".join(f"substr(letters, {digit} + 1, 1)" for digit in _DIGITS)}
               -- As in postgis/codes.py: 3 undoes the weight 8 of the check character.
               || substr(letters, (23 * 100 - 3 * ({_SUM})) % 23 + 1, 1)
          FROM (SELECT serial * 2654435761 % {23**7} AS number, '23456789ACEFHJKMNPRTWXY' AS letters) s
    $$
"""

_CODES = text(f"""
    INSERT INTO register.lookup_code (code)
    SELECT pg_temp.invented_code(:first + n + 1) FROM generate_series(0, {WARD_PLACES - 1}) n ORDER BY 1
""")

_KINDS = (
    ("cafe_drinks", "Cà Phê", 18), ("food_service", "Quán Ăn", 10), ("food_service", "Phở", 4),
    ("food_service", "Bún Chả Cá", 3), ("food_service", "Mì Quảng", 4), ("food_service", "Cơm Gà", 3),
    ("food_service", "Bánh Mì", 5), ("grocery", "Tạp Hóa", 14), ("fashion", "Thời Trang", 9),
    ("pharmacy_cosmetics", "Nhà Thuốc", 4), ("electronics", "Điện Máy", 3), ("lodging", "Khách Sạn", 3),
    ("beauty_laundry", "Tiệm Tóc", 7), ("repair", "Sửa Xe", 5), ("education", "Trung Tâm", 3),
    ("household_goods", "Nội Thất", 3), ("health", "Nha Khoa", 2),
)  # fmt: skip
_FIRST = (
    "Hương", "Hoa", "Biển", "Nắng", "Gió", "Mây", "Sông", "Suối", "Trăng", "Sao", "Lá", "Cỏ", "Đá", "Cát", "Sóng",
    "Xanh", "Hồng", "Vàng", "Tím", "Bạc", "Ngọc", "Sen", "Mai", "Đào", "Cúc", "Lan", "Tre", "Trúc", "Thông", "Dừa",
)  # fmt: skip
_SECOND = (
    "Quê", "Phố", "Xưa", "Mới", "Việt", "Nhà", "Vườn", "Ven Đường", "Cổng Chợ", "Sớm Mai", "Chiều Hè", "Bốn Mùa",
    "Đầu Ngõ", "Thân Quen", "Ấm Áp", "Rộn Ràng", "Bình Minh", "Yên Vui", "Thơm Ngon", "Gần Gũi",
)  # fmt: skip
_STREET = (
    "Hoa Sữa", "Hoa Phượng", "Cây Bàng", "Cây Khế", "Bờ Đê", "Bến Thuyền", "Lò Gốm", "Ruộng Lúa", "Đồi Cọ",
    "Giếng Nước",
)  # fmt: skip


def _array(words: tuple[str, ...]) -> str:
    return "ARRAY[" + ", ".join(f"'{word}'" for word in words) + "]"


def _pick(words: tuple[str, ...], number: str) -> str:
    return f"({_array(words)})[1 + floor(({number}) * {len(words)})::int]"


_WEIGHED = tuple(kind for kind in _KINDS for _ in range(kind[2]))
_PLACES = text(f"""
    {_DRAWN}, placed AS (
        -- Forty streets a ward, the first the busiest; every other one runs north.
        SELECT d.*, floor(40 * r1 * r1)::int AS street, {_SIDE} * (r2 * 0.96 + 0.02) AS along,
               1 + floor(r3 * {len(_WEIGHED)})::int AS kind
          FROM drawn d
    ), named AS (
        SELECT p.*, ({_array(tuple(kind[0] for kind in _WEIGHED))})[kind] AS sector_group,
               ({_array(tuple(kind[1] for kind in _WEIGHED))})[kind] AS trade,
               {_SIDE} * (0.0125 + street / 40.0) + (r4 - 0.5) * 0.0002 AS across,
               {_pick(_STREET, "street / 40.0")} || ' ' || street + 1 || ' Minh Họa' AS street_name
          FROM placed p
    )
    INSERT INTO register.establishment (
        code, ward_id, residential_group_id, name, legal_form, sector_group, offering, house_number, street_name,
        address, operating_status, opened_on, geom, position_method, position_accuracy_m, verified_on, source,
        source_ref, illustrative)
    SELECT pg_temp.invented_code(serial), :ward,
           :group + least(9, floor((CASE street % 2 WHEN 0 THEN along ELSE across END) / {_SIDE / 10})::int)
                  + 10 * least(9, floor((CASE street % 2 WHEN 0 THEN across ELSE along END) / {_SIDE / 10})::int),
           trade || ' ' || {_pick(_FIRST, "r5")} || ' ' || {_pick(_SECOND, "r6")}
                 || CASE WHEN r7 < 0.3 THEN ' ' || 1 + floor(r7 * 3333)::int ELSE '' END,
           (ARRAY['household_business', 'enterprise', 'branch'])[1 + floor(r7 * r7 * 3)::int], sector_group,
           CASE WHEN r8 < 0.3 THEN 'mang về' END, 1 + floor(along * 10000)::int, 'Đường ' || street_name,
           1 + floor(along * 10000)::int || ' Đường ' || street_name || ', Phường Minh Họa ' || :number,
           CASE WHEN r8 < 0.9 THEN 'active' WHEN r8 < 0.96 THEN 'closed' ELSE 'unknown' END,
           CURRENT_DATE - 400 - (r9 * 3000)::int,
           ST_SetSRID(ST_MakePoint(:west + CASE street % 2 WHEN 0 THEN along ELSE across END,
                                   :south + CASE street % 2 WHEN 0 THEN across ELSE along END), 4326),
           'generated', 10, CURRENT_DATE - (r9 * 380)::int, 'demo', 'growth-' || serial, true
      FROM named ORDER BY n
    RETURNING id
""")

_RECORDS = (
    """INSERT INTO register.licence (establishment_id, kind, issuer, issued_on, expires_on, source, checked_on)
       SELECT id, 'business_registration', 'Cơ quan minh họa', CURRENT_DATE - 300, CURRENT_DATE + id::int % 900 - 60,
              'demo', CURRENT_DATE - 30
         FROM register.establishment WHERE ward_id = :ward AND id % 2 = 0 ORDER BY id""",
    """INSERT INTO register.payment_acceptance (establishment_id, method, accepted, evidence_level, checked_on, source)
       SELECT id, CASE WHEN id % 5 = 0 THEN 'cash_only' ELSE 'vietqr' END, true, 'observed',
              CURRENT_DATE - id::int % 90, 'demo'
         FROM register.establishment WHERE ward_id = :ward AND id % 5 < 3 ORDER BY id""",
    """INSERT INTO register.food_safety_record (
           establishment_id, kind, agency, issued_on, valid_until, checked_on, source)
       SELECT id, 'commitment', 'Cơ quan minh họa', CURRENT_DATE - 200, CURRENT_DATE + id::int % 900 - 60,
              CURRENT_DATE - 30, 'demo'
         FROM register.establishment
        WHERE ward_id = :ward AND sector_group IN ('food_service', 'cafe_drinks') AND id % 2 = 0 ORDER BY id""",
    """INSERT INTO register.inspection (establishment_id, inspected_on, agency, result, signed_on, source)
       SELECT id, CURRENT_DATE - 60, 'Đoàn minh họa', CASE WHEN id % 20 = 1 THEN 'fail' ELSE 'pass' END,
              CURRENT_DATE - 59, 'demo'
         FROM register.establishment WHERE ward_id = :ward AND id % 10 = 1 ORDER BY id""",
)


def fill(database: Database, places: int, say: Callable[[str], None] = print) -> None:
    """Fills a database that has base data and no establishment with that many invented ones, rounded to whole wards.

    As the administrator, who may pass the triggers by.
    """
    wards = max(1, round(places / WARD_PLACES))
    with database.administrator() as connection:
        connection.execute(text("BEGIN"))
        connection.exec_driver_sql(_PACE)
        connection.exec_driver_sql(MAKE_CODE, execution_options={"no_parameters": True})
        indexes = drop_indexes(connection) if wards > 5 else []
        for number in range(1, wards + 1):
            _fill_ward(connection, number)
            if number % 50 == 0:
                say(f"{number} of {wards} wards")
        for made in indexes:
            connection.exec_driver_sql(made)
            say(made.partition(" ON ")[0].lower())
        connection.execute(_SEARCH_WORDS)
        connection.execute(text("COMMIT"))
    with database.owner.begin() as connection:
        analyse(connection)
        connection.execute(text("SELECT register.fill_tile_cells()"))
        # The first row of a history: without one an upgrade would write down all that there is.
        connection.execute(text("UPDATE register.establishment SET stall = '1' WHERE id = 1"))
    with database.administrator() as connection:
        connection.execute(text("VACUUM (ANALYZE) register.establishment"))
        connection.execute(text("VACUUM (ANALYZE) register.establishment_fact"))


_SEARCH_WORDS = text("""
    INSERT INTO register.search_word (word)
    SELECT DISTINCT w.word
      FROM register.establishment e CROSS JOIN LATERAL unnest(string_to_array(e.search_key, ' ')) AS w (word)
        ON CONFLICT DO NOTHING
""")


def _fill_ward(connection: Connection, number: int) -> None:
    west, south = _corner(number)
    named = {"code": f"{90000 + number:05d}", "number": str(number), "west": west, "south": south}
    ward = connection.execute(_WARD, named).scalar_one()
    connection.execute(_GROUPS, {**named, "ward": ward})
    group = connection.execute(
        text("SELECT min(id) FROM register.residential_group WHERE ward_id = :ward"), {"ward": ward}
    ).scalar_one()
    first = (number - 1) * WARD_PLACES
    connection.execute(_CODES, {"first": first})
    connection.execute(_PLACES, {**named, "ward": ward, "group": group, "first": first, "seed": number})
    for statement in _RECORDS:
        connection.execute(text(statement), {"ward": ward})
    connection.execute(_FACTS, {"ward": ward})


_FACTS = text(
    "SELECT register.refresh_establishment_facts(ARRAY(SELECT id FROM register.establishment WHERE ward_id = :ward))"
)


def _corner(number: int) -> tuple[float, float]:
    """West and south of a ward, in degrees. Towns lie in a spiral of golden angles, the first one in the middle."""
    town, ward = divmod(number - 1, _TOWN_WARDS)
    radius, angle = 0.17 * math.sqrt(town), town * 2.399963
    west, south = 111 + radius * math.cos(angle), 13.2 + radius * math.sin(angle)
    return round(west + ward % 5 * _SIDE, 6), round(south + ward // 5 * _SIDE, 6)


def drop_indexes(connection: Connection, table: str = "establishment") -> list[str]:
    """Drops what is quicker made again at the end; returns how."""
    found = connection.execute(
        text("""
            SELECT format('%I.%I', schemaname, indexname) AS name, indexdef FROM pg_indexes
             WHERE schemaname = 'register' AND tablename = :table AND indexname NOT LIKE 'pk%'
               AND indexname NOT LIKE 'uq_%' || CASE :table WHEN 'establishment' THEN 'code' ELSE '' END
               AND indexname <> 'ix_establishment_ward_id'
        """),
        {"table": table},
    ).all()
    for each in found:
        connection.exec_driver_sql(f"DROP INDEX {each.name}")
    return [each.indexdef for each in found]
