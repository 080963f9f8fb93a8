-- Whether the payment QR on a counter is the shop's own: compared with keyed hashes, bounded, nothing noted of who asks.

GRANT INSERT (establishment_id, bank_bin, account_hash, buyer_check, checked_by),
    UPDATE (checked_on, checked_by, buyer_check, withdrawn_at) ON register.payment_account TO mapservice_staff;

CREATE OR REPLACE FUNCTION register.guard_payment_account() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user = 'mapservice_staff'
       AND (TG_OP = 'INSERT' OR NEW.checked_by IS DISTINCT FROM OLD.checked_by OR NEW.checked_on <> OLD.checked_on)
       AND NEW.checked_by IS DISTINCT FROM account.actor_id() THEN
        RAISE EXCEPTION 'a check is made in one''s own name' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION register.guard_payment_account() IS 'Staff check in their own name.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON register.payment_account
    FOR EACH ROW EXECUTE FUNCTION register.guard_payment_account();

CREATE OR REPLACE TRIGGER tell_made AFTER INSERT ON register.payment_account REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_on_page();
CREATE OR REPLACE TRIGGER tell_moved AFTER UPDATE ON register.payment_account REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_on_page();

-- For buyers, who are nobody to row-level security. A place without an account to compare with answers as one whose owner
-- has not agreed. Each comparison counts, right or wrong: an account number must not be found by trying.
CREATE OR REPLACE FUNCTION register.check_payment(place_code text, tried bytea)
RETURNS TABLE (answer text, checked_on date)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    most_for_a_place CONSTANT int := 30;
    most_in_an_hour CONSTANT int := 1000;
    place bigint := (SELECT e.id FROM establishment e WHERE e.code = place_code AND e.ended_at IS NULL);
    counted int;
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'no such place' USING ERRCODE = 'no_data_found';
    END IF;
    DELETE FROM payment_check_count c WHERE c.hour < date_trunc('hour', now()) - interval '1 hour';
    INSERT INTO payment_check_count AS c (establishment_id, hour, checks) VALUES (place, date_trunc('hour', now()), 1)
        ON CONFLICT (establishment_id, hour) DO UPDATE SET checks = c.checks + 1
        RETURNING c.checks INTO counted;
    IF counted > most_for_a_place
       OR (SELECT sum(c.checks) FROM payment_check_count c WHERE c.hour = date_trunc('hour', now())) > most_in_an_hour THEN
        RETURN QUERY SELECT 'too_many', NULL::date;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT CASE WHEN count(*) = 0 THEN 'none' WHEN bool_or(a.account_hash = tried) THEN 'match' ELSE 'no_match' END,
               max(a.checked_on) FILTER (WHERE a.account_hash = tried)
          FROM payment_account a
         WHERE a.establishment_id = place AND a.buyer_check AND a.withdrawn_at IS NULL;
END
$$;
COMMENT ON FUNCTION register.check_payment(text, bytea) IS
    'match, no_match, none (nothing to compare with) or too_many; when it matches, the day of the officer''s check.';

REVOKE ALL ON FUNCTION register.guard_payment_account(), register.check_payment(text, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.check_payment(text, bytea) TO mapservice_staff;
