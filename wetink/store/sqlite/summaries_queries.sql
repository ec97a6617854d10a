-- name: summary
SELECT body FROM summed_up WHERE id = ? AND who = ? AND rules = ?

-- name: some
SELECT EXISTS (SELECT 1 FROM summed_up)

-- name: put
INSERT INTO summed_up (id, who, rules, body) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET who = excluded.who, rules = excluded.rules, body = excluded.body

-- name: put_with
INSERT OR IGNORE INTO summed_up_with (member, id) VALUES (?, ?)

-- name: delete  Those of the fingerprints in a JSON list.
DELETE FROM summed_up WHERE id IN (SELECT value FROM json_each(?))

-- name: with_them
SELECT DISTINCT id FROM summed_up_with WHERE member IN (SELECT value FROM json_each(?))

-- name: delete_with
DELETE FROM summed_up_with WHERE member IN (SELECT value FROM json_each(?))

-- name: delete_all
DELETE FROM summed_up; DELETE FROM summed_up_with

-- name: place
SELECT CASE rules WHEN ? THEN seq ELSE 0 END FROM summing_up

-- name: go_on
UPDATE summing_up SET seq = ?, rules = ?

-- name: quiet  How far messages of (seq, seq] were received by then.
SELECT coalesce(max(seq), ?1) FROM message WHERE seq > ?1 AND seq <= ?2 AND received <= ?3

-- name: heard_from  Who messages of (seq, seq] are of.
SELECT DISTINCT who FROM message WHERE seq > ? AND seq <= ? AND who <> 'p'

-- name: owners
SELECT owner FROM holding WHERE identifier = ?

-- name: rows  As many as are asked for.
SELECT key_time, at, body FROM event WHERE who = ? AND at >= ? AND at < ? LIMIT ?
