CREATE TABLE register.tile_cell_group (
	level SMALLINT NOT NULL,
	quad BIGINT NOT NULL,
	sector_group TEXT NOT NULL,
	places BIGINT NOT NULL,
	ids BIGINT NOT NULL,
	xs_cm BIGINT NOT NULL,
	ys_cm BIGINT NOT NULL,
	warned BIGINT NOT NULL,
	illustrative BIGINT NOT NULL,
	CONSTRAINT pk_tile_cell_group PRIMARY KEY (level, quad, sector_group)
);
COMMENT ON TABLE register.tile_cell_group IS 'The published places of a cell and sector group, counted and summed by triggers. Never written by hand.';
COMMENT ON COLUMN register.tile_cell_group.level IS '2 to its power cells along each side of WebMercatorQuad';
COMMENT ON COLUMN register.tile_cell_group.quad IS 'column and row of the cell, their bits in turn';
COMMENT ON COLUMN register.tile_cell_group.ids IS 'sum of the places'' ids: of one place alone, its id';
COMMENT ON COLUMN register.tile_cell_group.xs_cm IS 'sum of eastings in centimetres of EPSG:3857';
COMMENT ON COLUMN register.tile_cell_group.ys_cm IS 'sum of northings in centimetres of EPSG:3857';
COMMENT ON COLUMN register.tile_cell_group.warned IS 'how many have a live warning';
COMMENT ON COLUMN register.tile_cell_group.illustrative IS 'how many are invented';

CREATE TABLE register.tile_cell (
	level SMALLINT NOT NULL,
	quad BIGINT NOT NULL,
	places BIGINT NOT NULL,
	ids BIGINT NOT NULL,
	xs_cm BIGINT NOT NULL,
	ys_cm BIGINT NOT NULL,
	warned BIGINT NOT NULL,
	illustrative BIGINT NOT NULL,
	CONSTRAINT pk_tile_cell PRIMARY KEY (level, quad)
);
COMMENT ON TABLE register.tile_cell IS 'The published places of a cell: the sum of its sector groups. Never written by hand.';

-- Rows that every edit above them rewrites: room beside them keeps the new version on their page.
ALTER TABLE register.tile_cell_group SET (fillfactor = 70);
ALTER TABLE register.tile_cell SET (fillfactor = 70);

ALTER TABLE register.establishment ADD COLUMN live_warning BOOLEAN DEFAULT false NOT NULL;
COMMENT ON COLUMN register.establishment.live_warning IS 'as establishment_fact says, kept by triggers: a tile reads no second table';

-- Not a change of the places: without the triggers that count versions and note the history.
ALTER TABLE register.establishment DISABLE TRIGGER USER;
UPDATE register.establishment e SET live_warning = true
  FROM register.establishment_fact f WHERE f.establishment_id = e.id AND f.live_warning;
ALTER TABLE register.establishment ENABLE TRIGGER USER;

CREATE INDEX ix_establishment_live_warning ON register.establishment (id) WHERE live_warning;
