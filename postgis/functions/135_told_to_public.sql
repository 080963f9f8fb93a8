-- Whoever ends a place takes down all that the public is told of it. While that is a warning or a failed inspection, which
-- only two persons may take down (postgis/risk.py), no single person does so by merging or withdrawing the place.

CREATE OR REPLACE FUNCTION register.keep_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM establishment_fact f
         WHERE f.establishment_id = NEW.id AND (f.live_warning OR f.last_inspection_result IN ('fail', 'c'))
    ) THEN
        RAISE EXCEPTION 'the public is told of a failure' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_establishment_told_to_public';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER keep_told BEFORE UPDATE OF ended_at ON register.establishment
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION register.keep_told();
