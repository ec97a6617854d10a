-- name: present
INSERT INTO present (audience, run, who) SELECT $1, $2, who FROM unnest($3::text[]) AS who
WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'
ON CONFLICT DO NOTHING

-- name: count_present
SELECT count(*) FROM present WHERE audience = $1 AND run = $2

-- name: drop_run
DELETE FROM present WHERE audience = $1 AND run = $2

-- name: lock  Of an audience, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('audience ' || $1, 25))

-- name: known
SELECT true FROM audience WHERE name = $1

-- name: look
INSERT INTO audience (name, looked) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET looked = excluded.looked

-- name: entered
SELECT who FROM present WHERE audience = $1 AND run = $2
    AND NOT EXISTS (SELECT FROM member WHERE member.audience = $1 AND member.who = present.who)
ORDER BY who

-- name: departed
SELECT who FROM member WHERE audience = $1
    AND NOT EXISTS (SELECT FROM present WHERE present.audience = $1 AND run = $2 AND present.who = member.who)
ORDER BY who

-- name: enter
INSERT INTO member (audience, who, since) SELECT $1, who, $3 FROM present WHERE audience = $1 AND run = $2
ON CONFLICT DO NOTHING

-- name: leave
DELETE FROM member WHERE audience = $1
    AND NOT EXISTS (SELECT FROM present WHERE present.audience = $1 AND run = $2 AND present.who = member.who)

-- name: point  The day's point: the newest size, and all who came and went.
INSERT INTO size AS old (audience, day, size, entered, departed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (audience, day) DO UPDATE SET size = excluded.size, entered = coalesce(old.entered, 0) + excluded.entered,
    departed = coalesce(old.departed, 0) + excluded.departed

-- name: trace_back  Days with a computation stay as they are.
INSERT INTO size AS old (audience, day, size) SELECT $1, day, size FROM unnest($2::bigint[], $3::bigint[]) AS new (day, size)
ON CONFLICT (audience, day) DO UPDATE SET size = excluded.size WHERE old.entered IS NULL

-- name: audiences_of
SELECT m.who, a.name FROM audience a JOIN member m ON m.audience = a.name
WHERE m.who = ANY($1::text[]) ORDER BY a.name

-- name: page
SELECT who FROM member WHERE audience = $1 AND who > $2 ORDER BY who LIMIT $3

-- name: points
SELECT day, size, entered, departed FROM size WHERE audience = $1 AND day >= $2 ORDER BY day

-- name: since
SELECT since FROM member WHERE audience = $1 AND who = $2

-- name: tell
INSERT INTO delivery (audience, id, move, who, at, due)
SELECT $1, id, $2, who, $3, $3 FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS new (id, who, n) ORDER BY n
ON CONFLICT DO NOTHING

-- name: due  The oldest first, and of one member only the first that waits: nobody may leave before they came.
SELECT id, move, who, at, tries, $2::bigint, why FROM delivery AS each
WHERE audience = $1 AND state = 0 AND due <= $2 AND NOT EXISTS (
    SELECT FROM delivery AS first WHERE first.audience = $1 AND first.who = each.who AND first.seq < each.seq
        AND first.state = 0
) ORDER BY due, seq LIMIT $3

-- name: settle
UPDATE delivery SET state = new.state, due = new.due, why = new.why, tries = tries + 1
FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::text[]) AS new (id, state, due, why)
WHERE delivery.id = new.id AND delivery.state = 0

-- name: of_state
SELECT id, move, who, at, tries, due, why FROM delivery WHERE audience = $1 AND state = $2 ORDER BY seq DESC LIMIT $3

-- name: tallies
SELECT state, count(*) FROM delivery WHERE audience = $1 GROUP BY state

-- name: again  Dead ones get all their tries anew.
UPDATE delivery SET state = 0, due = $2, tries = 0 WHERE audience = $1 AND state = 2 AND ($3 = '' OR id = $3)
RETURNING id

-- name: clean  What was delivered long ago.
DELETE FROM delivery WHERE state = 1 AND due < $1

-- name: unlooked
SELECT name FROM audience WHERE looked < $1

-- name: forget_members
DELETE FROM member WHERE audience = $1

-- name: forget_audience
DELETE FROM audience WHERE name = $1

-- name: abandon  What is not delivered yet of an audience that is gone.
DELETE FROM delivery WHERE audience = $1 AND state = 0

-- name: left  Of computations that never ended.
DELETE FROM present WHERE run < $1
