-- name: summary  Unless events have come since.
SELECT body FROM summary AS kept WHERE id = ? AND who = ? AND rules = ?
AND NOT EXISTS (SELECT 1 FROM event WHERE who = kept.who AND key_time > kept.until)
AND (second = '' OR NOT EXISTS (SELECT 1 FROM event WHERE who = kept.second AND key_time > kept.until))
AND (third = '' OR NOT EXISTS (SELECT 1 FROM event WHERE who = kept.third AND key_time > kept.until))
AND (fourth = '' OR NOT EXISTS (SELECT 1 FROM event WHERE who = kept.fourth AND key_time > kept.until))

-- name: put
INSERT INTO summary (id, who, rules, until, second, third, fourth, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET who = excluded.who, rules = excluded.rules, until = excluded.until, second = excluded.second, third = excluded.third,
fourth = excluded.fourth, body = excluded.body

-- name: delete
DELETE FROM summary WHERE id = ?

-- name: delete_all
DELETE FROM summary

-- name: summarized
SELECT CASE rules WHEN ? THEN seq ELSE 0 END FROM summarized

-- name: horizon
SELECT horizon FROM summarized

-- name: go_on
UPDATE summarized SET seq = ?, rules = ?, horizon = max(horizon, ?)

-- name: quiet  How far messages of (seq, seq] were received by then.
SELECT coalesce(max(seq), ?1) FROM message WHERE seq > ?1 AND seq <= ?2 AND received <= ?3

-- name: heard_from  Who messages of (seq, seq] are of.
SELECT DISTINCT who FROM message WHERE seq > ? AND seq <= ? AND who <> 'p'

-- name: owners
SELECT owner FROM holding WHERE identifier = ?

-- name: rows  As many as are asked for.
SELECT key_time, at, body FROM event WHERE who = ? AND at >= ? AND at < ? LIMIT ?
