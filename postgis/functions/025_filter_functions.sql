-- What filters (CQL2) need beside SQL's own operators.

CREATE OR REPLACE FUNCTION published.accent_key(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary, normalize(value, NFC)))
$$;
COMMENT ON FUNCTION published.accent_key(text) IS
    'Text without tone and vowel marks (đ = d) in small letters, signs kept: ACCENTI of CQL2.';

CREATE OR REPLACE FUNCTION published.calculated(sign text, a numeric, b numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE sign
        WHEN '/' THEN a / nullif(b, 0)
        WHEN '%' THEN a % nullif(b, 0)
        WHEN 'div' THEN trunc(a / nullif(b, 0))
        WHEN '^' THEN CASE
            WHEN b = 0 THEN 1
            WHEN a = 0 THEN CASE WHEN b > 0 THEN 0 END
            WHEN a < 0 AND b <> trunc(b) THEN NULL
            -- Within the range of double precision: no power takes long, none overflows.
            WHEN abs(a) NOT BETWEEN 1e-100 AND 1e100 OR abs(b) > 1e6 THEN NULL
            WHEN abs(b * ln(abs(a))) > 600 THEN NULL
            ELSE CAST(power(CAST(a AS double precision), CAST(b AS double precision)) AS numeric)
        END
    END
$$;
COMMENT ON FUNCTION published.calculated(text, numeric, numeric) IS
    'Division, remainder, whole division and power of CQL2; null where there is no such number, or none of 260 digits.';

CREATE OR REPLACE FUNCTION published.key_pattern(folded text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT '%' || replace(
        regexp_replace(
            regexp_replace(folded, ' *[^a-z0-9 ][^a-z0-9]*|^ +| +$', '%', 'g'),
            ' +', ' ', 'g'
        ),
        'y', '_'
    ) || '%'
$$;
COMMENT ON FUNCTION published.key_pattern(text) IS
    'A pattern that the search_key of every text meets whose accent_key meets this one, wherever the text stands in it: '
    'signs may have gone, and a y may be an i. An index of three-letter pieces answers it.';
