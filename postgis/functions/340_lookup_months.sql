-- Statistics of use as anybody may be told them. Nobody's single look-up may be read out of a number, nor out of the
-- difference of two: none is exact, and only days and months that are over are told.

CREATE OR REPLACE FUNCTION published.told_lookups(lookups bigint, step bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN lookups >= step THEN (lookups + step / 2) / step * step END
$$;
COMMENT ON FUNCTION published.told_lookups(bigint, bigint) IS
    'A number of look-ups as it may be told: to the nearest step; null for fewer than one step, and none.';

DROP VIEW IF EXISTS published.lookup_months;

CREATE VIEW published.lookup_months AS
SELECT w.code AS ward, g.month::date AS month, published.told_lookups(coalesce(m.lookups, 0), 50) AS lookups
  FROM (SELECT ward_id, min(month) AS first FROM register.lookup_month GROUP BY ward_id) counted
  JOIN register.ward w ON w.id = counted.ward_id
 CROSS JOIN LATERAL generate_series(greatest(counted.first, (date_trunc('month', current_date) - interval '12 months')::date),
                                    date_trunc('month', current_date) - interval '1 month', interval '1 month') AS g (month)
  LEFT JOIN register.lookup_month m ON m.ward_id = counted.ward_id AND m.month = g.month::date;
COMMENT ON VIEW published.lookup_months IS
    'How often the look-up pages of a ward were viewed in each of the last twelve months that are over, to the nearest fifty: '
    'far coarser than what staff see of places, so that neither is told by the other.';
