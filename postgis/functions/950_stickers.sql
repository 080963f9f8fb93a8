-- Stickers: what nobody gets around, whatever the code above does, and what the look-up page may ask about one. After
-- 900_grants.sql, which takes every right away before it gives some.

CREATE OR REPLACE FUNCTION register.guard_sticker() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version := OLD.version + 1;
    IF (NEW.serial, NEW.ward_id, NEW.establishment_id, NEW.run_id, NEW.position, NEW.key_version, NEW.replaces_id)
       IS DISTINCT FROM
       (OLD.serial, OLD.ward_id, OLD.establishment_id, OLD.run_id, OLD.position, OLD.key_version, OLD.replaces_id) THEN
        RAISE EXCEPTION 'what a sticker says is printed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state IS DISTINCT FROM OLD.state THEN
        IF OLD.state NOT IN ('printed', 'installed') OR NEW.state = 'printed' THEN
            RAISE EXCEPTION 'the state of a sticker does not go back' USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.state_at := now();
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_sticker() IS
    'A sticker keeps what is printed on it, and what is lost, replaced, withdrawn or spoilt stays so.';

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON register.sticker
    FOR EACH ROW EXECUTE FUNCTION register.guard_sticker();

CREATE OR REPLACE FUNCTION register.guard_sticker_run() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.pages_taken < OLD.pages_taken
       OR to_jsonb(NEW) - 'pages_taken' IS DISTINCT FROM to_jsonb(OLD) - 'pages_taken' THEN
        RAISE EXCEPTION 'the list of a print run is fixed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_sticker_run() IS 'Of a print run nothing changes but how many pages were taken.';

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON register.sticker_run
    FOR EACH ROW EXECUTE FUNCTION register.guard_sticker_run();

CREATE OR REPLACE FUNCTION register.guard_own_name() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user = 'mapservice_staff' AND NEW.staff_id IS DISTINCT FROM account.actor_id() THEN
        RAISE EXCEPTION 'noted in one''s own name' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION register.guard_own_name() IS 'Staff note what they do in their own name.';

CREATE OR REPLACE TRIGGER own_name BEFORE INSERT ON register.sticker_event
    FOR EACH ROW EXECUTE FUNCTION register.guard_own_name();
CREATE OR REPLACE TRIGGER own_name BEFORE INSERT ON register.sticker_print
    FOR EACH ROW EXECUTE FUNCTION register.guard_own_name();
CREATE OR REPLACE TRIGGER own_name BEFORE INSERT ON register.sticker_run
    FOR EACH ROW EXECUTE FUNCTION register.guard_own_name();

CREATE OR REPLACE FUNCTION register.tell_on_page() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    -- Stands in no history. Some at a time: a notice has 8,000 bytes at most.
    PERFORM pg_notify('mapservice_register', 'same on_page ' || string_agg(found.code, ',' ORDER BY found.number))
       FROM (SELECT e.code, row_number() OVER (ORDER BY e.code) AS number
               FROM (SELECT DISTINCT m.establishment_id FROM moved m) places
               JOIN establishment e ON e.id = places.establishment_id) found
      GROUP BY (found.number - 1) / 50;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION register.tell_on_page() IS
    'Tells whoever keeps look-up pages of which places something has changed that stands there and in no history.';
REVOKE ALL ON FUNCTION register.tell_on_page() FROM PUBLIC;

CREATE OR REPLACE TRIGGER tell_made AFTER INSERT ON register.sticker REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_on_page();
CREATE OR REPLACE TRIGGER tell_moved AFTER UPDATE ON register.sticker REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_on_page();
CREATE OR REPLACE TRIGGER tell_gone AFTER DELETE ON register.sticker REFERENCING OLD TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION register.tell_on_page();

CREATE OR REPLACE FUNCTION register.tell_misused() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('mapservice_register', 'same on_page ' || e.code)
       FROM sticker s JOIN establishment e ON e.id = s.establishment_id
      WHERE s.id = NEW.sticker_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION register.tell_misused() IS
    'Tells whoever keeps pages of which place a sticker was found copied or hung elsewhere.';
REVOKE ALL ON FUNCTION register.tell_misused() FROM PUBLIC;

CREATE OR REPLACE TRIGGER tell_misused AFTER INSERT ON register.sticker_event
    FOR EACH ROW WHEN (NEW.kind = 'misused') EXECUTE FUNCTION register.tell_misused();

DROP VIEW IF EXISTS published.stickers;

CREATE VIEW published.stickers AS
SELECT s.serial, e.code, s.state, (s.state_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS state_on,
       (SELECT (max(v.at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
          FROM register.sticker_event v WHERE v.sticker_id = s.id AND v.kind = 'misused') AS misused_on
  FROM register.sticker s
  JOIN register.establishment e ON e.id = s.establishment_id;
COMMENT ON VIEW published.stickers IS
    'Every sticker ever made: the code it carries, what became of it, and when an officer last found it copied or hung '
    'elsewhere. Without the mark, which only the key makes.';

DROP VIEW IF EXISTS published.sticker_keys;

CREATE VIEW published.sticker_keys AS
SELECT version, fingerprint FROM register.sticker_key;
COMMENT ON VIEW published.sticker_keys IS 'Which versions of the key of stickers'' marks there are; not the keys.';

GRANT SELECT ON published.stickers, published.sticker_keys TO mapservice_public, mapservice_staff;
