CREATE TABLE register.published_mark (
	singleton BOOLEAN DEFAULT true NOT NULL,
	mark UUID DEFAULT gen_random_uuid() NOT NULL,
	CONSTRAINT pk_published_mark PRIMARY KEY (singleton),
	CONSTRAINT ck_published_mark_singleton CHECK (singleton)
);
COMMENT ON TABLE register.published_mark IS 'One row. Another mark with each transaction that writes what is published without adding to the history: base data, and updates that change nothing.';
INSERT INTO register.published_mark DEFAULT VALUES;
