-- Which photos anybody may see: those of places that still count, until the photo itself is taken away.

DROP VIEW IF EXISTS published.photos;

CREATE VIEW published.photos AS
SELECT p.file, e.code AS establishment, p.width, p.height, p.taken_on, p.caption, p.updated_at
  FROM register.photo p
  JOIN register.establishment e ON e.id = p.establishment_id
 WHERE p.ended_at IS NULL AND e.ended_at IS NULL;
COMMENT ON VIEW published.photos IS 'Photos of shop fronts, by the public code of the place.';
