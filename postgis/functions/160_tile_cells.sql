-- Places counted by cell, for tiles of wide views: kept by triggers, in sums that an edit adds to and takes from, so that
-- it costs the same in a register of any size. All sums are of whole numbers: what was added and taken away leaves no
-- remainder, and tile_cell_differences() finds none.

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
        SELECT of_level::smallint, g.quad >> 2 AS above, g.sector_group, sum(g.places)::bigint, sum(g.ids)::bigint,
               sum(g.xs_cm)::bigint, sum(g.ys_cm)::bigint, sum(g.warned)::bigint, sum(g.illustrative)::bigint
          FROM tile_cell_group g WHERE g.level = of_level + 1
         GROUP BY above, g.sector_group
         ORDER BY above, g.sector_group;
    END IF;
END
$$;
COMMENT ON FUNCTION register.counted_cells(int) IS
    'What the cells of a level must hold: the finest, 18, as the register says; the others as the next finer level says.';

CREATE OR REPLACE FUNCTION register.summed_cell(of_level smallint, of_quad bigint) RETURNS SETOF register.tile_cell
LANGUAGE sql STABLE
AS $$
    -- In a form that PostgreSQL can put in the place of its call.
    SELECT of_level, of_quad, (array_agg(g.sector_group ORDER BY g.places DESC, g.sector_group))[1], sum(g.places)::bigint,
           sum(g.ids)::bigint, sum(g.xs_cm)::bigint, sum(g.ys_cm)::bigint, sum(g.warned)::bigint, sum(g.illustrative)::bigint
      FROM register.tile_cell_group g
     WHERE g.level = of_level AND g.quad = of_quad
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION register.summed_cell(smallint, bigint) IS
    'What tile_cell must hold of a cell: the sum of its sector groups; no row where there is none.';

CREATE OR REPLACE FUNCTION register.fill_tile_cells() RETURNS bigint
LANGUAGE plpgsql
SET search_path = register, pg_temp
AS $$
DECLARE
    filled bigint;
BEGIN
    LOCK TABLE establishment IN SHARE MODE;
    DELETE FROM tile_cell;
    DELETE FROM tile_cell_group;
    FOR of_level IN REVERSE 18..4 LOOP
        INSERT INTO tile_cell_group SELECT * FROM counted_cells(of_level);
    END LOOP;
    INSERT INTO tile_cell
    SELECT s.* FROM (SELECT DISTINCT g.level, g.quad FROM tile_cell_group g ORDER BY 1, 2) t
     CROSS JOIN LATERAL summed_cell(t.level, t.quad) s;
    GET DIAGNOSTICS filled = ROW_COUNT;
    RETURN filled;
END
$$;
COMMENT ON FUNCTION register.fill_tile_cells() IS
    'Counts all cells anew; how many there are. For a register that was filled without its triggers, as owner.';

CREATE OR REPLACE FUNCTION register.tile_cell_differences() RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = register, pg_temp
AS $$
DECLARE
    found bigint;
    found_all bigint := 0;
BEGIN
    FOR of_level IN 4..18 LOOP
        SELECT count(*) INTO found
          FROM (SELECT g.* FROM tile_cell_group g WHERE g.level = of_level) stored
          FULL JOIN counted_cells(of_level) counted USING (level, quad, sector_group)
         WHERE stored IS DISTINCT FROM counted;
        found_all := found_all + found;
    END LOOP;
    SELECT count(*) INTO found
      FROM tile_cell stored
      FULL JOIN (SELECT s.* FROM (SELECT DISTINCT g.level, g.quad FROM tile_cell_group g) t
                  CROSS JOIN LATERAL summed_cell(t.level, t.quad) s) counted USING (level, quad)
     WHERE stored IS DISTINCT FROM counted;
    RETURN found_all + found;
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
AS $body$
DECLARE
    levels smallint[];
    quads bigint[];
    emptied boolean;
BEGIN
    -- PostgreSQL keeps the plan that it makes for a trigger's first rows: nothing here joins the rows of a statement with
    -- others, which would be one way for a single row and another for 50,000.
    WITH moved AS (
        -- A place that stands after as it stood before adds up to nothing: most edits end here.
        SELECT x_cm, y_cm, sector_group, live_warning, illustrative, sum(sign) AS places, sum(sign * id)::bigint AS ids
          FROM (SELECT s.sign, s.id, s.sector_group, s.live_warning, s.illustrative,
                       round(ST_X(s.geom_3857) * 100)::bigint AS x_cm, round(ST_Y(s.geom_3857) * 100)::bigint AS y_cm
                  FROM (%2$s) s WHERE s.ended_at IS NULL) p
         GROUP BY 1, 2, 3, 4, 5
        HAVING sum(sign) <> 0 OR sum(sign * id) <> 0
    ), summed AS (
        SELECT finest_cell(m.x_cm, m.y_cm) AS quad, m.sector_group, sum(m.places)::bigint AS places, sum(m.ids)::bigint AS ids,
               sum(m.places * m.x_cm)::bigint AS xs_cm, sum(m.places * m.y_cm)::bigint AS ys_cm,
               coalesce(sum(m.places) FILTER (WHERE m.live_warning), 0)::bigint AS warned,
               coalesce(sum(m.places) FILTER (WHERE m.illustrative), 0)::bigint AS illustrative
          FROM moved m
         GROUP BY 1, 2
    ), written AS (
        INSERT INTO tile_cell_group AS c
        SELECT l.level, s.quad >> 2 * (18 - l.level), s.sector_group, sum(s.places), sum(s.ids), sum(s.xs_cm), sum(s.ys_cm),
               sum(s.warned), sum(s.illustrative)
          FROM summed s
         CROSS JOIN (SELECT generate_series(4, 18)::smallint AS level) l
         GROUP BY 1, 2, 3
         ORDER BY 1, 2, 3
            ON CONFLICT (level, quad, sector_group) DO UPDATE SET
               places = c.places + excluded.places, ids = c.ids + excluded.ids, xs_cm = c.xs_cm + excluded.xs_cm,
               ys_cm = c.ys_cm + excluded.ys_cm, warned = c.warned + excluded.warned,
               illustrative = c.illustrative + excluded.illustrative
        RETURNING c.level, c.quad, c.places
    )
    SELECT array_agg(w.level), array_agg(w.quad), bool_or(w.places = 0) INTO levels, quads, emptied FROM written w;
    IF levels IS NULL THEN
        RETURN NULL;
    END IF;
    IF emptied THEN
        DELETE FROM tile_cell_group c USING unnest(levels, quads) AS t(level, quad)
         WHERE c.level = t.level AND c.quad = t.quad AND c.places = 0;
        DELETE FROM tile_cell c USING unnest(levels, quads) AS t(level, quad)
         WHERE c.level = t.level AND c.quad = t.quad
           AND NOT EXISTS (SELECT FROM tile_cell_group g WHERE g.level = t.level AND g.quad = t.quad);
    END IF;
    INSERT INTO tile_cell AS c
    SELECT s.level, s.quad, s.sector_group, s.places, s.ids, s.xs_cm, s.ys_cm, s.warned, s.illustrative
      FROM (SELECT DISTINCT u.level, u.quad FROM unnest(levels, quads) AS u(level, quad)) t
     CROSS JOIN LATERAL summed_cell(t.level, t.quad) s
     ORDER BY s.level, s.quad
        ON CONFLICT (level, quad) DO UPDATE SET
           sector_group = excluded.sector_group, places = excluded.places, ids = excluded.ids, xs_cm = excluded.xs_cm,
           ys_cm = excluded.ys_cm, warned = excluded.warned, illustrative = excluded.illustrative;
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
