-- name: insert  An event as it is now, by its place.
INSERT OR REPLACE INTO outcome (who, key_time, fingerprint, name, at, id)
SELECT who, key_time, fingerprint, ?, at, ? FROM event WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: followed
SELECT name, seq FROM outcome_scan

-- name: follow
INSERT OR IGNORE INTO outcome_scan (name, seq) VALUES (?, ?)

-- name: follow_to
INSERT INTO outcome_scan (name, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM message

-- name: replays
SELECT count FROM replays

-- name: empty
DELETE FROM outcome; UPDATE outcome_scan SET seq = 0

-- name: in_messages  Usable events of some names among the messages of (seq, seq].
SELECT who, key_time, fingerprint, name, body FROM logged
WHERE seq > ? AND seq <= ? AND verdict = 0 AND type = 'track' AND name IN (SELECT value FROM json_each(?)) ORDER BY seq

-- name: between  All that is told in a span, with whatever else is ever told of the same ids.
WITH told AS (
    SELECT who, key_time, fingerprint, id FROM outcome
    WHERE name IN (SELECT value FROM json_each(?1)) AND at >= ?2 AND at < ?3
)
SELECT event.body, told.who FROM told JOIN event USING (who, key_time, fingerprint)
UNION
SELECT event.body, other.who
FROM (SELECT DISTINCT id FROM told WHERE id <> '') JOIN outcome AS other USING (id) JOIN event USING (who, key_time, fingerprint)
WHERE other.id <> '' AND other.name IN (SELECT value FROM json_each(?1))

-- name: had_purchases
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'purchase'
