-- name: begin
INSERT INTO session (id, token, began, used) VALUES (?, ?, ?, ?)

-- name: old
DELETE FROM session WHERE used < ? OR began < ?

-- name: session
SELECT token, began, used FROM session WHERE id = ?

-- name: use
UPDATE session SET used = ? WHERE id = ?

-- name: end
DELETE FROM session WHERE id = ?

-- name: attempt
SELECT failures, at FROM attempt WHERE address = ?

-- name: failed
INSERT OR REPLACE INTO attempt (address, failures, at) VALUES (?, ?, ?)

-- name: forgive
DELETE FROM attempt WHERE address = ?

-- name: stale
DELETE FROM attempt WHERE at < ?

-- name: count
SELECT count(*) FROM attempt

-- name: oldest
DELETE FROM attempt WHERE address IN (SELECT address FROM attempt ORDER BY at LIMIT ?)
