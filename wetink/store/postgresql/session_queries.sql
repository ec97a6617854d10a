-- name: begin
INSERT INTO session (id, token, began, used, account, address, device, proved)
VALUES ($1, $2, $3, $3, $4, $5, $6, $3)

-- name: old
DELETE FROM session WHERE used < $1 OR began < $2

-- name: session
SELECT token, id, account, began, used, address, device, proved FROM session WHERE id = $1

-- name: of
SELECT id, account, began, used, address, device, proved FROM session WHERE account = $1 ORDER BY used DESC

-- name: prove
UPDATE session SET proved = $2 WHERE id = $1

-- name: use
UPDATE session SET used = greatest(used, $2) WHERE id = $1

-- name: end
DELETE FROM session WHERE id = $1

-- name: end_of
DELETE FROM session WHERE account = $1 AND ($2 = '' OR encode(id, 'hex') = $2) AND encode(id, 'hex') <> $3

-- name: lock  Of an address, until the transaction ends: otherwise two processes would read the same count.
SELECT pg_advisory_xact_lock(hashtextextended('attempt ' || $1, 0))

-- name: attempt
SELECT failures, at FROM attempt WHERE address = $1

-- name: failed
INSERT INTO attempt (address, failures, at) VALUES ($1, $2, $3)
ON CONFLICT (address) DO UPDATE SET failures = excluded.failures, at = excluded.at

-- name: forgive
DELETE FROM attempt WHERE address = $1

-- name: stale  Rows that another process deletes are left to it.
DELETE FROM attempt WHERE address IN (SELECT address FROM attempt WHERE at < $1 FOR UPDATE SKIP LOCKED)

-- name: oldest
DELETE FROM attempt WHERE address IN (
    SELECT address FROM attempt ORDER BY at LIMIT greatest(0, (SELECT count(*) FROM attempt) - $1)
    FOR UPDATE SKIP LOCKED
)
