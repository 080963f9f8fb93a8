-- A register that was filled before it had a history (release 0001) gets one: it starts with what stands there now, and
-- the facts that have come since are made. With the first row of the history this has nothing more to do.
DO $start$
DECLARE
    recorded record;
    found record;
BEGIN
    IF EXISTS (SELECT FROM register.change) OR NOT EXISTS (SELECT FROM register.establishment UNION ALL SELECT FROM register.model_site) THEN
        RETURN;
    END IF;
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT id FROM register.establishment));
    FOR recorded IN SELECT * FROM register.recorded_tables() t
    LOOP
        EXECUTE format('SELECT array_agg(''insert''::text) AS kinds, array_agg(NULL::jsonb) AS befores,
            array_agg(register.recordable(to_jsonb(r)) ORDER BY r.id) AS afters FROM register.%I r', recorded.table_name) INTO found;
        PERFORM register.add_changes(recorded.collection, found.kinds, found.befores, found.afters);
    END LOOP;
END
$start$;
