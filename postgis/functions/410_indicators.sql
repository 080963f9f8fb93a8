-- The one definition of each indicator that the register can measure, as a word for each place: 'yes', 'no', 'unknown', or
-- null where the indicator is not about such a place. Whoever counts, lists or draws asks this function.

CREATE OR REPLACE FUNCTION register.indicator_codes() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT '{digital_platform_use,model_site_active_acceptance,model_site_payment_method,payment_account_or_qr,online_selling,
        enterprise_e_contract,sme_digital_platform,enterprise_e_commerce,enterprise_digital_technology,
        food_service_cash_register_invoice,large_retail_payment,digital_outreach}'::text[]
$$;
COMMENT ON FUNCTION register.indicator_codes() IS
    'The indicators that the register measures; all others of a plan are entered.';

CREATE OR REPLACE FUNCTION register.one_used(used text[], unused text[], kinds text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN used && kinds THEN 'yes' WHEN unused @> kinds THEN 'no' ELSE 'unknown' END
$$;
COMMENT ON FUNCTION register.one_used(text[], text[], text[]) IS
    'Whether any of these digital tools is used: no where each of them was looked for and none was found.';

DROP FUNCTION IF EXISTS register.indicator_answers(text, text, text, text, bigint, text, text, text, text[], text[], date) CASCADE;

-- Without SET, strictness or more than one statement: so the planner puts it into the query, and makes only those columns
-- that are asked for.
CREATE FUNCTION register.indicator_answers(
    sector_group text, kind text, legal_form text, operating_status text, model_site_id bigint, accepts_cashless text,
    active_acceptance text, on_digital_platform text, digital_used text[], digital_unused text[], outreach_on date)
RETURNS TABLE (
    digital_platform_use text, model_site_active_acceptance text, model_site_payment_method text, payment_account_or_qr text,
    online_selling text, enterprise_e_contract text, sme_digital_platform text, enterprise_e_commerce text,
    enterprise_digital_technology text, food_service_cash_register_invoice text, large_retail_payment text,
    digital_outreach text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT
        -- Enterprises, cooperatives and household businesses. A form that nobody knows yet is one of them until it is known
        -- not to be: else the share would grow by not asking.
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND coalesce(legal_form, '') NOT IN ('unregistered_individual', 'public_service_unit')
             THEN on_digital_platform END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status) AND model_site_id IS NOT NULL THEN active_acceptance END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status) AND model_site_id IS NOT NULL THEN accepts_cashless END,
        -- Households, workshops and service places: all but enterprises, for which the same plan has targets of their own.
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND coalesce(legal_form, '') NOT IN ('enterprise', 'branch', 'business_location', 'public_service_unit')
             THEN accepts_cashless END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND (coalesce(legal_form, 'household_business') = 'household_business'
                   OR sector_group = 'production' AND legal_form NOT IN ('enterprise', 'branch', 'business_location', 'public_service_unit'))
             THEN register.one_used(digital_used, digital_unused,
                                    '{social_selling,marketplace,food_delivery,website,zalo_oa}') END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND legal_form IN ('enterprise', 'branch', 'business_location')
             THEN register.one_used(digital_used, digital_unused, '{e_contract}') END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND legal_form IN ('enterprise', 'branch', 'business_location')
             THEN on_digital_platform END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND legal_form IN ('enterprise', 'branch', 'business_location')
             THEN register.one_used(digital_used, digital_unused, '{marketplace,website,food_delivery}') END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND legal_form IN ('enterprise', 'branch', 'business_location')
             THEN on_digital_platform END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND sector_group IN ('food_service', 'cafe_drinks')
             THEN register.one_used(digital_used, digital_unused, '{e_invoice}') END,
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND (sector_group = 'market'
                   OR kind IN ('supermarket', 'hypermarket', 'mall', 'department_store', 'marketplace'))
             THEN accepts_cashless END,
        -- What the ward did itself: what nobody noted was not done.
        CASE WHEN register.counts_in_figures(sector_group, operating_status)
              AND coalesce(legal_form, '') NOT IN ('enterprise', 'branch', 'business_location', 'public_service_unit')
             THEN CASE WHEN outreach_on IS NOT NULL THEN 'yes' ELSE 'no' END END
$$;
COMMENT ON FUNCTION register.indicator_answers(text, text, text, text, bigint, text, text, text, text[], text[], date) IS
    'What a place says to each indicator: yes, no or unknown; null where it is not counted. One column an indicator.';

DROP FUNCTION IF EXISTS register.indicator_counts(text, text[], date, boolean, text);

CREATE FUNCTION register.indicator_counts(
    of_ward text, codes text[], of_day date, known_now boolean DEFAULT false, grouped_by text DEFAULT NULL)
RETURNS TABLE (code text, member text, population bigint, yes bigint, no bigint, refused bigint)
LANGUAGE plpgsql STABLE
SET search_path = register, public, pg_temp
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
DECLARE
    moment CONSTANT timestamptz := (of_day + 1)::timestamptz - interval '1 microsecond';
    of_ward_id CONSTANT bigint := (SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL);
    asked CONSTANT text[] := ARRAY(SELECT c FROM unnest(indicator_codes()) c WHERE c = ANY (codes));
    states text;
    members text;
    named text;
BEGIN
    IF cardinality(asked) = 0 OR of_ward_id IS NULL THEN
        RETURN;
    END IF;
    states := CASE WHEN known_now THEN 'states_known_now($2, $4)'
        ELSE '(SELECT * FROM establishment_state WHERE ward_id = $1 AND known_from <= $3 AND $3 < known_to)' END;
    members := CASE grouped_by
        WHEN 'residential_group' THEN 's.residential_group_id'
        WHEN 'model_site' THEN 's.model_site_id'
        WHEN 'street' THEN 's.street_name'
        WHEN 'sector_group' THEN 's.sector_group'
        ELSE 'NULL::text' END;
    named := CASE grouped_by
        WHEN 'residential_group' THEN '(SELECT g.code FROM residential_group g WHERE g.id = c.member)'
        WHEN 'model_site' THEN '(SELECT m.code FROM model_site m WHERE m.id = c.member)'
        ELSE 'c.member' END;
    -- First by all that is asked together, some hundred rows; only those are taken apart by indicator.
    RETURN QUERY EXECUTE format($query$
        WITH told AS (
            SELECT %1$s AS member, s.refused_on IS NOT NULL AS refused, %2$s, count(*) AS places
              FROM %3$s s
             CROSS JOIN LATERAL indicator_answers(
                   s.sector_group, s.kind, s.legal_form, s.operating_status, s.model_site_id, s.accepts_cashless,
                   s.active_acceptance, s.on_digital_platform, s.digital_used, s.digital_unused, s.outreach_on) a
             GROUP BY %4$s
        ), counted AS (
            SELECT v.code, t.member, sum(t.places)::bigint AS population,
                   coalesce(sum(t.places) FILTER (WHERE v.answer = 'yes'), 0)::bigint AS yes,
                   coalesce(sum(t.places) FILTER (WHERE v.answer = 'no'), 0)::bigint AS no,
                   coalesce(sum(t.places) FILTER (WHERE v.answer = 'unknown' AND t.refused), 0)::bigint AS refused
              FROM told t CROSS JOIN LATERAL (VALUES %5$s) v (code, answer)
             WHERE v.answer IS NOT NULL
             GROUP BY 1, 2
        )
        -- Members whose names the asker may not see are one.
        SELECT n.code, n.member, sum(n.population)::bigint, sum(n.yes)::bigint, sum(n.no)::bigint, sum(n.refused)::bigint
          FROM (SELECT c.code, %6$s AS member, c.population, c.yes, c.no, c.refused FROM counted c) n
         GROUP BY 1, 2
        $query$, members, (SELECT string_agg(format('a.%I', c), ', ') FROM unnest(asked) c), states,
        (SELECT string_agg(place::text, ', ') FROM generate_series(1, cardinality(asked) + 2) place),
        (SELECT string_agg(format('(%L, t.%I)', c, c), ', ') FROM unnest(asked) c), named)
    USING of_ward_id, of_ward, moment, of_day;
END
$$;
COMMENT ON FUNCTION register.indicator_counts(text, text[], date, boolean, text) IS
    'How many places count in each indicator at the end of a day, and how many say yes and no; refused: unknown since the '
    'latest visit was refused. grouped_by: residential_group, street, sector_group, model_site, or null for the whole ward. '
    'No row where nothing counts. Under row-level security.';

DROP FUNCTION IF EXISTS register.count_month_ends(bigint, text[], date[]);

CREATE FUNCTION register.count_month_ends(of_ward_id bigint, codes text[], month_ends date[])
RETURNS TABLE (code text, month_end date, population bigint, yes bigint, no bigint, refused bigint)
LANGUAGE plpgsql STABLE
SET search_path = register, public, pg_temp
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
DECLARE
    asked CONSTANT text[] := ARRAY(SELECT c FROM unnest(indicator_codes()) c WHERE c = ANY (codes));
    months CONSTANT timestamp[] := ARRAY(SELECT date_trunc('month', e::timestamp) FROM unnest(month_ends) e);
BEGIN
    IF cardinality(asked) = 0 OR cardinality(months) = 0 THEN
        RETURN;
    END IF;
    -- One pass: a stretch counts at the month ends from that of its first month to the one before it ended.
    RETURN QUERY EXECUTE format($query$
        WITH told AS (
            SELECT greatest(date_trunc('month', s.known_from::timestamp), $3) AS since,
                   date_trunc('month', s.known_to::timestamp) AS till, s.refused_on IS NOT NULL AS refused, %1$s,
                   count(*) AS places
              FROM establishment_state s
             CROSS JOIN LATERAL indicator_answers(
                   s.sector_group, s.kind, s.legal_form, s.operating_status, s.model_site_id, s.accepts_cashless,
                   s.active_acceptance, s.on_digital_platform, s.digital_used, s.digital_unused, s.outreach_on) a
             WHERE s.ward_id = $1 AND s.known_to >= $3 AND s.known_from < $4
               AND date_trunc('month', s.known_from::timestamp) < date_trunc('month', s.known_to::timestamp)
             GROUP BY %2$s
        )
        SELECT v.code, (m.month + interval '1 month')::date - 1, sum(t.places)::bigint,
               coalesce(sum(t.places) FILTER (WHERE v.answer = 'yes'), 0)::bigint,
               coalesce(sum(t.places) FILTER (WHERE v.answer = 'no'), 0)::bigint,
               coalesce(sum(t.places) FILTER (WHERE v.answer = 'unknown' AND t.refused), 0)::bigint
          FROM unnest($2) AS m (month)
          JOIN told t ON t.since <= m.month AND m.month < t.till
         CROSS JOIN LATERAL (VALUES %3$s) v (code, answer)
         WHERE v.answer IS NOT NULL
         GROUP BY 1, 2
        $query$, (SELECT string_agg(format('a.%I', c), ', ') FROM unnest(asked) c),
        (SELECT string_agg(place::text, ', ') FROM generate_series(1, cardinality(asked) + 3) place),
        (SELECT string_agg(format('(%L, t.%I)', c, c), ', ') FROM unnest(asked) c))
    USING of_ward_id, months, (SELECT min(m) FROM unnest(months) m),
          (SELECT max(m) + interval '1 month' FROM unnest(months) m);
END
$$;
COMMENT ON FUNCTION register.count_month_ends(bigint, text[], date[]) IS
    'The counts of register.indicator_counts at these ends of months, as the register knew them then, from the states. No '
    'row where nothing counts.';

CREATE OR REPLACE FUNCTION register.indicator_definition() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(string_agg(p.prosrc, ' ' ORDER BY p.proname))
      FROM pg_proc p
     WHERE p.pronamespace = 'register'::regnamespace
       AND p.proname IN ('counts_in_figures', 'one_used', 'indicator_codes', 'indicator_answers', 'count_month_ends')
$$;
COMMENT ON FUNCTION register.indicator_definition() IS
    'Another word for each way in which the indicators are counted from the states.';

CREATE OR REPLACE FUNCTION register.history_until(of_day date) RETURNS text
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
    SELECT coalesce((SELECT md5(h.hash) FROM head_at((of_day + 1)::timestamptz - interval '1 microsecond') h), '')
$$;
COMMENT ON FUNCTION register.history_until(date) IS 'Names all of the history up to the end of a day; empty before its first change.';

CREATE OR REPLACE FUNCTION register.month_ends_kept(of_ward_id bigint) RETURNS SETOF date
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    WITH last AS (
        SELECT c.month_end, c.history FROM month_end_count c
         WHERE c.ward_id = of_ward_id AND c.definition = (SELECT indicator_definition())
         ORDER BY c.month_end DESC LIMIT 1
    )
    -- The hash of a change names all before it: those of the last month end, all of the others.
    SELECT DISTINCT c.month_end
      FROM month_end_count c
     WHERE c.ward_id = of_ward_id AND c.definition = (SELECT indicator_definition())
       AND (SELECT l.history = history_until(l.month_end) FROM last l)
     ORDER BY 1
$$;
COMMENT ON FUNCTION register.month_ends_kept(bigint) IS
    'The ends of months whose counts are kept, of this history and by the definitions of today. Before the first of them '
    'nothing was known of the ward.';

DROP FUNCTION IF EXISTS register.indicator_trend(text, text[], date, date);

CREATE FUNCTION register.indicator_trend(of_ward text, codes text[], first_month date, until date)
RETURNS TABLE (code text, month_end date, population bigint, yes bigint, no bigint, refused bigint)
LANGUAGE plpgsql STABLE
SET search_path = register, public, pg_temp
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
DECLARE
    of_ward_id CONSTANT bigint := (SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL);
    kept CONSTANT date[] := ARRAY(SELECT month_ends_kept(of_ward_id));
    -- A month counts when its last day has come.
    month_ends CONSTANT date[] := ARRAY(
        SELECT (m.month + interval '1 month')::date - 1
          FROM generate_series(date_trunc('month', first_month::timestamp),
                               date_trunc('month', until + 1)::timestamp - interval '1 month', interval '1 month') m (month));
BEGIN
    RETURN QUERY
    SELECT c.indicator_code, c.month_end, c.population, c.yes, c.no, c.refused
      FROM month_end_count c
     WHERE c.ward_id = of_ward_id AND c.indicator_code = ANY (codes) AND c.month_end = ANY (month_ends)
       AND c.month_end = ANY (kept) AND c.population > 0;
    RETURN QUERY
    SELECT c.* FROM count_month_ends(of_ward_id, codes, ARRAY(
        SELECT e FROM unnest(month_ends) e WHERE e <> ALL (kept) AND (cardinality(kept) = 0 OR e > kept[1]))) c;
END
$$;
COMMENT ON FUNCTION register.indicator_trend(text, text[], date, date) IS
    'The counts of register.indicator_counts at the end of each month from that of the first day to the last one that is '
    'over on the last day, as the register knew them then: those that are kept, and the others counted now. No row where '
    'nothing counts.';

CREATE OR REPLACE FUNCTION register.keep_month_ends() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
SET timezone = 'Asia/Ho_Chi_Minh'
AS $$
DECLARE
    month_end date := date_trunc('month', now())::date - 1;
    way CONSTANT text := indicator_definition();
    found record;
    missing date[];
BEGIN
    -- Each statement must see all that was there when the day was found final. And one at a time, and never while states
    -- are made anew.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'keep_month_ends needs read committed';
    END IF;
    IF NOT pg_try_advisory_xact_lock(20257009) THEN
        RETURN NULL;
    END IF;
    IF NOT day_is_final(month_end) THEN
        month_end := date_trunc('month', month_end)::date - 1;
        IF NOT day_is_final(month_end) THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT w.id, w.code, f.since INTO found
      FROM ward w
     CROSS JOIN LATERAL (SELECT min(s.known_from) AS since FROM establishment_state s WHERE s.ward_id = w.id) f
     WHERE w.valid_to IS NULL AND f.since < (month_end + 1)::timestamptz
       AND (SELECT max(k) FROM month_ends_kept(w.id) k) IS DISTINCT FROM month_end
     LIMIT 1;
    IF found.id IS NULL THEN
        RETURN NULL;
    END IF;
    missing := ARRAY(
        SELECT e.month_end
          FROM (SELECT (m.month + interval '1 month')::date - 1 AS month_end
                  FROM generate_series(date_trunc('month', found.since::timestamp), month_end::timestamp,
                                       interval '1 month') m (month)) e
         WHERE e.month_end NOT IN (SELECT month_ends_kept(found.id)));
    DELETE FROM month_end_count c WHERE c.ward_id = found.id AND c.month_end NOT IN (SELECT month_ends_kept(found.id));
    INSERT INTO month_end_count (ward_id, month_end, indicator_code, definition, history, population, yes, no, refused)
    SELECT found.id, e, i.code, way, history_until(e), coalesce(c.population, 0), coalesce(c.yes, 0), coalesce(c.no, 0),
           coalesce(c.refused, 0)
      FROM unnest(missing) e
     CROSS JOIN unnest(indicator_codes()) i (code)
      LEFT JOIN count_month_ends(found.id, indicator_codes(), missing) c ON c.month_end = e AND c.code = i.code;
    RETURN found.code;
END
$$;
COMMENT ON FUNCTION register.keep_month_ends() IS
    'Counts what is not kept yet of one ward''s month ends that are final, and keeps it; returns the ward''s code, or null '
    'where all is kept or somebody is at it. Within read committed, so that whoever was at work when the month ended is seen.';

-- What anybody is told: figures of a whole ward, none of fewer than five places, and none of payment in one sector: less
-- what cells of the adoption map tell of it, it would say what those hold that are hidden.

CREATE OR REPLACE FUNCTION register.told_to_all(code text, population bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT population >= 5 AND code <> 'large_retail_payment'
$$;
COMMENT ON FUNCTION register.told_to_all(text, bigint) IS
    'Whether anybody is told this figure of a ward, made of so many places.';

CREATE OR REPLACE FUNCTION published.day_is_final(day date) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
    SELECT day_is_final(day)
$$;
COMMENT ON FUNCTION published.day_is_final(date) IS
    'Whether nothing can be noted of that day any more. To be asked in a statement before the one that reads the figures.';

DROP FUNCTION IF EXISTS published.indicator_counts(text, text[], date, boolean);

CREATE FUNCTION published.indicator_counts(of_ward text, codes text[], of_day date, known_now boolean)
RETURNS TABLE (code text, population bigint, yes bigint, no bigint, refused bigint, suppressed boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
    SELECT c.code, CASE WHEN t.told THEN c.population END, CASE WHEN t.told THEN c.yes END, CASE WHEN t.told THEN c.no END,
           CASE WHEN t.told THEN c.refused END, NOT t.told
      FROM indicator_counts(of_ward, codes, of_day, known_now) c
     CROSS JOIN LATERAL told_to_all(c.code, c.population) AS t (told)
$$;
COMMENT ON FUNCTION published.indicator_counts(text, text[], date, boolean) IS
    'register.indicator_counts of a whole ward; figures that not everybody is told are null.';

DROP FUNCTION IF EXISTS published.indicator_trend(text, text[], date, date);

CREATE FUNCTION published.indicator_trend(of_ward text, codes text[], first_month date, until date)
RETURNS TABLE (code text, month_end date, population bigint, yes bigint, no bigint, refused bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_temp
AS $$
    SELECT t.code, t.month_end, t.population, t.yes, t.no, t.refused
      FROM indicator_trend(of_ward, codes, first_month, until) t
     WHERE told_to_all(t.code, t.population)
$$;
COMMENT ON FUNCTION published.indicator_trend(text, text[], date, date) IS
    'register.indicator_trend; months whose figures not everybody is told are left out.';

DROP VIEW IF EXISTS published.indicators, published.targets;

CREATE VIEW published.indicators AS
SELECT i.ward_code, i.code, i.title, i.unit, i.report, i.source, i.evidence, i.measured_by, i.position
  FROM register.indicator i;
COMMENT ON VIEW published.indicators IS
    'The indicators of each ward''s plan, and how the plan wants each measured.';

CREATE VIEW published.targets AS
SELECT t.ward_code, t.indicator_code, t.due, t.comparator, t.value FROM register.target t;
COMMENT ON VIEW published.targets IS 'The shares (0-100) that the plans set, and by when.';

DROP VIEW IF EXISTS published.entered_figures;

CREATE VIEW published.entered_figures AS
SELECT f.id, w.code AS ward_code, f.indicator_code, f.as_of, f.numerator, f.denominator, f.value, f.source, f.document,
       f.entered_at
  FROM register.entered_figure f JOIN register.ward w ON w.id = f.ward_id;
COMMENT ON VIEW published.entered_figures IS
    'Figures that the wards entered, with source and day; of one day the one that was entered last counts.';
