-- name: share  A lock that all who write records share, while nobody deletes unused texts.
SELECT pg_advisory_xact_lock_shared(20, 3)

-- name: exclude  The same lock, alone.
SELECT pg_advisory_xact_lock(20, 3)

-- name: insert_texts
INSERT INTO source_text AS old (id, used, body) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])
ON CONFLICT (id) DO UPDATE SET used = excluded.used WHERE old.used < excluded.used

-- name: insert  With the bytes that they take, also outside of their bodies.
WITH new AS (
    INSERT INTO record (id, recipient, block, block_part, template_part, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[])
    ON CONFLICT DO NOTHING RETURNING id, octet_length(body) + 200 AS bytes
)
INSERT INTO record_size AS old (hour, bytes) SELECT (id >> 21) / 3600000, sum(bytes) FROM new GROUP BY 1 ORDER BY 1
ON CONFLICT (hour) DO UPDATE SET bytes = old.bytes + excluded.bytes

-- name: find
SELECT record.body, b.body, t.body FROM record
JOIN source_text AS b ON b.id = block_part JOIN source_text AS t ON t.id = template_part WHERE record.id = $1

-- name: of_recipients
SELECT record.body, b.body, t.body FROM record
JOIN source_text AS b ON b.id = block_part JOIN source_text AS t ON t.id = template_part
WHERE recipient = ANY($3::bigint[]) AND record.id < $1 ORDER BY record.id DESC LIMIT $2

-- name: of_block
SELECT record.body, b.body, t.body FROM record
JOIN source_text AS b ON b.id = block_part JOIN source_text AS t ON t.id = template_part
WHERE block = $3 AND record.id < $1 ORDER BY record.id DESC LIMIT $2

-- name: newest
SELECT record.body, b.body, t.body FROM record
JOIN source_text AS b ON b.id = block_part JOIN source_text AS t ON t.id = template_part
WHERE record.id < $1 ORDER BY record.id DESC LIMIT $2

-- name: outlived  A few at a time.
WITH gone AS (
    DELETE FROM record WHERE id IN (SELECT id FROM record WHERE id < $1 ORDER BY id LIMIT $2)
    RETURNING id, octet_length(body) + 200 AS bytes
), less AS (
    UPDATE record_size SET bytes = record_size.bytes - sums.bytes
    FROM (SELECT (id >> 21) / 3600000 AS hour, sum(bytes) AS bytes FROM gone GROUP BY 1) AS sums
    WHERE record_size.hour = sums.hour
)
SELECT count(*) FROM gone

-- name: empty_hours
DELETE FROM record_size WHERE bytes <= 0

-- name: used
SELECT coalesce(sum(bytes), 0) FROM record_size

-- name: unused_texts
DELETE FROM source_text WHERE used < coalesce((SELECT (min(id) >> 21) / 3600000 FROM record), 9223372036854775807)
