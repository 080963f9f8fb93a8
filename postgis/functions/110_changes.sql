-- The history: every insert and update of a register table adds a row to register.change, in the same transaction, each
-- carrying the hash of the one before. One chain for the whole register: writers take its lock first (postgis/actor.py),
-- so that no two of them wait for each other in turn.

CREATE OR REPLACE FUNCTION register.unrecorded() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- Kept columns only: what the database makes of others is not a change, and personal data has no place in a history
    -- that cannot forget. Nor has what opens an account; attempts to sign in and the use of a token are no change of it.
    SELECT '{geom_3857,point_3857,name_key,search_key,live_warning,updated_at,ciphertext,lookup_hash,mask,
        password_hash,totp_secret,totp_last_step,failed_logins,locked_until,token_hash,last_used_at}'::text[]
$$;

CREATE OR REPLACE FUNCTION register.recordable(row_as_json jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT row_as_json - register.unrecorded()
$$;

CREATE OR REPLACE FUNCTION register.recordable_columns(recorded regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = register, public, pg_temp
AS $$
    -- recordable(to_jsonb(row)) as a list of columns: to_jsonb() would find anew for each row how a point becomes JSON,
    -- which takes longer than all the rest, and do so for its copy too.
    SELECT string_agg(CASE WHEN atttypid = 'geometry'::regtype THEN format('public.jsonb(%1$I) AS %1$I', attname)
                           ELSE format('%I', attname) END, ', ' ORDER BY attnum)
      FROM pg_attribute
     WHERE attrelid = recorded AND attnum > 0 AND NOT attisdropped AND attname <> ALL (unrecorded())
$$;

CREATE OR REPLACE FUNCTION register.change_words(
    seq bigint, at timestamptz, ward_id bigint, collection text, record_code text, establishment_code text,
    kind text, actor_id bigint, actor_name text, reason text, source text, before jsonb, after jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT convert_to(jsonb_build_array(
        seq, extract(epoch FROM at), ward_id, collection, record_code, establishment_code, kind, actor_id, actor_name,
        reason, source, before, after)::text, 'UTF8')
$$;

CREATE OR REPLACE FUNCTION register.change_hash(
    previous bytea, seq bigint, at timestamptz, ward_id bigint, collection text, record_code text, establishment_code text,
    kind text, actor_id bigint, actor_name text, reason text, source text, before jsonb, after jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sha256(previous || register.change_words(
        seq, at, ward_id, collection, record_code, establishment_code, kind, actor_id, actor_name, reason, source, before, after))
$$;

COMMENT ON FUNCTION register.change_hash IS
    'SHA-256 over the hash before and all that a change says: nothing in the history can be altered without every later hash.';

-- In PL/pgSQL, which is called in a third of the time that a function in SQL takes.
CREATE OR REPLACE FUNCTION register.next_hash(hash bytea, words bytea, first bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN sha256(coalesce(hash, first) || words);
END
$$;

CREATE OR REPLACE AGGREGATE register.chained_hash(words bytea, first bytea) (SFUNC = register.next_hash, STYPE = bytea);

COMMENT ON AGGREGATE register.chained_hash(bytea, bytea) IS
    'Over a window in the order of seq: change_hash() of each change, the first of which follows the hash `first`.';

CREATE OR REPLACE FUNCTION register.add_changes(
    collection text, kinds text[], befores jsonb[], afters jsonb[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    last_seq bigint;
    last_hash bytea;
    last_at timestamptz;
    now_at timestamptz;
    said_at timestamptz := nullif(current_setting('mapservice.at', true), '')::timestamptz;
    who bigint := account.actor_id();
    who_name text := (SELECT display_name FROM account.staff WHERE id = account.actor_id());
    why text := nullif(current_setting('mapservice.reason', true), '');
    whence text := nullif(current_setting('mapservice.source', true), '');
BEGIN
    PERFORM pg_advisory_xact_lock(20257002);
    SELECT c.seq, c.hash, c.at INTO last_seq, last_hash, last_at FROM change c ORDER BY c.seq DESC LIMIT 1;
    -- One moment for all that a transaction changes, so that no moment shows half of it; taken once it is its turn, so
    -- that moments never run against the order of changes.
    now_at := greatest(coalesce(nullif(current_setting('mapservice.noted_at', true), '')::timestamptz, clock_timestamp()), last_at);
    PERFORM set_config('mapservice.noted_at', now_at::text, true);
    -- A sample tells of a past of its own (postgis/store/past.py). Never a person, and never out of order.
    IF who IS NULL AND said_at IS NOT NULL THEN
        now_at := least(greatest(said_at, last_at), now_at);
    END IF;
    last_seq := coalesce(last_seq, 0);
    last_hash := coalesce(last_hash, '\x00'::bytea);
    -- All at once and not row by row: an import of 50,000 places is some 200,000 changes.
    INSERT INTO change (seq, at, ward_id, collection, record_code, establishment_code, kind, actor_id, actor_name, reason,
                        source, before, after, previous_hash, hash)
    SELECT h.seq, now_at, h.ward_id, add_changes.collection, h.record_code, h.place_code, h.kind, who, who_name, why, whence,
           h.before, h.after, coalesce(lag(h.hash) OVER (ORDER BY h.seq), last_hash), h.hash
      FROM (
          SELECT w.*, chained_hash(change_words(
                     w.seq, now_at, w.ward_id, add_changes.collection, w.record_code, w.place_code, w.kind, who, who_name, why,
                     whence, w.before, w.after), last_hash) OVER (ORDER BY w.seq ROWS UNBOUNDED PRECEDING) AS hash
            FROM (
                SELECT last_seq + c.number AS seq, c.kind, c.before, c.after,
                       coalesce(e.ward_id, l.ward_id, s.ward_id, (c.state ->> 'ward_id')::bigint) AS ward_id,
                       CASE WHEN add_changes.collection = 'establishments' THEN c.state ->> 'code' ELSE e.code END AS place_code,
                       CASE add_changes.collection
                           WHEN 'personal_data' THEN l.code || ':' || (c.state ->> 'field')
                           WHEN 'tokens' THEN s.login || ':' || (c.state ->> 'id')
                           ELSE coalesce(c.state ->> 'code', c.state ->> 'login')
                       END AS record_code
                  FROM (SELECT u.*, coalesce(u.after, u.before) AS state
                          FROM unnest(kinds, befores, afters) WITH ORDINALITY AS u(kind, before, after, number)) c
                  LEFT JOIN establishment e
                         ON add_changes.collection <> 'establishments' AND e.id = (c.state ->> 'establishment_id')::bigint
                  LEFT JOIN legal_entity l
                         ON add_changes.collection = 'personal_data' AND l.id = (c.state ->> 'legal_entity_id')::bigint
                  LEFT JOIN account.staff s
                         ON add_changes.collection = 'tokens' AND s.id = (c.state ->> 'staff_id')::bigint
            ) w
      ) h;
    PERFORM keep_states(places_of(add_changes.collection, befores || afters), now_at);
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

-- Once a transaction: the row is then its own. Whoever writes so waits for the other who does, and a reader sees the new
-- mark with what was written, never without it: it is no sequence.
CREATE OR REPLACE FUNCTION register.move_published_mark() RETURNS void
LANGUAGE sql
SET search_path = register, pg_catalog, pg_temp
AS $$
    UPDATE published_mark SET mark = gen_random_uuid() WHERE xmin::text <> pg_current_xact_id()::xid::text
$$;
COMMENT ON FUNCTION register.move_published_mark() IS
    'To be called by what writes published data and adds nothing to the history.';

-- The triggers' arguments: the collection, and the columns that are recorded (recordable_columns).
CREATE OR REPLACE FUNCTION register.note_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    kinds text[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    EXECUTE format('SELECT array_agg(''insert''::text), array_agg(NULL::jsonb), array_agg(to_jsonb(a) ORDER BY a.id)
                      FROM (SELECT %s FROM added) a', TG_ARGV[1]) INTO kinds, befores, afters;
    PERFORM register.add_changes(TG_ARGV[0], kinds, befores, afters);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.note_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    kinds text[];
    befores jsonb[];
    afters jsonb[];
    places text[];
BEGIN
    -- Every recorded table has an id that an update never changes: postgis/tables says so.
    EXECUTE format('
        WITH pairs AS (
            SELECT n.id, to_jsonb(o) AS before, to_jsonb(n) AS after
              FROM (SELECT %1$s FROM added) n JOIN (SELECT %1$s FROM removed) o ON o.id = n.id
        )
        SELECT array_agg(register.change_kind(before, after) ORDER BY id), array_agg(before ORDER BY id),
               array_agg(after ORDER BY id)
          FROM pairs
         -- That a personal value was replaced is a change, although the history shows neither the old one nor the new.
         WHERE $1 = ''personal_data'' OR before - ''version'' IS DISTINCT FROM after - ''version''', TG_ARGV[1])
       INTO kinds, befores, afters USING TG_ARGV[0];
    IF kinds IS NULL THEN
        -- Without the chain's lock: who signs in must not wait for a writer, and holds a row already. Versions and the
        -- moment of the last update are shown, and count what changed nothing, too (230_touched.sql).
        IF TG_ARGV[0] = ANY ('{establishments,licences,food_safety_records,inspections,warnings,payment_acceptances,digital_uses}') THEN
            EXECUTE format('SELECT array_agg(DISTINCT e.code) FROM added a JOIN establishment e ON e.id = a.%I',
                           CASE TG_ARGV[0] WHEN 'establishments' THEN 'id' ELSE 'establishment_id' END) INTO places;
            IF places IS NOT NULL THEN
                PERFORM pg_notify('mapservice_register',
                                  CASE WHEN cardinality(places) <= 50
                                       THEN 'same ' || TG_ARGV[0] || ' ' || array_to_string(places, ',') ELSE 'base' END);
                PERFORM register.move_published_mark();
            END IF;
        ELSIF TG_ARGV[0] IN ('model_sites', 'photos') AND EXISTS (SELECT FROM added) THEN
            PERFORM pg_notify('mapservice_register', 'base');
            PERFORM register.move_published_mark();
        END IF;
        RETURN NULL;
    END IF;
    PERFORM register.add_changes(TG_ARGV[0], kinds, befores, afters);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.note_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
DECLARE
    kinds text[];
    befores jsonb[];
    afters jsonb[];
BEGIN
    EXECUTE format('SELECT array_agg(''delete''::text), array_agg(to_jsonb(o) ORDER BY o.id), array_agg(NULL::jsonb)
                      FROM (SELECT %s FROM removed) o', TG_ARGV[1]) INTO kinds, befores, afters;
    PERFORM register.add_changes(TG_ARGV[0], kinds, befores, afters);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION register.note_changes_of(recorded regclass, collection text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    recorded_columns CONSTANT text := register.recordable_columns(recorded);
BEGIN
    -- The names put these triggers after keep_facts_*: PostgreSQL fires triggers in the order of their names.
    EXECUTE format('CREATE OR REPLACE TRIGGER note_added AFTER INSERT ON %s REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION register.note_added(%L, %L)', recorded, collection, recorded_columns);
    EXECUTE format('CREATE OR REPLACE TRIGGER note_changed AFTER UPDATE ON %s
        REFERENCING NEW TABLE AS added OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION register.note_changed(%L, %L)', recorded, collection, recorded_columns);
    EXECUTE format('CREATE OR REPLACE TRIGGER note_removed AFTER DELETE ON %s REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION register.note_removed(%L, %L)', recorded, collection, recorded_columns);
END
$$;

COMMENT ON FUNCTION register.note_changes_of(regclass, text) IS
    'Makes the triggers that note every change of a table, with the columns it has now: made anew at each upgrade.';

CREATE OR REPLACE FUNCTION register.recorded_tables() RETURNS TABLE (table_name text, collection text)
LANGUAGE sql IMMUTABLE
AS $$
    VALUES
        ('legal_entity', 'legal_entities'), ('personal_datum', 'personal_data'), ('establishment', 'establishments'),
        ('licence', 'licences'), ('food_safety_record', 'food_safety_records'), ('inspection', 'inspections'),
        ('warning', 'warnings'), ('payment_acceptance', 'payment_acceptances'), ('digital_use', 'digital_uses'),
        ('model_site', 'model_sites'), ('photo', 'photos'), ('outreach', 'outreach'), ('visit', 'visits'),
        ('ward_shelf_life', 'shelf_lives'), ('work_list', 'work_lists')
$$;

COMMENT ON FUNCTION register.recorded_tables() IS 'The tables whose every change is noted, with the names that changes carry.';

DO $$
BEGIN
    PERFORM register.note_changes_of(format('register.%I', t.table_name)::regclass, t.collection)
       FROM register.recorded_tables() t;
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
