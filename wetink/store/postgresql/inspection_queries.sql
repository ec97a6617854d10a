-- name: sizes  Bytes of each table with its indexes and partitions.
SELECT coalesce(parent.relname, c.relname)::text, sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_class parent ON parent.oid = i.inhparent
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
GROUP BY 1 ORDER BY 1

-- name: faults
SELECT format('index %1$s is invalid; REINDEX INDEX CONCURRENTLY %1$s makes it anew', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT (i.indisvalid AND i.indisready)
UNION ALL
SELECT format('%s pages failed their checksums, last at %s', checksum_failures, checksum_last_failure)
FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0

-- name: tables  Each with a statement that reads all its rows.
SELECT c.relname::text, format('SELECT count(t.*) FROM %s t', c.oid::regclass) FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1

-- name: identifiers  Those after one, each once, by its key.
SELECT DISTINCT identifier FROM holding WHERE identifier > $1 ORDER BY identifier LIMIT $2

-- name: holdings
SELECT identifier, since, until, owner, level, moves, followed FROM holding WHERE identifier = ANY ($1)

-- name: first_message
SELECT coalesce(min(seq), 0) FROM message

-- name: stretch  The place before so many messages, from a place on if there are as many up to the last one.
WITH next AS MATERIALIZED (SELECT seq FROM message WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3)
SELECT coalesce(min(seq), 1) - 1 FROM (
    SELECT seq FROM next
    UNION ALL
    (SELECT seq FROM message WHERE seq <= $1 ORDER BY seq DESC LIMIT $3 - (SELECT count(*) FROM next))
) stretch

-- name: messages
SELECT seq, fingerprint FROM message WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3
