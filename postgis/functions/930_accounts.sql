-- Accounts: who may read and change what of them, whatever the code above does, and their part of the history. After
-- 900_grants.sql, which takes every right away before it gives some.
--
-- The staff role sees no password hash, no second factor and no proof of a form: signing in goes through the four doors
-- at the end. Without an actor there is nothing else.

CREATE OR REPLACE FUNCTION account.is_live(expires_at timestamptz, last_seen_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    -- A working day: who has not been seen for so long signs in again.
    SELECT expires_at > now() AND last_seen_at > now() - interval '8 hours'
$$;
COMMENT ON FUNCTION account.is_live(timestamptz, timestamptz) IS 'What a session must be to count.';

-- Which rows. An administrator answers for the ward's accounts, everybody for their own.
DO $$
DECLARE
    own CONSTANT text := '%s = (SELECT account.actor_id())';
    of_ward CONSTANT text := '(SELECT account.actor_role()) = ''admin''';
    found record;
    mine text;
BEGIN
    FOR found IN SELECT * FROM (VALUES
        ('staff', 'id', 'ward_id = (SELECT account.actor_ward())'),
        ('session', 'staff_id', 'EXISTS (SELECT FROM account.staff s WHERE s.id = staff_id)'),
        ('token', 'staff_id', 'EXISTS (SELECT FROM account.staff s WHERE s.id = staff_id)'),
        ('saved_view', 'staff_id', 'false'),
        ('write_key', 'staff_id', 'false')) AS t (table_name, holder, in_ward)
    LOOP
        mine := format(own, found.holder) || ' OR ' || of_ward || ' AND ' || found.in_ward;
        EXECUTE format('ALTER TABLE account.%I ENABLE ROW LEVEL SECURITY', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_reads ON account.%I', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_adds ON account.%I', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_changes ON account.%I', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_removes ON account.%I', found.table_name);
        -- Colleagues are named beside what they propose and read.
        EXECUTE format('CREATE POLICY staff_reads ON account.%I FOR SELECT TO mapservice_staff USING (%s)',
                       found.table_name, CASE found.table_name WHEN 'staff' THEN found.in_ward ELSE mine END);
        EXECUTE format('CREATE POLICY staff_adds ON account.%I FOR INSERT TO mapservice_staff WITH CHECK (%s)',
                       found.table_name,
                       CASE found.table_name WHEN 'staff' THEN of_ward || ' AND ' || found.in_ward
                                             ELSE format(own, found.holder) END);
        -- What was revoked stays so: of a token only that can be changed, and only once.
        EXECUTE format('CREATE POLICY staff_changes ON account.%I FOR UPDATE TO mapservice_staff USING (%s) WITH CHECK (%s)',
                       found.table_name,
                       CASE found.table_name WHEN 'token' THEN 'revoked_at IS NULL AND (' || mine || ')' ELSE mine END,
                       CASE found.table_name WHEN 'token' THEN 'revoked_at IS NOT NULL AND (' || mine || ')' ELSE mine END);
        EXECUTE format('CREATE POLICY staff_removes ON account.%I FOR DELETE TO mapservice_staff USING (%s)',
                       found.table_name, mine);
    END LOOP;
END
$$;

-- Which columns, and to what.
GRANT SELECT (id, login, display_name, role, ward_id, has_totp, totp_last_step, must_change_password, password_set_at,
              failed_logins, locked_until, disabled_at, created_at, version) ON account.staff TO mapservice_staff;
GRANT INSERT, UPDATE ON account.staff TO mapservice_staff;
GRANT SELECT (token_hash, staff_id, created_at, last_seen_at, expires_at), INSERT, DELETE ON account.session TO mapservice_staff;
GRANT SELECT (id, staff_id, label, scope, created_at, expires_at, revoked_at, last_used_at), INSERT, UPDATE (revoked_at)
    ON account.token TO mapservice_staff;
GRANT SELECT, INSERT, UPDATE, DELETE ON account.saved_view TO mapservice_staff;
GRANT SELECT, INSERT, DELETE ON account.write_key TO mapservice_staff;
GRANT SELECT, INSERT ON account.reveal TO mapservice_staff;

CREATE OR REPLACE FUNCTION account.guard_staff() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user <> 'mapservice_staff' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT NEW.must_change_password OR NEW.totp_secret IS NOT NULL THEN
            RAISE EXCEPTION 'a new account begins with a temporary password' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.login, NEW.ward_id, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.login, OLD.ward_id, OLD.created_at) THEN
        RAISE EXCEPTION 'an account keeps its login and its ward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.id = account.actor_id() THEN
        IF (NEW.role, NEW.disabled_at) IS DISTINCT FROM (OLD.role, OLD.disabled_at)
           OR (NEW.display_name <> OLD.display_name AND account.actor_role() <> 'admin') THEN
            RAISE EXCEPTION 'nobody grants themselves anything' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF (NEW.password_hash <> OLD.password_hash
           AND (NOT NEW.must_change_password OR NEW.password_set_at = OLD.password_set_at))
          OR (OLD.must_change_password AND NOT NEW.must_change_password)
          OR (NEW.totp_secret IS NOT NULL AND NEW.totp_secret IS DISTINCT FROM OLD.totp_secret) THEN
        RAISE EXCEPTION 'what proves somebody else''s identity can only be reset' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION account.guard_staff() IS
    'Nobody changes their own role; an administrator resets what proves who somebody is, and cannot choose it for them.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON account.staff
    FOR EACH ROW EXECUTE FUNCTION account.guard_staff();

-- The history notes accounts and tokens as it does records (110_changes.sql), without what proves who somebody is and
-- without the bookkeeping of signing in.
DO $$
BEGIN
    PERFORM register.note_changes_of('account.staff', 'accounts'), register.note_changes_of('account.token', 'tokens');
END
$$;

-- The doors for who is not signed in yet. What is asked for is the proof: a login to try, a cookie's or token's hash.
CREATE OR REPLACE FUNCTION account.reserve_attempt(of_login text, free int, locks interval[])
RETURNS TABLE (id bigint, login text, password_hash text, totp_secret bytea, totp_last_step bigint,
               must_change_password boolean, failed_logins int, version int)
LANGUAGE sql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    UPDATE staff s
       SET failed_logins = s.failed_logins + 1,
           locked_until = CASE WHEN s.failed_logins + 1 >= free
               THEN now() + locks[least(s.failed_logins + 2 - free, cardinality(locks))] END
     WHERE s.login = of_login AND s.disabled_at IS NULL AND (s.locked_until IS NULL OR s.locked_until <= now())
    RETURNING s.id, s.login, s.password_hash, s.totp_secret, s.totp_last_step, s.must_change_password, s.failed_logins,
              s.version
$$;
COMMENT ON FUNCTION account.reserve_attempt(text, int, interval[]) IS
    'Counts an attempt to sign in, and gives what is needed to judge it; no row for who may not try now.';

CREATE OR REPLACE FUNCTION account.session_holder(of_hash bytea)
RETURNS TABLE (id bigint, login text, display_name text, role text, ward_id bigint, ward_code text,
               must_change_password boolean, csrf_token text)
LANGUAGE sql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    -- To the minute: more often would be a write for each request.
    UPDATE session x SET last_seen_at = now()
     WHERE x.token_hash = of_hash AND is_live(x.expires_at, x.last_seen_at) AND x.last_seen_at < now() - interval '1 minute';
    SELECT s.id, s.login, s.display_name, s.role, s.ward_id, w.code, s.must_change_password, x.csrf_token
      FROM session x JOIN staff s ON s.id = x.staff_id JOIN register.ward w ON w.id = s.ward_id
     WHERE x.token_hash = of_hash AND is_live(x.expires_at, x.last_seen_at) AND s.disabled_at IS NULL
$$;
COMMENT ON FUNCTION account.session_holder(bytea) IS
    'Whose live session a cookie with this SHA-256 is, unless they are disabled; notes that it was seen.';

CREATE OR REPLACE FUNCTION account.token_holder(of_hash bytea)
RETURNS TABLE (id bigint, login text, display_name text, role text, ward_id bigint, ward_code text, scope text)
LANGUAGE sql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    UPDATE token t SET last_used_at = now()
     WHERE t.token_hash = of_hash AND t.revoked_at IS NULL AND t.expires_at > now()
       AND (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute');
    SELECT s.id, s.login, s.display_name, s.role, s.ward_id, w.code, t.scope
      FROM token t JOIN staff s ON s.id = t.staff_id JOIN register.ward w ON w.id = s.ward_id
     WHERE t.token_hash = of_hash AND t.revoked_at IS NULL AND t.expires_at > now() AND s.disabled_at IS NULL
$$;
COMMENT ON FUNCTION account.token_holder(bytea) IS
    'Who holds the token with this SHA-256, if it is neither expired nor revoked and they are not disabled; notes its use.';

CREATE OR REPLACE FUNCTION account.sweep_sessions() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    DELETE FROM session x WHERE NOT is_live(x.expires_at, x.last_seen_at)
$$;
COMMENT ON FUNCTION account.sweep_sessions() IS 'Removes the sessions that no longer count, whoever''s they were.';

REVOKE ALL ON FUNCTION account.guard_staff(), account.is_live(timestamptz, timestamptz),
    account.reserve_attempt(text, int, interval[]), account.session_holder(bytea), account.token_holder(bytea),
    account.sweep_sessions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account.is_live(timestamptz, timestamptz), account.reserve_attempt(text, int, interval[]),
    account.session_holder(bytea), account.token_holder(bytea), account.sweep_sessions() TO mapservice_staff;
