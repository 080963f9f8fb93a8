CREATE TABLE register.lookup_day (
	establishment_id BIGINT NOT NULL,
	day DATE NOT NULL,
	lookups INTEGER NOT NULL,
	CONSTRAINT pk_lookup_day PRIMARY KEY (establishment_id, day),
	CONSTRAINT ck_lookup_day_lookups CHECK (lookups > 0),
	CONSTRAINT fk_lookup_day_establishment_id FOREIGN KEY(establishment_id) REFERENCES register.establishment (id)
);
COMMENT ON TABLE register.lookup_day IS 'Look-ups of a public page, added up by day. Fewer than five are never told.';
COMMENT ON COLUMN register.lookup_day.day IS 'in Vietnam; there is no time of day';
