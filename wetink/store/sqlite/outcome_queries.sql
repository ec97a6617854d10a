-- name: insert
INSERT OR REPLACE INTO outcome (who, key_time, fingerprint, name, at, id) VALUES (?, ?, ?, ?, ?, ?)

-- name: delete
DELETE FROM outcome WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: move
UPDATE outcome SET at = ? WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: scanned
SELECT name, seq FROM outcome_scan

-- name: scan_to
INSERT INTO outcome_scan (name, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq

-- name: scan_done
DELETE FROM outcome_scan WHERE name = ?

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM message

-- name: in_messages  Usable events of some names among the messages of (seq, seq].
SELECT event.who, event.key_time, event.fingerprint, message.name, event.at, event.body
FROM message CROSS JOIN event ON event.who = message.who AND event.seq = message.seq
WHERE message.seq > ? AND message.seq <= ? AND message.verdict = 0
  AND message.name IN (SELECT value FROM json_each(?)) ORDER BY message.seq

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

-- name: purchases  Of a file of an earlier version.
SELECT who, key_time, fingerprint, event.at, body FROM purchase JOIN event USING (who, key_time, fingerprint)
