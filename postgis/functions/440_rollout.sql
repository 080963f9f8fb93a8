-- How far the rollout of the business map has come, measured on the register itself: ward totals, for anybody. What each
-- criterion needs stands in postgis/reference/criteria.

DROP FUNCTION IF EXISTS published.rollout_measures(text), published.rollout_register(text), published.rollout_use(text),
    published.rollout_proofs(text);

-- What changes only with what published.standing names: whoever has read it need not read every place again.
CREATE FUNCTION published.rollout_register(of_ward text)
RETURNS TABLE (measure text, yes bigint, population bigint, illustrative bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
    WITH here AS MATERIALIZED (
        SELECT w.id, make_interval(months => shelf_life_months(w.id, 'address')) AS address_life
          FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL
    ), places AS (
        SELECT e.illustrative, e.sector_group IN ('food_service', 'cafe_drinks', 'food_retail') AS food,
               e.position_method <> 'generated' AND coalesce(e.position_accuracy_m, 1000) <= 50 AS position,
               e.name IS NOT NULL AND e.address IS NOT NULL AS name_address,
               e.residential_group_id IS NOT NULL AS residential_group,
               e.sector_code IS NOT NULL AS sector_code,
               f.licence_state IS NOT NULL AS licence,
               f.food_safety_kind IS NOT NULL AS food_safety,
               coalesce(e.verified_on + (SELECT address_life FROM here) >= current_date, false) AS verified
          FROM establishment e
          LEFT JOIN establishment_fact f ON f.establishment_id = e.id
         WHERE e.ward_id = (SELECT id FROM here) AND e.ended_at IS NULL
           AND counts_in_figures(e.sector_group, e.operating_status)
    ), counted AS (
        SELECT count(*) AS places, count(*) FILTER (WHERE p.illustrative) AS illustrative,
               count(*) FILTER (WHERE food) AS food, count(*) FILTER (WHERE food AND p.illustrative) AS food_illustrative,
               count(*) FILTER (WHERE position) AS position, count(*) FILTER (WHERE name_address) AS name_address,
               count(*) FILTER (WHERE residential_group) AS residential_group,
               count(*) FILTER (WHERE sector_code) AS sector_code, count(*) FILTER (WHERE licence) AS licence,
               count(*) FILTER (WHERE food AND food_safety) AS food_safety, count(*) FILTER (WHERE verified) AS verified
          FROM places p
    ), inspected AS (
        SELECT count(*) AS inspections, count(*) FILTER (WHERE e.illustrative) AS illustrative
          FROM inspection i JOIN establishment e ON e.id = i.establishment_id
         WHERE e.ward_id = (SELECT id FROM here) AND i.ended_at IS NULL AND i.signed_on > current_date - 365
    ), layer (name, there) AS (
        SELECT 'establishments', EXISTS (
                SELECT FROM establishment e WHERE e.ward_id = (SELECT id FROM here) AND e.ended_at IS NULL)
         UNION ALL
        SELECT 'residential_groups', EXISTS (SELECT FROM residential_group g WHERE g.ward_id = (SELECT id FROM here))
         UNION ALL
        SELECT 'streets', EXISTS (SELECT FROM street s WHERE s.ward_id = (SELECT id FROM here))
         UNION ALL
        SELECT 'model_sites', EXISTS (
                SELECT FROM model_site m WHERE m.ward_id = (SELECT id FROM here) AND m.ended_at IS NULL)
         UNION ALL
        SELECT 'licences', EXISTS (SELECT FROM licence r JOIN establishment e ON e.id = r.establishment_id
                                    WHERE e.ward_id = (SELECT id FROM here) AND r.ended_at IS NULL)
         UNION ALL
        SELECT 'food_safety', EXISTS (SELECT FROM food_safety_record r JOIN establishment e ON e.id = r.establishment_id
                                       WHERE e.ward_id = (SELECT id FROM here) AND r.ended_at IS NULL)
         UNION ALL
        SELECT 'inspections', EXISTS (SELECT FROM inspection r JOIN establishment e ON e.id = r.establishment_id
                                       WHERE e.ward_id = (SELECT id FROM here) AND r.ended_at IS NULL)
         UNION ALL
        SELECT 'payment_acceptances', EXISTS (
                SELECT FROM payment_acceptance r JOIN establishment e ON e.id = r.establishment_id
                 WHERE e.ward_id = (SELECT id FROM here) AND r.ended_at IS NULL)
         UNION ALL
        SELECT 'digital_uses', EXISTS (SELECT FROM digital_use r JOIN establishment e ON e.id = r.establishment_id
                                        WHERE e.ward_id = (SELECT id FROM here) AND r.ended_at IS NULL)
    )
    -- Of one to four, a share is as good as each one's own fact.
    SELECT s.measure, CASE WHEN s.population >= 5 THEN s.yes END, CASE WHEN s.population NOT BETWEEN 1 AND 4 THEN s.population END,
           CASE WHEN s.population >= 5 THEN s.illustrative ELSE 0 END
      FROM counted c
     CROSS JOIN LATERAL (VALUES
           ('name_address', c.name_address, c.places, c.illustrative),
           ('position', c.position, c.places, c.illustrative),
           ('residential_group', c.residential_group, c.places, c.illustrative),
           ('sector_code', c.sector_code, c.places, c.illustrative),
           ('licence', c.licence, c.places, c.illustrative),
           ('food_safety', c.food_safety, c.food, c.food_illustrative),
           ('verified', c.verified, c.places, c.illustrative)) AS s (measure, yes, population, illustrative)
     UNION ALL
    SELECT 'inspections', inspections, NULL, inspected.illustrative FROM inspected
     UNION ALL
    SELECT 'layer:' || l.name, l.there::integer, 1, 0 FROM layer l
$$;
COMMENT ON FUNCTION published.rollout_register(text) IS
    'What criteria of the rollout are measured by in the records of a ward: how many of how many, and how many of those are '
    'invented. Null where there are one to four.';

CREATE FUNCTION published.rollout_use(of_ward text)
RETURNS TABLE (measure text, yes bigint, population bigint, illustrative bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
    WITH here AS MATERIALIZED (
        SELECT w.id FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL
    ), stuck AS (
        SELECT s.establishment_id, bool_or(s.state = 'installed') AS installed
          FROM sticker s JOIN establishment e ON e.id = s.establishment_id
         WHERE s.ward_id = (SELECT id FROM here) AND s.state IN ('printed', 'installed')
           AND e.ended_at IS NULL AND counts_in_figures(e.sector_group, e.operating_status)
         GROUP BY s.establishment_id
    ), worked AS (
        -- Days on which somebody of the ward changed a record, by hand or by applying a list. The sample is nobody's work.
        SELECT d.back
          FROM generate_series(0, 89) AS d (back)
         WHERE EXISTS (
                SELECT FROM change c
                 WHERE c.at >= (current_date - d.back)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
                   AND c.at < (current_date - d.back + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
                   AND c.ward_id = (SELECT id FROM here) AND c.actor_id IS NOT NULL
                   AND c.collection IN ('establishments', 'legal_entities', 'licences', 'food_safety_records',
                                        'inspections', 'warnings', 'payment_acceptances', 'digital_uses', 'model_sites',
                                        'photos', 'outreach', 'visits'))
    ), answered AS (
        SELECT count(*) AS due, count(*) FILTER (WHERE r.answered_at IS NOT NULL
                   AND (r.answered_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date <= r.due_on) AS in_time
          FROM citizen_report r
         WHERE r.ward_id = (SELECT id FROM here) AND r.received_at > now() - interval '12 months'
           AND (r.due_on < current_date OR r.answered_at IS NOT NULL)
    )
    SELECT 'reports_in_time', CASE WHEN due >= 5 THEN in_time END, CASE WHEN due NOT BETWEEN 1 AND 4 THEN due END, 0
      FROM answered
     UNION ALL
    -- Of the places that count: how many those are, rollout_register() says.
    SELECT 'qr_issued', count(*), NULL, 0 FROM stuck
     UNION ALL
    SELECT 'qr_installed', count(*) FILTER (WHERE installed), NULL, 0 FROM stuck
     UNION ALL
    SELECT 'update_days_30', count(*) FILTER (WHERE back < 30), 30, 0 FROM worked
     UNION ALL
    SELECT 'update_days_90', count(*), 90, 0 FROM worked
     UNION ALL
    SELECT 'signing_keys', count(*), NULL, 0 FROM signing_key k WHERE k.retired_at IS NULL
     UNION ALL
    -- As anybody is told them (030_statuses.sql, 340_lookup_months.sql): of the last month that is over, and never exact.
    SELECT 'lookups', (SELECT m.lookups FROM published.lookup_months m WHERE m.ward = of_ward ORDER BY m.month DESC LIMIT 1),
           NULL, 0
$$;
COMMENT ON FUNCTION published.rollout_use(text) IS
    'What criteria of the rollout are measured by in how a ward works: days of updates, stickers, look-ups, reports.';

CREATE FUNCTION published.rollout_proofs(of_ward text)
RETURNS TABLE (criterion text, title text, number text, dated_on date, signed_role text, signed_on date)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT p.criterion, p.title, p.number, p.dated_on, p.signed_role, (p.signed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
      FROM criterion_proof p
      JOIN ward w ON w.id = p.ward_id AND w.valid_to IS NULL
     WHERE w.code = of_ward AND p.signed_by IS NOT NULL AND p.withdrawn_at IS NULL
     ORDER BY p.dated_on, p.id
$$;
COMMENT ON FUNCTION published.rollout_proofs(text) IS
    'Documents that prove criteria of a ward, signed and not withdrawn: what they are called, not what stands in them.';

DROP VIEW IF EXISTS published.phases;
CREATE VIEW published.phases AS
SELECT p.ward_code AS ward, p.code, p.title, p.starts, p.due, p.source, p.outputs FROM register.phase p;
COMMENT ON VIEW published.phases IS 'Phases of the business map in the wards'' plans.';
