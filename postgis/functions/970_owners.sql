-- Owners of places, who have no account: a code from the ward office opens a short session, and in it they may propose a
-- change and reply to an adverse fact. Everything they send is reviewed as every proposal is.

GRANT INSERT (establishment_id, code_hash, made_by, expires_at), UPDATE (withdrawn_at) ON register.owner_code
    TO mapservice_staff;

CREATE OR REPLACE FUNCTION register.guard_owner_code() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user = 'mapservice_staff' AND TG_OP = 'INSERT' AND NEW.made_by IS DISTINCT FROM account.actor_id() THEN
        RAISE EXCEPTION 'a code is made in one''s own name' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at
                             OR OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at) THEN
        RAISE EXCEPTION 'a code that is used or withdrawn stays so' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION register.guard_owner_code() IS 'Codes are made in one''s own name, and work once.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON register.owner_code
    FOR EACH ROW EXECUTE FUNCTION register.guard_owner_code();

-- Whoever held a place's code or session is nobody there once the place has passed on, in whichever way that was noted.
CREATE OR REPLACE FUNCTION register.end_former_owner_access() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE owner_code c SET withdrawn_at = now()
     WHERE c.establishment_id = NEW.id AND c.used_at IS NULL AND c.withdrawn_at IS NULL;
    DELETE FROM account.owner_session s WHERE s.establishment_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION register.end_former_owner_access() IS
    'Withdraws unused codes and ends sessions when a place passes to another legal entity, or its record ends.';

CREATE OR REPLACE TRIGGER former_owner AFTER UPDATE OF legal_entity_id, ended_at ON register.establishment
    FOR EACH ROW WHEN (NEW.legal_entity_id IS DISTINCT FROM OLD.legal_entity_id
                       OR NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL)
    EXECUTE FUNCTION register.end_former_owner_access();

-- The door. Each try is counted before it is judged, and of two at once with the right code one comes in. A try at a place
-- without a code writes and waits for the disk as one with a wrong code does, so that none tells by its time which it was.
CREATE OR REPLACE FUNCTION account.owner_sign_in(place_code text, tried bytea, new_session bytea, form_token text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    live record;
BEGIN
    SELECT c.id, c.code_hash, c.establishment_id INTO live
      FROM owner_code c JOIN establishment e ON e.id = c.establishment_id
     WHERE e.code = place_code AND e.ended_at IS NULL
       AND c.used_at IS NULL AND c.withdrawn_at IS NULL AND c.expires_at > now() AND c.tries_left > 0
     ORDER BY c.id DESC LIMIT 1 FOR UPDATE OF c;
    IF NOT FOUND THEN
        PERFORM pg_logical_emit_message(true, 'mapservice', 'no code');
        RETURN false;
    END IF;
    -- Both are keyed hashes: how far they agree says nothing of the code.
    IF live.code_hash IS DISTINCT FROM tried THEN
        UPDATE owner_code SET tries_left = tries_left - 1 WHERE id = live.id;
        RETURN false;
    END IF;
    UPDATE owner_code SET used_at = now() WHERE id = live.id;
    DELETE FROM account.owner_session s WHERE s.expires_at <= now();
    INSERT INTO account.owner_session (token_hash, establishment_id, csrf_token, expires_at)
    VALUES (new_session, live.establishment_id, form_token, now() + interval '2 hours');
    RETURN true;
END
$$;
COMMENT ON FUNCTION account.owner_sign_in(text, bytea, bytea, text) IS
    'Begins an owner''s session of two hours when the hash is that of the place''s live code; five tries a code.';

CREATE OR REPLACE FUNCTION account.owner_holder(of_session bytea)
RETURNS TABLE (place_code text, csrf_token text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    SELECT e.code, s.csrf_token, s.expires_at
      FROM owner_session s JOIN register.establishment e ON e.id = s.establishment_id
     WHERE s.token_hash = of_session AND s.expires_at > now() AND e.ended_at IS NULL
$$;
COMMENT ON FUNCTION account.owner_holder(bytea) IS 'The place whose owner has a live session with this SHA-256 of a cookie.';

CREATE OR REPLACE FUNCTION account.end_owner_session(of_session bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
    DELETE FROM owner_session s WHERE s.token_hash = of_session
$$;
COMMENT ON FUNCTION account.end_owner_session(bytea) IS 'Signs an owner out.';

CREATE OR REPLACE FUNCTION account.end_owner_sessions(of_place text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = account, pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM account.check_officer();
    DELETE FROM owner_session s USING register.establishment e
     WHERE e.id = s.establishment_id AND e.code = of_place AND e.ward_id = account.actor_ward();
END
$$;
COMMENT ON FUNCTION account.end_owner_sessions(text) IS 'Signs the owner of a place out everywhere, for an officer of its ward.';

CREATE OR REPLACE FUNCTION register.propose_as_owner(
    of_session bytea, new_receipt text, for_collection text, of_record text, seen jsonb, wanted jsonb, why text, harm text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    most_waiting CONSTANT int := 10;
    place record;
    base_version int;
BEGIN
    -- Counting and adding are one step.
    PERFORM pg_advisory_xact_lock(20257007);
    SELECT e.id, e.code, e.ward_id, e.version INTO place
      FROM account.owner_session s JOIN establishment e ON e.id = s.establishment_id
     WHERE s.token_hash = of_session AND s.expires_at > now() AND e.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not signed in' USING ERRCODE = 'insufficient_privilege';
    END IF;
    base_version := CASE for_collection
        WHEN 'establishments' THEN CASE WHEN of_record = place.code THEN place.version END
        WHEN 'inspections' THEN (SELECT i.version FROM inspection i
            WHERE i.code = of_record AND i.establishment_id = place.id AND i.ended_at IS NULL AND i.signed_on IS NOT NULL)
        WHEN 'warnings' THEN (SELECT w.version FROM warning w
            WHERE w.code = of_record AND w.establishment_id = place.id AND w.ended_at IS NULL AND w.lifted_on IS NULL)
    END;
    IF base_version IS NULL
       OR for_collection <> 'establishments' AND (wanted - '{reply,replied_on}'::text[]) <> '{}' THEN
        RAISE EXCEPTION 'no such record of this owner''s' USING ERRCODE = 'no_data_found';
    END IF;
    IF (SELECT count(*) FROM owner_request r JOIN proposal p ON p.receipt = r.receipt
         WHERE r.establishment_id = place.id AND p.state = 'pending') >= most_waiting THEN
        RAISE EXCEPTION 'too many requests' USING ERRCODE = 'MS429';
    END IF;
    INSERT INTO proposal (receipt, ward_id, collection, record_code, base_version, base, patch, reason, source, risk,
                          proposer_kind)
    VALUES (new_receipt, place.ward_id, for_collection, of_record, base_version,
            seen || jsonb_build_object('establishment', place.code), wanted, why, 'owner', harm, 'owner');
    INSERT INTO owner_request (receipt, establishment_id) VALUES (new_receipt, place.id);
END
$$;
COMMENT ON FUNCTION register.propose_as_owner IS
    'Adds a proposal of a signed-in owner about their place or one of its adverse facts (SQLSTATE MS429 beyond ten).';

CREATE OR REPLACE FUNCTION register.owner_requests(of_session bytea)
RETURNS TABLE (receipt text, collection text, record_code text, state text, proposed_at timestamptz, decided_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT p.receipt, p.collection, p.record_code, p.state, p.proposed_at, p.decided_at
      FROM account.owner_session s
      JOIN owner_request r ON r.establishment_id = s.establishment_id
      JOIN proposal p ON p.receipt = r.receipt
     WHERE s.token_hash = of_session AND s.expires_at > now()
     ORDER BY p.id DESC LIMIT 50
$$;
COMMENT ON FUNCTION register.owner_requests(bytea) IS 'What the owner of a place has asked for, signed in; the latest 50.';

-- Not on the published views: those are dropped and made again before this is.
DROP VIEW IF EXISTS published.replies;
CREATE VIEW published.replies AS
SELECT 'warnings' AS collection, w.code, e.code AS establishment, w.issued_on AS fact_on, w.headline AS fact, w.agency, w.reply,
       w.replied_on
  FROM register.warning w JOIN register.establishment e ON e.id = w.establishment_id
 WHERE w.lifted_on IS NULL AND w.ended_at IS NULL AND e.ended_at IS NULL AND w.reply IS NOT NULL
UNION ALL
SELECT 'inspections', i.code, e.code, i.inspected_on, i.result, i.agency, i.reply, i.replied_on
  FROM register.inspection i JOIN register.establishment e ON e.id = i.establishment_id
 WHERE i.signed_on IS NOT NULL AND i.ended_at IS NULL AND e.ended_at IS NULL AND i.reply IS NOT NULL
   AND NOT EXISTS (SELECT FROM register.inspection later
                    WHERE later.establishment_id = i.establishment_id AND later.signed_on IS NOT NULL
                      AND later.ended_at IS NULL AND (later.inspected_on, later.id) > (i.inspected_on, i.id));
COMMENT ON VIEW published.replies IS
    'What owners say to the adverse facts about their places that still count, reviewed and dated.';
GRANT SELECT ON published.replies TO mapservice_public, mapservice_staff;

REVOKE ALL ON FUNCTION register.guard_owner_code(), register.end_former_owner_access(),
    account.owner_sign_in(text, bytea, bytea, text), account.owner_holder(bytea), account.end_owner_session(bytea),
    account.end_owner_sessions(text), register.owner_requests(bytea),
    register.propose_as_owner(bytea, text, text, text, jsonb, jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account.owner_sign_in(text, bytea, bytea, text), account.owner_holder(bytea),
    account.end_owner_session(bytea), account.end_owner_sessions(text), register.owner_requests(bytea),
    register.propose_as_owner(bytea, text, text, text, jsonb, jsonb, text, text) TO mapservice_staff;
