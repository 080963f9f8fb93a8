-- H3 cells of states and their outlines. PostgreSQL here has no h3 extension: postgis/cells.py computes them, before the
-- commit of each transaction that began a state with a point and no cells (145_states.sql).

CREATE OR REPLACE FUNCTION register.points_without_cells(most int) RETURNS TABLE (id bigint, lon float8, lat float8)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
    SELECT s.id, ST_X(s.point), ST_Y(s.point)
      FROM establishment_state s WHERE s.cells IS NULL AND s.point IS NOT NULL
     ORDER BY s.id LIMIT most
$$;

CREATE OR REPLACE FUNCTION register.note_cells(ids bigint[], cells text[]) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    -- Only what is missing: cells follow from the point, and nobody may say otherwise.
    UPDATE establishment_state s SET cells = n.cells::bigint[]
      FROM unnest(ids, note_cells.cells) AS n(id, cells)
     WHERE s.id = n.id AND s.cells IS NULL;
    RETURN QUERY SELECT DISTINCT u.cell FROM unnest(note_cells.cells) AS n(cells), unnest(n.cells::bigint[]) AS u(cell)
                  WHERE NOT EXISTS (SELECT FROM h3_cell h WHERE h.cell = u.cell);
END
$$;

CREATE OR REPLACE FUNCTION register.note_outlines(cells bigint[], outlines text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
    -- Bits 52 to 55 of a cell are its resolution.
    INSERT INTO h3_cell (cell, resolution, geom)
    SELECT n.cell, (n.cell >> 52) & 15, ST_GeomFromText(n.outline, 4326) FROM unnest(cells, outlines) AS n(cell, outline)
        ON CONFLICT (cell) DO NOTHING
$$;

COMMENT ON FUNCTION register.points_without_cells(int) IS 'States whose cells are still to be computed.';
COMMENT ON FUNCTION register.note_cells(bigint[], text[]) IS 'Notes the cells of states, each set as an array; gives those that have no outline yet.';
COMMENT ON FUNCTION register.note_outlines(bigint[], text[]) IS 'Notes the outlines of cells, in WKT and degrees.';
