-- mapservice_public reads the published schema and nothing else, whatever was granted before. mapservice_staff reads and
-- writes the register under row-level security (120_row_security.sql), and deletes nothing. What it may do with accounts
-- stands in 930_accounts.sql.

REVOKE ALL ON ALL TABLES IN SCHEMA register, account FROM PUBLIC, mapservice_public, mapservice_staff;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA register, account FROM PUBLIC, mapservice_public, mapservice_staff;
REVOKE ALL ON SCHEMA register, account FROM PUBLIC, mapservice_public;

GRANT USAGE ON SCHEMA published TO mapservice_public, mapservice_staff;
REVOKE ALL ON ALL TABLES IN SCHEMA published FROM PUBLIC, mapservice_public;
GRANT SELECT ON ALL TABLES IN SCHEMA published TO mapservice_public, mapservice_staff;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA published TO mapservice_public, mapservice_staff;

GRANT USAGE ON SCHEMA register, account TO mapservice_staff;
GRANT SELECT ON ALL TABLES IN SCHEMA register TO mapservice_staff;
GRANT INSERT, UPDATE ON register.legal_entity, register.personal_datum, register.establishment, register.licence,
    register.food_safety_record, register.inspection, register.warning, register.payment_acceptance, register.digital_use,
    register.model_site, register.photo, register.outreach, register.visit, register.proposal, register.ward_shelf_life,
    register.distinct_pair, register.import_batch, register.import_row, register.import_shape, register.import_progress,
    register.import_kept_datum, register.sticker_run, register.sticker TO mapservice_staff;
GRANT INSERT ON register.lookup_code, register.sticker_key, register.sticker_print, register.sticker_event,
    register.entered_figure, register.board_report TO mapservice_staff;
GRANT EXECUTE ON FUNCTION register.verify_changes(), register.shelf_life_months(bigint, text),
    register.state_at(text, text, timestamptz), register.wire_state(jsonb), register.own_ward_code(),
    register.establishments_as_of(text, timestamptz), register.states_known_now(text, date), register.head_at(timestamptz),
    register.counts_in_figures(text, text), register.day_is_final(date), register.points_without_cells(int),
    register.note_cells(bigint[], text[]), register.note_outlines(bigint[], text[]) TO mapservice_staff;
GRANT EXECUTE ON FUNCTION register.indicator_codes(), register.one_used(text[], text[], text[]),
    register.indicator_answers(text, text, text, text, bigint, text, text, text, text[], text[], date),
    register.indicator_counts(text, text[], date, boolean, text),
    register.indicator_trend(text, text[], date, date), register.count_month_ends(bigint, text[], date[]),
    register.indicator_definition(), register.history_until(date), register.month_ends_kept(bigint),
    register.keep_month_ends() TO mapservice_staff;
GRANT INSERT, UPDATE ON register.work_list TO mapservice_staff;
GRANT INSERT ON register.work_item TO mapservice_staff;
GRANT EXECUTE ON FUNCTION register.is_to_visit(bigint) TO mapservice_staff;
GRANT EXECUTE ON FUNCTION register.takes_payment(text[], text[], text, text, text),
    register.adoption(text, text, integer, text, date, text, text, text),
    register.staff_payment_adoption(text, integer, text, date, text, text, text) TO mapservice_staff;

GRANT EXECUTE ON FUNCTION account.actor_id(), account.actor_ward(), account.actor_role() TO mapservice_staff;
