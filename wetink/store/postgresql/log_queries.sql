-- name: append  The fingerprints of new messages.
SELECT append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: names_of
SELECT fingerprint, source, message_id FROM message WHERE fingerprint = ANY($1)

-- name: lock_later  The messages that have a later time than a copy, and that time.
SELECT m.fingerprint, m.at
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS k (print, at, who, key_time)
JOIN message m ON m.fingerprint = k.print AND m.at > k.at AND m.who = k.who AND m.key_time = k.key_time
ORDER BY m.fingerprint FOR UPDATE OF m

-- name: event
SELECT body FROM event WHERE who = $1 AND at = $2 AND fingerprint = $3

-- name: move_event  To another time.
WITH noted AS (
    INSERT INTO event_change (fingerprint, seq, who) VALUES ($3, log_begin(), $1) ON CONFLICT DO NOTHING
)
UPDATE event SET at = $4, body = $5 WHERE who = $1 AND at = $2 AND fingerprint = $3

-- name: move_message
UPDATE message SET at = $2 WHERE fingerprint = $1

-- name: messages
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE seq < $1 ORDER BY seq DESC LIMIT $2

-- name: messages_of_verdict
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE verdict = $3 AND seq < $1 ORDER BY seq DESC LIMIT $2

-- name: messages_in_trouble  The same by an index that has only those.
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE verdict = $3 AND verdict > 0 AND seq < $1 ORDER BY seq DESC LIMIT $2

-- name: messages_after  Oldest first, up to the first that may still come. The end of the log is compared afterwards, here and
-- below: with both limits, the plan of a new table reads all messages between them, and sorts them.
SELECT * FROM (
    SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
    WHERE seq > $1 ORDER BY seq LIMIT $2
) AS next WHERE seq < log_end() ORDER BY seq

-- name: end_of_log
SELECT coalesce(max(seq), 0), (SELECT count FROM replay) FROM message WHERE seq < log_end()

-- name: place_of
SELECT log_place($1), (SELECT count FROM replay)

-- name: named_after  The usable events with some names among the next messages, and how often messages were replayed. With
-- OFFSET 0, no plan reads all events for a few messages.
SELECT replay.count, m.seq, e.body FROM (SELECT count FROM replay LIMIT 1) AS replay
LEFT JOIN (
    SELECT seq, who, at, fingerprint, name = ANY($3) AND verdict = 0 AS wanted FROM message
    WHERE seq > $1 ORDER BY seq LIMIT $2
) m ON m.seq < log_end()
LEFT JOIN LATERAL (
    SELECT body FROM event e WHERE m.wanted AND e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint OFFSET 0
) e ON true
ORDER BY m.seq

-- name: stored  Messages by their positions, with their events.
SELECT m.seq, m.fingerprint, m.who, m.at, e.body FROM message m
LEFT JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
WHERE m.seq = ANY($1)

-- name: lock_stored
SELECT FROM message WHERE seq = ANY($1) ORDER BY fingerprint FOR UPDATE

-- name: delete_event
WITH noted AS (
    INSERT INTO event_change (fingerprint, seq, who) VALUES ($3, log_begin(), $1) ON CONFLICT DO NOTHING
)
DELETE FROM event WHERE who = $1 AND at = $2 AND fingerprint = $3

-- name: insert_event
INSERT INTO event (who, at, fingerprint, page, body) VALUES ($1, $2, $3, $4, $5)

-- name: renew_message
UPDATE message SET verdict = $2, problems = $3, type = $4, name = $5, who = $6, at = $7 WHERE fingerprint = $1

-- name: count_replay
UPDATE replay SET count = count + 1
