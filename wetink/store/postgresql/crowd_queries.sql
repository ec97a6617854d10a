-- name: state
SELECT log_end(), (SELECT log FROM replay), coalesce((
    SELECT sum(reltuples::bigint) FROM pg_class WHERE oid = 'message'::regclass AND reltuples > 0
), 0)

-- name: count
SELECT count(*) FROM (SELECT FROM message LIMIT $1) m

-- name: news  How many messages and changed events there are from a position on.
SELECT (SELECT count(*) FROM (SELECT FROM message WHERE seq >= $1 LIMIT $2) m)
    + (SELECT count(*) FROM (SELECT FROM event_change WHERE seq >= $1 LIMIT $2) c)

-- name: events_from
SELECT m.seq, m.who, e.body FROM (SELECT * FROM message WHERE seq >= $1 ORDER BY seq LIMIT $2) m
LEFT JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
ORDER BY m.seq

-- name: changed  The identifiers of events that were changed from a position on, and the events as they are now.
SELECT c.who, m.who, e.body
FROM (SELECT DISTINCT fingerprint, who FROM event_change WHERE seq >= $1) c
JOIN message m ON m.fingerprint = c.fingerprint
LEFT JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint

-- name: groups_of  All users that are one person with some of these.
SELECT member FROM joined WHERE root IN (SELECT root FROM joined WHERE member = ANY($1))

-- name: claimed_by_pages
SELECT DISTINCT weaker FROM claim WHERE stronger = ANY($1) AND level = 'browser'

-- name: owners  The roots of all profiles that ever own some identifiers.
WITH RECURSIVE owner (who) AS (
    SELECT unnest($1::text[]) COLLATE "C"
    UNION
    SELECT h.owner FROM owner CROSS JOIN LATERAL (
        SELECT h.owner FROM holding h WHERE h.identifier = owner.who AND left(owner.who, 1) <> 'u' OFFSET 0
    ) h
)
SELECT DISTINCT root_of(who, $2) FROM owner WHERE left(who, 1) = 'u' OR owner_of(who, $2) = who

-- name: filed  The next identifiers that events are filed under: each with its root, and whether others share that.
SELECT f.who, root_of(f.who, $2), EXISTS (SELECT 1 FROM joined j WHERE j.member = f.who)
FROM (SELECT DISTINCT who FROM event WHERE who > $1 ORDER BY who LIMIT $3) f ORDER BY f.who

-- name: owning  The next owners of identifiers, the same of each, if no event is filed under them.
SELECT o.owner, root_of(o.owner, $2), EXISTS (SELECT 1 FROM joined j WHERE j.member = o.owner),
    EXISTS (SELECT 1 FROM event e WHERE e.who = o.owner)
FROM (SELECT DISTINCT owner FROM holding WHERE owner > $1 ORDER BY owner LIMIT $3) o ORDER BY o.owner

-- name: profiles  The identifiers and events of roots.
SELECT k.root, s.who, e.body
FROM unnest($1::text[]) AS k (root) CROSS JOIN LATERAL stretches_of(k.root) s
LEFT JOIN LATERAL (
    SELECT e.body FROM event e WHERE e.who = s.who AND e.at >= s.since AND e.at < s.until
    AND (s.moves = 'all' OR e.page = (s.moves = 'browser')) OFFSET 0
) e ON true
WHERE root_of(k.root, $2) = k.root
