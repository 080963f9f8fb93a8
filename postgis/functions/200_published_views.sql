-- All that the public may read. A view runs with its owner's rights, so mapservice_public needs none on the tables.
-- Dropped first, since CREATE OR REPLACE VIEW cannot rename or remove a column; before them what stands on views and is
-- made again in 310_staff_views.sql.

DROP VIEW IF EXISTS register.staff_establishments, register.staff_licences, register.staff_inspections,
    register.staff_warnings, register.staff_payment_acceptances, register.staff_model_sites, register.staff_legal_entities,
    register.staff_food_safety_records, register.staff_digital_uses, register.staff_outreach, register.staff_visits;
DROP VIEW IF EXISTS published.establishments, published.wards, published.residential_groups, published.streets,
    published.basemap_areas, published.warnings, published.licences, published.inspections, published.payment_acceptances,
    published.model_sites, published.known_codes, published.changes, published.change_heads, published.data_sources,
    published.sector_groups, published.sector_classes, published.reference_releases, published.schema_versions,
    published.establishment_points, published.tile_cells, published.tile_cell_groups;

CREATE VIEW published.wards AS
SELECT w.id, w.code, w.name, w.name_en, w.kind, w.province_code, w.area_km2, w.population, w.valid_from, w.valid_to,
       (SELECT array_agg(DISTINCT o.code || ' ' || o.name ORDER BY o.code || ' ' || o.name)
          FROM register.ward_succession s JOIN register.ward o ON o.id = s.old_ward_id
         WHERE s.new_ward_id = w.id) AS formed_from,
       w.geom, w.geom_3857
  FROM register.ward w
 WHERE w.valid_to IS NULL AND w.geom IS NOT NULL;
COMMENT ON VIEW published.wards IS 'Present commune-level units, and the former units each was formed from.';

CREATE VIEW published.residential_groups AS
SELECT g.id, g.code, w.code AS ward, g.number, g.name, g.valid_from, g.valid_to, g.illustrative, g.geom, g.geom_3857
  FROM register.residential_group g JOIN register.ward w ON w.id = g.ward_id
 WHERE g.geom IS NOT NULL;
COMMENT ON VIEW published.residential_groups IS 'Residential groups (tổ dân phố) with an outline.';

CREATE VIEW published.streets AS
SELECT s.id, s.code, s.name, s.kind, w.code AS ward, s.source, published.search_key(coalesce(s.name, '')) AS name_key,
       published.search_key(coalesce(s.name, '')) AS search_key, s.geom, s.geom_3857
  FROM register.street s LEFT JOIN register.ward w ON w.id = s.ward_id;
COMMENT ON VIEW published.streets IS 'Streets, alleys and paths.';

CREATE VIEW published.basemap_areas AS
SELECT id, code, layer, kind, name, name_en, source, geom, geom_3857
  FROM register.basemap_area;
COMMENT ON VIEW published.basemap_areas IS 'Land, water, parks, land use, buildings, and the archipelagos as points.';

CREATE VIEW published.establishments AS
SELECT e.id, e.code, e.name, e.name_en, e.kind, e.legal_form, e.sector_scheme, e.sector_code, e.sector_group, e.offering,
       e.address, g.code AS residential_group, w.code AS ward, m.code AS model_site, e.stall, e.operating_status,
       published.licence_status(f.licence_state, f.licence_valid_until, current_date) AS licence_status,
       f.licence_valid_until, f.licence_checked_on,
       published.food_safety_status(f.food_safety_kind, f.food_safety_valid_until, current_date) AS food_safety_status,
       f.food_safety_valid_until, f.food_safety_checked_on, f.last_inspection_result, f.last_inspection_on, e.live_warning,
       f.payment_methods, f.payment_checked_on, f.accepts_cashless,
       e.opening_hours, e.website, e.verified_on, e.source, e.illustrative,
       greatest(e.updated_at, f.updated_at) AS updated_at,
       e.opened_on, e.closed_on, e.house_number, e.street_name, e.version, e.name_key, e.search_key, e.geom, e.geom_3857
  FROM register.establishment e
  LEFT JOIN register.establishment_fact f ON f.establishment_id = e.id
  LEFT JOIN register.ward w ON w.id = e.ward_id
  LEFT JOIN register.residential_group g ON g.id = e.residential_group_id
  LEFT JOIN register.model_site m ON m.id = e.model_site_id
 WHERE e.ended_at IS NULL;
COMMENT ON VIEW published.establishments IS
    'Places of business with what may be public about them. Statuses are as of today.';

CREATE VIEW published.establishment_points AS
SELECT id, code, name, kind, sector_group, operating_status, live_warning, illustrative, point_3857
  FROM register.establishment
 WHERE ended_at IS NULL;
COMMENT ON VIEW published.establishment_points IS
    'What a tile carries of published.establishments, all of it in one index, where neighbours lie together: to read '
    'them from the whole records takes longer than to draw them.';

CREATE VIEW published.tile_cells AS
SELECT level, quad, places, ids, xs_cm, ys_cm, warned, illustrative FROM register.tile_cell;
COMMENT ON VIEW published.tile_cells IS 'How many places of published.establishments each cell of the map holds, and their sums.';

CREATE VIEW published.tile_cell_groups AS
SELECT level, quad, sector_group, places, ids, xs_cm, ys_cm, warned, illustrative FROM register.tile_cell_group;
COMMENT ON VIEW published.tile_cell_groups IS 'The same by sector group.';

CREATE VIEW published.known_codes AS
SELECT l.code,
       CASE
           WHEN e.id IS NULL THEN 'unused'
           WHEN e.ended_at IS NOT NULL AND e.merged_into_id IS NOT NULL THEN 'merged'
           WHEN e.ended_at IS NOT NULL THEN 'ended'
           ELSE e.operating_status
       END AS state,
       CASE
           WHEN e.ended_at IS NULL THEN t.code
           WHEN i.merged_into_id IS NULL OR i.ended_at IS NULL THEN i.code
           -- A duplicate of what was itself found to be a duplicate: on to the end.
           ELSE (WITH RECURSIVE way AS (
                     SELECT i.code, i.ended_at, i.merged_into_id
                     UNION
                     SELECT n.code, n.ended_at, n.merged_into_id
                       FROM way JOIN register.establishment n ON n.id = way.merged_into_id
                      WHERE way.ended_at IS NOT NULL)
                 SELECT way.code FROM way WHERE way.ended_at IS NULL OR way.merged_into_id IS NULL)
       END AS successor
  FROM register.lookup_code l
  LEFT JOIN register.establishment e ON e.code = l.code
  LEFT JOIN register.establishment i ON i.id = e.merged_into_id
  LEFT JOIN register.establishment t ON t.id = e.moved_to_id AND e.operating_status = 'moved';
COMMENT ON VIEW published.known_codes IS
    'Every look-up code ever issued: unused, merged (successor: the place it was a duplicate of, at the end of all merges), ended (a record made by '
    'mistake), else the operating status of its place (successor: where a place has moved to).';

-- A certificate's number is public for organisations only, and never where it may be a person's: a household's number may
-- be its owner's personal ID (12 digits) or MST (10 digits from 8 on), and its place may since have become an enterprise's.
CREATE OR REPLACE FUNCTION published.public_number(legal_form text, number text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN legal_form IN ('enterprise', 'branch', 'cooperative')
         AND regexp_replace(number, '[^0-9]', '', 'g') !~ '^([0-9]{12}|8[0-9]{9}([0-9]{3})?)$' THEN number
    END
$$;
COMMENT ON FUNCTION published.public_number(text, text) IS
    'The number of a licence where it may be public, else null.';

CREATE VIEW published.licences AS
SELECT l.id, l.code, e.code AS establishment, w.code AS ward, l.kind, published.public_number(e.legal_form, l.number) AS number,
       l.issuer, l.issued_on, l.expires_on,
       published.licence_status(CASE l.kind WHEN 'not_required' THEN l.kind ELSE 'held' END, l.expires_on, current_date) AS status,
       l.checked_on, l.source, e.illustrative, l.updated_at, l.version
  FROM register.licence l
  JOIN register.establishment e ON e.id = l.establishment_id
  JOIN register.ward w ON w.id = e.ward_id
 WHERE l.ended_at IS NULL AND e.ended_at IS NULL;
COMMENT ON VIEW published.licences IS 'Licences and registrations, by the public code of the place.';

CREATE VIEW published.inspections AS
SELECT i.id, i.code, e.code AS establishment, w.code AS ward, i.inspected_on, i.agency, i.result, i.official_words, i.signed_on,
       EXISTS (
           SELECT FROM register.inspection later
            WHERE later.establishment_id = i.establishment_id AND later.signed_on IS NOT NULL AND later.ended_at IS NULL
              AND (later.inspected_on, later.id) > (i.inspected_on, i.id)) AS superseded,
       i.source, e.illustrative, i.updated_at, i.version, i.reply, i.replied_on
  FROM register.inspection i
  JOIN register.establishment e ON e.id = i.establishment_id
  JOIN register.ward w ON w.id = e.ward_id
 WHERE i.signed_on IS NOT NULL AND i.ended_at IS NULL AND e.ended_at IS NULL;
COMMENT ON VIEW published.inspections IS 'Signed conclusions of inspections; a later one marks those before it as superseded.';

CREATE VIEW published.warnings AS
SELECT w.id, w.code, e.code AS establishment, d.code AS ward, w.issued_on, w.headline, w.instruction, w.agency, w.source,
       e.illustrative, w.updated_at, w.version, w.reply, w.replied_on
  FROM register.warning w
  JOIN register.establishment e ON e.id = w.establishment_id
  JOIN register.ward d ON d.id = e.ward_id
 WHERE w.lifted_on IS NULL AND w.ended_at IS NULL AND e.ended_at IS NULL;
COMMENT ON VIEW published.warnings IS 'Live warnings, by the public code of the place.';

CREATE VIEW published.payment_acceptances AS
SELECT p.id, p.code, e.code AS establishment, w.code AS ward, p.method, p.accepted, p.evidence_level, p.has_transactions,
       p.checked_on, p.source, e.illustrative, p.updated_at, p.version
  FROM register.payment_acceptance p
  JOIN register.establishment e ON e.id = p.establishment_id
  JOIN register.ward w ON w.id = e.ward_id
 WHERE p.ended_at IS NULL AND e.ended_at IS NULL;
COMMENT ON VIEW published.payment_acceptances IS 'Dated checks of payment methods; the latest of a place and method counts.';

CREATE VIEW published.model_sites AS
SELECT m.id, m.code, w.code AS ward, m.kind, m.name, m.illustrative, m.updated_at, m.version, m.geom, m.geom_3857
  FROM register.model_site m JOIN register.ward w ON w.id = m.ward_id
 WHERE m.ended_at IS NULL;
COMMENT ON VIEW published.model_sites IS 'Model sites: the markets and streets that a ward digitises first.';

CREATE VIEW published.data_sources AS
SELECT code, title, title_en, licence, licence_url, attribution, origin, retrieved_on, note, note_en FROM register.data_source;
COMMENT ON VIEW published.data_sources IS 'Where the base data came from and under which licence.';

CREATE VIEW published.sector_groups AS
SELECT code, position FROM register.sector_group;
COMMENT ON VIEW published.sector_groups IS 'The display groups of sectors, in order.';

CREATE VIEW published.sector_classes AS
SELECT c.scheme, c.code, c.level, c.name, c.parent_code, c.section, g.sector_group
  FROM register.sector_class c
  LEFT JOIN register.sector_group_class g ON (g.scheme, g.class_code) = (c.scheme, c.code);
COMMENT ON VIEW published.sector_classes IS 'Official sector classes and the display group of each.';

CREATE VIEW published.reference_releases AS
SELECT name, sha256, loaded_at FROM register.reference_release;
COMMENT ON VIEW published.reference_releases IS 'Which release of each reference file is loaded: the version of the base map.';

CREATE VIEW published.schema_versions AS
SELECT version_num FROM register.schema_version;
COMMENT ON VIEW published.schema_versions IS 'The migration the tables are at: /readyz compares it with the code.';
