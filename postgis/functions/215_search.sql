-- Search among all places: the best matches without looking at every one. Each step reads a bounded number of rows, so a
-- letter, or a word that stands on every third door, costs what a rare one costs, however many places there are.

-- The words there are, for what is half typed or misspelt. They are only ever added: a word that no place has any more
-- finds nothing.
CREATE OR REPLACE FUNCTION register.keep_search_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, public, pg_temp
AS $$
BEGIN
    INSERT INTO search_word (word)
    SELECT DISTINCT w.word FROM added a CROSS JOIN LATERAL unnest(string_to_array(a.search_key, ' ')) AS w (word)
     WHERE NOT EXISTS (SELECT FROM search_word s WHERE s.word = w.word)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER keep_search_words_added AFTER INSERT ON register.establishment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.keep_search_words();
CREATE OR REPLACE TRIGGER keep_search_words_changed AFTER UPDATE ON register.establishment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register.keep_search_words();

-- The functions below are asked with every search: in PL/pgSQL with plans that are kept, since to plan them takes longer
-- than to run them. What begins so is therefore a range, which such a plan can read from an index.

CREATE OR REPLACE FUNCTION published.after_all(beginning text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT beginning || U&'\+10FFFF'
$$;

COMMENT ON FUNCTION published.after_all(text) IS 'A text after all that begin so, in the order of bytes.';

-- As owner: the list holds the words of ended places too, so only what a search asks for is told.
CREATE OR REPLACE FUNCTION published.words_from(beginning text, most int) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN ARRAY(
        SELECT word FROM search_word WHERE word >= beginning AND word < published.after_all(beginning) ORDER BY word LIMIT most);
END
$$;

CREATE OR REPLACE FUNCTION published.words_with(part text, at_end boolean, most int) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN ARRAY(
        SELECT word FROM search_word
         WHERE word LIKE '%_' || part || CASE WHEN at_end THEN '' ELSE '%' END ORDER BY word LIMIT most);
END
$$;

CREATE OR REPLACE FUNCTION published.words_near(wanted text, most int) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = register, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN ARRAY(
        SELECT word FROM search_word WHERE word % wanted ORDER BY similarity(word, wanted) DESC, word LIMIT most);
END
$$;

COMMENT ON FUNCTION published.words_from(text, int) IS 'The first words that places have which begin so.';
COMMENT ON FUNCTION published.words_with(text, boolean, int) IS
    'Some words that places have in which this stands, past their first letter; or at their end.';
COMMENT ON FUNCTION published.words_near(text, int) IS 'The words of places that are spelled most like a given one.';

CREATE OR REPLACE FUNCTION published.any_word(words text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT '(' || string_agg('''#.' || word || '''', ' | ') || ')' FROM unnest(words) AS w (word)
$$;

COMMENT ON FUNCTION published.any_word(text[]) IS
    'A part of a tsquery on search_words() that any of the words meets, with # for the block.';

CREATE OR REPLACE FUNCTION published.places_with_words(choices text[], most int) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
-- The planner cannot know how many rows of a block hold the words, and would read the table.
SET enable_seqscan = off
AS $$
DECLARE
    wanted CONSTANT text := array_to_string(choices, ' & ');
    last_block CONSTANT bigint := (SELECT id >> 17 FROM published.establishments ORDER BY id DESC LIMIT 1);
BEGIN
    RETURN ARRAY(
        SELECT found.id
          FROM generate_series(0, last_block) AS block
         CROSS JOIN LATERAL (
                SELECT e.id FROM published.establishments e
                 WHERE published.search_words(e.id, e.search_key) @@ replace(wanted, '#', block::text)::tsquery
                 LIMIT most) found
         LIMIT most);
END
$$;

COMMENT ON FUNCTION published.places_with_words(text[], int) IS
    'The first places in whose text each of the words stands, block of ids by block, as many as are asked for; for each '
    'word what any_word() says may stand for it.';

CREATE OR REPLACE FUNCTION published.search_places(
    folded text, typed_code text, most int, OUT ids bigint[], OUT alike boolean, OUT cut boolean)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
-- That many places may be meant by a list of ids, the planner would think, and read the table.
SET enable_seqscan = off
AS $$
DECLARE
    words CONSTANT text[] := (string_to_array(folded, ' '))[1:8];
    number CONSTANT int := coalesce(cardinality(words), 0);
    many CONSTANT int := 40;
    choices text[];
    changed text[];
    other text[];
    part bigint[];
BEGIN
    alike := false;
    cut := false;
    ids := CASE WHEN typed_code IS NULL THEN '{}' ELSE ARRAY(
        SELECT e.id FROM published.establishments e WHERE e.code = typed_code) END;
    IF number = 0 THEN
        RETURN;
    END IF;
    -- Names that begin so: an index has them in order, and the commonest beginning is never counted.
    ids := ids || ARRAY(
        SELECT e.id FROM published.establishments e
         WHERE e.name_key ~>=~ folded AND e.name_key ~<~ published.after_all(folded)
         ORDER BY e.name_key USING ~<~, e.id LIMIT most);
    IF cardinality(ids) >= most THEN
        cut := true;
        RETURN;
    END IF;
    -- Every word, the last one as far as it is typed.
    choices := ARRAY(
        SELECT published.any_word(ARRAY[word]) FROM unnest(words) WITH ORDINALITY AS w (word, place) ORDER BY place);
    other := published.words_from(words[number], many + 1);
    IF cardinality(other) BETWEEN 1 AND many THEN
        choices[number] := published.any_word(other);
    ELSIF number = 1 AND cardinality(other) > many THEN
        choices[1] := '''#.' || words[1] || ''':*';
    END IF;
    -- A word that nobody has need not be looked for.
    part := CASE WHEN cardinality(other) > 0 THEN published.places_with_words(choices, most) ELSE '{}' END;
    cut := cardinality(part) >= most;
    ids := ids || part;
    IF cardinality(other) > many AND number > 1 AND cardinality(ids) < most THEN
        -- Hardly begun: so many words begin so that they are looked for in what the other words find.
        part := published.places_with_words(choices[1:number - 1], 5 * most);
        cut := cardinality(part) >= 5 * most;
        ids := ids || ARRAY(
            SELECT e.id FROM published.establishments e
             WHERE e.id = ANY (part) AND e.search_key ~ ('\m' || words[number]));
    END IF;
    IF cardinality(ids) < most AND length(words[1]) > 1 THEN
        -- What is typed may begin inside a word: oa sua in hoa sua.
        other := published.words_with(words[1], number > 1, many);
        IF cardinality(other) > 0 THEN
            changed := choices;
            changed[1] := published.any_word(other);
            part := published.places_with_words(changed, most);
            cut := cut OR cardinality(part) >= most OR cardinality(other) >= many;
            ids := ids || ARRAY(
                SELECT e.id FROM published.establishments e
                 WHERE e.id = ANY (part) AND e.search_key LIKE '%' || folded || '%');
        END IF;
    END IF;
    IF cardinality(ids) > 0 OR cut THEN
        RETURN;
    END IF;
    -- Nothing as it is typed: a slip in one word, while the others are right.
    alike := true;
    other := CASE number WHEN 1 THEN published.words_near(words[1], 10) END;
    IF cardinality(other) > 0 THEN
        ids := published.places_with_words(ARRAY[published.any_word(other)], most);
    END IF;
    FOR place IN 1 .. CASE number WHEN 1 THEN 0 ELSE number END LOOP
        changed := choices;
        changed[place] := NULL;
        ids := ids || published.places_with_words(array_remove(changed, NULL), most);
    END LOOP;
END
$$;

COMMENT ON FUNCTION published.search_places(text, text, int) IS
    'Places among which the best matches of a folded text are. alike: nothing matched as typed, and these may be meant. '
    'cut: there may be more.';
