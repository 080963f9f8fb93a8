ALTER TABLE register.citizen_report ALTER COLUMN words_sealed DROP NOT NULL, ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE,
	ADD CONSTRAINT ck_citizen_report_erased_at CHECK ((words_sealed IS NULL) = (erased_at IS NOT NULL));
COMMENT ON COLUMN register.citizen_report.erased_at IS 'when words, answer and photo were erased';
