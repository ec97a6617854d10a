-- name: root_of
SELECT root_of($1, $2)

-- name: roots_of
SELECT root_of(who, $2) FROM unnest($1::text[]) WITH ORDINALITY AS k (who, place) ORDER BY place

-- name: names_of  Of some roots, in the order of the function for each.
SELECT k.root, n.who, n.carried
FROM unnest($1::text[]) WITH ORDINALITY AS k (root, place)
CROSS JOIN LATERAL names_of(k.root, $2, $3, $4) WITH ORDINALITY AS n (who, carried, number)
ORDER BY k.place, n.number

-- name: claimers  Whoever claims some identifiers.
SELECT DISTINCT c.weaker, c.stronger FROM unnest($1::text[]) AS k (weaker) JOIN claim c ON c.weaker = k.weaker

-- name: carriers  The events of somebody that may carry a value.
SELECT body FROM event WHERE who = $1 AND position($2::bytea IN body) > 0

-- name: newest_events
SELECT at, body FROM newest_events(owner_of($1, $4), $2, $3)

-- name: load
SELECT place, root, revision, person, history, body FROM load_profiles($1, $2, $3, $4, $5, $6, $7)

-- name: recent_identifiers
SELECT who FROM (SELECT who, seq FROM message WHERE who <> 'p' ORDER BY seq DESC LIMIT $1) m
GROUP BY who ORDER BY max(seq) DESC

-- name: found_identifiers
SELECT DISTINCT who FROM found_identifiers($1, $2, $3) AS f (who) ORDER BY who

-- name: contested
SELECT c.identifier, CASE WHEN EXISTS (SELECT 1 FROM uncounted_claim WHERE weaker = c.identifier) THEN (
    SELECT count(*) FROM (
        SELECT stronger FROM claim WHERE weaker = c.identifier AND NOT alias
        UNION SELECT stronger FROM uncounted_claim WHERE weaker = c.identifier AND NOT alias
    ) k
) ELSE c.claimers END, c.at FROM contested c WHERE c.at >= $1 ORDER BY c.at DESC LIMIT $2

-- name: summary_place
SELECT CASE rules WHEN $1 THEN seq ELSE 0 END FROM profile_summary_place

-- name: go_on  Unless another process has gone on.
UPDATE profile_summary_place SET seq = $2, rules = $1 WHERE (CASE rules WHEN $1 THEN seq ELSE 0 END) = $3

-- name: next_messages
SELECT * FROM (SELECT seq, who, received FROM message WHERE seq > $1 ORDER BY seq LIMIT $2) AS next
WHERE seq < log_end() ORDER BY seq

-- name: owners_of  All users of their groups included.
SELECT DISTINCT unnest(members_of(owner_of(who, $2))) FROM unnest($1::text[]) AS k (who)

-- name: summarized  Those that have a summary by these rules.
SELECT who FROM profile_summary WHERE who = ANY($1) AND rules = $2

-- name: lock_profile
SELECT lock_profile($1, $2)

-- name: put_summary
WITH parts AS (
    INSERT INTO profile_summary_part (member, who) SELECT unnest($8::text[]), $1 ON CONFLICT DO NOTHING
)
INSERT INTO profile_summary (who, rules, root, revision, newest, person, history) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (who) DO UPDATE SET rules = excluded.rules, root = excluded.root, revision = excluded.revision,
    newest = excluded.newest, person = excluded.person, history = excluded.history
