-- Statuses that depend on the day are made from stored dates when they are read: nothing has to run at midnight.

CREATE OR REPLACE FUNCTION published.licence_status(state text, valid_until date, on_day date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN state IS NULL THEN 'unknown'
        WHEN state = 'not_required' THEN 'not_required'
        WHEN valid_until < on_day THEN 'expired'
        WHEN valid_until <= on_day + 90 THEN 'expiring'
        ELSE 'valid'
    END
$$;

COMMENT ON FUNCTION published.licence_status(text, date, date) IS
    'valid, expiring (within 90 days), expired, not_required or unknown. valid_until is the earliest end among the '
    'licences held; null means none of them has a term.';

CREATE OR REPLACE FUNCTION published.food_safety_status(kind text, valid_until date, on_day date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN kind IS NULL THEN 'unknown'
        WHEN kind IN ('certificate', 'commitment', 'equivalent') AND valid_until < on_day THEN 'missing'
        WHEN kind = 'certificate' THEN 'certified'
        WHEN kind = 'commitment' THEN 'committed'
        ELSE kind
    END
$$;

COMMENT ON FUNCTION published.food_safety_status(text, date, date) IS
    'certified, committed, equivalent, not_required, missing or unknown. A file past its end counts as missing; its end '
    'stays visible beside it.';
