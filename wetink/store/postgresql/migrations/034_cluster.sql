-- Positions in the log come from the transaction IDs of one cluster. `cluster` names the one that wrote it last, and its
-- timeline: a restored dump, a recovery to a moment and a promoted replica change it.
ALTER TABLE replay ADD COLUMN cluster text NOT NULL DEFAULT '';

CREATE FUNCTION this_cluster() RETURNS text LANGUAGE sql VOLATILE
AS $$ SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system() $$;

-- Whether another cluster wrote the log. A database that only reads cannot note it.
CREATE FUNCTION is_other_cluster() RETURNS boolean LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean
        AND (SELECT cluster FROM replay) <> this_cluster();
END $$;

-- Note this cluster. Some acknowledged messages may be gone and their positions taken again, so readers that keep what
-- follows from the log start over. In a restored dump, messages and cursors may have positions that this cluster has not
-- reached: from here on, positions begin after those. Returns whether they do.
CREATE FUNCTION recognize_cluster() RETURNS boolean LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    last bigint;
BEGIN
    PERFORM FROM replay FOR UPDATE;
    IF NOT is_other_cluster() THEN
        RETURN false;
    END IF;
    UPDATE replay SET cluster = this_cluster(), count = count + 1, log = gen_random_uuid();
    UPDATE projection SET generation = generation + 1;
    SELECT greatest(
        (SELECT max(seq) FROM message), (SELECT max(seq) FROM product_import), (SELECT max(seq) FROM event_change),
        (SELECT max(seq) FROM projection), (SELECT max(seq) FROM outcome_name),
        (SELECT max(seq) FROM profile_summary_place)
    ) INTO last;
    IF last < log_begin() THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION log_begin() RETURNS bigint LANGUAGE sql VOLATILE AS %L',
        format('SELECT (pg_current_xact_id()::text::bigint << 20) + %s', last));
    EXECUTE format('CREATE OR REPLACE FUNCTION log_end() RETURNS bigint LANGUAGE sql STABLE AS %L',
        format('SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20) + %s', last));
    RETURN true;
END $$;
