-- Imports beyond what row-level security says. After 900_grants.sql, which takes every right away before it gives some.

-- As owner, since staff delete nothing: what a first reading understood is no fact, and gives way to the next reading.
CREATE OR REPLACE FUNCTION register.forget_import_rows(of_batch text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    PERFORM account.check_officer();
    DELETE FROM import_row r USING import_batch b
     WHERE b.id = r.batch_id AND b.code = of_batch AND b.ward_id = account.actor_ward() AND b.state = 'reading';
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

COMMENT ON FUNCTION register.forget_import_rows(text) IS
    'Removes the rows of a batch of the actor''s ward that is being read, before they are written anew; how many there were.';

-- As owner, since only who proposed withdraws, and a batch may be undone by a colleague of who applied it.
CREATE OR REPLACE FUNCTION register.withdraw_import_proposals(of_batch text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    withdrawn bigint;
BEGIN
    PERFORM account.check_officer();
    UPDATE proposal p SET state = 'withdrawn'
     WHERE p.state = 'pending' AND p.source = 'import' AND p.ward_id = account.actor_ward()
       AND p.receipt IN (
           SELECT jsonb_array_elements_text(r.outcome_values -> 'receipts')
             FROM import_row r JOIN import_batch b ON b.id = r.batch_id
            WHERE b.code = of_batch AND b.ward_id = account.actor_ward() AND b.state = 'applied' AND b.job = 'undo'
              AND r.outcome = 'proposed');
    GET DIAGNOSTICS withdrawn = ROW_COUNT;
    RETURN withdrawn;
END
$$;

COMMENT ON FUNCTION register.withdraw_import_proposals(text) IS
    'Withdraws what a batch that is being undone has proposed and nobody has decided yet; how many there were.';

-- As owner, since staff delete nothing: what a batch has brought of a person goes with it, where it still stands.
CREATE OR REPLACE FUNCTION register.forget_import_data(of_batch text, but_of text[], also_of text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    forgotten bigint;
BEGIN
    PERFORM account.check_officer();
    DELETE FROM personal_datum d USING legal_entity l, import_kept_datum k, import_batch b
     WHERE b.code = of_batch AND b.ward_id = account.actor_ward() AND b.state IN ('applied', 'undone') AND b.job = 'undo'
       AND k.batch_id = b.id AND k.ciphertext IS NULL AND l.code = k.entity_code AND l.ward_id = b.ward_id
       AND d.legal_entity_id = l.id AND d.field = k.field
       AND (d.lookup_hash = k.written_hash OR l.code = ANY (also_of)) AND l.code <> ALL (but_of);
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

COMMENT ON FUNCTION register.forget_import_data(text, text[], text[]) IS
    'Removes the personal values that a batch which is being undone was the first to write, where nobody wrote others since.';

-- As owner, since only a table's owner may. A batch writes more than a ward has held so far in one transaction, which
-- nobody else counts before it ends: without this the planner goes on believing in a handful of rows and compares each
-- row of the batch with each (50,000 rows took nine times as long).
CREATE OR REPLACE FUNCTION register.count_written() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    written text;
BEGIN
    PERFORM account.check_officer();
    -- With them go the plans that triggers and references have kept for those few rows.
    FOREACH written IN ARRAY ARRAY['legal_entity', 'personal_datum', 'establishment', 'establishment_fact', 'licence',
                                   'food_safety_record', 'inspection', 'warning', 'payment_acceptance', 'digital_use'] LOOP
        EXECUTE format('ANALYZE register.%I', written);
    END LOOP;
END
$$;

COMMENT ON FUNCTION register.count_written() IS
    'Takes statistics of what a batch writes, its own rows of this transaction too.';

REVOKE ALL ON FUNCTION register.forget_import_rows(text), register.withdraw_import_proposals(text),
    register.forget_import_data(text, text[], text[]), register.count_written() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.forget_import_rows(text), register.withdraw_import_proposals(text),
    register.forget_import_data(text, text[], text[]), register.count_written() TO mapservice_staff;
