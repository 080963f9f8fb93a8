-- The change feed as anybody may read it: changes of published records, with their published fields, by wire names.
-- A test holds these lists to the registry (layers/collections).

CREATE OR REPLACE FUNCTION published.stored_fields(collection text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE collection
        WHEN 'establishments' THEN '{code,name,name_en,kind,legal_form,sector_scheme,sector_code,sector_group,offering,address,stall,operating_status,opening_hours,website,verified_on,source,illustrative}'::text[]
        WHEN 'licences' THEN '{code,kind,issuer,issued_on,expires_on,checked_on,source}'::text[]
        WHEN 'inspections' THEN '{code,inspected_on,agency,result,official_words,signed_on,source,reply,replied_on}'::text[]
        WHEN 'warnings' THEN '{code,issued_on,headline,instruction,agency,source,reply,replied_on}'::text[]
        WHEN 'payment_acceptances' THEN '{code,method,accepted,evidence_level,has_transactions,checked_on,source}'::text[]
        WHEN 'model_sites' THEN '{code,kind,name,illustrative}'::text[]
    END
$$;
COMMENT ON FUNCTION published.stored_fields(text) IS
    'The published fields of a collection that stand in the history under their own names; null: not in the public feed.';

-- In PL/pgSQL, so that it is computed once a row and not once for each place that names a column of the view.
CREATE OR REPLACE FUNCTION published.shown_change(
    collection text, recorded_kind text, recorded_before jsonb, recorded_after jsonb, before_named jsonb, after_named jsonb,
    withheld boolean)
RETURNS TABLE (kind text, before jsonb, after jsonb)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 1
AS $$
BEGIN
    before := published.as_published(collection, recorded_before, before_named);
    after := published.as_published(collection, recorded_after, after_named);
    IF before IS NOT DISTINCT FROM after THEN
        RETURN;
    END IF;
    kind := CASE
        WHEN before IS NULL AND recorded_kind = 'restore' THEN 'restore'
        WHEN before IS NULL THEN 'insert'
        WHEN after IS NULL THEN 'end'
        ELSE 'update'
    END;
    IF withheld THEN
        before := CASE WHEN before IS NOT NULL THEN before_named END;
        after := CASE WHEN after IS NOT NULL THEN after_named END;
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION published.shown_change IS
    'A recorded change as the public may see it; no row where nothing published changed. What is withheld is only named.';

CREATE OR REPLACE FUNCTION published.as_published(collection text, state jsonb, named jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF state IS NULL OR state ->> 'ended_at' IS NOT NULL
       OR collection = 'inspections' AND state ->> 'signed_on' IS NULL
       OR collection = 'warnings' AND state ->> 'lifted_on' IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT jsonb_object_agg(field, state -> field) FROM unnest(published.stored_fields(collection)) AS field)
        || named
        || CASE WHEN state ? 'geom' THEN jsonb_build_object('geometry', (state -> 'geom') - 'crs') ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION published.as_published(text, jsonb, jsonb) IS
    'A recorded state as the public may see it, with the codes that ids in it stand for; null where it was not public.';

CREATE VIEW published.changes AS
SELECT c.seq, c.at, c.collection, c.record_code AS id, w.code AS ward, x.kind, x.before, x.after
  FROM register.change c
  LEFT JOIN register.ward w ON w.id = c.ward_id
  LEFT JOIN register.establishment e ON e.code = c.establishment_code
 CROSS JOIN LATERAL published.shown_change(
            c.collection, c.kind, c.before, c.after,
            CASE c.collection
                WHEN 'establishments' THEN jsonb_build_object(
                    'ward', w.code,
                    'residential_group', (SELECT g.code FROM register.residential_group g
                                           WHERE g.id = (c.before ->> 'residential_group_id')::bigint),
                    'model_site', (SELECT m.code FROM register.model_site m
                                    WHERE m.id = (c.before ->> 'model_site_id')::bigint))
                WHEN 'model_sites' THEN jsonb_build_object('ward', w.code)
                WHEN 'licences' THEN jsonb_build_object(
                    'ward', w.code, 'establishment', e.code,
                    'number', published.public_number(e.legal_form, c.before ->> 'number'))
                ELSE jsonb_build_object('ward', w.code, 'establishment', e.code)
            END,
            CASE c.collection
                WHEN 'establishments' THEN jsonb_build_object(
                    'ward', w.code,
                    'residential_group', (SELECT g.code FROM register.residential_group g
                                           WHERE g.id = (c.after ->> 'residential_group_id')::bigint),
                    'model_site', (SELECT m.code FROM register.model_site m
                                    WHERE m.id = (c.after ->> 'model_site_id')::bigint))
                WHEN 'model_sites' THEN jsonb_build_object('ward', w.code)
                WHEN 'licences' THEN jsonb_build_object(
                    'ward', w.code, 'establishment', e.code,
                    'number', published.public_number(e.legal_form, c.after ->> 'number'))
                ELSE jsonb_build_object('ward', w.code, 'establishment', e.code)
            END,
            -- What was said against a place is not repeated for ever: once lifted or withdrawn, or the place itself no
            -- longer there, only that it was said.
            CASE c.collection
                WHEN 'warnings' THEN e.ended_at IS NOT NULL OR NOT EXISTS (
                    SELECT FROM register.warning r
                     WHERE r.code = c.record_code AND r.lifted_on IS NULL AND r.ended_at IS NULL)
                WHEN 'inspections' THEN e.ended_at IS NOT NULL OR NOT EXISTS (
                    SELECT FROM register.inspection r
                     WHERE r.code = c.record_code AND r.signed_on IS NOT NULL AND r.ended_at IS NULL)
                ELSE false
            END) x
 WHERE c.collection IN ('establishments', 'licences', 'inspections', 'warnings', 'payment_acceptances', 'model_sites');
COMMENT ON VIEW published.changes IS
    'What changed in the published records, in order: insert, update, end (no longer published), restore. seq grows with '
    'every commit and never goes back, so nothing can appear later below a seq that was read.';

CREATE VIEW published.change_heads AS
SELECT max(seq) AS seq FROM register.change;
COMMENT ON VIEW published.change_heads IS 'The number of the last change, published or not: a feed read up to it is complete.';
