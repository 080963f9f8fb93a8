-- Proposals: what nobody gets around, whatever the code above does. After 900_grants.sql, which takes every right away
-- before it gives some.

CREATE OR REPLACE FUNCTION register.proposal_place(p register.proposal) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN p.collection = 'establishments' THEN p.record_code
                ELSE coalesce(p.patch ->> 'establishment', p.base ->> 'establishment') END
$$;

COMMENT ON FUNCTION register.proposal_place(register.proposal) IS
    'The public code of the establishment that a proposal is about; null for a new one, a legal entity, a model site.';

CREATE OR REPLACE FUNCTION register.guard_proposal() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
    END IF;
    IF current_user <> 'mapservice_staff' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' OR NEW.proposed_by IS DISTINCT FROM account.actor_id() THEN
            RAISE EXCEPTION 'a proposal is made in one''s own name' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'pending'
       OR (NEW.receipt, NEW.ward_id, NEW.collection, NEW.source, NEW.reason, NEW.proposer_kind, NEW.proposed_at, NEW.patch)
          IS DISTINCT FROM
          (OLD.receipt, OLD.ward_id, OLD.collection, OLD.source, OLD.reason, OLD.proposer_kind, OLD.proposed_at, OLD.patch)
       OR (NEW.record_code, NEW.base_version, NEW.base, NEW.proposed_by)
          IS DISTINCT FROM (OLD.record_code, OLD.base_version, OLD.base, OLD.proposed_by)
       OR (OLD.evidence IS NOT NULL AND NEW.evidence IS DISTINCT FROM OLD.evidence)
       OR (OLD.legal_basis IS NOT NULL AND NEW.legal_basis IS DISTINCT FROM OLD.legal_basis)
       OR (OLD.risk = 'adverse' AND NEW.risk <> 'adverse') THEN
        RAISE EXCEPTION 'what was asked stays as it was asked' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'withdrawn' THEN
        IF NEW.proposed_by IS DISTINCT FROM account.actor_id() OR NEW.decided_by IS NOT NULL THEN
            RAISE EXCEPTION 'only who proposed withdraws' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NEW.decided_by IS DISTINCT FROM account.actor_id()
          OR account.actor_role() NOT IN ('officer', 'approver', 'admin')
          OR (NEW.risk = 'adverse' AND NEW.state = 'applied' AND account.actor_role() NOT IN ('approver', 'admin')) THEN
        RAISE EXCEPTION 'the actor may not decide this' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_proposal() IS
    'Staff propose and decide in their own name, decide once, and leave what was asked as it was asked.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON register.proposal
    FOR EACH ROW EXECUTE FUNCTION register.guard_proposal();

-- For people without an account, who are nobody to row-level security. As owner: this function is all they can do.
CREATE OR REPLACE FUNCTION register.propose_anonymously(
    new_receipt text, kind text, for_collection text, place_code text, seen jsonb, wanted jsonb, why text, shown text,
    whence text, harm text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    outsiders CONSTANT text[] := ARRAY['volunteer', 'owner', 'citizen'];
    most_for_a_place CONSTANT int := 20;
    most_in_an_hour CONSTANT int := 200;
    place record;
BEGIN
    IF kind <> ALL (outsiders) THEN
        RAISE EXCEPTION 'not a kind of proposer without an account' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Counting and adding are one step: two at once must not both be the last that is let in.
    PERFORM pg_advisory_xact_lock(20257003);
    SELECT e.ward_id, e.version, e.position_method, e.position_accuracy_m INTO place
      FROM establishment e WHERE e.code = place_code AND e.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such place' USING ERRCODE = 'no_data_found';
    END IF;
    -- Counted in the table itself: who sends too much is bounded without noting who anybody is.
    IF (SELECT count(*) FROM proposal p
         WHERE p.state = 'pending' AND p.proposed_by IS NULL AND p.proposer_kind = ANY (outsiders)
           AND proposal_place(p) = place_code)
       >= most_for_a_place
       OR (SELECT count(*) FROM proposal p
            WHERE p.proposed_by IS NULL AND p.proposer_kind = ANY (outsiders)
              AND p.proposed_at > now() - interval '1 hour') >= most_in_an_hour THEN
        RAISE EXCEPTION 'too many proposals' USING ERRCODE = 'MS429';
    END IF;
    INSERT INTO proposal (receipt, ward_id, collection, record_code, base_version, base, patch, reason, evidence, source,
                          risk, proposer_kind)
    VALUES (new_receipt, place.ward_id, for_collection,
            CASE WHEN for_collection = 'establishments' THEN place_code END,
            CASE WHEN for_collection = 'establishments' THEN place.version END,
            -- Who moves a pin changes how the position is known too, which the public is not shown.
            CASE WHEN wanted ? 'geometry' THEN seen || jsonb_build_object(
                'position_method', place.position_method, 'position_accuracy_m', place.position_accuracy_m) ELSE seen END,
            wanted, why, shown, whence, harm, kind);
END
$$;

COMMENT ON FUNCTION register.propose_anonymously IS
    'Adds a proposal of a volunteer, owner or citizen about an establishment, within bounds (SQLSTATE MS429 beyond them).';

CREATE OR REPLACE FUNCTION register.withdraw_anonymously(of_receipt text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    WITH withdrawn AS (
        UPDATE proposal SET state = 'withdrawn'
         WHERE receipt = of_receipt AND state = 'pending' AND proposed_by IS NULL
           AND proposer_kind IN ('volunteer', 'owner', 'citizen')
        RETURNING 1)
    SELECT EXISTS (SELECT FROM withdrawn)
$$;

COMMENT ON FUNCTION register.withdraw_anonymously(text) IS
    'Withdraws a pending proposal of somebody without an account; the receipt is the proof of whose it is.';

-- A function and no view: whoever has one receipt sees one proposal, and no mistake above can list them. What staff wrote
-- down may hold what is not public, so of theirs only the state shows.
DROP FUNCTION IF EXISTS published.proposal(text);
CREATE FUNCTION published.proposal(of_receipt text)
RETURNS TABLE (receipt text, collection text, place_code text, place_name text, proposer_kind text, asked jsonb, seen jsonb,
               state text, proposed_at timestamptz, decided_at timestamptz, decision_note text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT p.receipt, o.collection, e.code, e.name, p.proposer_kind, o.patch, o.base, p.state, p.proposed_at, p.decided_at,
           CASE WHEN p.proposer_kind IN ('volunteer', 'owner', 'citizen') THEN p.decision_note END
      FROM proposal p
      LEFT JOIN proposal o ON o.id = p.id AND o.proposed_by IS NULL AND o.proposer_kind IN ('volunteer', 'owner', 'citizen')
      LEFT JOIN establishment e ON e.code = register.proposal_place(o)
     WHERE p.receipt = of_receipt
$$;

COMMENT ON FUNCTION published.proposal(text) IS
    'What the holder of a receipt may see: the state, the note and, of outsiders'' proposals, what was asked; no names of staff.';

REVOKE ALL ON FUNCTION register.proposal_place(register.proposal), register.guard_proposal(),
    register.propose_anonymously(text, text, text, text, jsonb, jsonb, text, text, text, text),
    register.withdraw_anonymously(text), published.proposal(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.proposal_place(register.proposal),
    register.propose_anonymously(text, text, text, text, jsonb, jsonb, text, text, text, text),
    register.withdraw_anonymously(text) TO mapservice_staff;
GRANT EXECUTE ON FUNCTION published.proposal(text) TO mapservice_public, mapservice_staff;
