-- All that the public may read. A view runs with its owner's rights, so mapservice_public needs none on the tables.
-- Dropped first, since CREATE OR REPLACE VIEW cannot rename or remove a column; nothing else depends on them.

DROP VIEW IF EXISTS published.establishments, published.wards, published.residential_groups, published.streets,
    published.basemap_areas, published.warnings, published.data_sources, published.sector_groups, published.sector_classes,
    published.reference_releases, published.schema_versions;

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
       f.licence_valid_until,
       published.food_safety_status(f.food_safety_kind, f.food_safety_valid_until, current_date) AS food_safety_status,
       f.food_safety_valid_until, f.last_inspection_result, f.last_inspection_on, f.live_warning,
       f.payment_methods, f.payment_checked_on, f.accepts_cashless,
       e.opening_hours, e.website, e.verified_on, e.source, e.illustrative,
       greatest(e.updated_at, f.updated_at) AS updated_at,
       e.opened_on, e.closed_on, e.house_number, e.street_name, e.name_key, e.search_key, e.geom, e.geom_3857
  FROM register.establishment e
  LEFT JOIN register.establishment_fact f ON f.establishment_id = e.id
  LEFT JOIN register.ward w ON w.id = e.ward_id
  LEFT JOIN register.residential_group g ON g.id = e.residential_group_id
  LEFT JOIN register.model_site m ON m.id = e.model_site_id;
COMMENT ON VIEW published.establishments IS
    'Places of business with what may be public about them. Statuses are as of today.';

CREATE VIEW published.warnings AS
SELECT w.id, e.code, w.issued_on, w.headline, w.instruction, w.agency
  FROM register.warning w JOIN register.establishment e ON e.id = w.establishment_id
 WHERE w.lifted_on IS NULL;
COMMENT ON VIEW published.warnings IS 'Live warnings, by the public code of the place.';

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
