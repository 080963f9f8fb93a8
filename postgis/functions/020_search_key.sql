-- unaccent() is STABLE, because its dictionary might change; naming the dictionary and wrapping it lets an index and a
-- generated column use it. A change of this rule needs the generated columns to be rewritten: do it in a migration.

CREATE OR REPLACE FUNCTION published.search_key(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT btrim(
        regexp_replace(
            regexp_replace(
                lower(public.unaccent('public.unaccent'::regdictionary, normalize(value, NFC))),
                '[^[:alnum:]]+', ' ', 'g'
            ),
            -- i and y are one vowel at the end of a syllable: mỳ and mì, kỹ and kĩ; never in "thủy" or "may".
            '\m(b|c|ch|d|g|gi|h|k|kh|l|m|n|ng|nh|p|ph|qu|r|s|t|th|tr|v|x)y\M', '\1i', 'g'
        )
    )
$$;

COMMENT ON FUNCTION published.search_key(text) IS
    'Text as people search it: NFC, without tone and vowel marks (đ = d), lower case, signs as spaces, final y as i.';
