-- Lists of places to visit: what nobody gets around, whatever the code above does.

CREATE OR REPLACE FUNCTION register.guard_work_list() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM account.staff s WHERE s.id = NEW.assignee_id AND s.ward_id = NEW.ward_id)
       OR account.actor_id() IS NOT NULL AND TG_OP = 'INSERT' AND NEW.made_by IS DISTINCT FROM account.actor_id() THEN
        RAISE EXCEPTION 'made in one''s own name, for a colleague of the ward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE'
       AND (NEW.ward_id, NEW.indicator, NEW.scope, NEW.scope_code, NEW.target, NEW.needed, NEW.made_by, NEW.made_at)
           IS DISTINCT FROM
           (OLD.ward_id, OLD.indicator, OLD.scope, OLD.scope_code, OLD.target, OLD.needed, OLD.made_by, OLD.made_at) THEN
        RAISE EXCEPTION 'what a list was made for stays' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_work_list() IS
    'A list is made in one''s own name, for somebody of the ward, and what it was made for stays.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON register.work_list
    FOR EACH ROW EXECUTE FUNCTION register.guard_work_list();

CREATE OR REPLACE FUNCTION register.guard_work_item() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM work_list l JOIN establishment e ON e.ward_id = l.ward_id
         WHERE l.id = NEW.list_id AND e.id = NEW.establishment_id AND l.ended_at IS NULL) THEN
        RAISE EXCEPTION 'a place of the list''s own ward, on an open list' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_work_item() IS 'On an open list, a place of its own ward.';

CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON register.work_item
    FOR EACH ROW EXECUTE FUNCTION register.guard_work_item();

-- As owner: whoever asks may see the place and no more of the lists than that one is theirs.
CREATE OR REPLACE FUNCTION register.is_to_visit(place bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM work_item i JOIN work_list l ON l.id = i.list_id
         WHERE i.establishment_id = place AND l.assignee_id = account.actor_id() AND l.ended_at IS NULL
           AND l.ward_id = account.actor_ward())
$$;

COMMENT ON FUNCTION register.is_to_visit(bigint) IS
    'Whether the place stands on an open list that the acting person was given.';

-- Whoever was given a list notes what came of each visit: it is their own deed. What they learnt there they propose.
DROP POLICY IF EXISTS visitor_adds ON register.visit;
CREATE POLICY visitor_adds ON register.visit FOR INSERT TO mapservice_staff
    WITH CHECK (register.is_to_visit(establishment_id)
                AND EXISTS (SELECT FROM register.establishment e WHERE e.id = establishment_id));
