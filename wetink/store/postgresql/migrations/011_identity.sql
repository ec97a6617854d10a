-- The claims that runs begin with; holdings are derived from them, and from what events of the same claimer tell.
CREATE TABLE claim (
    weaker text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    stronger text COLLATE "C" NOT NULL,
    level text COLLATE "C" NOT NULL,
    alias boolean NOT NULL,
    PRIMARY KEY (weaker, at, source, message_id, stronger, level, alias)
);
CREATE INDEX claim_of_page ON claim (stronger) WHERE level = 'browser';

-- Who else claims an identifier that more claim than count: one row for each of them, and all of aliases.
CREATE TABLE uncounted_claim (
    weaker text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    stronger text COLLATE "C" NOT NULL,
    level text COLLATE "C" NOT NULL,
    alias boolean NOT NULL,
    PRIMARY KEY (weaker, stronger, level, alias, at, source, message_id)
);

-- Who holds an identifier in [since, until): which events that moves, and whether a lookup follows it.
CREATE TABLE holding (
    identifier text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    owner text COLLATE "C" NOT NULL,
    level text COLLATE "C" NOT NULL,
    moves text COLLATE "C" NOT NULL,
    followed boolean NOT NULL,
    PRIMARY KEY (identifier, moves, since)
);
CREATE INDEX holding_by_owner ON holding (owner, identifier, moves, since, until);

-- Identifiers on either side of a page's claim, and whether a server has sent them.
CREATE TABLE page_claimed (
    identifier text COLLATE "C" PRIMARY KEY,
    server_sent boolean NOT NULL
);
CREATE INDEX page_claimed_alone ON page_claimed (identifier) WHERE NOT server_sent;

-- Identifiers with suspiciously many claimers.
CREATE TABLE contested (
    identifier text COLLATE "C" PRIMARY KEY,
    claimers bigint NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX contested_by_time ON contested (at);

-- Aliases as they were made, and the groups of users they join, each named by its smallest member.
CREATE TABLE alias (
    previous text COLLATE "C" NOT NULL,
    current text COLLATE "C" NOT NULL,
    PRIMARY KEY (previous, current)
);
CREATE TABLE joined (
    member text COLLATE "C" PRIMARY KEY,
    root text COLLATE "C" NOT NULL
);
CREATE INDEX joined_by_root ON joined (root, member);

-- Summaries of the events of quiet profiles, by the strongest identifier that leads to one. `rules` tells by which rules
-- a summary was made, `revision` of which revision of the profile, `newest` when its last event was. Its history is
-- large, so it lies apart from the row, and most opens read the first part alone.
CREATE TABLE profile_summary (
    who text COLLATE "C" PRIMARY KEY,
    rules bigint NOT NULL,
    root text COLLATE "C" NOT NULL,
    revision text COLLATE "C" NOT NULL,
    newest bigint NOT NULL,
    person bytea NOT NULL,
    history bytea NOT NULL
);

-- The summaries that the events of further identifiers went into.
CREATE TABLE profile_summary_part (
    member text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    PRIMARY KEY (member, who)
);

-- How far in the log summaries have been made by some rules.
CREATE TABLE profile_summary_place (
    seq bigint NOT NULL,
    rules bigint NOT NULL
);
INSERT INTO profile_summary_place (seq, rules) VALUES (0, 0);

-- Locks of identifiers last until the transaction ends: the `firm` ones alone, others shared with other writers that do
-- not change their holders either. All take them in one order, so that no two wait for each other. Very many take the
-- lock of all instead, since a server has room for a few thousand.
CREATE FUNCTION lock_identifiers(keys text[], firm boolean[]) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    IF cardinality(keys) > 2000 THEN
        PERFORM pg_advisory_xact_lock(1);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(1);
    PERFORM CASE WHEN alone THEN pg_advisory_xact_lock(hash) ELSE pg_advisory_xact_lock_shared(hash) END
    FROM (
        SELECT hashtextextended(key, 0) AS hash, bool_or(this) AS alone FROM unnest(keys, firm) AS k (key, this)
        GROUP BY 1 ORDER BY 1 OFFSET 0
    ) sorted;
END $$;

-- Delete every summary that includes events filed under these identifiers. The caller has locked them.
CREATE FUNCTION drop_summaries_of(keys text[]) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    gone text[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM profile_summary) THEN
        RETURN;
    END IF;
    SELECT array_agg(who) INTO gone FROM (
        SELECT s.who FROM profile_summary s WHERE s.who = ANY(
            keys || ARRAY(SELECT p.who FROM profile_summary_part p WHERE p.member = ANY(keys))
        ) ORDER BY s.who FOR UPDATE
    ) found;
    IF gone IS NOT NULL THEN
        DELETE FROM profile_summary WHERE who = ANY(gone);
        DELETE FROM profile_summary_part WHERE member = ANY(keys) AND who = ANY(gone);
    END IF;
END $$;

-- Delete every summary that includes, or may come to include, events filed under these identifiers.
CREATE FUNCTION drop_summaries_about(keys text[]) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM profile_summary) THEN
        RETURN;
    END IF;
    PERFORM drop_summaries_of(ARRAY(
        WITH RECURSIVE about (who) AS (
            SELECT unnest(keys) COLLATE "C"
            UNION
            SELECT next.who FROM about CROSS JOIN LATERAL (
                SELECT h.owner AS who FROM holding h WHERE h.identifier = about.who
                UNION ALL
                SELECT j.member FROM joined j WHERE j.root = (SELECT o.root FROM joined o WHERE o.member = about.who)
                OFFSET 0
            ) next
        )
        SELECT who FROM about
    ));
END $$;

-- Lock identifiers, then read those that may need more: the holdings of `weakers`, each with whether anybody else claims
-- the identifier, and those of `sent` that pages have claimed and no server had sent before (only `identifier` is set).
CREATE FUNCTION hold_identifiers(keys text[], firm boolean[], weakers text[], sent text[])
RETURNS TABLE (
    identifier text, since bigint, until bigint, owner text, level text, moves text, followed boolean, disputed boolean
) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    PERFORM lock_identifiers(keys, firm);
    PERFORM drop_summaries_of(keys);
    RETURN QUERY
    SELECT h.identifier, h.since, h.until, h.owner, h.level, h.moves, h.followed,
        EXISTS (SELECT 1 FROM claim c WHERE c.weaker = h.identifier AND c.stronger <> h.owner)
    FROM unnest(weakers) AS w (weaker) CROSS JOIN LATERAL (
        SELECT * FROM holding h WHERE h.identifier = w.weaker OFFSET 0
    ) h;
    RETURN QUERY
    SELECT p.identifier, NULL::bigint, NULL::bigint, NULL, NULL, NULL, NULL::boolean, NULL::boolean
    FROM page_claimed p WHERE NOT p.server_sent AND p.identifier = ANY(sent);
END $$;
