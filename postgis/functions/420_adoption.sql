-- How many establishments take payment without cash, of those that were asked: by H3 cell, and for the staff of a ward by
-- residential group, street, model site and sector group as well. Who counts and what an answer says stands with the states
-- of establishments (145_states.sql); here is how they are put together, and what of it anybody may be told.

DROP FUNCTION IF EXISTS register.staff_payment_adoption(text, integer, text, date, text, text, text),
    published.payment_adoption(text, integer, text, date), register.told_adoption(text, date),
    register.adoption(text, text, integer, text, date, text, text, text), register.takes_payment(text[], text[], text, text, text);

CREATE FUNCTION register.takes_payment(methods text[], evidence text[], cashless text, asked_method text, least_evidence text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN asked_method IS NULL AND least_evidence IS NULL THEN cashless
        WHEN EXISTS (
            SELECT FROM unnest(methods, evidence) AS taken (method, level)
             WHERE (asked_method IS NULL OR taken.method = asked_method)
               AND (least_evidence IS NULL OR array_position('{declared,observed,documented,confirmed}', taken.level)
                    >= array_position('{declared,observed,documented,confirmed}', least_evidence))) THEN 'yes'
        -- Said to be taken, but not proved as well as was asked for: that is no "no".
        WHEN asked_method IS NULL AND cashless = 'yes' OR asked_method = ANY (methods) THEN 'unknown'
        WHEN cashless = 'unknown' THEN 'unknown'
        ELSE 'no'
    END
$$;
COMMENT ON FUNCTION register.takes_payment(text[], text[], text, text, text) IS
    'Whether a place takes payment without cash (yes, no, unknown): by one method where one is asked for, and proved at '
    'least so well where that is asked for; weaker proof leaves it unknown.';

CREATE FUNCTION register.adoption(
    of_ward text, divided_by text, at_resolution integer, of_sector text, on_day date, as_known text, by_method text,
    least_evidence text)
RETURNS TABLE (part text, establishments bigint, surveyed bigint, accepting bigint)
LANGUAGE plpgsql STABLE
SET search_path = register, public, pg_temp
AS $$
DECLARE
    day CONSTANT date := coalesce(on_day, current_date);
    moment CONSTANT timestamptz := (day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' - interval '1 microsecond';
    wards CONSTANT bigint[] := ARRAY(SELECT w.id FROM ward w WHERE w.code = of_ward);
BEGIN
    IF divided_by = 'h3' AND day = current_date AND by_method IS NULL AND least_evidence IS NULL
            AND as_known IS DISTINCT FROM 'now' THEN
        RETURN QUERY
        SELECT c.cell::text, sum(c.establishments)::bigint, sum(c.surveyed)::bigint, sum(c.accepting)::bigint
          FROM adoption_cell c
         WHERE c.ward_id = ANY (wards) AND c.resolution = coalesce(at_resolution, 9) AND c.establishments > 0
           AND (of_sector IS NULL OR c.sector_group = of_sector)
         GROUP BY c.cell;
        RETURN;
    END IF;
    -- Two statements in one text: a condition that chose between them would keep the index of either from being used.
    RETURN QUERY EXECUTE format($query$
        SELECT p.part, count(*), count(*) FILTER (WHERE p.answer <> 'unknown'), count(*) FILTER (WHERE p.answer = 'yes')
          FROM (SELECT CASE $1
                           WHEN 'h3' THEN s.cells[$2 - 6]::text
                           WHEN 'residential_group' THEN s.residential_group_id::text
                           WHEN 'street' THEN s.street_name
                           WHEN 'model_site' THEN s.model_site_id::text
                           WHEN 'sector_group' THEN s.sector_group
                       END AS part,
                       %s AS answer
                  FROM %s
                   AND counts_in_figures(s.sector_group, s.operating_status) AND ($5 IS NULL OR s.sector_group = $5)) p
         WHERE p.part IS NOT NULL
         GROUP BY p.part $query$,
        -- What is no question of method or proof is not to cost a call for each place.
        CASE WHEN by_method IS NULL AND least_evidence IS NULL THEN 's.accepts_cashless'
             ELSE 'takes_payment(s.payment_methods, s.payment_evidence, s.accepts_cashless, $3, $4)' END,
        CASE WHEN as_known = 'now' THEN 'states_known_now($6, $7) s WHERE true'
             ELSE 'establishment_state s WHERE s.ward_id = ANY ($8) AND s.known_from <= $9 AND s.known_to > $9' END)
    USING divided_by, coalesce(at_resolution, 9), by_method, least_evidence, of_sector, of_ward, day, wards, moment;
END
$$;
COMMENT ON FUNCTION register.adoption(text, text, integer, text, date, text, text, text) IS
    'Establishments of a ward at the end of a day by part (h3, residential_group, street, model_site or sector_group): how '
    'many count, how many of them are known to take payment without cash or not, and how many do. Parts as text; what '
    'lies in none is left out.';

CREATE FUNCTION register.told_adoption(of_ward text, on_day date)
RETURNS TABLE (ward text, cell bigint, sector_group text, establishments bigint, surveyed bigint, accepting bigint, told boolean)
LANGUAGE sql STABLE
SET search_path = register, public, pg_temp
AS $$
    -- Cells with fewer than five establishments are hidden, and three others with them, so that no sum gives them away:
    -- the first by their numbers, whatever they hold. Whether what is hidden together leaves open what each of it holds is
    -- judged by its sums alone, which whoever knows the ward's can work out anyway: so the judgement gives nothing away.
    -- With k cells of one to four and c of five and more, one establishment beyond k + 5c can lie in any of them, and
    -- somebody who takes payment and somebody who does not can be anywhere. Where that does not hold, nothing is told.
    -- How places stand today is counted already; of a day that is over, by what was known then.
    WITH counted AS (
        SELECT c.ward_id, c.cell, c.sector_group, c.establishments AS n, c.surveyed AS known, c.accepting AS yes
          FROM adoption_cell c WHERE c.resolution = 9 AND c.establishments > 0 AND on_day = current_date
         UNION ALL
        SELECT s.ward_id, s.cells[3], s.sector_group, count(*), count(*) FILTER (WHERE s.accepts_cashless <> 'unknown'),
               count(*) FILTER (WHERE s.accepts_cashless = 'yes')
          FROM ward w
          JOIN establishment_state s ON s.ward_id = w.id
         WHERE on_day <> current_date AND (of_ward IS NULL OR w.code = of_ward) AND s.cells IS NOT NULL
           AND counts_in_figures(s.sector_group, s.operating_status)
           AND s.known_from < (on_day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
           AND s.known_to >= (on_day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
         GROUP BY s.ward_id, s.cells[3], s.sector_group
    ), places AS MATERIALIZED (
        SELECT w.code AS ward, c.cell, c.sector_group, sum(c.n) AS n, sum(c.known) AS known, sum(c.yes) AS yes
          FROM ward w JOIN counted c ON c.ward_id = w.id
         WHERE of_ward IS NULL OR w.code = of_ward
         GROUP BY w.code, c.cell, c.sector_group
    ), cells AS (
        SELECT p.ward, p.cell, sum(n) AS n, sum(known) AS known, sum(yes) AS yes FROM places p GROUP BY p.ward, p.cell
    ), ordered AS (
        SELECT c.*, c.n < 5 AS few, row_number() OVER (PARTITION BY c.ward, c.n < 5 ORDER BY c.cell) AS place,
               bool_or(c.n < 5) OVER (PARTITION BY c.ward) AS any_few
          FROM cells c
    ), hidden AS (
        SELECT o.*, o.few OR o.any_few AND o.place <= 3 AS kept_back FROM ordered o
    ), judged AS (
        SELECT h.*, NOT h.any_few OR (
                   count(*) FILTER (WHERE kept_back AND NOT few) OVER of_ward > 0
               AND sum(yes) FILTER (WHERE kept_back) OVER of_ward > 0
               AND sum(known - yes) FILTER (WHERE kept_back) OVER of_ward > 0
               AND sum(n) FILTER (WHERE kept_back) OVER of_ward > count(*) FILTER (WHERE few) OVER of_ward
                   + 5 * count(*) FILTER (WHERE kept_back AND NOT few) OVER of_ward) AS safe
          FROM hidden h
        WINDOW of_ward AS (PARTITION BY h.ward)
    ), parts AS (
        -- The same within a cell that is told, where somebody takes payment and somebody does not: its sectors, all that
        -- there can be, since that there is none says as much as that there is one. Where the rest leaves no room for
        -- doubt, a cell says nothing of its sectors, not even that they are hidden.
        SELECT j.ward, j.cell, g.code AS sector_group, coalesce(p.n, 0) AS n, coalesce(p.known, 0) AS known,
               coalesce(p.yes, 0) AS yes, coalesce(p.n, 0) < 5 AS few,
               row_number() OVER (PARTITION BY j.ward, j.cell, coalesce(p.n, 0) < 5 ORDER BY g.code) AS place
          FROM judged j
         CROSS JOIN sector_group g
          LEFT JOIN places p ON p.ward = j.ward AND p.cell = j.cell AND p.sector_group = g.code
         WHERE j.safe AND NOT j.kept_back AND j.yes > 0 AND j.known > j.yes AND g.code <> 'public_place'
    ), kept AS (
        SELECT p.*, p.few OR p.place = 1 AS kept_back FROM parts p
    ), weighed AS (
        SELECT k.*, sum(yes) FILTER (WHERE kept_back) OVER of_cell > 0
               AND sum(known - yes) FILTER (WHERE kept_back) OVER of_cell > 0
               AND sum(n) FILTER (WHERE kept_back) OVER of_cell > 5 * count(*) FILTER (WHERE kept_back AND NOT few) OVER of_cell
               AND (bool_or(NOT few) OVER of_cell OR sum(n) OVER of_cell < 4 * count(*) OVER of_cell) AS safe
          FROM kept k
        WINDOW of_cell AS (PARTITION BY k.ward, k.cell)
    )
    SELECT j.ward, j.cell, NULL, j.n, j.known, j.yes, NOT j.kept_back FROM judged j WHERE j.safe
     UNION ALL
    SELECT k.ward, k.cell, k.sector_group, k.n, k.known, k.yes, NOT k.kept_back FROM weighed k WHERE k.safe
     UNION ALL
    SELECT j.ward, j.cell, g.code, 0, 0, 0, false
      FROM judged j CROSS JOIN sector_group g WHERE j.safe AND j.kept_back AND g.code <> 'public_place'
$$;
COMMENT ON FUNCTION register.told_adoption(text, date) IS
    'Figures of the ward''s cells at resolution 9, of all sectors (null) and of each, and which of them may be told.';

CREATE FUNCTION published.payment_adoption(of_ward text, at_resolution integer, of_sector text, on_day date)
RETURNS TABLE (
    id bigint, cell text, ward text, resolution integer, sector_group text, as_of date, establishments integer,
    surveyed integer, accepting integer, share numeric, low numeric, high numeric, suppressed boolean, geom public.geometry,
    geom_3857 public.geometry)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 200
SET search_path = register, public, pg_temp
AS $$
    -- One grid is told, since two over the same places could be held against each other: cells of resolution 8 and 7 say
    -- only that they lie over it, finer ones nothing. A day in the middle of a month is not told either: from each day to
    -- the next one can see who has been asked.
    WITH asked AS (
        SELECT coalesce(at_resolution, 9) AS resolution, coalesce(on_day, current_date) AS day
    ), told AS MATERIALIZED (
        SELECT t.* FROM asked a CROSS JOIN LATERAL register.told_adoption(of_ward, a.day) t
         WHERE t.sector_group IS NOT DISTINCT FROM of_sector AND a.resolution IN (7, 8, 9)
           AND (a.day = current_date OR a.day < current_date AND extract(day FROM a.day + 1) = 1)
    ), shown AS (
        SELECT t.cell, t.ward, t.told, t.establishments::integer AS n, t.surveyed::integer AS known, t.accepting::integer AS yes
          FROM told t, asked a WHERE a.resolution = 9
         UNION
        -- A cell's parent: its resolution in four bits, and three bits of ones for each finer one (H3's index).
        SELECT t.cell & ~(15::bigint << 52) | (a.resolution::bigint << 52) | ((1::bigint << (3 * (15 - a.resolution))) - 1),
               t.ward, false, NULL, NULL, NULL
          FROM told t, asked a WHERE a.resolution < 9
    )
    SELECT s.cell, to_hex(s.cell), s.ward, a.resolution, of_sector, a.day,
           CASE WHEN s.told THEN s.n END, CASE WHEN s.told THEN s.known END, CASE WHEN s.told THEN s.yes END,
           CASE WHEN s.told THEN round(100.0 * s.yes / nullif(s.known, 0), 2) END,
           CASE WHEN s.told THEN round(100.0 * s.yes / nullif(s.n, 0), 2) END,
           CASE WHEN s.told THEN round(100.0 * (s.yes + s.n - s.known) / nullif(s.n, 0), 2) END,
           NOT s.told, h.geom, h.geom_3857
      FROM shown s CROSS JOIN asked a JOIN h3_cell h ON h.cell = s.cell
$$;
COMMENT ON FUNCTION published.payment_adoption(text, integer, text, date) IS
    'H3 cells of a ward (null: of every ward) with how many establishments there are known to take payment without cash, at '
    'the end of a month or today, as far as anybody may be told; what is suppressed has no figures.';

CREATE FUNCTION register.staff_payment_adoption(
    of_ward text, at_resolution integer, of_sector text, on_day date, by_method text, least_evidence text, as_known text)
RETURNS TABLE (
    id bigint, cell text, ward text, resolution integer, sector_group text, as_of date, method text, evidence_level text,
    known text, establishments integer, surveyed integer, accepting integer, share numeric, low numeric, high numeric,
    suppressed boolean, geom public.geometry, geom_3857 public.geometry)
LANGUAGE sql STABLE ROWS 200
SET search_path = register, public, pg_temp
AS $$
    SELECT h.cell, to_hex(h.cell), own_ward_code(), h.resolution::integer, of_sector, coalesce(on_day, current_date), by_method,
           least_evidence, coalesce(as_known, 'then'), a.establishments::integer, a.surveyed::integer, a.accepting::integer,
           round(100.0 * a.accepting / nullif(a.surveyed, 0), 2), round(100.0 * a.accepting / nullif(a.establishments, 0), 2),
           round(100.0 * (a.accepting + a.establishments - a.surveyed) / nullif(a.establishments, 0), 2), false, h.geom,
           h.geom_3857
      FROM adoption(own_ward_code(), 'h3', at_resolution, of_sector, on_day, as_known, by_method, least_evidence) a
      JOIN h3_cell h ON h.cell = a.part::bigint
     WHERE of_ward IS NULL OR of_ward = own_ward_code()
     UNION ALL
    SELECT p.id, p.cell, p.ward, p.resolution, p.sector_group, p.as_of, NULL, NULL, 'then', p.establishments, p.surveyed,
           p.accepting, p.share, p.low, p.high, p.suppressed, p.geom, p.geom_3857
      FROM published.payment_adoption(of_ward, at_resolution, of_sector, on_day) p
     WHERE (of_ward IS NULL OR of_ward <> own_ward_code())
       AND p.ward <> own_ward_code() AND by_method IS NULL AND least_evidence IS NULL AND coalesce(as_known, 'then') = 'then'
$$;
COMMENT ON FUNCTION register.staff_payment_adoption(text, integer, text, date, text, text, text) IS
    'The same for staff: every figure of their own ward at resolutions 7 to 11, by method, evidence and what was known when; '
    'of other wards what anybody is told.';
