-- The log. `seq` is the transaction's id << 20, plus the place within the transaction. Transactions become visible out
-- of order, so a follower reads only below `log_end()`. Verdict: 0 usable, 1 unusable, 2 parked.
-- `fingerprint` stands for the source and the message id: a repeated message meets itself in the primary key.
CREATE TABLE message (
    fingerprint bigint PRIMARY KEY,
    seq bigint NOT NULL,
    received bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    verdict smallint NOT NULL,
    problems bytea,
    type text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    key_time bigint NOT NULL,
    raw bytea NOT NULL
);
CREATE INDEX message_by_seq ON message (seq);
CREATE INDEX message_in_trouble ON message (verdict, seq) WHERE verdict > 0;

-- Events by the identifier that they are filed under ('u42', 'ejane@shop.example', 'ax-1') and their time. A parked
-- message has none. `page`: sent with a page's key. One partition a quarter.
CREATE TABLE event (
    who text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    fingerprint bigint NOT NULL,
    page boolean NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (who, at, fingerprint)
) PARTITION BY RANGE (at);

-- Events that were changed or removed after they were written, for readers that keep what follows from them.
CREATE TABLE event_change (
    fingerprint bigint NOT NULL,
    seq bigint NOT NULL,
    who text COLLATE "C" NOT NULL,
    PRIMARY KEY (fingerprint, seq, who)
);
CREATE INDEX event_change_by_seq ON event_change (seq);

-- How often messages were replayed: followers of events then start over. `log` tells this log from those of others.
CREATE TABLE replay (
    count bigint NOT NULL,
    log uuid NOT NULL
);
INSERT INTO replay (count, log) VALUES (0, gen_random_uuid());

-- The first seq of this transaction.
CREATE FUNCTION log_begin() RETURNS bigint LANGUAGE sql VOLATILE
AS $$ SELECT pg_current_xact_id()::text::bigint << 20 $$;

-- The first seq that may still become visible: all transactions before it have ended.
CREATE FUNCTION log_end() RETURNS bigint LANGUAGE sql STABLE
AS $$ SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20 $$;

-- Make the partitions of the quarters from one time to another, where they are missing. A partition is attached, which
-- lets reads and writes of the others go on.
CREATE FUNCTION make_event_partitions(since timestamptz, until timestamptz) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
    quarter timestamptz := date_trunc('quarter', since, 'UTC');
    following timestamptz;
    name text;
BEGIN
    WHILE quarter <= until LOOP
        following := date_trunc('quarter', quarter + interval '100 days', 'UTC');
        name := 'event_' || to_char(quarter AT TIME ZONE 'UTC', 'YYYY"q"Q');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
            EXECUTE format(
                'ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                name, extract(epoch FROM quarter)::bigint * 1000, extract(epoch FROM following)::bigint * 1000
            );
        END IF;
        quarter := following;
    END LOOP;
END $$;

-- Quarters from last year on. Older events share a partition, and so do those of a time for which there is none.
DO $$
DECLARE
    first timestamptz := date_trunc('quarter', now() - interval '1 year', 'UTC');
BEGIN
    EXECUTE format(
        'CREATE TABLE event_earlier PARTITION OF event FOR VALUES FROM (MINVALUE) TO (%s)',
        extract(epoch FROM first)::bigint * 1000
    );
    CREATE TABLE event_otherwise PARTITION OF event DEFAULT;
    PERFORM make_event_partitions(first, now() + interval '6 months');
END $$;

-- Write messages and their events, then lock their identifiers: the `firm` ones alone, others shared with writers that
-- do not change their holders either. Returns the new messages; all others are in the log already. A body of NULL
-- writes no event. The statements after this one see all that was committed before the locks were granted.
CREATE FUNCTION append_messages(
    prints bigint[], places integer[], received bigint[], sources text[], ids text[], verdicts smallint[],
    problems bytea[], types text[], names text[], whos text[], ats bigint[], key_times bigint[], raws bytea[],
    pages boolean[], bodies bytea[]
) RETURNS SETOF bigint LANGUAGE plpgsql SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    since bigint := log_begin();
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(prints, places, received, sources, ids, verdicts, problems, types, names, whos, ats,
            key_times, raws, pages, bodies)
            AS g (print, place, received, source, id, verdict, problems, type, name, who, at, key_time, raw, page, body)
    ), stored AS (
        INSERT INTO message (fingerprint, seq, received, source, message_id, verdict, problems, type, name, who, at,
            key_time, raw)
        SELECT g.print, since + g.place, g.received, g.source, g.id, g.verdict, g.problems, g.type, g.name, g.who, g.at,
            g.key_time, g.raw
        FROM given g ORDER BY g.print  -- in one order everywhere, so that no two transactions wait for each other
        ON CONFLICT (fingerprint) DO NOTHING
        RETURNING message.fingerprint
    ), filed AS (
        INSERT INTO event (who, at, fingerprint, page, body)
        SELECT g.who, g.at, g.print, g.page, g.body
        FROM given g JOIN stored ON stored.fingerprint = g.print
        WHERE g.body IS NOT NULL
    )
    SELECT stored.fingerprint FROM stored;
END $$;

-- The place in the log before the messages received at or after a time (Unix ms). Times of receipt grow nearly as
-- places do: whatever several processes received at once may be a little out of order.
CREATE FUNCTION log_place(since bigint) RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    low bigint := 0;
    high bigint := (SELECT coalesce(max(seq), 0) FROM message WHERE seq < log_end());
    middle bigint;
    next bigint;
BEGIN
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        SELECT m.received INTO next FROM message m WHERE m.seq > middle ORDER BY m.seq LIMIT 1;
        IF next IS NULL OR next >= since THEN high := middle; ELSE low := middle + 1; END IF;
    END LOOP;
    SELECT min(m.seq) - 1 INTO next FROM (
        SELECT b.seq, b.received FROM message b WHERE b.seq <= low ORDER BY b.seq DESC LIMIT 1000
    ) m WHERE m.received >= since;
    RETURN coalesce(next, low);
END $$;
