-- The cells of the map: those of level n divide WebMercatorQuad into 2^n columns and rows. A tile of zoom z is drawn from
-- the cells of level z + 4, of which it has 16 along each side; only even levels are counted (160_tile_cells.sql), four
-- cells of which make one of the level above. layers/tile_cells.py knows the same numbers.

CREATE OR REPLACE FUNCTION published.finest_cell(x_cm bigint, y_cm bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    -- A cell's west and north edges belong to it. What lies beyond the edge of the map counts in its outermost cells.
    c bigint := least(greatest(floor((x_cm + 2003750834.2789244) / 4007501668.5578488 * 262144), 0), 262143);
    r bigint := least(greatest(floor((2003750834.2789244 - y_cm) / 4007501668.5578488 * 262144), 0), 262143);
BEGIN
    -- The bits of both in turn, as a space-filling curve (Morton) has them: the cells of any tile follow one another.
    c := (c | (c << 16)) & 281470681808895;
    c := (c | (c << 8)) & 71777214294589695;
    c := (c | (c << 4)) & 1085102592571150095;
    c := (c | (c << 2)) & 3689348814741910323;
    c := (c | (c << 1)) & 6148914691236517205;
    r := (r | (r << 16)) & 281470681808895;
    r := (r | (r << 8)) & 71777214294589695;
    r := (r | (r << 4)) & 1085102592571150095;
    r := (r | (r << 2)) & 3689348814741910323;
    r := (r | (r << 1)) & 6148914691236517205;
    RETURN c | (r << 1);
END
$$;
COMMENT ON FUNCTION published.finest_cell(bigint, bigint) IS
    'The cell of level 18 that a position lies in, in centimetres of EPSG:3857. The cell of level n is this >> 2 * (18 - n).';
