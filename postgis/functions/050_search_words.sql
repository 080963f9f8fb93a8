-- The words of a place as an index finds them: GIN reads the whole list of a word before the first row comes, so each word
-- stands once for every 131,072 ids. Whoever wants a few rows of a common word then reads one short list. A change of this
-- rule needs the index to be made again: do it in a migration.

CREATE OR REPLACE FUNCTION published.search_words(id bigint, search_key text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT array_to_tsvector(string_to_array((id >> 17) || '.' || replace(search_key, ' ', ' ' || (id >> 17) || '.'), ' '))
$$;

COMMENT ON FUNCTION published.search_words(bigint, text) IS
    'The words of a search key, each behind the number of the block that the id lies in: 0.pho 0.bac.';
