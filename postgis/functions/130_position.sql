-- Where a place lies: in or near its ward, unless a person has accepted that it lies outside; and in which group. A
-- model site is the ward's own: it lies in or near it without exception.

CREATE OR REPLACE FUNCTION register.place_in_ward() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    IF NOT NEW.outside_accepted AND NOT EXISTS (
        -- 0.002 degrees: about 200 m. Outlines and positions are not surveyed to the metre.
        SELECT FROM ward w WHERE w.id = NEW.ward_id AND ST_DWithin(w.geom, NEW.geom, 0.002)
    ) THEN
        RAISE EXCEPTION 'outside the ward' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_establishment_position_in_ward';
    END IF;
    IF TG_OP = 'UPDATE' OR NEW.residential_group_id IS NULL THEN
        NEW.residential_group_id := (
            SELECT g.id FROM residential_group g
             WHERE g.ward_id = NEW.ward_id AND g.valid_to IS NULL AND ST_Intersects(g.geom, NEW.geom) ORDER BY g.id LIMIT 1);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER place_in_ward_added BEFORE INSERT ON register.establishment
    FOR EACH ROW EXECUTE FUNCTION register.place_in_ward();
CREATE OR REPLACE TRIGGER place_in_ward_moved BEFORE UPDATE OF geom, ward_id, outside_accepted ON register.establishment
    FOR EACH ROW EXECUTE FUNCTION register.place_in_ward();

CREATE OR REPLACE FUNCTION register.site_in_ward() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        -- Near the ward, and no larger than it: an outline around the world touches every ward.
        SELECT FROM ward w WHERE w.id = NEW.ward_id AND ST_DWithin(w.geom, NEW.geom, 0.002) AND ST_Expand(w.geom, 0.01) ~ NEW.geom
    ) THEN
        RAISE EXCEPTION 'outside the ward' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_model_site_site_in_ward';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER site_in_ward BEFORE INSERT OR UPDATE OF geom ON register.model_site
    FOR EACH ROW EXECUTE FUNCTION register.site_in_ward();
