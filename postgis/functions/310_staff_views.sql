-- What staff see of their own ward's records at the addresses of the collections: all fields, drafts and ended ones too.
-- As the asker: row-level security of the tables decides which rows there are. (layers/collections adds what is published
-- of other wards; 200_published_views.sql has dropped what was here.)

CREATE OR REPLACE FUNCTION register.own_ward_code() RETURNS text
LANGUAGE sql STABLE
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT code FROM ward WHERE id = (SELECT account.actor_ward())
$$;
COMMENT ON FUNCTION register.own_ward_code() IS 'The code of the acting person''s ward, or null.';

CREATE VIEW register.staff_establishments WITH (security_invoker = true) AS
SELECT o.id, o.ward_id, o.code, o.name, o.name_en, o.kind, o.legal_form, o.sector_scheme, o.sector_code, o.sector_group,
       o.offering, o.address, o.residential_group, (SELECT w.code FROM register.ward w WHERE w.id = o.ward_id) AS ward,
       o.model_site, o.stall, o.operating_status, o.licence_status, o.licence_valid_until, o.licence_checked_on,
       o.food_safety_status, o.food_safety_valid_until, o.food_safety_checked_on, o.last_inspection_result,
       o.last_inspection_on, o.live_warning, o.payment_methods, o.payment_checked_on, o.accepts_cashless, o.opening_hours,
       o.website, o.verified_on, o.source, o.illustrative, o.updated_at, o.active_acceptance, o.on_digital_platform,
       o.digital_checked_on, o.legal_entity, o.house_number, o.alley, o.street_name, o.suspended_until, o.status_reason,
       o.opened_on, o.closed_on,
       (SELECT t.code FROM register.establishment t WHERE t.id = o.moved_to_id) AS moved_to,
       (SELECT t.code FROM register.establishment t WHERE t.id = o.merged_into_id) AS merged_into,
       o.position_method, o.position_accuracy_m, o.outside_accepted, o.payment_fresh_until, o.licence_fresh_until,
       o.address_fresh_until, o.food_safety_fresh_until, o.digital_fresh_until, o.version, o.ended_at IS NOT NULL AS ended,
       o.ended_at, o.end_reason, o.name_key, o.search_key, o.geom
  FROM register.establishment_overview o;
COMMENT ON VIEW register.staff_establishments IS 'Establishments of the acting person''s ward.';

CREATE VIEW register.staff_licences WITH (security_invoker = true) AS
SELECT l.id, e.ward_id, l.code, e.code AS establishment, w.code AS ward, l.kind, l.number, l.issuer, l.issued_on,
       l.expires_on,
       published.licence_status(CASE l.kind WHEN 'not_required' THEN l.kind ELSE 'held' END, l.expires_on, current_date) AS status,
       l.checked_on, l.source, e.illustrative, l.updated_at, l.version, l.ended_at IS NOT NULL AS ended, l.ended_at,
       l.end_reason
  FROM register.licence l
  JOIN register.establishment e ON e.id = l.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_licences IS 'Licences of the acting person''s ward.';

CREATE VIEW register.staff_inspections WITH (security_invoker = true) AS
SELECT i.id, e.ward_id, i.code, e.code AS establishment, w.code AS ward, i.inspected_on, i.agency, i.result, i.official_words,
       i.signed_on,
       EXISTS (
           SELECT FROM register.inspection later
            WHERE later.establishment_id = i.establishment_id AND later.signed_on IS NOT NULL AND later.ended_at IS NULL
              AND (later.inspected_on, later.id) > (i.inspected_on, i.id)) AS superseded,
       i.source, e.illustrative, i.updated_at, i.signed_on IS NULL AS draft, i.version, i.ended_at IS NOT NULL AS ended,
       i.ended_at, i.end_reason, i.reply, i.replied_on
  FROM register.inspection i
  JOIN register.establishment e ON e.id = i.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_inspections IS 'Inspections of the acting person''s ward, drafts too.';

CREATE VIEW register.staff_warnings WITH (security_invoker = true) AS
SELECT x.id, e.ward_id, x.code, e.code AS establishment, w.code AS ward, x.issued_on, x.headline, x.instruction, x.agency,
       x.source, e.illustrative, x.updated_at, x.lifted_on, x.lifted_on IS NULL AND x.ended_at IS NULL AS live, x.version,
       x.ended_at IS NOT NULL AS ended, x.ended_at, x.end_reason, x.reply, x.replied_on
  FROM register.warning x
  JOIN register.establishment e ON e.id = x.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_warnings IS 'Warnings of the acting person''s ward, lifted ones too.';

CREATE VIEW register.staff_payment_acceptances WITH (security_invoker = true) AS
SELECT p.id, e.ward_id, p.code, e.code AS establishment, w.code AS ward, p.method, p.accepted, p.evidence_level, p.has_transactions,
       p.checked_on, p.source, e.illustrative, p.updated_at, p.document, p.version, p.ended_at IS NOT NULL AS ended,
       p.ended_at, p.end_reason
  FROM register.payment_acceptance p
  JOIN register.establishment e ON e.id = p.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_payment_acceptances IS 'Checks of payment methods of the acting person''s ward.';

CREATE VIEW register.staff_model_sites WITH (security_invoker = true) AS
SELECT m.id, m.ward_id, m.code, w.code AS ward, m.kind, m.name, m.illustrative, m.updated_at, m.version, m.ended_at IS NOT NULL AS ended,
       m.ended_at, m.end_reason, m.geom
  FROM register.model_site m JOIN register.ward w ON w.id = m.ward_id;
COMMENT ON VIEW register.staff_model_sites IS 'Model sites of the acting person''s ward.';

-- What is never published.

CREATE VIEW register.staff_legal_entities WITH (security_invoker = true) AS
SELECT l.id, l.ward_id, l.code, w.code AS ward, l.registered_name, l.legal_form, l.tax_code, l.registration_number, l.registered_on,
       l.registry_status, l.illustrative, l.updated_at, l.version, l.ended_at IS NOT NULL AS ended, l.ended_at,
       l.end_reason
  FROM register.legal_entity l JOIN register.ward w ON w.id = l.ward_id;
COMMENT ON VIEW register.staff_legal_entities IS 'Legal entities of the acting person''s ward, without personal data.';

CREATE VIEW register.staff_food_safety_records WITH (security_invoker = true) AS
SELECT r.id, e.ward_id, r.code, e.code AS establishment, w.code AS ward, r.kind, r.number, r.agency, r.issued_on, r.valid_until,
       r.checked_on, r.source, e.illustrative, r.updated_at, r.version, r.ended_at IS NOT NULL AS ended, r.ended_at,
       r.end_reason
  FROM register.food_safety_record r
  JOIN register.establishment e ON e.id = r.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_food_safety_records IS 'Food-safety files of the acting person''s ward.';

CREATE VIEW register.staff_digital_uses WITH (security_invoker = true) AS
SELECT d.id, e.ward_id, d.code, e.code AS establishment, w.code AS ward, d.kind, d.used, d.checked_on, d.source, e.illustrative,
       d.updated_at, d.version, d.ended_at IS NOT NULL AS ended, d.ended_at, d.end_reason
  FROM register.digital_use d
  JOIN register.establishment e ON e.id = d.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_digital_uses IS 'Checks of digital tools in the acting person''s ward.';

CREATE VIEW register.staff_outreach WITH (security_invoker = true) AS
SELECT o.id, e.ward_id, o.code, e.code AS establishment, w.code AS ward, o.kind, o.done_on, o.topic, o.source, e.illustrative,
       o.updated_at, o.version, o.ended_at IS NOT NULL AS ended, o.ended_at, o.end_reason
  FROM register.outreach o
  JOIN register.establishment e ON e.id = o.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_outreach IS 'Visits, trainings and leaflets of the acting person''s ward.';

CREATE VIEW register.staff_visits WITH (security_invoker = true) AS
SELECT v.id, e.ward_id, v.code, e.code AS establishment, w.code AS ward, v.visited_on, v.outcome, v.source, e.illustrative,
       v.updated_at, v.version, v.ended_at IS NOT NULL AS ended, v.ended_at, v.end_reason
  FROM register.visit v
  JOIN register.establishment e ON e.id = v.establishment_id
  JOIN register.ward w ON w.id = e.ward_id;
COMMENT ON VIEW register.staff_visits IS 'Visits of the survey in the acting person''s ward.';
