-- Statistics of use. As owner, since who looks something up is nobody: only sums come in, of codes that there are.
CREATE OR REPLACE FUNCTION register.count_lookups(of_day date, codes text[], counted integer[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    -- In one order, so that two processes never wait for each other.
    WITH known AS (
        SELECT e.id, e.ward_id, sum(c.counted) AS counted
          FROM unnest(codes, counted) AS c (code, counted)
          JOIN establishment e ON e.code = c.code
         WHERE c.counted > 0
         GROUP BY e.id
    ), months AS (
        INSERT INTO lookup_month AS m (ward_id, month, lookups)
        SELECT ward_id, date_trunc('month', of_day)::date, sum(counted) FROM known GROUP BY ward_id ORDER BY ward_id
            ON CONFLICT (ward_id, month) DO UPDATE SET lookups = m.lookups + excluded.lookups
    )
    INSERT INTO lookup_day AS d (establishment_id, day, lookups)
    SELECT id, of_day, counted FROM known ORDER BY id
        ON CONFLICT (establishment_id, day) DO UPDATE SET lookups = d.lookups + excluded.lookups
$$;

COMMENT ON FUNCTION register.count_lookups(date, text[], integer[]) IS
    'Adds to how often places were looked up on a day; codes that there are not are left out.';

CREATE OR REPLACE FUNCTION register.forget_lookups() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    DELETE FROM lookup_day WHERE day < current_date - 400
$$;
COMMENT ON FUNCTION register.forget_lookups() IS 'Removes what is older than 400 days; the sums by ward and month stay.';

REVOKE ALL ON FUNCTION register.count_lookups(date, text[], integer[]), register.forget_lookups() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.count_lookups(date, text[], integer[]), register.forget_lookups() TO mapservice_staff;
