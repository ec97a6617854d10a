-- name: count
SELECT count(*) FROM message

-- name: places  How far the names have been followed, where the log ends for followers, the number of replays,
-- and whether owners have changed.
SELECT (SELECT coalesce(max(seq), 0) FROM message WHERE seq < log_end()) AS last,
    (SELECT generation FROM projection WHERE projection.name = 'conversions') AS generation,
    EXISTS (SELECT FROM owner_change) AS moved,
    ARRAY(SELECT name FROM outcome_name ORDER BY name) AS names,
    ARRAY(SELECT seq FROM outcome_name ORDER BY name) AS seqs

-- name: slice  The usable events of some names among the next messages; last, without an event, the place of the last
-- of these messages.
WITH slice AS MATERIALIZED (
    SELECT seq, fingerprint, verdict, type, name, who, at FROM message WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $4
)
SELECT slice.seq, slice.fingerprint, slice.name, slice.who, found.body FROM slice CROSS JOIN LATERAL (
    SELECT body FROM event e WHERE e.who = slice.who AND e.at = slice.at AND e.fingerprint = slice.fingerprint OFFSET 0
) found
WHERE slice.verdict = 0 AND slice.type = 'track' AND slice.name = ANY ($3::text[])
UNION ALL
SELECT max(seq), count(*), NULL, NULL, NULL FROM slice

-- name: hold  Duplicates of these messages wait from here on, so that their times stay.
SELECT fingerprint FROM message WHERE fingerprint = ANY ($1) ORDER BY fingerprint FOR SHARE

-- name: current  Others that write conversions wait from here on.
SELECT build, generation FROM projection WHERE name = 'conversions' FOR UPDATE

-- name: insert  Events as they are now. Returns those that are new or differ.
INSERT INTO outcome AS o (fingerprint, name, at, who, id, build)
SELECT m.fingerprint, g.name, m.at, m.who, g.id, $4
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS g (fingerprint, name, id) JOIN message m USING (fingerprint)
ORDER BY m.fingerprint
ON CONFLICT (fingerprint) DO UPDATE
SET name = excluded.name, at = excluded.at, who = excluded.who, id = excluded.id, build = excluded.build
WHERE (o.name, o.at, o.who, o.id, o.build) <> (excluded.name, excluded.at, excluded.who, excluded.id, excluded.build)
RETURNING fingerprint

-- name: followed
INSERT INTO outcome_name AS n (name, seq) SELECT name, $2 FROM unnest($1::text[]) AS g (name) ORDER BY name
ON CONFLICT (name) DO UPDATE SET seq = greatest(n.seq, excluded.seq)

-- name: renewed  The events of renewed messages that are followed.
SELECT m.fingerprint, m.name, e.body
FROM message m JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
WHERE m.fingerprint = ANY ($1) AND m.verdict = 0 AND m.type = 'track' AND m.name IN (SELECT name FROM outcome_name)

-- name: stored  Rows of some messages, and whether their time and identifier are those of the message.
SELECT o.fingerprint, o.name, o.id, (o.at, o.who) = (m.at, m.who)
FROM outcome o JOIN message m USING (fingerprint) WHERE o.fingerprint = ANY ($1)

-- name: delete
DELETE FROM outcome WHERE fingerprint = ANY ($1)

-- name: changed  A change of some events.
SELECT outcome_changed(outcome_times($1))

-- name: changed_everywhere
INSERT INTO outcome_change AS c (width, start, changes) VALUES (0, 0, 1)
ON CONFLICT (width, start) DO UPDATE SET changes = c.changes + 1

-- name: owner_changes
SELECT id, identifier, owner FROM owner_change ORDER BY id LIMIT $1

-- name: forget_owner_changes
DELETE FROM owner_change WHERE id = ANY ($1)

-- name: around  Whose conversions changes of owners of some identifiers may concern: all above these, and below those.
WITH RECURSIVE up (who) AS (
    SELECT who COLLATE "C" FROM unnest($1::text[]) AS given (who)
    UNION SELECT above.who FROM up CROSS JOIN LATERAL (
        SELECT owner FROM holding WHERE identifier = up.who
        UNION ALL SELECT root FROM joined WHERE member = up.who
        UNION ALL SELECT member FROM joined WHERE root = up.who
    ) AS above (who)
), reach (who) AS (
    SELECT who FROM up
    UNION SELECT below.identifier FROM reach CROSS JOIN LATERAL (
        SELECT identifier FROM holding WHERE owner = reach.who OFFSET 0
    ) AS below
)
SELECT who FROM reach LIMIT $2

-- name: changed_around  The events that are filed under some identifiers.
SELECT outcome_changed(outcome_times(ARRAY(SELECT fingerprint FROM outcome WHERE who = ANY ($1))))

-- name: changes
SELECT start, changes, coalesce((SELECT changes FROM outcome_change WHERE width = 0 AND start = 0), 0)
FROM outcome_change WHERE width = $1 AND start > $2 - $1 AND start < $3

-- name: next_generation  Others wait from here on, until this transaction ends.
UPDATE projection SET generation = generation + 1 WHERE name = 'conversions' RETURNING build

-- name: next_build
UPDATE projection SET build = nextval('projection_build'), generation = generation + 1 WHERE name = 'conversions'
RETURNING build

-- name: delete_old
DELETE FROM outcome WHERE ctid = ANY (ARRAY(SELECT ctid FROM outcome WHERE build < $1 LIMIT $2))

-- name: page  The next events of a name in a span, and whether an earlier one of the span has the same id: of the same
-- name, or of a name that was read before.
SELECT o.at, o.fingerprint, o.id, o.id <> '' AND EXISTS (
    SELECT FROM outcome p WHERE p.id = o.id AND p.id <> '' AND p.at >= $4 AND p.at < $5
    AND (p.name = ANY ($6::text[]) OR (p.name = o.name AND (p.at, p.fingerprint) < (o.at, o.fingerprint)))
) AS repeated
FROM outcome o WHERE o.name = $1 AND (o.at, o.fingerprint) > ($2, $3) AND o.at < $5
ORDER BY o.at, o.fingerprint LIMIT $7

-- name: of_ids  All events of some ids, with the roots that own the events.
SELECT event_root(o.who, o.at, e.page), e.body
FROM outcome o JOIN event e ON e.who = o.who AND e.at = o.at AND e.fingerprint = o.fingerprint
WHERE o.id = ANY ($2) AND o.id <> '' AND o.name = ANY ($1)

-- name: of_places
SELECT event_root(o.who, o.at, e.page), e.body
FROM outcome o JOIN event e ON e.who = o.who AND e.at = o.at AND e.fingerprint = o.fingerprint
WHERE o.fingerprint = ANY ($2) AND o.name = ANY ($1)
