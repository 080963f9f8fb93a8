-- The one definition of what the dated records say now. Kept in register.establishment_fact by the triggers below.

CREATE OR REPLACE FUNCTION register.refresh_establishment_facts(ids bigint[]) RETURNS void
LANGUAGE sql
SET search_path = register, pg_temp
AS $$
    INSERT INTO establishment_fact AS stored (
        establishment_id, licence_state, licence_valid_until, food_safety_kind, food_safety_valid_until,
        last_inspection_result, last_inspection_on, live_warning, payment_methods, payment_checked_on, accepts_cashless,
        updated_at)
    SELECT e.id, l.state, l.valid_until, f.kind, f.valid_until, i.result, i.inspected_on, w.live,
           coalesce(p.methods, '{}'), p.checked_on,
           CASE WHEN p.methods IS NOT NULL THEN 'yes' WHEN p.cash_only THEN 'no' ELSE 'unknown' END,
           clock_timestamp()
      FROM establishment e
      LEFT JOIN LATERAL (
            -- The latest licence of each kind counts; "not required" only where nothing is held.
            SELECT CASE WHEN bool_or(kind <> 'not_required') THEN 'held' WHEN count(*) > 0 THEN 'not_required' END AS state,
                   min(expires_on) FILTER (WHERE kind <> 'not_required') AS valid_until
              FROM (SELECT DISTINCT ON (kind) kind, expires_on
                      FROM licence
                     WHERE establishment_id = e.id
                     ORDER BY kind, coalesce(expires_on, 'infinity') DESC, id DESC) latest
           ) l ON true
      LEFT JOIN LATERAL (
            SELECT kind, valid_until
              FROM food_safety_record
             WHERE establishment_id = e.id
             ORDER BY checked_on DESC, id DESC
             LIMIT 1
           ) f ON true
      LEFT JOIN LATERAL (
            SELECT result, inspected_on
              FROM inspection
             WHERE establishment_id = e.id AND signed_on IS NOT NULL
             ORDER BY inspected_on DESC, id DESC
             LIMIT 1
           ) i ON true
      CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM warning WHERE establishment_id = e.id AND lifted_on IS NULL) AS live
           ) w
      LEFT JOIN LATERAL (
            -- A later "cash only" ends what was accepted before it; a later acceptance ends "cash only".
            SELECT array_agg(method ORDER BY method) FILTER (WHERE counts AND method <> 'cash_only') AS methods,
                   bool_or(counts AND method = 'cash_only') AS cash_only,
                   max(checked_on) AS checked_on
              FROM (SELECT method, checked_on,
                           accepted AND checked_on >= coalesce(
                               max(checked_on) FILTER (WHERE method = 'cash_only' AND accepted) OVER (), '-infinity') AS counts
                      FROM (SELECT DISTINCT ON (method) method, accepted, checked_on
                              FROM payment_acceptance
                             WHERE establishment_id = e.id
                             ORDER BY method, checked_on DESC, id DESC) latest) judged
           ) p ON true
     WHERE e.id = ANY (ids)
    ON CONFLICT (establishment_id) DO UPDATE SET
        licence_state = excluded.licence_state,
        licence_valid_until = excluded.licence_valid_until,
        food_safety_kind = excluded.food_safety_kind,
        food_safety_valid_until = excluded.food_safety_valid_until,
        last_inspection_result = excluded.last_inspection_result,
        last_inspection_on = excluded.last_inspection_on,
        live_warning = excluded.live_warning,
        payment_methods = excluded.payment_methods,
        payment_checked_on = excluded.payment_checked_on,
        accepts_cashless = excluded.accepts_cashless,
        updated_at = excluded.updated_at
$$;

COMMENT ON FUNCTION register.refresh_establishment_facts(bigint[]) IS
    'Recomputes the derived facts of the named establishments from their dated records.';

-- Statement triggers with transition tables: a bulk load of 9,500 places recomputes each place once per table.
CREATE OR REPLACE FUNCTION register.establishment_added() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO register.establishment_fact (establishment_id) SELECT id FROM added;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER keep_facts AFTER INSERT ON register.establishment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.establishment_added();

CREATE OR REPLACE FUNCTION register.record_added() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT DISTINCT establishment_id FROM added));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.record_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(
        SELECT establishment_id FROM added UNION SELECT establishment_id FROM removed));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.record_removed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT DISTINCT establishment_id FROM removed));
    RETURN NULL;
END
$$;

DO $$
DECLARE
    record_table text;
BEGIN
    FOREACH record_table IN ARRAY ARRAY['licence', 'food_safety_record', 'inspection', 'warning', 'payment_acceptance'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_added AFTER INSERT ON register.%I
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.record_added()', record_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_changed AFTER UPDATE ON register.%I
            REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.record_changed()',
            record_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_removed AFTER DELETE ON register.%I
            REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.record_removed()', record_table);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION register.establishment_changing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER count_versions BEFORE UPDATE ON register.establishment
    FOR EACH ROW EXECUTE FUNCTION register.establishment_changing();
