-- The register as officers see it: each establishment with its derived facts, how long they may be relied on, and who
-- trades there. As the asker: row-level security of the tables decides which rows there are.

-- What stands on it is made anew by the files after this one.
DROP VIEW IF EXISTS register.establishment_overview CASCADE;

CREATE VIEW register.establishment_overview WITH (security_invoker = true) AS
SELECT o.*,
       array_remove(ARRAY[
           CASE WHEN o.payment_fresh_until < current_date THEN 'payment' END,
           CASE WHEN o.licence_fresh_until < current_date THEN 'licence' END,
           CASE WHEN o.address_fresh_until < current_date THEN 'address' END,
           CASE WHEN o.food_safety_fresh_until < current_date THEN 'food_safety' END,
           CASE WHEN o.digital_fresh_until < current_date THEN 'digital' END], NULL) AS stale,
       -- What the ward wants to know of each place and does not (postgis/vocabulary.py, REQUIRED_FIELDS).
       array_remove(ARRAY[
           CASE WHEN o.name IS NULL THEN 'name' END,
           CASE WHEN o.address IS NULL THEN 'address' END,
           CASE WHEN o.residential_group IS NULL THEN 'residential_group' END,
           CASE WHEN o.sector_code IS NULL THEN 'sector_code' END,
           CASE WHEN o.legal_entity_id IS NULL THEN 'legal_entity' END,
           CASE WHEN o.legal_form IS NULL THEN 'legal_form' END,
           CASE WHEN o.operating_status = 'unknown' THEN 'operating_status' END,
           CASE WHEN o.licence_status = 'unknown' THEN 'licence' END,
           CASE WHEN o.food_safety_status = 'unknown'
                 AND o.sector_group IN ('food_service', 'cafe_drinks', 'food_retail') THEN 'food_safety' END,
           CASE WHEN o.accepts_cashless = 'unknown' THEN 'payment' END,
           CASE WHEN o.on_digital_platform = 'unknown' THEN 'digital' END], NULL) AS missing
  FROM (
    SELECT e.id, e.code, e.version, e.ward_id, e.name, e.name_en, e.kind, e.legal_form, e.sector_scheme, e.sector_code,
           e.sector_group, e.offering, e.address, e.house_number, e.alley, e.street_name,
           g.code AS residential_group, m.code AS model_site, m.name AS model_site_name, e.stall,
           e.operating_status, e.suspended_until, e.opened_on, e.closed_on,
           published.licence_status(f.licence_state, f.licence_valid_until, current_date) AS licence_status,
           f.licence_valid_until,
           published.food_safety_status(f.food_safety_kind, f.food_safety_valid_until, current_date) AS food_safety_status,
           f.food_safety_valid_until, f.last_inspection_result, f.last_inspection_on,
           coalesce(f.live_warning, false) AS live_warning,
           coalesce(f.payment_methods, '{}') AS payment_methods, f.payment_checked_on,
           coalesce(f.accepts_cashless, 'unknown') AS accepts_cashless,
           coalesce(f.active_acceptance, 'unknown') AS active_acceptance,
           coalesce(f.on_digital_platform, 'unknown') AS on_digital_platform,
           e.position_method, e.position_accuracy_m, e.outside_accepted,
           CASE
               WHEN e.position_method = 'generated' THEN 'generated'
               WHEN e.position_accuracy_m IS NULL THEN 'unknown'
               -- 50 m is more than a row of house fronts: the point may stand before a neighbour's shop.
               WHEN e.position_accuracy_m > 50 THEN 'poor'
               ELSE 'good'
           END AS position_quality,
           e.legal_entity_id, l.code AS legal_entity, l.registered_name, l.tax_code, l.registry_status,
           e.verified_on, e.source, e.illustrative, e.ended_at, e.merged_into_id,
           greatest(e.updated_at, f.updated_at) AS updated_at,
           (f.payment_checked_on + coalesce(own.payment, s.payment))::date AS payment_fresh_until,
           -- A licence is out of date when it expires, however lately somebody looked at it.
           least((f.licence_checked_on + coalesce(own.licence, s.licence))::date, f.licence_valid_until) AS licence_fresh_until,
           (e.verified_on + coalesce(own.address, s.address))::date AS address_fresh_until,
           least((f.food_safety_checked_on + coalesce(own.food_safety, s.food_safety))::date, f.food_safety_valid_until) AS food_safety_fresh_until,
           (f.digital_checked_on + coalesce(own.digital, s.digital))::date AS digital_fresh_until,
           e.name_key, e.search_key, e.geom,
           -- For 310_staff_views.sql, which shows all there is.
           e.opening_hours, e.website, e.status_reason, e.moved_to_id, e.end_reason, f.licence_checked_on,
           f.food_safety_checked_on, f.digital_checked_on
      FROM register.establishment e
      LEFT JOIN register.establishment_fact f ON f.establishment_id = e.id
      LEFT JOIN register.residential_group g ON g.id = e.residential_group_id
      LEFT JOIN register.model_site m ON m.id = e.model_site_id
      LEFT JOIN register.legal_entity l ON l.id = e.legal_entity_id
     CROSS JOIN (
            SELECT make_interval(months => max(months) FILTER (WHERE fact = 'payment')) AS payment,
                   make_interval(months => max(months) FILTER (WHERE fact = 'licence')) AS licence,
                   make_interval(months => max(months) FILTER (WHERE fact = 'address')) AS address,
                   make_interval(months => max(months) FILTER (WHERE fact = 'food_safety')) AS food_safety,
                   make_interval(months => max(months) FILTER (WHERE fact = 'digital')) AS digital
              FROM register.shelf_life
           ) s
      LEFT JOIN (
            SELECT ward_id,
                   make_interval(months => max(months) FILTER (WHERE fact = 'payment')) AS payment,
                   make_interval(months => max(months) FILTER (WHERE fact = 'licence')) AS licence,
                   make_interval(months => max(months) FILTER (WHERE fact = 'address')) AS address,
                   make_interval(months => max(months) FILTER (WHERE fact = 'food_safety')) AS food_safety,
                   make_interval(months => max(months) FILTER (WHERE fact = 'digital')) AS digital
              FROM register.ward_shelf_life
             GROUP BY ward_id
           ) own ON own.ward_id = e.ward_id
       ) o;

COMMENT ON VIEW register.establishment_overview IS
    'Establishments with derived facts, the last day each fact may be relied on (null: never checked) and which facts are past it.';
