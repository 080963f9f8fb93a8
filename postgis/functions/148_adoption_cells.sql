-- How the establishments that count stand now, by H3 cell and sector group: kept by triggers on their open states, in sums
-- that an edit adds to and takes from, so that the adoption map of today reads a row for each cell and sector instead of
-- every state. A row whose last establishment went stays, with nothing in it: the next one that comes is counted there.

CREATE OR REPLACE FUNCTION register.counted_adoption() RETURNS SETOF register.adoption_cell
LANGUAGE sql STABLE
SET search_path = register, public, pg_temp
AS $$
    SELECT s.ward_id, (c.place + 6)::smallint, c.cell, s.sector_group, count(*),
           count(*) FILTER (WHERE s.accepts_cashless <> 'unknown'), count(*) FILTER (WHERE s.accepts_cashless = 'yes')
      FROM establishment_state s CROSS JOIN LATERAL unnest(s.cells) WITH ORDINALITY AS c (cell, place)
     WHERE s.known_to = 'infinity' AND counts_in_figures(s.sector_group, s.operating_status)
     GROUP BY s.ward_id, c.place, c.cell, s.sector_group
     ORDER BY s.ward_id, c.place, c.cell, s.sector_group
$$;
COMMENT ON FUNCTION register.counted_adoption() IS 'What adoption_cell must hold, as the open states say.';

CREATE OR REPLACE FUNCTION register.fill_adoption_cells() RETURNS bigint
LANGUAGE plpgsql
SET search_path = register, pg_temp
AS $$
BEGIN
    LOCK TABLE establishment_state IN SHARE MODE;
    DELETE FROM adoption_cell;
    INSERT INTO adoption_cell SELECT * FROM counted_adoption();
    RETURN (SELECT count(*) FROM adoption_cell);
END
$$;
COMMENT ON FUNCTION register.fill_adoption_cells() IS
    'Counts adoption_cell anew; how many rows. For a register that was filled without its triggers, as owner.';

CREATE OR REPLACE FUNCTION register.adoption_cell_differences() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = register, pg_temp
AS $$
    SELECT count(*)
      FROM (SELECT * FROM adoption_cell WHERE (establishments, surveyed, accepting) <> (0, 0, 0)) stored
      FULL JOIN counted_adoption() counted USING (ward_id, resolution, cell, sector_group)
     WHERE stored IS DISTINCT FROM counted
$$;
COMMENT ON FUNCTION register.adoption_cell_differences() IS
    'How many rows of adoption_cell do not hold what the states say: 0, unless somebody has written past the triggers.';

-- Three triggers are made from one text, as for the cells of the map.
DO $make$
DECLARE
    definition CONSTANT text := $function$
CREATE OR REPLACE FUNCTION register.%1$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
-- As owner: staff write places, never the counts.
SET search_path = register, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $body$
BEGIN
    INSERT INTO adoption_cell AS a
    SELECT s.ward_id, (c.place + 6)::smallint AS resolution, c.cell, s.sector_group, sum(s.sign),
           coalesce(sum(s.sign) FILTER (WHERE s.accepts_cashless <> 'unknown'), 0),
           coalesce(sum(s.sign) FILTER (WHERE s.accepts_cashless = 'yes'), 0)
      FROM (%2$s) s CROSS JOIN LATERAL unnest(s.cells) WITH ORDINALITY AS c (cell, place)
     WHERE s.known_to = 'infinity' AND counts_in_figures(s.sector_group, s.operating_status)
     GROUP BY s.ward_id, c.place, c.cell, s.sector_group
    HAVING sum(s.sign) <> 0 OR sum(s.sign) FILTER (WHERE s.accepts_cashless <> 'unknown') <> 0
        OR sum(s.sign) FILTER (WHERE s.accepts_cashless = 'yes') <> 0
     -- In one order, so that two writers never wait for each other.
     ORDER BY s.ward_id, c.place, c.cell, s.sector_group
        ON CONFLICT (ward_id, resolution, cell, sector_group) DO UPDATE SET
           establishments = a.establishments + excluded.establishments, surveyed = a.surveyed + excluded.surveyed,
           accepting = a.accepting + excluded.accepting;
    RETURN NULL;
END
$body$
    $function$;
    columns CONSTANT text := 'ward_id, cells, sector_group, operating_status, accepts_cashless, known_to';
    before CONSTANT text := format('SELECT -1 AS sign, %s FROM removed', columns);
    after CONSTANT text := format('SELECT 1 AS sign, %s FROM added', columns);
BEGIN
    EXECUTE format(definition, 'count_adoption_added', after);
    EXECUTE format(definition, 'count_adoption_changed', before || ' UNION ALL ' || after);
    EXECUTE format(definition, 'count_adoption_removed', before);
END
$make$;

CREATE OR REPLACE FUNCTION register.forget_adoption_cells() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
BEGIN
    DELETE FROM adoption_cell;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER count_adoption_added AFTER INSERT ON register.establishment_state
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.count_adoption_added();
CREATE OR REPLACE TRIGGER count_adoption_changed AFTER UPDATE ON register.establishment_state
    REFERENCING NEW TABLE AS added OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION register.count_adoption_changed();
CREATE OR REPLACE TRIGGER count_adoption_removed AFTER DELETE ON register.establishment_state
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.count_adoption_removed();
CREATE OR REPLACE TRIGGER forget_adoption_cells AFTER TRUNCATE ON register.establishment_state
    FOR EACH STATEMENT EXECUTE FUNCTION register.forget_adoption_cells();

-- A register that had states before it counted them, or counted by another rule.
DO $$
BEGIN
    IF register.adoption_cell_differences() > 0 THEN
        PERFORM register.fill_adoption_cells();
    END IF;
END
$$;
