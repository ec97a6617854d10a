-- name: notes
SELECT name, value FROM moving_note

-- name: put_note
INSERT INTO moving_note (name, value) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: end
DELETE FROM moving_change; DELETE FROM moving_note

-- name: left
SELECT (SELECT count(*) FROM message WHERE seq > $1), (SELECT count(*) FROM moving_change)

-- name: changes
SELECT id, name, key FROM moving_change ORDER BY id LIMIT $1

-- name: forget
DELETE FROM moving_change WHERE id = ANY ($1)

-- name: columns  With their types.
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped

-- name: complete_archive  What the archive knows of its records; if it was completed before, only of their ends again.
SET LOCAL enable_seqscan = off;
DELETE FROM record_size WHERE hour <= (SELECT (min(id) >> 21) / 3600000 FROM record)
OR hour >= (SELECT max(hour) - 1 FROM record_size);
INSERT INTO record_size (hour, bytes) SELECT (id >> 21) / 3600000, sum(octet_length(body) + 200) FROM record
WHERE id >= ((SELECT coalesce(max(hour) + 1, 0) FROM record_size) * 3600000) << 21 GROUP BY 1;
INSERT INTO record_size (hour, bytes) SELECT (id >> 21) / 3600000, sum(octet_length(body) + 200) FROM record
WHERE id < ((SELECT coalesce(min(hour), 0) FROM record_size) * 3600000) << 21 GROUP BY 1;
UPDATE source_text SET used = (SELECT coalesce(max(id) >> 21, 0) / 3600000 FROM record)

-- name: log_end
SELECT log_end()

-- name: log_next  The place of the next transaction.
SELECT log_end() + ((pg_snapshot_xmax(now)::text::bigint - pg_snapshot_xmin(now)::text::bigint) << 20)
FROM pg_current_snapshot() AS now

-- name: messages  With their events, oldest first.
SELECT m.seq, m.source, m.message_id, m.received, m.verdict, m.problems, m.type, m.name, m.who, m.raw, m.key_time, e.body
FROM message m LEFT JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
WHERE m.seq > $1 AND m.seq < $2 ORDER BY m.seq LIMIT $3

-- name: messages_at
SELECT m.seq, m.source, m.message_id, m.received, m.verdict, m.problems, m.type, m.name, m.who, m.raw, m.key_time, e.body
FROM message m LEFT JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
WHERE m.seq = ANY ($1) AND m.seq <= $2

-- name: imports
SELECT seq, at, products FROM product_import WHERE seq > $1 AND seq < $2 ORDER BY seq LIMIT $3

-- name: seal
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
END $$

-- name: unseal
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database());
END $$

-- name: strange_sessions  The users with sessions that this one may not end. It does not see much of them either.
SELECT string_agg(DISTINCT usename, ', ') FROM pg_stat_activity
WHERE datname = current_database() AND usesysid IS NOT NULL AND NOT pg_has_role(usesysid, 'USAGE')

-- name: end_sessions  All others of this database; how many there are.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND backend_start < $1
