"""A small ward for tests: staff of every role, places with a record of every kind, everything invented."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, text

from postgis import tables
from postgis.actor import Actor, write_as
from postgis.engine import Database
from postgis.store import records
from postgis.store.proposals import new_receipt

WARD, OTHER_WARD = "20257", "20275"
MIDDLE = {WARD: (108.2136, 16.0432), OTHER_WARD: (108.2368, 16.0700)}
ROLES = ("surveyor", "officer", "approver", "admin")


@dataclass
class SmallWard:
    """What `fill` has made: codes by collection."""

    ward: str
    places: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    codes: dict[str, list[str]] = field(default_factory=dict)
    receipt: str = ""
    report: str = ""
    """The receipt of a citizen's report."""


def add_staff(database: Database, login: str, role: str, ward: str = WARD, **values: Any) -> Actor:
    """A member of staff, straight into the table; without `password_hash` nobody can sign in as them."""
    with database.owner.begin() as connection:
        ward_id = ward_id_of(connection, ward)
        row = {"display_name": f"{role} {login}", "password_hash": "-", "role": role, "ward_id": ward_id} | values
        staff = tables.staff
        staff_id = connection.execute(insert(staff).values(login=login, **row).returning(staff.c.id)).scalar_one()
    return Actor(staff_id, login, str(row["display_name"]), role, ward_id, ward)


def ward_id_of(connection: Connection, ward: str) -> int:
    found = select(tables.ward.c.id).where(tables.ward.c.code == ward, tables.ward.c.valid_to.is_(None))
    return int(connection.execute(found).scalar_one())


def fill(database: Database, actor: Actor, places: int) -> SmallWard:
    """Places with one record of every kind each, written the way an officer writes them; and a row of every other table
    that belongs to a ward."""
    made = SmallWard(actor.ward_code, receipt=new_receipt(), report=new_receipt())
    with write_as(database, actor, reason="a small ward", source="office") as connection:
        made.codes["model_sites"] = [_model_site(connection, actor)]
        for number in range(places):
            _place(connection, actor, number, made)
    named = {"ward_id": actor.ward_id, "staff_id": actor.staff_id}
    with database.owner.begin() as connection:
        for statement in _OTHER_ROWS:
            connection.execute(text(statement), {**named, "receipt": made.receipt, "report": made.report})
    return made


def lift_warnings(database: Database, place: str) -> None:
    """Lifts what the public is warned of at a place, as two persons would: a place with a warning cannot be ended."""
    with database.owner.begin() as connection:
        connection.execute(
            text("UPDATE register.warning SET lifted_on = current_date WHERE lifted_on IS NULL AND establishment_id = "
                 "(SELECT id FROM register.establishment WHERE code = :place)"), {"place": place},
        )  # fmt: skip


def _model_site(connection: Connection, actor: Actor) -> str:
    lon, lat = MIDDLE[actor.ward_code]
    ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.001], [lon, lat + 0.001], [lon, lat]]
    values = {"kind": "market", "name": "Chợ Thử", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return records.create(connection, "model_sites", values, ward_id=actor.ward_id).code


def _place(connection: Connection, actor: Actor, number: int, made: SmallWard) -> None:
    def add(collection: str, **values: Any) -> str:
        code = records.create(connection, collection, values, ward_id=actor.ward_id).code
        made.codes.setdefault(collection, []).append(code)
        return code

    lon, lat = MIDDLE[actor.ward_code]
    # Some 30 m apart, in rows of 20.
    point = [round(lon + (number % 20 - 10) * 0.0003, 6), round(lat + number // 20 * 0.0003, 6)]
    entity = add("legal_entities", registered_name=f"Hộ kinh doanh Thử {number}", legal_form="household_business")
    place = add(
        "establishments", name=f"Quán Thử {number}", sector_group="food_service", source="office",
        address=f"{number} Đường Thử", operating_status="active", legal_entity=entity,
        geometry={"type": "Point", "coordinates": point}, position_method="surveyed",
    )  # fmt: skip
    made.places.append(place)
    made.entities.append(entity)
    day, office = "2026-01-02", {"establishment": place, "source": "office"}
    add("licences", kind="business_registration", checked_on=day, **office)
    add("food_safety_records", kind="commitment", checked_on=day, **office)
    add("inspections", inspected_on=day, agency="Đoàn thử", result="pass", signed_on=day, **office)
    add("warnings", issued_on=day, headline="Cảnh báo thử", agency="Đoàn thử", **office)
    add(
        "payment_acceptances", method="vietqr", accepted=True, evidence_level="observed", checked_on=day, **office
    )  # fmt: skip
    add("digital_uses", kind="e_invoice", used=True, checked_on=day, **office)
    add("outreach", kind="visit", done_on=day, topic="Thử", **office)
    add("visits", visited_on=day, outcome="surveyed", **office)


_OTHER_ROWS = (
    """INSERT INTO register.photo (establishment_id, file, width, height, source)
       SELECT id, lpad(CAST(:ward_id AS text), 64, '0'), 8, 8, 'office'
         FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.personal_datum (legal_entity_id, field, ciphertext, lookup_hash, mask)
       SELECT id, 'owner_phone', '\\x00', '\\x00', '***' FROM register.legal_entity WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.proposal (receipt, ward_id, collection, record_code, base_version, base, patch, reason,
                                      source, risk, proposer_kind, proposed_by)
       SELECT :receipt, :ward_id, 'establishments', code, version, '{}', '{"name": "Quán Đề nghị"}', 'thử',
              'office', 'normal', 'staff', :staff_id
         FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.distinct_pair (establishment_id, other_id, reason, decided_by)
       SELECT min(id), max(id), 'thử', :staff_id FROM register.establishment WHERE ward_id = :ward_id
       HAVING min(id) < max(id)""",
    """INSERT INTO register.residential_group (code, ward_id, number, name)
       SELECT code || '-901', id, 901, 'Tổ Thử' FROM register.ward WHERE id = :ward_id""",
    """INSERT INTO register.lookup_day (establishment_id, day, lookups)
       SELECT id, current_date, 7 FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.lookup_month (ward_id, month, lookups)
       VALUES (:ward_id, date_trunc('month', current_date), 7)""",
    """INSERT INTO register.ward_shelf_life (ward_id, fact, months) VALUES (:ward_id, 'payment', 6)""",
    """INSERT INTO register.import_batch (code, ward_id, file_name, file_size, file_sha256, created_by)
       VALUES ('IM' || :ward_id, :ward_id, 'thu.xlsx', 1, '\\x00', :staff_id)""",
    """INSERT INTO register.import_row (batch_id, number, sheet, row, verdict)
       SELECT id, 1, 'Sheet1', 2, 'new' FROM register.import_batch WHERE ward_id = :ward_id""",
    """INSERT INTO register.import_shape (ward_id, signature, saved_by) VALUES (:ward_id, 'thử', :staff_id)""",
    """INSERT INTO register.import_progress (batch_id, step)
       SELECT id, 'reading' FROM register.import_batch WHERE ward_id = :ward_id""",
    """INSERT INTO register.import_kept_datum (batch_id, entity_code, field, written_hash)
       SELECT id, 'LE', 'owner_phone', '\\x00' FROM register.import_batch WHERE ward_id = :ward_id""",
    """INSERT INTO register.sticker_key (version, fingerprint) VALUES (1, 'thử') ON CONFLICT DO NOTHING""",
    """INSERT INTO register.sticker_run (ward_id, request_key, chosen_by, choice, layout, per_page, stickers, pages)
       VALUES (:ward_id, 'thử ' || :ward_id, 'ward', '{}', 'a4_10', 10, 1, 1)""",
    """INSERT INTO register.sticker_print (run_id, first_page, last_page)
       SELECT id, 1, 1 FROM register.sticker_run WHERE ward_id = :ward_id""",
    """INSERT INTO register.sticker (serial, ward_id, establishment_id, run_id, position, key_version)
       SELECT translate(w.code, '01', 'AC'), w.id, e.id, r.id, 1, 1
         FROM register.sticker_run r JOIN register.ward w ON w.id = r.ward_id
         JOIN register.establishment e ON e.ward_id = w.id WHERE w.id = :ward_id LIMIT 1""",
    """INSERT INTO register.sticker_event (sticker_id, kind) SELECT id, 'printed' FROM register.sticker
        WHERE ward_id = :ward_id""",
    """INSERT INTO register.owner_code (establishment_id, code_hash, made_by, expires_at)
       SELECT id, '\\x00', :staff_id, now() FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.payment_account (establishment_id, bank_bin, account_hash, buyer_check, checked_by)
       SELECT id, '970400', '\\x00', false, :staff_id FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.payment_check_count (establishment_id, hour, checks)
       SELECT id, '2026-01-02 03:00+07', 1 FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.owner_request (receipt, establishment_id)
       SELECT :receipt, id FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.citizen_report (receipt, ward_id, establishment_id, kind, words_sealed, due_on, due_certain)
       SELECT :report, :ward_id, id, 'other', '\\x00', '2026-11-25', true
         FROM register.establishment WHERE ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.criterion_proof (ward_id, criterion, title, number, dated_on, file, file_kind, file_bytes,
                                             added_by)
       VALUES (:ward_id, 'update_rules', 'Quy chế thử', '1/QC', '2026-01-02', lpad(CAST(:ward_id AS text), 64, '0'),
               'pdf', 1, :staff_id)""",
    """INSERT INTO register.phase_note (ward_id, phase, kind, words, request_key, staff_id, staff_name, staff_role)
       VALUES (:ward_id, 'phase_1', 'blocker', 'thử', 'thử ' || :ward_id, :staff_id, 'thử', 'officer')""",
    """INSERT INTO register.work_list (ward_id, indicator, scope, scope_code, assignee_id, title, due_on,
                                       responsibility, product, expected_result, made_by)
       SELECT id, 'payment_account_or_qr', 'residential_group', code || '-901', :staff_id, 'thử', '2100-01-01', 'thử',
              'thử', 'thử', :staff_id
         FROM register.ward WHERE id = :ward_id""",
    """INSERT INTO register.work_item (list_id, establishment_id, position, standing)
       SELECT l.id, e.id, 1, 'no' FROM register.work_list l JOIN register.establishment e ON e.ward_id = l.ward_id
        WHERE l.ward_id = :ward_id LIMIT 1""",
    """INSERT INTO register.entered_figure (ward_id, indicator_code, as_of, value, source, entered_by)
       VALUES (:ward_id, 'retail_cashless_share', '2026-01-31', 41.5, 'thử', :staff_id)""",
    """INSERT INTO register.month_end_count (ward_id, month_end, indicator_code, definition, history, population, yes,
                                             no, refused)
       VALUES (:ward_id, '2026-01-31', 'digital_outreach', 'thử', '', 6, 1, 5, 0)""",
    """INSERT INTO register.board_report (ward_id, kind, period, version, results, written_by)
       VALUES (:ward_id, 'monthly', '2026-01', 1, 'thử', :staff_id)""",
    """INSERT INTO account.reveal (staff_id, legal_entity_id, field, purpose)
       SELECT :staff_id, id, 'owner_phone', 'thử nghiệm' FROM register.legal_entity WHERE ward_id = :ward_id LIMIT 1""",
)
