-- name: summary
SELECT root, revision, newest, person, history FROM person_summary WHERE id = ? AND who = ? AND rules = ?

-- name: brief
SELECT root, revision, newest, person FROM person_summary WHERE id = ? AND who = ? AND rules = ?

-- name: some
SELECT EXISTS (SELECT 1 FROM person_summary)

-- name: put
INSERT INTO person_summary (id, who, rules, root, revision, newest, person, history) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET who = excluded.who, rules = excluded.rules, root = excluded.root,
    revision = excluded.revision, newest = excluded.newest, person = excluded.person, history = excluded.history

-- name: put_with
INSERT OR IGNORE INTO person_summary_part (member, id) VALUES (?, ?)

-- name: delete  Those of the fingerprints in a JSON list.
DELETE FROM person_summary WHERE id IN (SELECT value FROM json_each(?))

-- name: with_them
SELECT DISTINCT id FROM person_summary_part WHERE member IN (SELECT value FROM json_each(?))

-- name: delete_with
DELETE FROM person_summary_part WHERE member IN (SELECT value FROM json_each(?))

-- name: place
SELECT CASE rules WHEN ? THEN seq ELSE 0 END FROM person_summary_place

-- name: go_on
UPDATE person_summary_place SET seq = ?, rules = ?

-- name: quiet  How far messages of (seq, seq] were received by then.
SELECT coalesce(max(seq), ?1) FROM message WHERE seq > ?1 AND seq <= ?2 AND received <= ?3

-- name: heard_from  Who messages of (seq, seq] are of.
SELECT DISTINCT who FROM message WHERE seq > ? AND seq <= ? AND who <> 'p'

-- name: owners
SELECT owner FROM holding WHERE identifier = ?
