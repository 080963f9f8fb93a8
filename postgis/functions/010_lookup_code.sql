-- The twin of postgis/codes.py: tests hold the two to the same answer. Change neither alone, and never the rule itself:
-- stickers that carry these codes are already on doors.

CREATE OR REPLACE FUNCTION published.is_lookup_code(code text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    -- Written out, since a sub-query takes ten times as long: an import issues 50,000 codes.
    SELECT code ~ '^[23456789ACEFHJKMNPRTWXY]{8}$' AND (
        1 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 1, 1)) - 1) +
        2 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 2, 1)) - 1) +
        3 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 3, 1)) - 1) +
        4 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 4, 1)) - 1) +
        5 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 5, 1)) - 1) +
        6 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 6, 1)) - 1) +
        7 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 7, 1)) - 1) +
        8 * (strpos('23456789ACEFHJKMNPRTWXY', substr(code, 8, 1)) - 1)) % 23 = 0
$$;

COMMENT ON FUNCTION published.is_lookup_code(text) IS
    'Whether the text is a public look-up code in canonical form: eight characters of the 23-letter alphabet whose '
    'weighted sum (place x value, places 1 to 8) is divisible by 23. Catches every wrong single character and every '
    'swap of two different ones.';
