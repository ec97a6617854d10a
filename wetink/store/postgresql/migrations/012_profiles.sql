-- Functions that read profiles. They are STABLE: all their statements read the state of the call. Their plans are kept by
-- the server's session, so a call costs the same with and without prepared statements. 1 << 62 stands for ever.

-- The identifier that holds another at a moment, from anonymous to email to user, without aliases of users.
CREATE FUNCTION owner_of(who text, moment bigint) RETURNS text LANGUAGE plpgsql STABLE
AS $$
DECLARE
    reached text := who;
    next text;
BEGIN
    WHILE left(reached, 1) <> 'u' LOOP
        SELECT h.owner INTO next FROM holding h
        WHERE h.identifier = reached AND h.since <= moment AND h.until > moment AND h.followed LIMIT 1;
        EXIT WHEN NOT FOUND;
        reached := next;
    END LOOP;
    RETURN reached;
END $$;

-- The root of the profile that owns an identifier at a moment.
CREATE FUNCTION root_of(who text, moment bigint) RETURNS text LANGUAGE plpgsql STABLE
AS $$
DECLARE
    owner text := owner_of(who, moment);
BEGIN
    IF left(owner, 1) <> 'u' THEN
        RETURN owner;
    END IF;
    RETURN coalesce((SELECT j.root FROM joined j WHERE j.member = owner), owner);
END $$;

-- All users that are one person with an owner; only itself for any other identifier.
CREATE FUNCTION members_of(owner text) RETURNS text[] LANGUAGE plpgsql STABLE
AS $$
DECLARE
    members text[];
BEGIN
    IF left(owner, 1) = 'u' THEN
        SELECT array_agg(j.member) INTO members FROM joined j
        WHERE j.root = (SELECT o.root FROM joined o WHERE o.member = owner);
    END IF;
    RETURN coalesce(members, ARRAY[owner]);
END $$;

-- The stretches of the profile of an owner: an identifier, the span [since, until) whose events belong to the profile,
-- and which of them do. A user has addresses and anonymous ids, and so has an address; nothing is weaker than those.
CREATE FUNCTION stretches_of(owner text) RETURNS TABLE (who text, since bigint, until bigint, moves text)
LANGUAGE plpgsql STABLE ROWS 5 SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    members text[] := members_of(owner);
    ever constant bigint := 1::bigint << 62;
BEGIN
    IF left(owner, 1) = 'a' THEN  -- events from pages belong to somebody else if anybody holds it
        RETURN QUERY SELECT owner, -ever, ever,
            CASE WHEN EXISTS (SELECT 1 FROM holding h WHERE h.identifier = stretches_of.owner) THEN 'server' ELSE 'all' END;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT m.who, -ever, ever, 'all' FROM unnest(members) AS m (who)
    UNION ALL
    SELECT h.identifier, h.since, h.until, h.moves FROM holding h WHERE h.owner = ANY(members) AND h.moves <> 'none'
    UNION ALL
    SELECT w.identifier, greatest(w.since, h.since), least(w.until, h.until), w.moves
    FROM holding h CROSS JOIN LATERAL (
        SELECT w.identifier, w.since, w.until, w.moves FROM holding w
        WHERE w.owner = h.identifier AND w.moves <> 'none' AND w.since < h.until AND w.until > h.since OFFSET 0
    ) w
    WHERE h.owner = ANY(members) AND h.moves <> 'none' AND h.identifier < 'f' AND h.identifier >= 'e';
END $$;

-- The newest events of an owner's profile up to a moment, in no order.
CREATE FUNCTION newest_events(owner text, moment bigint, most bigint) RETURNS TABLE (at bigint, body bytea)
LANGUAGE plpgsql STABLE ROWS 100 SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.at, e.body FROM stretches_of(owner) s CROSS JOIN LATERAL (
        SELECT e.at, e.body, e.fingerprint FROM event e
        WHERE e.who = s.who AND e.at >= s.since AND e.at < least(s.until, moment + 1)
        AND (s.moves = 'all' OR e.page = (s.moves = 'browser'))
        ORDER BY e.at DESC LIMIT most
    ) e
    ORDER BY e.at DESC, e.fingerprint DESC LIMIT most;
END $$;

-- The profiles that own identifiers at moments, but for those that still have the known revision. The first row of each
-- has its root and revision, and its summary if there is one by these rules; the others have its newest events.
-- A revision is made of the stretches and their events: in a stretch, events are only added, a copy lowers the time of
-- one, and any other change comes from a replay.
CREATE FUNCTION load_profiles(
    whos text[], revisions text[], moments bigint[], by_rules bigint, brief boolean, most bigint, most_bytes bigint
) RETURNS TABLE (place integer, root text, revision text, person bytea, history bytea, body bytea)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    ever constant bigint := (1::bigint << 62) - 1;
    replays constant bigint := (SELECT count FROM replay);
    moment bigint;
    owner text;
    until bigint;
    digest text;
    newest bigint;
    kept record;
    names text[];
    froms bigint[];
    tos bigint[];
    moved text[];
BEGIN
    FOR i IN 1 .. cardinality(whos) LOOP
        place := i - 1;
        moment := moments[i];
        person := NULL;
        history := NULL;
        body := NULL;
        owner := CASE WHEN left(whos[i], 1) = 'u' THEN whos[i] ELSE owner_of(whos[i], ever) END;
        IF by_rules IS NOT NULL THEN
            SELECT s.root, s.revision, s.newest, s.person, CASE WHEN brief THEN '' ELSE s.history END AS history
            INTO kept FROM profile_summary s WHERE s.who = owner AND s.rules = by_rules;
            IF FOUND AND kept.newest <= moment THEN
                IF kept.revision <> revisions[i] THEN
                    root := kept.root;
                    revision := kept.revision;
                    person := kept.person;
                    history := kept.history;
                    RETURN NEXT;
                END IF;
                CONTINUE;
            END IF;
        END IF;
        until := ever;
        LOOP
            SELECT array_agg(s.who), array_agg(s.since), array_agg(s.until), array_agg(s.moves)
            INTO names, froms, tos, moved FROM stretches_of(owner) s;
            SELECT string_agg(concat_ws(' ', s.who, s.since, s.until, s.moves, e.n, e.ats, e.prints), E'\n'),
                max(e.newest)
            INTO digest, newest
            FROM unnest(names, froms, tos, moved) AS s (who, since, until, moves) CROSS JOIN LATERAL (
                SELECT count(*) AS n, sum(e.at) AS ats, sum(e.fingerprint) AS prints, max(e.at) AS newest FROM (
                    SELECT e.at, e.fingerprint FROM event e
                    WHERE e.who = s.who AND e.at >= s.since AND e.at < least(s.until, until + 1)
                    AND (s.moves = 'all' OR e.page = (s.moves = 'browser'))
                    ORDER BY e.at DESC LIMIT 1000
                ) e
            ) e;
            EXIT WHEN newest IS NULL OR newest <= moment;
            owner := owner_of(whos[i], moment);  -- some of the events may belong to others then
            until := moment;
        END LOOP;
        root := owner;
        IF left(owner, 1) = 'u' THEN
            root := coalesce((SELECT j.root FROM joined j WHERE j.member = owner), owner);
        END IF;
        revision := md5(digest || E'\n' || replays) || root;
        IF revision <> revisions[i] THEN
            RETURN NEXT;
            IF newest IS NOT NULL THEN
                RETURN QUERY SELECT place, NULL, NULL, NULL::bytea, NULL::bytea, e.body FROM (
                    SELECT e.body, sum(octet_length(e.body)) OVER (ORDER BY e.at DESC ROWS UNBOUNDED PRECEDING) AS bytes
                    FROM unnest(names, froms, tos, moved) AS s (who, since, until, moves) CROSS JOIN LATERAL (
                        SELECT e.at, e.body FROM event e
                        WHERE e.who = s.who AND e.at >= s.since AND e.at < least(s.until, until + 1)
                        AND (s.moves = 'all' OR e.page = (s.moves = 'browser'))
                        ORDER BY e.at DESC LIMIT most
                    ) e
                    ORDER BY e.at DESC LIMIT most
                ) e WHERE e.bytes <= most_bytes;
            END IF;
        END IF;
    END LOOP;
END $$;

-- The identifiers that lead to a root at a moment, strongest first, from one on; and whether a message has carried each.
CREATE FUNCTION names_of(root text, moment bigint, behind text, most bigint)
RETURNS TABLE (who text, carried boolean) LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE reach (who) AS (
        SELECT unnest(members_of(root)) COLLATE "C"
        UNION
        SELECT h.identifier FROM reach r CROSS JOIN LATERAL (
            SELECT h.identifier FROM holding h
            WHERE h.owner = r.who AND h.moves <> 'none' AND h.since <= moment AND h.until > moment OFFSET 0
        ) h
    )
    SELECT r.who, EXISTS (SELECT 1 FROM claim c WHERE c.weaker = r.who AND NOT c.alias)
        OR EXISTS (SELECT 1 FROM event e WHERE e.who = r.who)
    FROM (
        SELECT r.who FROM reach r
        WHERE left(r.who, 1) < left(behind, 1) OR (left(r.who, 1) = left(behind, 1) AND r.who > behind COLLATE "C")
        ORDER BY left(r.who, 1) DESC, r.who COLLATE "C" LIMIT most
    ) r
    ORDER BY left(r.who, 1) DESC, r.who COLLATE "C";
END $$;

-- The roots of profiles with an identifier from `first` on and before `behind`: of the next `most` identifiers that
-- events are filed under or that somebody holds.
CREATE FUNCTION found_identifiers(first text, behind text, most bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE filed (who) AS (
        (SELECT e.who FROM event e WHERE e.who >= first AND e.who < behind ORDER BY e.who LIMIT 1)
        UNION ALL
        SELECT next.who FROM filed CROSS JOIN LATERAL (
            SELECT e.who FROM event e WHERE e.who > filed.who AND e.who < behind ORDER BY e.who LIMIT 1
        ) next
    ), held (identifier) AS (
        (SELECT h.identifier FROM holding h WHERE h.identifier >= first AND h.identifier < behind
        ORDER BY h.identifier LIMIT 1)
        UNION ALL
        SELECT next.identifier FROM held CROSS JOIN LATERAL (
            SELECT h.identifier FROM holding h WHERE h.identifier > held.identifier AND h.identifier < behind
            ORDER BY h.identifier LIMIT 1
        ) next
    )
    (SELECT who FROM filed LIMIT most) UNION ALL (SELECT identifier FROM held LIMIT most);
END $$;

-- Lock all identifiers of an owner's profile alone, so that no writer of its events or holdings is under way. Returns
-- them; NULL if there are more than `most`, or if they have changed meanwhile.
CREATE FUNCTION lock_profile(owner text, most bigint) RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
    before text[] := ARRAY(SELECT DISTINCT s.who FROM stretches_of(owner) s ORDER BY 1);
BEGIN
    IF cardinality(before) > most THEN
        RETURN NULL;
    END IF;
    PERFORM lock_identifiers(before, array_fill(true, ARRAY[cardinality(before)]));
    IF before <> ARRAY(SELECT DISTINCT s.who FROM stretches_of(owner) s ORDER BY 1) THEN
        RETURN NULL;
    END IF;
    RETURN before;
END $$;
