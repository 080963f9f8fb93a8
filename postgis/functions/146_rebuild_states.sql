-- States made anew from the history, by the one definition: each moment at which something of a place changed stands in as
-- a place of its own, with the versions of its records that were valid then.

DO $make$
DECLARE
    kind record;
    records text := '';
BEGIN
    FOR kind IN
        SELECT f.collection, CASE f.collection WHEN 'outreach' THEN 'outreaches' ELSE f.collection END AS name,
               string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) AS shape,
               string_agg(format('r.%I', a.attname), ', ' ORDER BY a.attnum) AS columns,
               string_agg(format('x.%I', a.attname), ', ' ORDER BY a.attnum) AS own
          FROM register.fact_records() f
          JOIN pg_attribute a ON a.attrelid = format('register.%I', f.table_name)::regclass AND a.attnum > 0
         WHERE NOT a.attisdropped AND a.attname NOT IN ('establishment_id', 'code', 'version', 'updated_at')
         GROUP BY 1, 2
    LOOP
        records := records || format($records$
         %1$s_then AS MATERIALIZED (
             SELECT v.establishment_id, v.known_from, v.known_to, %4$s
               FROM state_version v CROSS JOIN LATERAL jsonb_to_record(v.record) AS r (%3$s)
              WHERE v.collection = %2$L),
         %1$s AS (
             SELECT m.id AS establishment_id, %5$s
               FROM state_moment m
               JOIN %1$s_then x ON x.establishment_id = m.establishment_id AND x.known_from <= m.at AND m.at < x.known_to),
         $records$, kind.name, kind.collection, kind.shape, kind.columns, kind.own);
    END LOOP;
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION register.rebuild_states(of_ward text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = register, public, pg_temp
SET work_mem = '128MB'
-- The planner, who cannot know how many there are, would compare each with each.
SET enable_nestloop = off
SET jit = off
AS $body$
DECLARE
    built bigint;
BEGIN
    -- Whoever counts the old states has done so, or waits.
    PERFORM pg_advisory_xact_lock(20257009);
    CREATE TEMPORARY TABLE state_version ON COMMIT DROP AS
    -- Valid until the next change of the record; one that had a later change with the same moment or an earlier one
    -- (moments ran against the order once) was never to be seen.
    SELECT collection, record_code, (after ->> CASE collection WHEN 'establishments' THEN 'id' ELSE 'establishment_id' END)::bigint
               AS establishment_id, at AS known_from, coalesce(next_at, 'infinity') AS known_to, after AS record
      FROM (SELECT c.collection, c.record_code, c.at, c.after,
                   min(c.at) OVER (PARTITION BY c.collection, c.record_code ORDER BY c.seq DESC
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS next_at
              FROM change c
             WHERE (of_ward IS NULL OR c.ward_id = (SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL))
               AND (c.collection IN ('establishments', 'model_sites')
                    OR c.collection IN (SELECT f.collection FROM fact_records() f))) versions
     WHERE (next_at IS NULL OR at < next_at) AND after IS NOT NULL AND after ->> 'ended_at' IS NULL;
    ANALYZE state_version;

    CREATE TEMPORARY TABLE state_moment (id bigint GENERATED ALWAYS AS IDENTITY, establishment_id bigint, at timestamptz)
        ON COMMIT DROP;
    INSERT INTO state_moment (establishment_id, at)
    SELECT v.establishment_id, v.known_from FROM state_version v WHERE v.collection <> 'model_sites'
     UNION
    SELECT v.establishment_id, v.known_to FROM state_version v WHERE v.collection <> 'model_sites' AND v.known_to < 'infinity'
     UNION
    -- Where a site began or ceased to count while the place was in it.
    SELECT v.establishment_id, m.at
      FROM state_version v
      JOIN (SELECT (s.record ->> 'id')::bigint AS site_id, unnest(ARRAY[s.known_from, s.known_to]) AS at
              FROM state_version s WHERE s.collection = 'model_sites') m
        ON m.site_id = (v.record ->> 'model_site_id')::bigint AND v.known_from <= m.at AND m.at < v.known_to
     WHERE v.collection = 'establishments'
     ORDER BY 1, 2;
    ANALYZE state_moment;

    DELETE FROM establishment_state s
     WHERE of_ward IS NULL OR s.ward_id = (SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL);
    WITH places_then AS MATERIALIZED (
             SELECT v.establishment_id, v.known_from, v.known_to, r.*, ST_GeomFromGeoJSON(r.geojson) AS geom
               FROM state_version v CROSS JOIN LATERAL (
                    SELECT p.*, v.record -> 'geom' AS geojson FROM jsonb_to_record(v.record) AS p (
                        code text, ward_id bigint, residential_group_id bigint, model_site_id bigint, stall text,
                        street_name text, sector_group text, kind text, legal_form text, operating_status text, source text,
                        illustrative boolean, opened_on date, closed_on date, verified_on date, name text, address text,
                        sector_code text, legal_entity_id bigint, position_method text, position_accuracy_m numeric)) r
              WHERE v.collection = 'establishments'),
         sites_then AS MATERIALIZED (
             SELECT (v.record ->> 'id')::bigint AS id, v.known_from, v.known_to FROM state_version v
              WHERE v.collection = 'model_sites'),
         %1$s
         places AS MATERIALIZED (
             SELECT m.id, x.code, x.ward_id, x.residential_group_id, s.id AS model_site_id, x.stall, x.street_name,
                    x.sector_group, x.kind, x.legal_form, x.operating_status, x.source, x.illustrative, x.opened_on,
                    x.closed_on, x.verified_on, x.name, x.address, x.sector_code, x.legal_entity_id, x.position_method,
                    x.position_accuracy_m, x.geom
               FROM state_moment m
               JOIN places_then x ON x.establishment_id = m.establishment_id AND x.known_from <= m.at AND m.at < x.known_to
               LEFT JOIN sites_then s ON s.id = x.model_site_id AND s.known_from <= m.at AND m.at < s.known_to),
         facts AS (%2$s),
         -- Those that counted then have stayed in `places`.
         live_sites AS (SELECT DISTINCT s.id FROM sites_then s),
         found AS (%3$s),
         stretches AS (
             SELECT m.establishment_id AS place_id, m.at, f.*,
                    (%4$s) IS DISTINCT FROM lag((%4$s)) OVER (PARTITION BY m.establishment_id ORDER BY m.at) AS differs
               FROM state_moment m
               LEFT JOIN (SELECT %5$s FROM found) f ON f.establishment_id = m.id),
         begun AS (
             SELECT s.*, lead(s.at, 1, 'infinity') OVER (PARTITION BY s.place_id ORDER BY s.at) AS until
               FROM stretches s WHERE s.differs)
    INSERT INTO establishment_state (%5$s, known_from, known_to)
    SELECT %6$s, b.at, b.until FROM begun b WHERE b.code IS NOT NULL ORDER BY b.at, b.place_id;
    GET DIAGNOSTICS built = ROW_COUNT;
    -- Figures that were kept of a closed day may be others now, with the same history.
    DELETE FROM month_end_count c
     WHERE of_ward IS NULL OR c.ward_id = (SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL);
    PERFORM move_published_mark();
    PERFORM set_config('mapservice.points_without_cells', 'yes', true);
    DROP TABLE state_version;
    DROP TABLE state_moment;
    RETURN built;
END
$body$
    $function$, records, register.facts_query(), register.states_query(),
        replace(register.state_columns('f'), 'f.establishment_id, ', ''), register.state_columns(),
        replace(register.state_columns('b'), 'b.establishment_id', 'b.place_id'));
END
$make$;

COMMENT ON FUNCTION register.rebuild_states(text) IS
    'Makes the states of a ward (null: of all) anew from the history, without their cells, which come before the commit '
    '(postgis/cells.py); returns how many.';
