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

-- name: ids_between
SELECT DISTINCT id FROM outcome WHERE name IN (SELECT value FROM json_each(?)) AND at >= ? AND at < ? AND id <> ''

-- name: places_between  Of what is told without an id.
SELECT who, key_time, fingerprint FROM outcome
WHERE name IN (SELECT value FROM json_each(?)) AND at >= ? AND at < ? AND id = ''

-- name: of_ids  All that is ever told of some ids.
SELECT event.body, outcome.who
FROM json_each(?2) AS wanted CROSS JOIN outcome ON outcome.id = wanted.value JOIN event USING (who, key_time, fingerprint)
WHERE outcome.id <> '' AND outcome.name IN (SELECT value FROM json_each(?1))

-- name: of_places
SELECT event.body, outcome.who
FROM json_each(?2) AS wanted CROSS JOIN outcome ON outcome.who = wanted.value ->> 0
    AND outcome.key_time = wanted.value ->> 1 AND outcome.fingerprint = wanted.value ->> 2
JOIN event USING (who, key_time, fingerprint)
WHERE outcome.name IN (SELECT value FROM json_each(?1))

-- name: had_purchases
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'purchase'
