-- name: empty
DELETE FROM temp.present

-- name: present
INSERT OR IGNORE INTO temp.present (who) VALUES (?)

-- name: known
SELECT looked FROM audience WHERE name = ?

-- name: look
INSERT INTO audience (name, looked) VALUES (?, ?) ON CONFLICT DO UPDATE SET looked = excluded.looked

-- name: entered
SELECT who FROM temp.present EXCEPT SELECT who FROM member WHERE audience = ?

-- name: departed
SELECT who FROM member WHERE audience = ? EXCEPT SELECT who FROM temp.present

-- name: enter
INSERT INTO member (audience, who, since) VALUES (?, ?, ?)

-- name: leave
DELETE FROM member WHERE audience = ? AND who = ?

-- name: count_present
SELECT count(*) FROM temp.present

-- name: point  The day's point: the newest size, and all who came and went.
INSERT INTO size (audience, day, size, entered, departed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET size = excluded.size, entered = entered + excluded.entered,
                          departed = departed + excluded.departed

-- name: trace_back  Days that somebody looked on stay as they are.
INSERT INTO size (audience, day, size) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET size = excluded.size WHERE entered IS NULL

-- name: points
SELECT day, size, entered, departed FROM size WHERE audience = ? AND day >= ? ORDER BY day

-- name: since
SELECT since FROM member WHERE audience = ? AND who = ?

-- name: audiences_of  Of a JSON list of members.
SELECT who, name FROM audience CROSS JOIN member ON audience = name
WHERE who IN (SELECT value FROM json_each(?)) ORDER BY name

-- name: some_audience
SELECT 1 FROM audience LIMIT 1

-- name: page
SELECT who FROM member WHERE audience = ? AND who > ? ORDER BY who LIMIT ?

-- name: unlooked
SELECT name FROM audience WHERE looked < ?

-- name: forget_members
DELETE FROM member WHERE audience = ?

-- name: forget_audience
DELETE FROM audience WHERE name = ?

-- name: abandon  Changes of a deleted audience that are not delivered yet.
DELETE FROM delivery WHERE audience = ? AND state = 0

-- name: tell
INSERT OR IGNORE INTO delivery (id, audience, move, who, at, due) VALUES (?, ?, ?, ?, ?, ?)

-- name: due  The oldest first, and of one member only the first that waits: nobody may leave before they came.
SELECT id, move, who, at, tries, why FROM delivery AS each WHERE audience = ?1 AND state = 0 AND due <= ?2
AND NOT EXISTS (
    SELECT 1 FROM delivery WHERE audience = ?1 AND who = each.who AND seq < each.seq AND state = 0
) ORDER BY due LIMIT ?3

-- name: settle
UPDATE delivery SET state = ?, due = ?, why = ?, tries = tries + 1 WHERE id = ? AND state = 0

-- name: of_state
SELECT id, move, who, at, tries, due, why FROM delivery WHERE audience = ? AND state = ? ORDER BY seq DESC LIMIT ?

-- name: tallies
SELECT state, count(*) FROM delivery WHERE audience = ? GROUP BY state

-- name: again  Dead ones get all their tries anew.
UPDATE delivery SET state = 0, due = ?, tries = 0 WHERE audience = ? AND state = 2 AND (?3 = '' OR id = ?3)

-- name: clean  What was delivered long ago.
DELETE FROM delivery WHERE state = 1 AND due < ?
