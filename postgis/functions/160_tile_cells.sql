-- Places counted by cell, for tiles of wide views: kept by triggers, in sums that an edit adds to and takes from, so that
-- it costs the same in a register of any size. All sums are of whole numbers: what was added and taken away leaves no
-- remainder, and tile_cell_differences() finds none.

CREATE OR REPLACE FUNCTION register.kept_levels() RETURNS TABLE (level smallint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 8
AS $$
    SELECT generate_series(4, 18, 2)::smallint
$$;
COMMENT ON FUNCTION register.kept_levels() IS
    'The levels whose cells are counted: every other one, since whoever reads can add up four cells for the one between.';

CREATE OR REPLACE FUNCTION register.counted_cells(of_level int) RETURNS SETOF register.tile_cell_group
LANGUAGE plpgsql STABLE
SET search_path = register, published, public, pg_temp
AS $$
BEGIN
    IF of_level = 18 THEN
        RETURN QUERY
        SELECT 18::smallint, finest_cell(p.x_cm, p.y_cm) AS quad, p.sector_group, count(*), sum(p.id)::bigint,
               sum(p.x_cm)::bigint, sum(p.y_cm)::bigint, count(*) FILTER (WHERE p.live_warning),
               count(*) FILTER (WHERE p.illustrative)
          FROM (SELECT e.id, e.sector_group, e.live_warning, e.illustrative, round(ST_X(e.geom_3857) * 100)::bigint AS x_cm,
                       round(ST_Y(e.geom_3857) * 100)::bigint AS y_cm
                  FROM establishment e WHERE e.ended_at IS NULL) p
         GROUP BY quad, p.sector_group
         ORDER BY quad, p.sector_group;
    ELSE
        RETURN QUERY
        SELECT of_level::smallint, g.quad >> 4 AS above, g.sector_group, sum(g.places)::bigint, sum(g.ids)::bigint,
               sum(g.xs_cm)::bigint, sum(g.ys_cm)::bigint, sum(g.warned)::bigint, sum(g.illustrative)::bigint
          FROM tile_cell_group g WHERE g.level = of_level + 2
         GROUP BY above, g.sector_group
         ORDER BY above, g.sector_group;
    END IF;
END
$$;
COMMENT ON FUNCTION register.counted_cells(int) IS
    'What the cells of a level must hold: the finest, 18, as the register says; the others as the next finer kept level says.';

CREATE OR REPLACE FUNCTION register.summed_cells(of_level int) RETURNS SETOF register.tile_cell
LANGUAGE sql STABLE
AS $$
    SELECT g.level, g.quad, sum(g.places)::bigint, sum(g.ids)::bigint, sum(g.xs_cm)::bigint, sum(g.ys_cm)::bigint,
           sum(g.warned)::bigint, sum(g.illustrative)::bigint
      FROM register.tile_cell_group g
     WHERE g.level = of_level
     GROUP BY g.level, g.quad
     ORDER BY g.quad
$$;
COMMENT ON FUNCTION register.summed_cells(int) IS 'What tile_cell must hold of a level: the sums of its sector groups.';

CREATE OR REPLACE FUNCTION register.fill_tile_cells() RETURNS bigint
LANGUAGE plpgsql
SET search_path = register, pg_temp
AS $$
BEGIN
    LOCK TABLE establishment IN SHARE MODE;
    DELETE FROM tile_cell;
    DELETE FROM tile_cell_group;
    FOR of_level IN REVERSE 18..4 BY 2 LOOP
        INSERT INTO tile_cell_group SELECT * FROM counted_cells(of_level);
        INSERT INTO tile_cell SELECT * FROM summed_cells(of_level);
    END LOOP;
    RETURN (SELECT count(*) FROM tile_cell);
END
$$;
COMMENT ON FUNCTION register.fill_tile_cells() IS
    'Counts all cells anew; how many there are. For a register that was filled without its triggers, as owner.';

CREATE OR REPLACE FUNCTION register.tile_cell_differences() RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = register, pg_temp
AS $$
DECLARE
    found_all bigint := 0;
BEGIN
    FOR of_level IN 4..18 BY 2 LOOP
        found_all := found_all + (
            SELECT count(*)
              FROM (SELECT g.* FROM tile_cell_group g WHERE g.level = of_level) stored
              FULL JOIN counted_cells(of_level) counted USING (level, quad, sector_group)
             WHERE stored IS DISTINCT FROM counted
        ) + (
            SELECT count(*)
              FROM (SELECT c.* FROM tile_cell c WHERE c.level = of_level) stored
              FULL JOIN summed_cells(of_level) counted USING (level, quad)
             WHERE stored IS DISTINCT FROM counted
        );
    END LOOP;
    RETURN found_all;
END
$$;
COMMENT ON FUNCTION register.tile_cell_differences() IS
    'How many cells do not hold what the register says: 0, unless somebody has written past the triggers.';

-- Three triggers are made from one text: what an insert, an update and a delete read differs, what they do does not.
DO $make$
DECLARE
    definition CONSTANT text := $function$
CREATE OR REPLACE FUNCTION register.%1$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
-- As owner: staff write places, never the cells.
SET search_path = register, published, public, pg_temp
-- To plan takes longer than to add up what one edit moves.
SET plan_cache_mode = force_generic_plan
AS $body$
DECLARE
    moved tile_cell_group[];
    levels smallint[];
    quads bigint[];
BEGIN
    SELECT array_agg(ROW(18, d.quad, d.sector_group, d.places, d.ids, d.xs_cm, d.ys_cm, d.warned, d.illustrative)::tile_cell_group)
      INTO moved
      FROM (SELECT finest_cell(p.x_cm, p.y_cm) AS quad, p.sector_group, sum(p.places) AS places, sum(p.ids) AS ids,
                   sum(p.places * p.x_cm) AS xs_cm, sum(p.places * p.y_cm) AS ys_cm,
                   coalesce(sum(p.places) FILTER (WHERE p.live_warning), 0) AS warned,
                   coalesce(sum(p.places) FILTER (WHERE p.illustrative), 0) AS illustrative
              FROM (SELECT round(ST_X(s.geom_3857) * 100)::bigint AS x_cm, round(ST_Y(s.geom_3857) * 100)::bigint AS y_cm,
                           s.sector_group, s.live_warning, s.illustrative, sum(s.sign) AS places,
                           sum(s.sign * s.id)::bigint AS ids
                      FROM (%2$s) s
                     WHERE s.ended_at IS NULL
                     GROUP BY 1, 2, 3, 4, 5
                    -- A place that stands after as it stood before adds up to nothing: most edits end here.
                    HAVING sum(s.sign) <> 0 OR sum(s.sign * s.id) <> 0) p
             GROUP BY 1, 2) d;
    IF moved IS NULL THEN
        RETURN NULL;
    END IF;
    WITH spread AS MATERIALIZED (
        SELECT l.level, m.quad >> 2 * (18 - l.level) AS quad, m.sector_group, sum(m.places)::bigint AS places,
               sum(m.ids)::bigint AS ids, sum(m.xs_cm)::bigint AS xs_cm, sum(m.ys_cm)::bigint AS ys_cm,
               sum(m.warned)::bigint AS warned, sum(m.illustrative)::bigint AS illustrative
          FROM unnest(moved) m CROSS JOIN kept_levels() l
         GROUP BY 1, 2, 3
         ORDER BY 1, 2, 3
    ), grouped AS (
        INSERT INTO tile_cell_group AS c SELECT * FROM spread
            ON CONFLICT (level, quad, sector_group) DO UPDATE SET
               places = c.places + excluded.places, ids = c.ids + excluded.ids, xs_cm = c.xs_cm + excluded.xs_cm,
               ys_cm = c.ys_cm + excluded.ys_cm, warned = c.warned + excluded.warned,
               illustrative = c.illustrative + excluded.illustrative
        RETURNING c.level, c.quad, c.places
    ), whole AS (
        INSERT INTO tile_cell AS c
        SELECT s.level, s.quad, sum(s.places), sum(s.ids), sum(s.xs_cm), sum(s.ys_cm), sum(s.warned), sum(s.illustrative)
          FROM spread s
         GROUP BY s.level, s.quad
        -- A place of another sector leaves the sum of all sectors as it was.
        HAVING sum(s.places) <> 0 OR sum(s.ids) <> 0 OR sum(s.xs_cm) <> 0 OR sum(s.ys_cm) <> 0 OR sum(s.warned) <> 0
            OR sum(s.illustrative) <> 0
         ORDER BY s.level, s.quad
            ON CONFLICT (level, quad) DO UPDATE SET
               places = c.places + excluded.places, ids = c.ids + excluded.ids, xs_cm = c.xs_cm + excluded.xs_cm,
               ys_cm = c.ys_cm + excluded.ys_cm, warned = c.warned + excluded.warned,
               illustrative = c.illustrative + excluded.illustrative
    )
    SELECT array_agg(g.level), array_agg(g.quad) INTO levels, quads FROM grouped g WHERE g.places = 0;
    IF levels IS NOT NULL THEN
        DELETE FROM tile_cell_group c USING unnest(levels, quads) AS t(level, quad)
         WHERE c.level = t.level AND c.quad = t.quad AND c.places = 0;
        DELETE FROM tile_cell c USING unnest(levels, quads) AS t(level, quad)
         WHERE c.level = t.level AND c.quad = t.quad AND c.places = 0;
    END IF;
    RETURN NULL;
END
$body$
    $function$;
    columns CONSTANT text := 'id, sector_group, live_warning, illustrative, geom_3857, ended_at';
    before CONSTANT text := format('SELECT -1 AS sign, %s FROM removed', columns);
    after CONSTANT text := format('SELECT 1 AS sign, %s FROM added', columns);
BEGIN
    EXECUTE format(definition, 'count_cells_added', after);
    EXECUTE format(definition, 'count_cells_changed', before || ' UNION ALL ' || after);
    EXECUTE format(definition, 'count_cells_removed', before);
END
$make$;

CREATE OR REPLACE TRIGGER count_cells_added AFTER INSERT ON register.establishment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.count_cells_added();
CREATE OR REPLACE TRIGGER count_cells_changed AFTER UPDATE ON register.establishment
    REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.count_cells_changed();
CREATE OR REPLACE TRIGGER count_cells_removed AFTER DELETE ON register.establishment
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.count_cells_removed();

-- A register of an earlier release.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM register.tile_cell) AND EXISTS (SELECT FROM register.establishment) THEN
        PERFORM register.fill_tile_cells();
    END IF;
END
$$;
