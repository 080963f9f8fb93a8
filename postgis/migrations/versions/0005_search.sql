CREATE TABLE register.search_word (
	word TEXT COLLATE "C" NOT NULL,
	CONSTRAINT pk_search_word PRIMARY KEY (word)
);
COMMENT ON TABLE register.search_word IS 'Every word that a search may find a place by, for what is half typed or misspelt. Kept by a trigger, only added to.';
INSERT INTO register.search_word (word)
SELECT DISTINCT w.word FROM register.establishment e CROSS JOIN LATERAL unnest(string_to_array(e.search_key, ' ')) AS w (word);
CREATE INDEX ix_search_word_word ON register.search_word USING gin (word gin_trgm_ops);
CREATE INDEX ix_establishment_name_key ON register.establishment (name_key text_pattern_ops, id);
-- Without a list of what is still to be put in, which every search would have to read.
CREATE INDEX ix_establishment_search_words ON register.establishment USING gin (published.search_words(id, search_key)) WITH (fastupdate = off);
