-- How long each kind of fact stays fresh, where the ward has not chosen otherwise. A licence is fresh until it expires, too.

INSERT INTO register.shelf_life (fact, months) VALUES
    ('payment', 6), ('licence', 24), ('address', 24), ('food_safety', 12), ('digital', 12)
ON CONFLICT (fact) DO NOTHING;

CREATE OR REPLACE FUNCTION register.fresh_until(of_fact text, checked_on date) RETURNS date
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT (checked_on + make_interval(months => months))::date FROM shelf_life WHERE fact = of_fact
$$;

COMMENT ON FUNCTION register.fresh_until(text, date) IS 'The last day on which a fact checked on a day may be relied on.';
