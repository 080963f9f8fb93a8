-- Citizens' reports: what nobody gets around, whatever the code above does. After 900_grants.sql, which takes every right
-- away before it gives some.

GRANT UPDATE ON register.citizen_report TO mapservice_staff;

CREATE OR REPLACE FUNCTION register.guard_report() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version := OLD.version + 1;
    IF current_user <> 'mapservice_staff' THEN
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.receipt, NEW.ward_id, NEW.establishment_id, NEW.sticker_id, NEW.typed_code, NEW.kind, NEW.words_sealed,
        NEW.photo, NEW.received_at)
       IS DISTINCT FROM
       (OLD.id, OLD.receipt, OLD.ward_id, OLD.establishment_id, OLD.sticker_id, OLD.typed_code, OLD.kind, OLD.words_sealed,
        OLD.photo, OLD.received_at) THEN
        RAISE EXCEPTION 'what was reported stays as it was reported' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
           ('received', 'in_progress'), ('received', 'answered'), ('received', 'rejected'), ('in_progress', 'in_progress'),
           ('in_progress', 'answered'), ('in_progress', 'rejected'), ('answered', 'closed'))
       OR (OLD.state = 'answered' AND (NEW.answer, NEW.outcome, NEW.answered_at, NEW.handled_by)
           IS DISTINCT FROM (OLD.answer, OLD.outcome, OLD.answered_at, OLD.handled_by))
       OR (OLD.state <> 'answered' AND NEW.handled_by IS DISTINCT FROM account.actor_id())
       OR (OLD.proposal_receipt IS NOT NULL AND NEW.proposal_receipt IS DISTINCT FROM OLD.proposal_receipt)
       OR (OLD.extended AND (NOT NEW.extended OR NEW.due_on <> OLD.due_on))
       OR (NEW.due_on <> OLD.due_on AND OLD.kind <> 'personal_data') THEN
        RAISE EXCEPTION 'no such step of a report' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION register.guard_report() IS
    'Staff take up, answer, reject and close in their own name; what was reported, and an answer once given, stay.';

CREATE OR REPLACE TRIGGER guard BEFORE UPDATE ON register.citizen_report
    FOR EACH ROW EXECUTE FUNCTION register.guard_report();

CREATE OR REPLACE FUNCTION register.note_report_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO report_event (report_id, at, kind, staff_id)
    SELECT NEW.id, clock_timestamp(), happened.kind, account.actor_id()
      FROM (VALUES (1, 'received', TG_OP = 'INSERT'),
                   (2, 'taken_up', TG_OP = 'UPDATE' AND NEW.state = 'in_progress'
                       AND NEW.handled_by IS DISTINCT FROM OLD.handled_by),
                   (3, 'extended', TG_OP = 'UPDATE' AND NEW.extended AND NOT OLD.extended),
                   (4, 'proposed', TG_OP = 'UPDATE' AND NEW.proposal_receipt IS DISTINCT FROM OLD.proposal_receipt),
                   (5, NEW.state, TG_OP = 'UPDATE' AND NEW.state <> OLD.state AND NEW.state <> 'in_progress')
           ) AS happened (place, kind, so)
     WHERE happened.so ORDER BY happened.place;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION register.note_report_event() IS 'Each step of a report, with its moment and who took it.';

CREATE OR REPLACE TRIGGER noted AFTER INSERT OR UPDATE ON register.citizen_report
    FOR EACH ROW EXECUTE FUNCTION register.note_report_event();
CREATE OR REPLACE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON register.report_event
    FOR EACH STATEMENT EXECUTE FUNCTION register.refuse();

-- Counted in the table itself: who sends too much is bounded without noting who anybody is.
CREATE OR REPLACE FUNCTION register.reports_full(place_code text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT (SELECT count(*) FROM citizen_report r WHERE r.received_at > now() - interval '1 hour') >= 200
        OR CASE WHEN place_code IS NULL THEN
               (SELECT count(*) FROM citizen_report r
                 WHERE r.establishment_id IS NULL AND r.received_at > now() - interval '1 hour') >= 30
           ELSE
               (SELECT count(*) FILTER (WHERE r.received_at > now() - interval '1 hour') >= 10
                       OR count(*) FILTER (WHERE r.state IN ('received', 'in_progress')) >= 40
                  FROM citizen_report r JOIN establishment e ON e.id = r.establishment_id WHERE e.code = place_code)
           END
$$;
COMMENT ON FUNCTION register.reports_full(text) IS
    'Whether more reports about a place (null: about none) came in this hour, or wait, than the ward can look at.';

-- For people without an account, who are nobody to row-level security. As owner: this function is all they can do.
CREATE OR REPLACE FUNCTION register.report_anonymously(
    new_receipt text, of_ward text, place_code text, sticker_code text, about text, sealed bytea, picture text,
    due date, certain boolean, of_serial text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
DECLARE
    in_ward bigint;
    place bigint;
    scanned bigint;
BEGIN
    -- Counting and adding are one step: two at once must not both be the last that is let in.
    PERFORM pg_advisory_xact_lock(20257008);
    IF place_code IS NULL THEN
        SELECT w.id INTO in_ward FROM ward w WHERE w.code = of_ward AND w.valid_to IS NULL;
    ELSE
        SELECT e.ward_id, e.id INTO in_ward, place FROM establishment e WHERE e.code = place_code AND e.ended_at IS NULL;
    END IF;
    IF in_ward IS NULL THEN
        RAISE EXCEPTION 'no such place' USING ERRCODE = 'no_data_found';
    END IF;
    IF reports_full(place_code) THEN
        RAISE EXCEPTION 'too many reports' USING ERRCODE = 'MS429';
    END IF;
    scanned := (SELECT s.id FROM sticker s WHERE s.serial = of_serial AND s.establishment_id = place);
    INSERT INTO citizen_report (receipt, ward_id, establishment_id, sticker_id, typed_code, kind, words_sealed, photo, due_on,
                                due_certain)
    VALUES (new_receipt, in_ward, place, scanned, sticker_code, about, sealed, picture, due, certain);
    -- Of whoever scanned it nothing is noted.
    INSERT INTO sticker_event (sticker_id, kind) SELECT scanned, 'reported' WHERE scanned IS NOT NULL;
END
$$;
COMMENT ON FUNCTION register.report_anonymously IS
    'Adds a citizen''s report, within bounds (SQLSTATE MS429 beyond them).';

-- Kind, days, outcome and who answered stay, for the ward's figures. The answer goes, too: it speaks of what was written.
CREATE OR REPLACE FUNCTION register.forget_reports() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
BEGIN
    -- Whoever sends the same photo meanwhile keeps its file after this, not before.
    PERFORM pg_advisory_xact_lock(20257008);
    RETURN QUERY
        WITH past AS (
            SELECT r.id, r.photo FROM citizen_report r
             WHERE r.erased_at IS NULL AND r.state IN ('answered', 'closed', 'rejected')
               AND coalesce(r.closed_at, r.answered_at) < now() - interval '24 months'
        ), erased AS (
            UPDATE citizen_report r
               SET words_sealed = NULL, answer = '', photo = NULL, erased_at = now(),
                   typed_code = CASE WHEN r.typed_code IS NOT NULL THEN '?' END
              FROM past WHERE r.id = past.id
        )
        SELECT DISTINCT p.photo FROM past p
         WHERE p.photo IS NOT NULL
           AND NOT EXISTS (SELECT FROM photo o WHERE o.file = p.photo)
           AND NOT EXISTS (SELECT FROM citizen_report o WHERE o.photo = p.photo AND o.id NOT IN (SELECT id FROM past));
END
$$;
COMMENT ON FUNCTION register.forget_reports() IS
    'Erases what was written and answered in reports that ended 24 months ago; returns the photos that nothing names any more.';

-- A function and no view: whoever has one receipt sees one report, and no mistake above can list them.
DROP FUNCTION IF EXISTS published.report(text);
CREATE FUNCTION published.report(of_receipt text)
RETURNS TABLE (receipt text, kind text, place_code text, place_name text, typed_code text, with_photo boolean, state text,
               received_at timestamptz, due_on date, due_certain boolean, extended boolean, outcome text, answer text,
               answered_at timestamptz, closed_at timestamptz, erased_at timestamptz, ward text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = register, pg_catalog, pg_temp
AS $$
    SELECT r.receipt, r.kind, e.code, e.name, r.typed_code, r.photo IS NOT NULL, r.state, r.received_at, r.due_on,
           r.due_certain, r.extended, r.outcome, r.answer, r.answered_at, r.closed_at, r.erased_at, w.code
      FROM citizen_report r
      JOIN ward w ON w.id = r.ward_id
      LEFT JOIN establishment e ON e.id = r.establishment_id
     WHERE r.receipt = of_receipt
$$;
COMMENT ON FUNCTION published.report(text) IS
    'What the holder of a receipt may see of a report: how it stands, until when, and the answer; no names, not the words.';

REVOKE ALL ON FUNCTION register.forget_reports(), register.guard_report(), register.note_report_event(), register.reports_full(text),
    register.report_anonymously(text, text, text, text, text, bytea, text, date, boolean, text), published.report(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register.forget_reports(), register.reports_full(text),
    register.report_anonymously(text, text, text, text, text, bytea, text, date, boolean, text) TO mapservice_staff;
GRANT EXECUTE ON FUNCTION published.report(text) TO mapservice_public, mapservice_staff;
