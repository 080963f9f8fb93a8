-- What the register knew of each establishment and when (register.establishment_state), kept in the transaction that adds
-- to the history: the one base of every figure of a day. H3 cells come from postgis/cells.py, before the commit.

CREATE OR REPLACE FUNCTION register.counts_in_figures(sector_group text, operating_status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sector_group <> 'public_place' AND operating_status NOT IN ('closed', 'moved', 'not_found')
$$;

COMMENT ON FUNCTION register.counts_in_figures(text, text) IS
    'Whether a place counts in the denominators of figures: no park or temple, and not known to be gone.';

CREATE OR REPLACE FUNCTION register.day_is_final(day date) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    -- Moments never run against the order of changes, and a writer takes the chain's lock before its moment: once one
    -- change of a later day is there, or nobody is at work, none can come with a moment of that day. A replica knows of
    -- no lock.
    SELECT clock_timestamp() >= n.midnight
       AND (coalesce((SELECT c.at FROM change c ORDER BY c.seq DESC LIMIT 1) >= n.midnight, false)
            OR NOT pg_is_in_recovery()
               AND NOT EXISTS (SELECT FROM pg_locks l
                                WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (0, 20257002, 1)
                                  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())))
      FROM (SELECT (day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS midnight) n
$$;

COMMENT ON FUNCTION register.day_is_final(date) IS
    'Whether nothing can be noted of that day any more. To be asked in a statement before the one that reads the figures.';

-- The columns of a state that places themselves say; the facts say the others.
CREATE OR REPLACE FUNCTION register.states_query() RETURNS text
LANGUAGE sql IMMUTABLE
AS $function$
    SELECT $sql$
        SELECT e.id AS establishment_id, e.code, e.ward_id, e.residential_group_id, s.id AS model_site_id, e.stall, e.street_name,
               e.sector_group, e.kind, e.legal_form, e.operating_status, e.source, e.illustrative, e.opened_on, e.closed_on,
               e.verified_on, e.name IS NOT NULL AS has_name, e.address IS NOT NULL AS has_address,
               e.sector_code IS NOT NULL AS has_sector_code, e.legal_entity_id IS NOT NULL AS has_legal_entity,
               e.position_method, e.position_accuracy_m, e.geom AS point, f.licence_state, f.licence_valid_until,
               f.licence_checked_on, f.food_safety_kind, f.food_safety_valid_until, f.food_safety_checked_on,
               f.last_inspection_result, f.last_inspection_on, f.live_warning, f.payment_methods, f.payment_evidence,
               f.payment_checked_on, f.accepts_cashless, f.active_acceptance, f.digital_used, f.digital_unused,
               f.on_digital_platform, f.digital_checked_on, f.refused_on, f.outreach_on
          FROM places e
          JOIN facts f ON f.establishment_id = e.id
          LEFT JOIN live_sites s ON s.id = e.model_site_id
    $sql$
$function$;

COMMENT ON FUNCTION register.states_query() IS 'What a state says of a place: a query over places, facts and live_sites.';

CREATE OR REPLACE FUNCTION register.state_columns(of_row text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(concat(of_row || '.', attname), ', ' ORDER BY attnum)
      FROM pg_attribute
     WHERE attrelid = 'register.establishment_state'::regclass AND attnum > 0 AND NOT attisdropped
       AND attname NOT IN ('id', 'known_from', 'known_to', 'cells')
$$;

COMMENT ON FUNCTION register.state_columns(text) IS 'The columns in which states differ, as a list; `of_row`: the name of their row.';

CREATE OR REPLACE FUNCTION register.places_of(collection text, records jsonb[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE
        WHEN collection = 'establishments' THEN
            ARRAY(SELECT DISTINCT (r ->> 'id')::bigint FROM unnest(records) r WHERE r IS NOT NULL)
        WHEN collection IN (SELECT f.collection FROM fact_records() f) THEN
            ARRAY(SELECT DISTINCT (r ->> 'establishment_id')::bigint FROM unnest(records) r WHERE r IS NOT NULL)
        -- Whether a site counts decides for all places in it.
        WHEN collection = 'model_sites' THEN
            ARRAY(SELECT e.id FROM establishment e
                   WHERE e.model_site_id IN (SELECT (r ->> 'id')::bigint FROM unnest(records) r WHERE r IS NOT NULL))
        ELSE '{}'
    END;
END
$$;

COMMENT ON FUNCTION register.places_of(text, jsonb[]) IS 'The ids of the establishments whose states these records may have changed.';

DO $make$
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION register.keep_states(ids bigint[], moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
-- Always by the places' ids: a plan that was made when the table was empty is kept for the session.
SET enable_seqscan = off
SET enable_nestloop = on
AS $body$
DECLARE
    without_cells boolean;
    again bigint[];
BEGIN
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    WITH places AS (SELECT e.* FROM unnest(ids) AS p(id) JOIN establishment e ON e.id = p.id WHERE e.ended_at IS NULL),
         facts AS (SELECT * FROM establishment_fact),
         live_sites AS (SELECT id FROM model_site WHERE ended_at IS NULL),
         wanted AS (%1$s),
         differing AS MATERIALIZED (
             SELECT s.id AS open_id, s.known_from AS open_from, s.point AS open_point, s.cells AS open_cells, w.*
               FROM wanted w
               LEFT JOIN establishment_state s ON s.establishment_id = w.establishment_id AND s.known_to = 'infinity'
              WHERE s.id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s)),
         gone AS MATERIALIZED (
             SELECT s.id AS open_id, s.known_from AS open_from
               FROM unnest(ids) AS p(id)
               JOIN establishment_state s ON s.establishment_id = p.id AND s.known_to = 'infinity'
              WHERE NOT EXISTS (SELECT FROM establishment e WHERE e.id = p.id AND e.ended_at IS NULL)),
         closed AS (
             UPDATE establishment_state s SET known_to = moment
               FROM (SELECT open_id, open_from FROM differing UNION ALL SELECT open_id, open_from FROM gone) d
              WHERE s.id = d.open_id AND d.open_from < moment RETURNING s.id),
         -- What an earlier statement of the same moment left lasts no time and was never known.
         replaced AS (
             UPDATE establishment_state s
                SET (%2$s, cells) = (%5$s, CASE WHEN d.open_point = d.point THEN d.open_cells END)
               FROM differing d
              WHERE s.id = d.open_id AND d.open_from = moment
             RETURNING s.establishment_id, s.cells IS NULL AND s.point IS NOT NULL AS open),
         dropped AS (
             DELETE FROM establishment_state s USING gone d WHERE s.id = d.open_id AND d.open_from = moment),
         begun AS (
             INSERT INTO establishment_state (%2$s, known_from, cells)
             SELECT %5$s, moment, CASE WHEN d.open_point = d.point THEN d.open_cells END
               FROM differing d
              -- Asked of `closed`, so that one state is closed before the next begins.
              WHERE (d.open_id IS NULL OR d.open_from < moment) AND (SELECT count(*) FROM closed) >= 0
             RETURNING cells IS NULL AND point IS NOT NULL AS open)
    SELECT (SELECT bool_or(open) FROM begun) IS TRUE OR (SELECT bool_or(open) FROM replaced) IS TRUE,
           (SELECT array_agg(d.establishment_id) FROM differing d WHERE d.open_id IS NULL OR d.open_from = moment)
      INTO without_cells, again;
    -- Back to what it was before this moment: as if nothing had been.
    IF again IS NOT NULL THEN
        WITH taken_back AS (
            DELETE FROM establishment_state s USING establishment_state w
             WHERE s.establishment_id IN (SELECT unnest(again)) AND s.known_from = moment
               AND w.establishment_id = s.establishment_id AND w.known_to = moment AND (%3$s) IS NOT DISTINCT FROM (%4$s)
            RETURNING w.id)
        UPDATE establishment_state s SET known_to = 'infinity' FROM taken_back t
         WHERE s.id = t.id AND (SELECT count(*) FROM taken_back) >= 0;
    END IF;
    IF without_cells THEN
        PERFORM set_config('mapservice.points_without_cells', 'yes', true);
    END IF;
END
$body$
    $function$, register.states_query(), register.state_columns(), register.state_columns('s'), register.state_columns('w'),
        register.state_columns('d'));
END
$make$;

COMMENT ON FUNCTION register.keep_states(bigint[], timestamptz) IS
    'Notes how the named establishments stand from that moment on, where anything of it differs.';

DO $make$
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION register.states_known_now(of_ward text, day date) RETURNS SETOF register.establishment_state
LANGUAGE sql STABLE
SET search_path = register, public, pg_temp
SET work_mem = '64MB'
-- As for establishments_as_of: the planner would compare each with each.
SET enable_nestloop = off
AS $body$
    WITH own AS MATERIALIZED (
        SELECT * FROM establishment
         WHERE ward_id = (SELECT id FROM ward WHERE code = of_ward AND valid_to IS NULL) AND ended_at IS NULL
           AND coalesce(opened_on <= day, true)
    ), places AS (
        SELECT id, code, ward_id, residential_group_id, model_site_id, stall, street_name, sector_group, kind, legal_form,
               -- It has closed or moved since, and was there on that day.
               CASE WHEN operating_status IN ('closed', 'moved') AND closed_on > day THEN 'active'
                    ELSE operating_status END AS operating_status,
               source, illustrative, opened_on, CASE WHEN closed_on <= day THEN closed_on END AS closed_on,
               CASE WHEN verified_on <= day THEN verified_on END AS verified_on, name, address, sector_code, legal_entity_id,
               position_method, position_accuracy_m, geom
          FROM own
    ), differing AS MATERIALIZED (
        -- Where something is dated after that day, or unsigned: of all others the facts that are kept say what held on it.
        SELECT establishment_id FROM licence WHERE ended_at IS NULL AND checked_on > day
         UNION SELECT establishment_id FROM food_safety_record WHERE ended_at IS NULL AND checked_on > day
         UNION SELECT establishment_id FROM inspection
                WHERE ended_at IS NULL AND (inspected_on <= day AND signed_on <= day) IS NOT TRUE
         UNION SELECT establishment_id FROM warning WHERE ended_at IS NULL AND (issued_on > day OR lifted_on > day)
         UNION SELECT establishment_id FROM payment_acceptance WHERE ended_at IS NULL AND checked_on > day
         UNION SELECT establishment_id FROM digital_use WHERE ended_at IS NULL AND checked_on > day
         UNION SELECT establishment_id FROM visit WHERE ended_at IS NULL AND visited_on > day
         UNION SELECT establishment_id FROM outreach WHERE ended_at IS NULL AND done_on > day
    ), again AS MATERIALIZED (
        SELECT own.id FROM own JOIN differing d ON d.establishment_id = own.id
    ), licences AS (
        SELECT r.* FROM licence r JOIN again a ON a.id = r.establishment_id WHERE r.ended_at IS NULL AND r.checked_on <= day
    ), food_safety_records AS (
        SELECT r.* FROM food_safety_record r JOIN again a ON a.id = r.establishment_id
         WHERE r.ended_at IS NULL AND r.checked_on <= day
    ), inspections AS (
        SELECT r.* FROM inspection r JOIN again a ON a.id = r.establishment_id
         WHERE r.ended_at IS NULL AND r.inspected_on <= day AND r.signed_on <= day
    ), warnings AS (
        SELECT r.establishment_id, CASE WHEN r.lifted_on <= day THEN r.lifted_on END AS lifted_on
          FROM warning r JOIN again a ON a.id = r.establishment_id WHERE r.ended_at IS NULL AND r.issued_on <= day
    ), payment_acceptances AS (
        SELECT r.* FROM payment_acceptance r JOIN again a ON a.id = r.establishment_id
         WHERE r.ended_at IS NULL AND r.checked_on <= day
    ), digital_uses AS (
        SELECT r.* FROM digital_use r JOIN again a ON a.id = r.establishment_id
         WHERE r.ended_at IS NULL AND r.checked_on <= day
    ), visits AS (
        SELECT r.* FROM visit r JOIN again a ON a.id = r.establishment_id WHERE r.ended_at IS NULL AND r.visited_on <= day
    ), outreaches AS (
        SELECT r.* FROM outreach r JOIN again a ON a.id = r.establishment_id WHERE r.ended_at IS NULL AND r.done_on <= day
    ), facts AS (
        SELECT %4$s FROM (WITH places AS (SELECT id FROM again) %1$s) f
         UNION ALL
        SELECT %4$s FROM establishment_fact f JOIN own ON own.id = f.establishment_id
         WHERE NOT EXISTS (SELECT FROM again a WHERE a.id = own.id)
    ),
    live_sites AS (SELECT id FROM model_site WHERE ended_at IS NULL)
    SELECT %3$s
      FROM (%2$s) w
      LEFT JOIN establishment_state c ON c.establishment_id = w.establishment_id AND c.known_to = 'infinity'
$body$
    $function$, register.facts_query(), register.states_query(),
        (SELECT string_agg(CASE a.attname WHEN 'id' THEN 'w.establishment_id'
                                          WHEN 'known_from' THEN '''-infinity''::timestamptz'
                                          WHEN 'known_to' THEN '''infinity''::timestamptz'
                                          WHEN 'cells' THEN 'c.cells'
                                          ELSE format('w.%I', a.attname) END, ', ' ORDER BY a.attnum)
           FROM pg_attribute a
          WHERE a.attrelid = 'register.establishment_state'::regclass AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT string_agg(format('f.%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = 'register.establishment_fact'::regclass AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname <> 'updated_at'));
END
$make$;

COMMENT ON FUNCTION register.states_known_now(text, date) IS
    'How the establishments of a ward stood on a day, by what is known now and dated up to that day: what was checked, '
    'signed, issued or lifted later is left out, and who had not opened; who closed or moved later was active. What bears '
    'no date of its own (sector, form, group, position, another status) is as it is now.';

CREATE OR REPLACE FUNCTION register.head_at(moment timestamptz) RETURNS TABLE (seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT c.seq, c.hash FROM change c WHERE c.at <= moment ORDER BY c.at DESC, c.seq DESC LIMIT 1
$$;

COMMENT ON FUNCTION register.head_at(timestamptz) IS
    'The last change of the history at a moment, for fingerprints: whoever asks, whatever they may see of it.';
