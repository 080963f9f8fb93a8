-- A register that was filled before it kept states (release 0012 and earlier) gets those of all its history, and the facts
-- that came with them. With the first state this has nothing more to do.
DO $start$
BEGIN
    IF EXISTS (SELECT FROM register.establishment_state) OR NOT EXISTS (SELECT FROM register.establishment) THEN
        RETURN;
    END IF;
    -- Without updated_at, which the public sees: nothing that is published has changed.
    PERFORM register.refresh_establishment_facts(ARRAY(SELECT id FROM register.establishment), published => false);
    PERFORM register.rebuild_states();
END
$start$;
