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
CREATE INDEX ix_lookup_day_day ON register.lookup_day (day);

CREATE TABLE register.lookup_month (
	ward_id BIGINT NOT NULL,
	month DATE NOT NULL,
	lookups INTEGER NOT NULL,
	CONSTRAINT pk_lookup_month PRIMARY KEY (ward_id, month),
	CONSTRAINT ck_lookup_month_lookups CHECK (lookups > 0),
	CONSTRAINT fk_lookup_month_ward_id FOREIGN KEY(ward_id) REFERENCES register.ward (id)
);
COMMENT ON TABLE register.lookup_month IS 'The same of all places of a ward by month: what stays when the days are forgotten.';
COMMENT ON COLUMN register.lookup_month.month IS 'its first day';
