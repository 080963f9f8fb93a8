-- How long each kind of fact stays fresh, where the ward has not chosen otherwise. A licence is fresh until it expires, too.

INSERT INTO register.shelf_life (fact, months) VALUES
    ('payment', 6), ('licence', 24), ('address', 24), ('food_safety', 12), ('digital', 12)
ON CONFLICT (fact) DO NOTHING;

CREATE OR REPLACE FUNCTION register.shelf_life_months(of_ward bigint, of_fact text) RETURNS integer
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT months FROM ward_shelf_life WHERE ward_id = of_ward AND fact = of_fact),
                    (SELECT months FROM shelf_life WHERE fact = of_fact))
$$;

COMMENT ON FUNCTION register.shelf_life_months(bigint, text) IS
    'How many months a fact of a ward may be relied on after its check: as the ward has chosen, or as for everybody.';
