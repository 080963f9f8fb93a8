-- Statistics of use. As owner, since who looks something up is nobody: only sums come in, of codes that there are.
CREATE OR REPLACE FUNCTION register.count_lookups(of_day date, codes text[], counted integer[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    -- In one order, so that two processes never wait for each other.
    INSERT INTO lookup_day AS d (establishment_id, day, lookups)
    SELECT e.id, of_day, sum(c.counted)
      FROM unnest(codes, counted) AS c (code, counted)
      JOIN establishment e ON e.code = c.code
     WHERE c.counted > 0
     GROUP BY e.id
     ORDER BY e.id
        ON CONFLICT (establishment_id, day) DO UPDATE SET lookups = d.lookups + excluded.lookups
$$;

COMMENT ON FUNCTION register.count_lookups(date, text[], integer[]) IS
    'Adds to how often places were looked up on a day; codes that there are not are left out.';

REVOKE ALL ON FUNCTION register.count_lookups(date, text[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.count_lookups(date, text[], integer[]) TO mapservice_staff;
