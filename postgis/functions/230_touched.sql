-- What keeps answers must hear at once what has changed. A commit that adds to the history, or that changes base data,
-- which stands in no history, wakes whoever listens; what has changed they read from the history itself, so that a word
-- that was lost costs nothing but time.

CREATE OR REPLACE FUNCTION register.tell_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- Sent at commit, after the commit can be seen; the same word twice in a transaction is sent once.
    PERFORM pg_notify('mapservice_register', TG_ARGV[0]);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT ON register.change
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_change('history');

CREATE OR REPLACE FUNCTION register.move_mark_first() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM move_published_mark();
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.published_base_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT '{ward,ward_succession,residential_group,street,basemap_area,data_source,sector_group,sector_class,
        sector_group_class,reference_release,signing_key,sticker_key,indicator,target,phase,
        entered_figure}'::text[]
$$;
COMMENT ON FUNCTION register.published_base_tables() IS
    'Tables that published views read and whose changes stand in no history.';

DO $$
DECLARE
    base_table text;
BEGIN
    FOREACH base_table IN ARRAY register.published_base_tables() LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON register.%I
            FOR EACH STATEMENT EXECUTE FUNCTION register.tell_change(''base'')', base_table);
        -- Before its first row: whoever has the mark already may want that row.
        EXECUTE format('CREATE OR REPLACE TRIGGER move_mark BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON register.%I
            FOR EACH STATEMENT EXECUTE FUNCTION register.move_mark_first()', base_table);
    END LOOP;
END
$$;

DROP VIEW IF EXISTS published.standing;

CREATE VIEW published.standing AS
SELECT head.seq, md5(head.hash) AS history_mark, m.mark AS published_mark, current_date AS today
  FROM register.published_mark m
  LEFT JOIN (SELECT c.seq, c.hash FROM register.change c ORDER BY c.seq DESC LIMIT 1) head ON true;
COMMENT ON VIEW published.standing IS
    'Names the state of all that is published: transactions that read one and the same row here read the same.';

DROP FUNCTION IF EXISTS published.register_head(bigint), published.touched(bigint, bigint);

CREATE FUNCTION published.register_head(known bigint)
RETURNS TABLE (seq bigint, mark text, known_mark text, base_loaded_at timestamptz, today date)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT head.seq, md5(head.hash), (SELECT md5(c.hash) FROM change c WHERE c.seq = known),
           (SELECT max(loaded_at) FROM reference_release), current_date
      FROM (SELECT) always
      LEFT JOIN (SELECT c.seq, c.hash FROM change c ORDER BY c.seq DESC LIMIT 1) head ON true
$$;
COMMENT ON FUNCTION published.register_head(bigint) IS
    'How far the history has come, and marks by which a history that was put back to an older state is known.';

CREATE FUNCTION published.touched(after_seq bigint, to_seq bigint)
RETURNS TABLE (collection text, code text, place text, west float8, south float8, east float8, north float8)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
    -- Nothing here that the published views do not show: a place's updated_at moves with every record of it.
    SELECT DISTINCT c.collection, c.record_code, c.establishment_code,
           ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box)
      FROM change c
      LEFT JOIN establishment e ON e.code = c.establishment_code AND c.collection <> 'establishments'
      LEFT JOIN LATERAL (
            SELECT ST_GeomFromGeoJSON(c.before -> 'geom') AS box WHERE jsonb_typeof(c.before -> 'geom') = 'object'
             UNION ALL
            SELECT ST_GeomFromGeoJSON(c.after -> 'geom') WHERE jsonb_typeof(c.after -> 'geom') = 'object'
             UNION ALL
            SELECT e.geom WHERE e.geom IS NOT NULL
           ) b ON true
     WHERE c.seq > after_seq AND c.seq <= to_seq
       AND c.collection NOT IN ('staff', 'tokens', 'personal_data', 'legal_entities', 'outreach', 'visits', 'shelf_lives',
                                'work_lists')
$$;
COMMENT ON FUNCTION published.touched(bigint, bigint) IS
    'What the changes after one number and up to another may alter in what anybody sees: records, and where their places '
    'lay before and after, in degrees.';

-- Whoever served before these functions and views were made anew begins afresh.
SELECT pg_notify('mapservice_register', 'base'), register.move_published_mark();
