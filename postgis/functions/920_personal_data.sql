-- Personal data beyond what row-level security says: it can be forgotten, and each reading of it stays on record.

-- As owner, since staff delete nothing: a person may ask to be forgotten (Law 91/2025/QH15), and what is encrypted only is
-- not forgotten. The history keeps that there was a value, who removed it and why, never the value.
CREATE OR REPLACE FUNCTION register.forget_personal_datum(of_entity text, of_field text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM account.check_officer();
    DELETE FROM personal_datum d USING legal_entity l
     WHERE l.id = d.legal_entity_id AND l.code = of_entity AND l.ward_id = account.actor_ward() AND d.field = of_field;
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION register.forget_personal_datum(text, text) IS
    'Removes a personal field of a legal entity of the actor''s ward; false when there is none.';

REVOKE ALL ON FUNCTION register.forget_personal_datum(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.forget_personal_datum(text, text) TO mapservice_staff;

-- The log of readings: everybody writes in their own name about their own ward, those who answer for the ward read it,
-- nobody alters it, the owner by mistake included.
ALTER TABLE account.reveal ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS staff_reads ON account.reveal;
DROP POLICY IF EXISTS staff_adds ON account.reveal;
CREATE POLICY staff_reads ON account.reveal FOR SELECT TO mapservice_staff USING (
    EXISTS (SELECT FROM register.legal_entity l WHERE l.id = legal_entity_id)
    AND (staff_id = (SELECT account.actor_id()) OR (SELECT account.actor_role()) IN ('approver', 'admin')));
CREATE POLICY staff_adds ON account.reveal FOR INSERT TO mapservice_staff WITH CHECK (
    EXISTS (SELECT FROM register.legal_entity l WHERE l.id = legal_entity_id)
    AND staff_id = (SELECT account.actor_id())
    AND (SELECT account.actor_role()) IN ('officer', 'approver', 'admin'));

CREATE OR REPLACE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON account.reveal
    FOR EACH STATEMENT EXECUTE FUNCTION register.refuse();
