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

-- name: changed_everywhere
INSERT INTO outcome_change (width, start, changes) VALUES (0, 0, 1) ON CONFLICT DO UPDATE SET changes = changes + 1

-- name: changed_at  The spans of some times.
INSERT INTO outcome_change (width, start, changes)
SELECT DISTINCT width, at - ((at % width) + width) % width, 1 FROM (SELECT value AS at FROM json_each(?))
CROSS JOIN (SELECT 60000 AS width UNION SELECT 3600000 UNION SELECT 86400000) WHERE true
ON CONFLICT DO UPDATE SET changes = changes + 1

-- name: times_about  The times of events at some places, and of all others of the same orders.
WITH own AS MATERIALIZED (
    SELECT outcome.id, outcome.at FROM json_each(?) AS wanted CROSS JOIN outcome ON outcome.who = wanted.value ->> 0
        AND outcome.key_time = wanted.value ->> 1 AND outcome.fingerprint = wanted.value ->> 2
)
SELECT at FROM own
UNION SELECT outcome.at FROM (SELECT DISTINCT id FROM own WHERE id <> '') AS own
CROSS JOIN outcome ON outcome.id = own.id WHERE outcome.id <> ''

-- name: newest_owner_change
SELECT coalesce(max(id), 0) FROM owner_change

-- name: last_owner_change  The last of the next ones, up to one.
SELECT coalesce(max(id), 0) FROM (SELECT id FROM owner_change WHERE id <= ? ORDER BY id LIMIT ?)

-- name: forget_owner_changes
DELETE FROM owner_change WHERE id <= ?

-- name: about_owners  Whose conversions some changes of owners may concern: all above those identifiers, and below these.
WITH RECURSIVE up (who) AS (
    SELECT identifier FROM owner_change WHERE id <= ?1
    UNION SELECT owner FROM owner_change WHERE id <= ?1
    UNION SELECT holding.owner FROM up CROSS JOIN holding ON holding.identifier = up.who
    UNION SELECT joined.root FROM up CROSS JOIN joined ON joined.member = up.who
    UNION SELECT joined.member FROM up CROSS JOIN joined ON joined.root = up.who
), reach (who) AS (
    SELECT who FROM up
    UNION SELECT holding.identifier FROM reach CROSS JOIN holding ON holding.owner = reach.who
    LIMIT ?2
)
SELECT who FROM reach

-- name: times_of  The times of all events that are filed under some identifiers, and of all others of the same orders.
WITH own AS MATERIALIZED (
    SELECT outcome.id, outcome.at FROM json_each(?) AS wanted CROSS JOIN outcome ON outcome.who = wanted.value
)
SELECT at FROM own
UNION SELECT outcome.at FROM (SELECT DISTINCT id FROM own WHERE id <> '') AS own
CROSS JOIN outcome ON outcome.id = own.id WHERE outcome.id <> ''

-- name: changes
SELECT start, changes, coalesce((SELECT changes FROM outcome_change WHERE width = 0 AND start = 0), 0)
FROM outcome_change WHERE width = ?1 AND start > ?2 - ?1 AND start < ?3

-- name: in_messages  Usable events of some names among the messages of (seq, seq].
SELECT who, key_time, fingerprint, name, body FROM logged
WHERE seq > ? AND seq <= ? AND verdict = 0 AND type = 'track' AND name IN (SELECT value FROM json_each(?)) ORDER BY seq

-- name: ids_between
SELECT DISTINCT id FROM outcome WHERE name IN (SELECT value FROM json_each(?)) AND at >= ? AND at < ? AND id <> ''

-- name: places_between  Events without an id.
SELECT who, key_time, fingerprint FROM outcome
WHERE name IN (SELECT value FROM json_each(?)) AND at >= ? AND at < ? AND id = ''

-- name: of_ids  All events of some ids.
SELECT event.body, outcome.who
FROM json_each(?2) AS wanted CROSS JOIN outcome ON outcome.id = wanted.value JOIN event USING (who, key_time, fingerprint)
WHERE outcome.id <> '' AND outcome.name IN (SELECT value FROM json_each(?1))

-- name: of_places
SELECT event.body, outcome.who
FROM json_each(?2) AS wanted CROSS JOIN outcome ON outcome.who = wanted.value ->> 0
    AND outcome.key_time = wanted.value ->> 1 AND outcome.fingerprint = wanted.value ->> 2
JOIN event USING (who, key_time, fingerprint)
WHERE outcome.name IN (SELECT value FROM json_each(?1))
