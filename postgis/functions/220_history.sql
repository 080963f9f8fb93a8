-- Reading the history: recorded states by wire names, and whether the register is what its history says.

CREATE OR REPLACE FUNCTION register.wire_state(state jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT state - '{id,geom,ward_id,establishment_id,legal_entity_id,residential_group_id,model_site_id,moved_to_id,merged_into_id,
        assignee_id,made_by}'::text[]
        || CASE WHEN state ? 'geom' THEN jsonb_build_object('geometry', (state -> 'geom') - 'crs') ELSE '{}' END
        || CASE WHEN state ? 'ward_id' THEN jsonb_build_object(
               'ward', (SELECT code FROM ward WHERE id = (state ->> 'ward_id')::bigint)) ELSE '{}' END
        || CASE WHEN state ? 'establishment_id' THEN jsonb_build_object(
               'establishment', (SELECT code FROM establishment WHERE id = (state ->> 'establishment_id')::bigint)) ELSE '{}' END
        || CASE WHEN state ? 'legal_entity_id' THEN jsonb_build_object(
               'legal_entity', (SELECT code FROM legal_entity WHERE id = (state ->> 'legal_entity_id')::bigint)) ELSE '{}' END
        || CASE WHEN state ? 'residential_group_id' THEN jsonb_build_object(
               'residential_group', (SELECT code FROM residential_group WHERE id = (state ->> 'residential_group_id')::bigint),
               'model_site', (SELECT code FROM model_site WHERE id = (state ->> 'model_site_id')::bigint),
               'moved_to', (SELECT code FROM establishment WHERE id = (state ->> 'moved_to_id')::bigint),
               'merged_into', (SELECT code FROM establishment WHERE id = (state ->> 'merged_into_id')::bigint)) ELSE '{}' END
        || CASE WHEN state ? 'assignee_id' THEN jsonb_build_object(
               'assignee', (SELECT display_name FROM account.staff WHERE id = (state ->> 'assignee_id')::bigint),
               'made_by', (SELECT display_name FROM account.staff WHERE id = (state ->> 'made_by')::bigint)) ELSE '{}' END
$$;
COMMENT ON FUNCTION register.wire_state(jsonb) IS
    'A recorded state by wire names: ids as the codes they stand for, the point as GeoJSON; null for null.';

CREATE OR REPLACE FUNCTION register.differs(recorded jsonb, stored jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- Versions count updates that changed nothing, too. Columns that are newer than the record say nothing either.
    SELECT recorded - 'version' <> stored - 'version'
       AND EXISTS (
           SELECT FROM jsonb_each(recorded - 'version') AS was
            WHERE NOT stored ? was.key OR stored -> was.key <> was.value)
$$;

CREATE OR REPLACE FUNCTION register.altered_records()
RETURNS TABLE (collection text, record_code text, last_seq bigint, why text)
LANGUAGE plpgsql STABLE
SET search_path = register, public, pg_temp
-- Moments are recorded as text in this zone (postgis/engine.py).
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
DECLARE
    recorded record;
BEGIN
    FOR recorded IN
        -- The recording trigger's one argument is the collection, ended by a zero byte.
        SELECT c.relname AS table_name, format('%I.%I', n.nspname, c.relname) AS qualified_name,
               split_part(encode(t.tgargs, 'escape'), '\000', 1) AS collection
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE t.tgname = 'note_added' AND n.nspname IN ('register', 'account')
         ORDER BY 1
    LOOP
        RETURN QUERY EXECUTE format($query$
            WITH kept AS (
                SELECT DISTINCT ON (record_code) record_code, seq, after
                  FROM change WHERE collection = %1$L ORDER BY record_code, seq DESC
            ), stored AS (
                SELECT %3$s AS record_code, to_jsonb(r) AS state FROM %2$s t CROSS JOIN LATERAL (SELECT %4$s) r
            )
            SELECT %1$L, coalesce(k.record_code, s.record_code), k.seq, CASE
                       WHEN k.seq IS NULL THEN 'it is not in the history'
                       WHEN s.state IS NULL THEN 'it was removed past the history'
                       WHEN k.after IS NULL THEN 'it came back past the history'
                       ELSE 'it was altered past the history'
                   END
              FROM kept k FULL JOIN stored s ON s.record_code = k.record_code
             WHERE k.seq IS NULL OR (s.state IS NULL) <> (k.after IS NULL) OR differs(k.after, s.state)
            $query$,
            recorded.collection, recorded.qualified_name,
            CASE recorded.table_name
                WHEN 'personal_datum' THEN
                    '(SELECT l.code FROM legal_entity l WHERE l.id = t.legal_entity_id) || '':'' || t.field'
                WHEN 'staff' THEN 't.login'
                WHEN 'token' THEN '(SELECT s.login FROM account.staff s WHERE s.id = t.staff_id) || '':'' || t.id'
                ELSE 't.code'
            END,
            recordable_columns(recorded.qualified_name::regclass));
    END LOOP;
END
$$;

COMMENT ON FUNCTION register.altered_records() IS
    'Records that are not what the history says last of them: altered, removed or added without it. As owner, for verifying.';
