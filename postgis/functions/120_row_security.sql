-- What the role mapservice_staff sees and may write, by ward and by the acting person's role. Each expression that asks
-- who acts stands in a sub-select, so that it is asked once a query and not once a row.

DO $$
DECLARE
    found record;
    inside text;
    reads text;
    writes text;
    officers CONSTANT text := ' AND (SELECT account.actor_role()) IN (''officer'', ''approver'', ''admin'')';
BEGIN
    FOR found IN
        SELECT c.relname AS table_name,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'ward_id') AS has_ward,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'establishment_id') AS has_place
          FROM pg_class c
         WHERE c.relnamespace = 'register'::regnamespace AND c.relkind = 'r'
           AND c.relname IN ('legal_entity', 'personal_datum', 'establishment', 'establishment_fact', 'licence',
                             'food_safety_record', 'inspection', 'warning', 'payment_acceptance', 'digital_use', 'model_site',
                             'photo', 'outreach', 'visit', 'establishment_state', 'adoption_cell', 'proposal', 'change', 'residential_group',
                             'ward_shelf_life',
                             'distinct_pair', 'import_batch', 'import_row', 'import_shape', 'import_progress',
                             'import_kept_datum', 'sticker_run', 'sticker_print', 'sticker', 'sticker_event',
                             'citizen_report', 'report_event', 'owner_code', 'owner_request', 'payment_account',
                             'payment_check_count', 'lookup_day', 'lookup_month', 'criterion_proof', 'phase_note',
                             'entered_figure', 'month_end_count', 'work_list', 'work_item', 'board_report')
    LOOP
        inside := CASE
            WHEN found.has_ward THEN 'ward_id = (SELECT account.actor_ward())'
            -- Not correlated: a batch has many thousand rows, and which batches are the ward's is asked once a query.
            WHEN found.table_name LIKE 'import%' THEN 'batch_id IN (SELECT b.id FROM register.import_batch b)'
            WHEN found.table_name = 'sticker_print' THEN 'run_id IN (SELECT r.id FROM register.sticker_run r)'
            WHEN found.table_name = 'sticker_event' THEN 'sticker_id IN (SELECT s.id FROM register.sticker s)'
            WHEN found.table_name = 'report_event' THEN 'report_id IN (SELECT r.id FROM register.citizen_report r)'
            WHEN found.table_name = 'distinct_pair' THEN
                '(SELECT count(*) FROM register.establishment e WHERE e.id IN (establishment_id, other_id)) = 2'
            WHEN found.has_place THEN 'EXISTS (SELECT FROM register.establishment e WHERE e.id = establishment_id)'
            ELSE 'EXISTS (SELECT FROM register.legal_entity l WHERE l.id = legal_entity_id)'
        END;
        -- Surveyors visit shops; what is personal about their owners is not theirs to read, nor the lists it comes in.
        reads := CASE found.table_name
            WHEN 'personal_datum' THEN officers
            WHEN 'import_batch' THEN officers
            WHEN 'import_row' THEN officers
            WHEN 'import_shape' THEN officers
            WHEN 'import_progress' THEN officers
            WHEN 'import_kept_datum' THEN officers
            -- People name themselves and others in what they report.
            WHEN 'citizen_report' THEN officers
            WHEN 'report_event' THEN officers
            -- The ward's own papers, and what its officers say of the work.
            WHEN 'criterion_proof' THEN officers
            WHEN 'phase_note' THEN officers
            -- Drafts, until they are signed and sent.
            WHEN 'board_report' THEN officers
            -- Who has which account is for those who administer them.
            WHEN 'change' THEN ' AND (collection NOT IN (''accounts'', ''tokens'') OR (SELECT account.actor_role()) = ''admin'')'
            ELSE ''
        END;
        writes := CASE
            WHEN found.table_name IN ('change', 'establishment_fact', 'establishment_state', 'adoption_cell', 'residential_group',
                                      'report_event', 'owner_request',
                                      'payment_check_count', 'lookup_day', 'lookup_month',
                                      'month_end_count') THEN ' AND false'
            WHEN found.table_name = 'proposal' THEN ''
            -- Surveyors go round, and note which stickers they saw.
            WHEN found.table_name = 'sticker_event' THEN
                ' AND (kind = ''seen'' OR (SELECT account.actor_role()) IN (''officer'', ''approver'', ''admin''))'
            WHEN found.table_name = 'ward_shelf_life' THEN ' AND (SELECT account.actor_role()) IN (''approver'', ''admin'')'
            ELSE officers
        END;
        EXECUTE format('ALTER TABLE register.%I ENABLE ROW LEVEL SECURITY', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_reads ON register.%I', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_adds ON register.%I', found.table_name);
        EXECUTE format('DROP POLICY IF EXISTS staff_changes ON register.%I', found.table_name);
        EXECUTE format('CREATE POLICY staff_reads ON register.%I FOR SELECT TO mapservice_staff USING (%s)',
                       found.table_name, inside || reads);
        EXECUTE format('CREATE POLICY staff_adds ON register.%I FOR INSERT TO mapservice_staff WITH CHECK (%s)',
                       found.table_name, inside || writes);
        EXECUTE format('CREATE POLICY staff_changes ON register.%I FOR UPDATE TO mapservice_staff USING (%s)',
                       found.table_name, inside || writes);
    END LOOP;
END
$$;
