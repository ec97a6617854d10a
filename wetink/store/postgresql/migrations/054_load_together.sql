-- The profiles of a call are read together, in a few statements for all of them: a statement over the partitions of events
-- takes longer to begin than to read somebody's events. The results are those of the function before (012).
CREATE OR REPLACE FUNCTION load_profiles(
    whos text[], revisions text[], moments bigint[], by_rules bigint, brief boolean, most bigint, most_bytes bigint
) RETURNS TABLE (place integer, root text, revision text, person bytea, history bytea, body bytea)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
    ever constant bigint := (1::bigint << 62) - 1;
    replays constant bigint := (SELECT count FROM replay);
    todo integer[] := '{}';
    changed integer[];
    owners text[] := whos;
    ends bigint[] := array_fill(ever, ARRAY[cardinality(whos)]);
    found record;
    numbers integer[];
    names text[];
    froms bigint[];
    tos bigint[];
    moved text[];
BEGIN
    FOR i IN 1 .. cardinality(whos) LOOP
        todo[i] := i;
        IF left(whos[i], 1) <> 'u' THEN
            owners[i] := owner_of(whos[i], ever);
        END IF;
    END LOOP;
    IF by_rules IS NOT NULL THEN
        FOR found IN
            SELECT o.number::integer, s.* FROM unnest(owners) WITH ORDINALITY AS o (who, number) CROSS JOIN LATERAL (
                SELECT s.root, s.revision, s.newest, s.person, CASE WHEN brief THEN '' ELSE s.history END AS history
                FROM profile_summary s WHERE s.who = o.who AND s.rules = by_rules OFFSET 0
            ) s WHERE s.newest <= moments[o.number]
        LOOP
            todo := array_remove(todo, found.number);
            IF found.revision <> revisions[found.number] THEN
                place := found.number - 1;
                root := found.root;
                revision := found.revision;
                person := found.person;
                history := found.history;
                RETURN NEXT;
            END IF;
        END LOOP;
        person := NULL;
        history := NULL;
    END IF;
    WHILE todo <> '{}' LOOP
        SELECT array_agg(t.number), array_agg(s.who), array_agg(s.since), array_agg(s.until), array_agg(s.moves)
        INTO numbers, names, froms, tos, moved
        FROM unnest(todo) AS t (number) CROSS JOIN LATERAL stretches_of(owners[t.number]) s;
        todo := '{}';
        changed := '{}';
        FOR found IN
            SELECT s.number, max(e.newest) AS newest,
                string_agg(concat_ws(' ', s.who, s.since, s.until, s.moves, e.n, e.ats, e.prints), E'\n' ORDER BY s.n)
                    AS digest,
                coalesce((SELECT j.root FROM joined j WHERE j.member = owners[s.number]), owners[s.number]) AS root
            FROM unnest(numbers, names, froms, tos, moved) WITH ORDINALITY AS s (number, who, since, until, moves, n)
            CROSS JOIN LATERAL (
                SELECT count(*) AS n, sum(e.at) AS ats, sum(e.fingerprint) AS prints, max(e.at) AS newest FROM (
                    SELECT e.at, e.fingerprint FROM event e
                    WHERE e.who = s.who AND e.at >= s.since AND e.at < least(s.until, ends[s.number] + 1)
                    AND (s.moves = 'all' OR e.page = (s.moves = 'browser'))
                    ORDER BY e.at DESC LIMIT 1000
                ) e
            ) e
            GROUP BY s.number
        LOOP
            place := found.number;
            IF found.newest > moments[place] THEN  -- some of the events may belong to others then
                owners[place] := owner_of(whos[place], moments[place]);
                ends[place] := moments[place];
                todo := todo || place;
                CONTINUE;
            END IF;
            root := found.root;
            revision := md5(found.digest || E'\n' || replays) || root;
            IF revision <> revisions[place] THEN
                changed := changed || place;
                place := place - 1;
                RETURN NEXT;
            END IF;
        END LOOP;
        CONTINUE WHEN changed = '{}';
        RETURN QUERY SELECT e.number - 1, NULL, NULL, NULL::bytea, NULL::bytea, e.body FROM (
            SELECT s.number, e.body, row_number() OVER newest AS n, sum(octet_length(e.body)) OVER newest AS bytes
            FROM unnest(numbers, names, froms, tos, moved) AS s (number, who, since, until, moves) CROSS JOIN LATERAL (
                SELECT e.at, e.body FROM event e
                WHERE e.who = s.who AND e.at >= s.since AND e.at < least(s.until, ends[s.number] + 1)
                AND (s.moves = 'all' OR e.page = (s.moves = 'browser'))
                ORDER BY e.at DESC LIMIT most
            ) e
            WHERE s.number = ANY(changed)
            WINDOW newest AS (PARTITION BY s.number ORDER BY e.at DESC ROWS UNBOUNDED PRECEDING)
        ) e WHERE e.n <= most AND e.bytes <= most_bytes;
    END LOOP;
END $$;
