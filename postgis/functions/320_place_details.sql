-- What the look-up page tells of a place beside its properties. It reads tables alone: a view on published views would
-- stand in the way of those being made anew.

DROP VIEW IF EXISTS published.place_details;

CREATE VIEW published.place_details AS
SELECT e.code,
       (SELECT jsonb_build_object('code', i.code, 'inspected_on', i.inspected_on, 'result', i.result, 'agency', i.agency,
                                  'official_words', i.official_words)
          FROM register.inspection i
         WHERE i.establishment_id = e.id AND i.signed_on IS NOT NULL AND i.ended_at IS NULL
         ORDER BY i.inspected_on DESC, i.id DESC LIMIT 1) AS last_inspection,
       (SELECT f.agency
          FROM register.food_safety_record f
         WHERE f.establishment_id = e.id AND f.ended_at IS NULL
         ORDER BY f.checked_on DESC, f.id DESC LIMIT 1) AS food_safety_agency,
       (SELECT jsonb_build_object('file', p.file, 'width', p.width, 'height', p.height, 'taken_on', p.taken_on)
          FROM register.photo p
         WHERE p.establishment_id = e.id AND p.ended_at IS NULL
         ORDER BY p.taken_on DESC NULLS LAST, p.id DESC LIMIT 1) AS photo,
       -- Names that anybody could read for a month or longer: what was mended sooner was a slip, not a name.
       ARRAY(SELECT held.name
               FROM (SELECT c.after ->> 'name' AS name, c.at AS since, lead(c.at) OVER (ORDER BY c.seq) AS until
                       FROM register.change c
                      WHERE c.collection = 'establishments' AND c.record_code = e.code AND c.after IS NOT NULL
                        AND c.after ->> 'ended_at' IS NULL
                        AND (c.before IS NULL OR c.before ->> 'name' IS DISTINCT FROM c.after ->> 'name')) held
              WHERE held.until >= held.since + interval '30 days' AND held.name IS NOT NULL
                AND published.search_key(held.name) <> published.search_key(coalesce(e.name, ''))
              GROUP BY held.name
              ORDER BY max(held.until) DESC LIMIT 2) AS former_names,
       EXISTS (SELECT FROM register.payment_account a
                WHERE a.establishment_id = e.id AND a.buyer_check AND a.withdrawn_at IS NULL) AS payment_check
  FROM register.establishment e
 WHERE e.ended_at IS NULL;
COMMENT ON VIEW published.place_details IS
    'Of each published place: its last signed inspection, who gave its food-safety paper, its latest photo, the names it '
    'had before, latest first, and whether buyers may compare its payment QR.';
