ALTER TABLE register.establishment
	ADD COLUMN point_3857 POINT GENERATED ALWAYS AS (public.st_transform(geom, 3857)::point) STORED;
COMMENT ON COLUMN register.establishment.point_3857 IS 'geom_3857 in PostgreSQL''s own type: an index can give it back';

-- All that a tile shows of a place, its neighbours on the same page: a tile reads no more of the register than this.
CREATE INDEX ix_establishment_point_3857 ON register.establishment USING gist (point_3857)
	INCLUDE (id, code, name, kind, sector_group, operating_status, live_warning, illustrative)
	WHERE ended_at IS NULL;
