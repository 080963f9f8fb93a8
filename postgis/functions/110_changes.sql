-- The history: every insert and update of a register table adds a row to register.change, in the same transaction, each
-- carrying the hash of the one before. One chain for the whole register: writers take its lock first (postgis/actor.py),
-- so that no two of them wait for each other in turn.

CREATE OR REPLACE FUNCTION register.recordable(row_as_json jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- Kept columns only: what the database makes of others is not a change, and personal data has no place in a history
    -- that cannot forget. Nor has what opens an account; attempts to sign in and the use of a token are no change of it.
    SELECT row_as_json - '{geom_3857,name_key,search_key,updated_at,ciphertext,lookup_hash,mask,
        password_hash,totp_secret,totp_last_step,failed_logins,locked_until,token_hash,last_used_at}'::text[]
$$;

CREATE OR REPLACE FUNCTION register.change_hash(
    previous bytea, seq bigint, at timestamptz, ward_id bigint, collection text, record_code text, establishment_code text,
    kind text, actor_id bigint, actor_name text, reason text, source text, before jsonb, after jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        seq, extract(epoch FROM at), ward_id, collection, record_code, establishment_code, kind, actor_id, actor_name,
        reason, source, before, after)::text, 'UTF8'))
$$;

COMMENT ON FUNCTION register.change_hash IS
    'SHA-256 over the hash before and all that a change says: nothing in the history can be altered without every later hash.';

CREATE OR REPLACE FUNCTION register.add_changes(
    collection text, kinds text[], befores jsonb[], afters jsonb[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    last_seq bigint;
    last_hash bytea;
    last_at timestamptz;
    now_at timestamptz := clock_timestamp();
    said_at timestamptz := nullif(current_setting('mapservice.at', true), '')::timestamptz;
    who bigint := account.actor_id();
    who_name text := (SELECT display_name FROM account.staff WHERE id = account.actor_id());
    why text := nullif(current_setting('mapservice.reason', true), '');
    whence text := nullif(current_setting('mapservice.source', true), '');
    state jsonb;
    place record;
    own_code text;
    this_hash bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(20257002);
    SELECT seq, hash, at INTO last_seq, last_hash, last_at FROM change ORDER BY seq DESC LIMIT 1;
    -- A sample tells of a past of its own (postgis/store/past.py). Never a person, and never out of order.
    IF who IS NULL AND said_at IS NOT NULL THEN
        now_at := least(greatest(said_at, last_at), now_at);
    END IF;
    last_seq := coalesce(last_seq, 0);
    last_hash := coalesce(last_hash, '\x00'::bytea);
    FOR i IN 1 .. coalesce(array_length(kinds, 1), 0) LOOP
        state := coalesce(afters[i], befores[i]);
        own_code := state ->> 'code';
        IF collection = 'establishments' THEN
            SELECT own_code AS code, (state ->> 'ward_id')::bigint AS ward_id INTO place;
        ELSIF state ? 'establishment_id' THEN
            SELECT e.code, e.ward_id INTO place FROM establishment e WHERE e.id = (state ->> 'establishment_id')::bigint;
        ELSIF collection = 'personal_data' THEN
            SELECT NULL::text AS code, l.ward_id, l.code AS entity INTO place
              FROM legal_entity l WHERE l.id = (state ->> 'legal_entity_id')::bigint;
            own_code := place.entity || ':' || (state ->> 'field');
        ELSIF collection = 'tokens' THEN
            SELECT NULL::text AS code, s.ward_id, s.login INTO place
              FROM account.staff s WHERE s.id = (state ->> 'staff_id')::bigint;
            own_code := place.login || ':' || (state ->> 'id');
        ELSE
            SELECT NULL::text AS code, (state ->> 'ward_id')::bigint AS ward_id INTO place;
            own_code := coalesce(own_code, state ->> 'login');
        END IF;
        last_seq := last_seq + 1;
        this_hash := change_hash(last_hash, last_seq, now_at, place.ward_id, collection, own_code, place.code, kinds[i], who,
                                 who_name, why, whence, befores[i], afters[i]);
        INSERT INTO change (seq, at, ward_id, collection, record_code, establishment_code, kind, actor_id, actor_name,
                            reason, source, before, after, previous_hash, hash)
        VALUES (last_seq, now_at, place.ward_id, collection, own_code, place.code, kinds[i], who, who_name, why, whence,
                befores[i], afters[i], last_hash, this_hash);
        last_hash := this_hash;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION register.change_kind(before jsonb, after jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN before IS NULL THEN 'insert'
        WHEN after IS NULL THEN 'delete'
        WHEN before ->> 'ended_at' IS NULL AND after ->> 'ended_at' IS NOT NULL THEN 'end'
        WHEN before ->> 'ended_at' IS NOT NULL AND after ->> 'ended_at' IS NULL THEN 'restore'
        ELSE 'update'
    END
$$;

CREATE OR REPLACE FUNCTION register.note_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    SELECT array_agg('insert'::text) AS kinds, array_agg(NULL::jsonb) AS befores,
           array_agg(register.recordable(to_jsonb(a)) ORDER BY a.id) AS afters
      INTO found FROM added a;
    PERFORM register.add_changes(TG_ARGV[0], found.kinds, found.befores, found.afters);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.note_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    -- Every recorded table has an id that an update never changes: postgis/tables says so.
    WITH pairs AS (
        SELECT n.id, register.recordable(to_jsonb(o)) AS before, register.recordable(to_jsonb(n)) AS after
          FROM added n JOIN removed o ON o.id = n.id
    )
    SELECT array_agg(register.change_kind(before, after) ORDER BY id) AS kinds, array_agg(before ORDER BY id) AS befores,
           array_agg(after ORDER BY id) AS afters
      INTO found
      FROM pairs
     -- That a personal value was replaced is a change, although the history shows neither the old one nor the new.
     WHERE TG_ARGV[0] = 'personal_data' OR before - 'version' IS DISTINCT FROM after - 'version';
    IF found.kinds IS NULL THEN
        -- Without the chain's lock: who signs in must not wait for a writer, and holds a row already.
        RETURN NULL;
    END IF;
    PERFORM register.add_changes(TG_ARGV[0], found.kinds, found.befores, found.afters);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.note_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    SELECT array_agg('delete'::text) AS kinds, array_agg(register.recordable(to_jsonb(o)) ORDER BY o.id) AS befores,
           array_agg(NULL::jsonb) AS afters
      INTO found FROM removed o;
    PERFORM register.add_changes(TG_ARGV[0], found.kinds, found.befores, found.afters);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    recorded record;
BEGIN
    FOR recorded IN SELECT * FROM (VALUES
        ('legal_entity', 'legal_entities'), ('personal_datum', 'personal_data'), ('establishment', 'establishments'),
        ('licence', 'licences'), ('food_safety_record', 'food_safety_records'), ('inspection', 'inspections'),
        ('warning', 'warnings'), ('payment_acceptance', 'payment_acceptances'), ('digital_use', 'digital_uses'),
        ('model_site', 'model_sites'), ('photo', 'photos'), ('outreach', 'outreach'),
        ('ward_shelf_life', 'shelf_lives')) AS t (table_name, collection)
    LOOP
        -- The names put these triggers after keep_facts_*: PostgreSQL fires triggers in the order of their names.
        EXECUTE format('CREATE OR REPLACE TRIGGER note_added AFTER INSERT ON register.%I REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION register.note_added(%L)', recorded.table_name, recorded.collection);
        EXECUTE format('CREATE OR REPLACE TRIGGER note_changed AFTER UPDATE ON register.%I
            REFERENCING NEW TABLE AS added OLD TABLE AS removed
            FOR EACH STATEMENT EXECUTE FUNCTION register.note_changed(%L)', recorded.table_name, recorded.collection);
        EXECUTE format('CREATE OR REPLACE TRIGGER note_removed AFTER DELETE ON register.%I REFERENCING OLD TABLE AS removed
            FOR EACH STATEMENT EXECUTE FUNCTION register.note_removed(%L)', recorded.table_name, recorded.collection);
    END LOOP;
END
$$;

-- Nobody rewrites history, not even the owner by mistake. (Who owns the table can drop the trigger: the hashes tell.)
CREATE OR REPLACE FUNCTION register.refuse() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the history is only ever added to' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE OR REPLACE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON register.change
    FOR EACH STATEMENT EXECUTE FUNCTION register.refuse();

CREATE OR REPLACE FUNCTION register.verify_changes()
RETURNS TABLE (checked bigint, head_hash bytea, broken_seq bigint, broken_why text)
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    WITH links AS (
        SELECT c.*, lag(c.hash) OVER (ORDER BY c.seq) AS hash_before, lag(c.seq) OVER (ORDER BY c.seq) AS seq_before
          FROM change c
    ), judged AS (
        SELECT seq, CASE
                WHEN seq <> coalesce(seq_before, 0) + 1 THEN 'a change is missing before it'
                WHEN previous_hash <> coalesce(hash_before, '\x00'::bytea) THEN 'it does not follow the change before it'
                WHEN hash <> change_hash(previous_hash, seq, at, ward_id, collection, record_code, establishment_code, kind,
                                         actor_id, actor_name, reason, source, before, after) THEN 'it was altered'
            END AS why
          FROM links
    ), broken AS (
        SELECT seq, why FROM judged WHERE why IS NOT NULL ORDER BY seq LIMIT 1
    )
    SELECT (SELECT count(*) FROM change), (SELECT hash FROM change ORDER BY seq DESC LIMIT 1),
           (SELECT seq FROM broken), (SELECT why FROM broken)
$$;

COMMENT ON FUNCTION register.verify_changes() IS
    'Recomputes every hash: how many changes, the last hash, and the first change that is not as it was written, if any.';

CREATE OR REPLACE FUNCTION register.state_at(of_collection text, of_record text, moment timestamptz) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT after FROM change
     WHERE collection = of_collection AND record_code = of_record AND at <= moment
     ORDER BY seq DESC LIMIT 1
$$;

COMMENT ON FUNCTION register.state_at(text, text, timestamptz) IS 'A record as the register had it at a moment; null before it was there.';
