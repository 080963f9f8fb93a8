-- Who is acting: set for one transaction by postgis/actor.py. SECURITY DEFINER, since the answer decides what the asker
-- may read. A member of staff who has been disabled is nobody at once, in the middle of a session too.

CREATE OR REPLACE FUNCTION account.actor_id() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT id FROM account.staff
     WHERE id = nullif(current_setting('mapservice.staff_id', true), '')::bigint AND disabled_at IS NULL
$$;

CREATE OR REPLACE FUNCTION account.actor_ward() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ward_id FROM account.staff
     WHERE id = nullif(current_setting('mapservice.staff_id', true), '')::bigint AND disabled_at IS NULL
$$;

CREATE OR REPLACE FUNCTION account.actor_role() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT role FROM account.staff
     WHERE id = nullif(current_setting('mapservice.staff_id', true), '')::bigint AND disabled_at IS NULL
$$;

COMMENT ON FUNCTION account.actor_id() IS 'The member of staff that this transaction acts for, or null.';
COMMENT ON FUNCTION account.actor_ward() IS 'The ward of the acting member of staff, or null: row-level security compares with it.';
COMMENT ON FUNCTION account.actor_role() IS 'The role of the acting member of staff, or null.';

CREATE OR REPLACE FUNCTION account.check_officer() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF account.actor_role() IS NULL OR account.actor_role() NOT IN ('officer', 'approver', 'admin') THEN
        RAISE EXCEPTION 'not for this role' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

COMMENT ON FUNCTION account.check_officer() IS
    'Refuses whoever may not write in their ward; for functions that run as owner.';
