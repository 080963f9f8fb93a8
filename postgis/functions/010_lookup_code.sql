-- The twin of postgis/codes.py: tests hold the two to the same answer. Change neither alone, and never the rule itself:
-- stickers that carry these codes are already on doors.

CREATE OR REPLACE FUNCTION published.is_lookup_code(code text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT code ~ '^[23456789ACEFHJKMNPRTWXY]{8}$'
       AND (SELECT sum(place * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, place, 1)) - 1)) % 23 = 0
              FROM generate_series(1, 8) AS place)
$$;

COMMENT ON FUNCTION published.is_lookup_code(text) IS
    'Whether the text is a public look-up code in canonical form: eight characters of the 23-letter alphabet whose '
    'weighted sum (place x value, places 1 to 8) is divisible by 23. Catches every wrong single character and every '
    'swap of two different ones.';
