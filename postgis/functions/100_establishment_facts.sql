-- The one definition of what the dated records say, as the text of a query over places, licences, food_safety_records and
-- so on. Functions are made from it: one keeps register.establishment_fact as of now, others answer for past moments and
-- days (145_states.sql too).

CREATE OR REPLACE FUNCTION register.facts_query() RETURNS text
LANGUAGE sql IMMUTABLE
AS $function$
    SELECT $sql$
        SELECT e.id AS establishment_id, l.state AS licence_state, l.valid_until AS licence_valid_until,
               l.checked_on AS licence_checked_on, f.kind AS food_safety_kind, f.valid_until AS food_safety_valid_until,
               f.checked_on AS food_safety_checked_on, i.result AS last_inspection_result,
               i.inspected_on AS last_inspection_on, w.establishment_id IS NOT NULL AS live_warning,
               coalesce(p.methods, '{}') AS payment_methods, p.checked_on AS payment_checked_on,
               CASE WHEN p.methods IS NOT NULL THEN 'yes' WHEN p.cash_only THEN 'no' ELSE 'unknown' END AS accepts_cashless,
               CASE
                   WHEN p.with_transactions THEN 'yes'
                   WHEN p.methods IS NULL AND p.cash_only OR p.without_transactions THEN 'no'
                   ELSE 'unknown'
               END AS active_acceptance,
               CASE
                   -- Paying by QR is using a digital platform too: indicator II.6 names management, selling, payment,
                   -- e-invoice.
                   WHEN d.used OR p.methods IS NOT NULL THEN 'yes'
                   WHEN d.unused AND p.cash_only THEN 'no'
                   ELSE 'unknown'
               END AS on_digital_platform,
               d.checked_on AS digital_checked_on,
               coalesce(p.evidence, '{}') AS payment_evidence,
               coalesce(d.tools_used, '{}') AS digital_used, coalesce(d.tools_unused, '{}') AS digital_unused,
               -- Learnt on the day of the refusal or later: the place has answered after all.
               CASE WHEN v.outcome = 'refused' AND (p.checked_on < v.visited_on) IS NOT FALSE THEN v.visited_on END AS refused_on,
               o.done_on AS outreach_on
          FROM places e
          LEFT JOIN (
                -- The latest licence of each kind counts; "not required" only where nothing is held.
                SELECT establishment_id,
                       CASE WHEN bool_or(kind <> 'not_required') THEN 'held' ELSE 'not_required' END AS state,
                       min(expires_on) FILTER (WHERE kind <> 'not_required') AS valid_until,
                       max(checked_on) AS checked_on
                  FROM (SELECT DISTINCT ON (establishment_id, kind) establishment_id, kind, expires_on, checked_on
                          FROM licences
                         ORDER BY establishment_id, kind, coalesce(expires_on, 'infinity') DESC, id DESC) latest
                 GROUP BY establishment_id
               ) l ON l.establishment_id = e.id
          LEFT JOIN (
                SELECT DISTINCT ON (establishment_id) establishment_id, kind, valid_until, checked_on
                  FROM food_safety_records
                 ORDER BY establishment_id, checked_on DESC, id DESC
               ) f ON f.establishment_id = e.id
          LEFT JOIN (
                SELECT DISTINCT ON (establishment_id) establishment_id, result, inspected_on
                  FROM inspections
                 WHERE signed_on IS NOT NULL
                 ORDER BY establishment_id, inspected_on DESC, id DESC
               ) i ON i.establishment_id = e.id
          LEFT JOIN (
                SELECT DISTINCT establishment_id FROM warnings WHERE lifted_on IS NULL
               ) w ON w.establishment_id = e.id
          LEFT JOIN (
                -- A later "cash only" ends what was accepted before it; a later acceptance ends "cash only".
                SELECT establishment_id,
                       array_agg(method ORDER BY method) FILTER (WHERE counts AND method <> 'cash_only') AS methods,
                       array_agg(evidence_level ORDER BY method) FILTER (WHERE counts AND method <> 'cash_only') AS evidence,
                       bool_or(counts AND method = 'cash_only') AS cash_only,
                       bool_or(counts AND has_transactions AND method <> 'cash_only') AS with_transactions,
                       bool_and(has_transactions IS FALSE) FILTER (WHERE counts AND method <> 'cash_only') AS without_transactions,
                       max(checked_on) AS checked_on
                  FROM (SELECT establishment_id, method, evidence_level, checked_on, has_transactions,
                               accepted AND checked_on >= coalesce(
                                   max(checked_on) FILTER (WHERE method = 'cash_only' AND accepted)
                                   OVER (PARTITION BY establishment_id), '-infinity') AS counts
                          FROM (SELECT DISTINCT ON (establishment_id, method)
                                       establishment_id, method, accepted, evidence_level, has_transactions, checked_on
                                  FROM payment_acceptances
                                 ORDER BY establishment_id, method, checked_on DESC, id DESC) latest) judged
                 GROUP BY establishment_id
               ) p ON p.establishment_id = e.id
          LEFT JOIN (
                SELECT establishment_id, bool_or(used) AS used, bool_and(NOT used) AS unused, max(checked_on) AS checked_on,
                       array_agg(kind ORDER BY kind) FILTER (WHERE used) AS tools_used,
                       array_agg(kind ORDER BY kind) FILTER (WHERE NOT used) AS tools_unused
                  FROM (SELECT DISTINCT ON (establishment_id, kind) establishment_id, kind, used, checked_on
                          FROM digital_uses
                         ORDER BY establishment_id, kind, checked_on DESC, id DESC) latest
                 GROUP BY establishment_id
               ) d ON d.establishment_id = e.id
          LEFT JOIN (
                SELECT DISTINCT ON (establishment_id) establishment_id, visited_on, outcome
                  FROM visits
                 ORDER BY establishment_id, visited_on DESC, id DESC
               ) v ON v.establishment_id = e.id
          LEFT JOIN (
                SELECT establishment_id, max(done_on) AS done_on FROM outreaches GROUP BY establishment_id
               ) o ON o.establishment_id = e.id
    $sql$
$function$;

COMMENT ON FUNCTION register.facts_query() IS
    'What dated records say of places: a query over places, licences, food_safety_records, inspections, warnings, '
    'payment_acceptances, digital_uses, visits and outreaches.';

CREATE OR REPLACE FUNCTION register.fact_records() RETURNS TABLE (table_name text, collection text, published boolean)
LANGUAGE sql IMMUTABLE
AS $$
    VALUES
        ('licence', 'licences', true), ('food_safety_record', 'food_safety_records', true), ('inspection', 'inspections', true),
        ('warning', 'warnings', true), ('payment_acceptance', 'payment_acceptances', true), ('digital_use', 'digital_uses', true),
        ('outreach', 'outreach', false), ('visit', 'visits', false)
$$;

COMMENT ON FUNCTION register.fact_records() IS
    'The dated records that facts are made from; of those that are not published the public is not told even when.';

DROP FUNCTION IF EXISTS register.refresh_establishment_facts(bigint[]);

DO $make$
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION register.refresh_establishment_facts(ids bigint[], published boolean DEFAULT true) RETURNS void
LANGUAGE sql
SET search_path = register, pg_temp
AS $body$
    WITH places AS (SELECT id FROM establishment WHERE id = ANY (ids)),
         licences AS (SELECT * FROM licence WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         food_safety_records AS (SELECT * FROM food_safety_record WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         inspections AS (SELECT * FROM inspection WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         warnings AS (SELECT * FROM warning WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         payment_acceptances AS (SELECT * FROM payment_acceptance WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         digital_uses AS (SELECT * FROM digital_use WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         visits AS (SELECT * FROM visit WHERE establishment_id = ANY (ids) AND ended_at IS NULL),
         outreaches AS (SELECT * FROM outreach WHERE establishment_id = ANY (ids) AND ended_at IS NULL)
    INSERT INTO establishment_fact AS stored (
        establishment_id, licence_state, licence_valid_until, licence_checked_on, food_safety_kind, food_safety_valid_until,
        food_safety_checked_on, last_inspection_result, last_inspection_on, live_warning, payment_methods,
        payment_checked_on, accepts_cashless, active_acceptance, on_digital_platform, digital_checked_on, payment_evidence,
        digital_used, digital_unused, refused_on, outreach_on, updated_at)
    SELECT facts.*, clock_timestamp() FROM (%1$s) facts
    ON CONFLICT (establishment_id) DO UPDATE SET
        licence_state = excluded.licence_state,
        licence_valid_until = excluded.licence_valid_until,
        licence_checked_on = excluded.licence_checked_on,
        food_safety_kind = excluded.food_safety_kind,
        food_safety_valid_until = excluded.food_safety_valid_until,
        food_safety_checked_on = excluded.food_safety_checked_on,
        last_inspection_result = excluded.last_inspection_result,
        last_inspection_on = excluded.last_inspection_on,
        live_warning = excluded.live_warning,
        payment_methods = excluded.payment_methods,
        payment_checked_on = excluded.payment_checked_on,
        accepts_cashless = excluded.accepts_cashless,
        active_acceptance = excluded.active_acceptance,
        on_digital_platform = excluded.on_digital_platform,
        digital_checked_on = excluded.digital_checked_on,
        payment_evidence = excluded.payment_evidence,
        digital_used = excluded.digital_used,
        digital_unused = excluded.digital_unused,
        refused_on = excluded.refused_on,
        outreach_on = excluded.outreach_on,
        updated_at = CASE WHEN published THEN excluded.updated_at ELSE stored.updated_at END
$body$
    $function$, register.facts_query());

    EXECUTE format($function$
CREATE OR REPLACE FUNCTION register.establishments_as_of(of_ward text, moment timestamptz)
RETURNS TABLE (
    code text, name text, legal_form text, sector_group text, residential_group text, model_site text, operating_status text,
    opened_on date, closed_on date, verified_on date, source text, illustrative boolean, licence_status text,
    food_safety_status text, licence_state text, licence_valid_until date, licence_checked_on date, food_safety_kind text,
    food_safety_valid_until date, food_safety_checked_on date, last_inspection_result text, last_inspection_on date,
    live_warning boolean, payment_methods text[], payment_checked_on date, accepts_cashless text, active_acceptance text,
    on_digital_platform text, digital_checked_on date)
LANGUAGE sql STABLE
SET search_path = register, pg_temp
-- Some 100,000 records of a ward are sorted to find the last state of each, then joined; the planner, who cannot know how
-- many there are, would compare each with each.
SET work_mem = '64MB'
SET enable_nestloop = off
AS $body$
    WITH latest AS MATERIALIZED (
        SELECT collection, after
          FROM (SELECT DISTINCT ON (collection, record_code) collection, after
                  FROM change
                 WHERE ward_id = (SELECT id FROM ward WHERE code = of_ward AND valid_to IS NULL) AND at <= moment
                   AND collection IN ('establishments', 'licences', 'food_safety_records', 'inspections', 'warnings',
                                      'payment_acceptances', 'digital_uses', 'visits', 'outreach')
                 ORDER BY collection, record_code, seq DESC) states
         WHERE after IS NOT NULL AND after ->> 'ended_at' IS NULL
    ), places AS MATERIALIZED (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, code text, name text, legal_form text, sector_group text, residential_group_id bigint,
                   model_site_id bigint, operating_status text, opened_on date, closed_on date, verified_on date,
                   source text, illustrative boolean)
         WHERE collection = 'establishments'
    ), licences AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, kind text, expires_on date, checked_on date)
         WHERE collection = 'licences'
    ), food_safety_records AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, kind text, valid_until date, checked_on date)
         WHERE collection = 'food_safety_records'
    ), inspections AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, inspected_on date, result text, signed_on date)
         WHERE collection = 'inspections'
    ), warnings AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, lifted_on date)
         WHERE collection = 'warnings'
    ), payment_acceptances AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, method text, accepted boolean, evidence_level text,
                   has_transactions boolean, checked_on date)
         WHERE collection = 'payment_acceptances'
    ), digital_uses AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, kind text, used boolean, checked_on date)
         WHERE collection = 'digital_uses'
    ), visits AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (
                   id bigint, establishment_id bigint, visited_on date, outcome text)
         WHERE collection = 'visits'
    ), outreaches AS (
        SELECT r.* FROM latest CROSS JOIN LATERAL jsonb_to_record(after) AS r (establishment_id bigint, done_on date)
         WHERE collection = 'outreach'
    ), facts AS (%1$s)
    SELECT e.code, e.name, e.legal_form, e.sector_group, g.code, m.code, e.operating_status, e.opened_on, e.closed_on,
           e.verified_on, e.source, e.illustrative,
           published.licence_status(f.licence_state, f.licence_valid_until, d.today),
           published.food_safety_status(f.food_safety_kind, f.food_safety_valid_until, d.today),
           f.licence_state, f.licence_valid_until, f.licence_checked_on, f.food_safety_kind, f.food_safety_valid_until,
           f.food_safety_checked_on, f.last_inspection_result, f.last_inspection_on, f.live_warning, f.payment_methods,
           f.payment_checked_on, f.accepts_cashless, f.active_acceptance, f.on_digital_platform, f.digital_checked_on
      FROM places e
      JOIN facts f ON f.establishment_id = e.id
      LEFT JOIN residential_group g ON g.id = e.residential_group_id
      LEFT JOIN model_site m ON m.id = e.model_site_id
     CROSS JOIN (SELECT (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today) d
     ORDER BY e.id
$body$
    $function$, register.facts_query());
END
$make$;

COMMENT ON FUNCTION register.refresh_establishment_facts(bigint[], boolean) IS
    'Recomputes the derived facts of the named establishments from their dated records; unless `published`, without a new
    updated_at, which the public sees.';
COMMENT ON FUNCTION register.establishments_as_of(text, timestamptz) IS
    'The establishments of a ward with their derived facts as the register had them at a moment, from its history.';

-- Statement triggers with transition tables: a bulk load of 9,500 places recomputes each place once per table.
-- As owner: staff may write the records, never the facts.
CREATE OR REPLACE FUNCTION register.establishment_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    INSERT INTO register.establishment_fact (establishment_id) SELECT id FROM added;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER keep_facts AFTER INSERT ON register.establishment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.establishment_added();

-- As owner: staff may write the records, never the facts.
CREATE OR REPLACE FUNCTION register.record_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT DISTINCT establishment_id FROM added), TG_ARGV[0]::boolean);
    RETURN NULL;
END
$$;

-- As owner: staff may write the records, never the facts.
CREATE OR REPLACE FUNCTION register.record_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(
        SELECT establishment_id FROM added UNION SELECT establishment_id FROM removed), TG_ARGV[0]::boolean);
    RETURN NULL;
END
$$;

-- As owner: staff may write the records, never the facts.
CREATE OR REPLACE FUNCTION register.record_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT DISTINCT establishment_id FROM removed), TG_ARGV[0]::boolean);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    dated record;
BEGIN
    FOR dated IN SELECT * FROM register.fact_records() LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_added AFTER INSERT ON register.%I
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.record_added(%L)',
            dated.table_name, dated.published);
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_changed AFTER UPDATE ON register.%I
            REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.record_changed(%L)',
            dated.table_name, dated.published);
        EXECUTE format('CREATE OR REPLACE TRIGGER keep_facts_removed AFTER DELETE ON register.%I
            REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION register.record_removed(%L)',
            dated.table_name, dated.published);
    END LOOP;
END
$$;

-- A place says too whether it has a live warning, so that a tile reads no second table. It says what the facts say,
-- whoever writes it, and that is no change of the place: neither its version nor its history knows of it.
CREATE OR REPLACE FUNCTION register.say_live_warning() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
BEGIN
    UPDATE establishment SET live_warning = NEW.live_warning WHERE id = NEW.establishment_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER say_live_warning_added AFTER INSERT ON register.establishment_fact
    FOR EACH ROW WHEN (NEW.live_warning) EXECUTE FUNCTION register.say_live_warning();
CREATE OR REPLACE TRIGGER say_live_warning_changed AFTER UPDATE ON register.establishment_fact
    FOR EACH ROW WHEN (OLD.live_warning <> NEW.live_warning) EXECUTE FUNCTION register.say_live_warning();

CREATE OR REPLACE FUNCTION register.as_facts_say() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
BEGIN
    NEW.live_warning := EXISTS (SELECT FROM establishment_fact f WHERE f.establishment_id = NEW.id AND f.live_warning);
    RETURN NEW;
END
$$;

-- The name puts these before count_versions.
CREATE OR REPLACE TRIGGER as_facts_say_added BEFORE INSERT ON register.establishment
    FOR EACH ROW WHEN (NEW.live_warning) EXECUTE FUNCTION register.as_facts_say();
CREATE OR REPLACE TRIGGER as_facts_say_changed BEFORE UPDATE OF live_warning ON register.establishment
    FOR EACH ROW EXECUTE FUNCTION register.as_facts_say();

-- The version is what If-Match names: it counts every change of the row, whoever makes it.
CREATE OR REPLACE FUNCTION register.count_version() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

DO $$
DECLARE
    versioned text;
BEGIN
    FOREACH versioned IN ARRAY ARRAY['legal_entity', 'licence', 'food_safety_record', 'inspection', 'warning',
                                     'payment_acceptance', 'digital_use', 'model_site', 'photo', 'outreach', 'visit',
                                     'ward_shelf_life', 'work_list'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER count_versions BEFORE UPDATE ON register.%I
            FOR EACH ROW EXECUTE FUNCTION register.count_version()', versioned);
    END LOOP;
END
$$;

CREATE OR REPLACE TRIGGER count_versions BEFORE UPDATE ON register.establishment
    FOR EACH ROW WHEN (OLD.live_warning = NEW.live_warning) EXECUTE FUNCTION register.count_version();
