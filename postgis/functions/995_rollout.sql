-- The rollout: what nobody gets around, whatever the code above does. After 900_grants.sql, which takes every right away
-- before it gives some.

GRANT INSERT, UPDATE ON register.criterion_proof TO mapservice_staff;
GRANT INSERT ON register.phase_note TO mapservice_staff;

CREATE OR REPLACE FUNCTION register.guard_proof() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    leads CONSTANT boolean := coalesce(account.actor_role() IN ('approver', 'admin'), false);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF current_user = 'mapservice_staff' THEN
            NEW.added_by := account.actor_id();
            NEW.added_at := now();
            IF num_nonnulls(NEW.signed_by, NEW.withdrawn_by) > 0 THEN
                RAISE EXCEPTION 'signed and withdrawn afterwards' USING ERRCODE = 'insufficient_privilege';
            END IF;
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.ward_id, NEW.criterion, NEW.title, NEW.number, NEW.dated_on, NEW.file, NEW.file_kind, NEW.file_bytes,
        NEW.added_by, NEW.added_at)
       IS DISTINCT FROM
       (OLD.id, OLD.ward_id, OLD.criterion, OLD.title, OLD.number, OLD.dated_on, OLD.file, OLD.file_kind, OLD.file_bytes,
        OLD.added_by, OLD.added_at)
       OR OLD.withdrawn_by IS NOT NULL
       OR (OLD.signed_by IS NOT NULL AND (NEW.signed_by, NEW.signed_name, NEW.signed_role, NEW.signed_at)
           IS DISTINCT FROM (OLD.signed_by, OLD.signed_name, OLD.signed_role, OLD.signed_at)) THEN
        RAISE EXCEPTION 'a proof stays as it was given' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF current_user <> 'mapservice_staff' THEN
        RETURN NEW;
    END IF;
    IF NEW.signed_by IS DISTINCT FROM OLD.signed_by THEN
        IF NOT leads THEN
            RAISE EXCEPTION 'leaders sign' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT s.id, s.display_name, s.role, now() INTO NEW.signed_by, NEW.signed_name, NEW.signed_role, NEW.signed_at
          FROM account.staff s WHERE s.id = account.actor_id();
    END IF;
    IF NEW.withdrawn_by IS DISTINCT FROM OLD.withdrawn_by THEN
        IF OLD.signed_by IS NOT NULL AND NOT leads THEN
            RAISE EXCEPTION 'what a leader has signed, a leader withdraws' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.withdrawn_by := account.actor_id();
        NEW.withdrawn_at := now();
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION register.guard_proof() IS
    'Added, signed and withdrawn in one''s own name and once each; leaders sign, and withdraw what is signed.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON register.criterion_proof
    FOR EACH ROW EXECUTE FUNCTION register.guard_proof();
CREATE OR REPLACE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON register.criterion_proof
    FOR EACH STATEMENT EXECUTE FUNCTION register.refuse();

CREATE OR REPLACE FUNCTION register.guard_phase_note() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user = 'mapservice_staff' THEN
        SELECT s.id, s.display_name, s.role, now() INTO NEW.staff_id, NEW.staff_name, NEW.staff_role, NEW.at
          FROM account.staff s WHERE s.id = account.actor_id();
    END IF;
    IF NEW.kind = 'solved' AND NOT EXISTS (
        SELECT FROM register.phase_note b
         WHERE b.id = NEW.solves_id AND b.kind = 'blocker' AND b.ward_id = NEW.ward_id AND b.phase = NEW.phase) THEN
        RAISE EXCEPTION 'no such blocker' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_phase_note_solves';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION register.guard_phase_note() IS 'Noted in one''s own name; what is solved is a blocker of the same phase.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON register.phase_note
    FOR EACH ROW EXECUTE FUNCTION register.guard_phase_note();
CREATE OR REPLACE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON register.phase_note
    FOR EACH STATEMENT EXECUTE FUNCTION register.refuse();

REVOKE ALL ON FUNCTION register.guard_proof(), register.guard_phase_note() FROM PUBLIC;
