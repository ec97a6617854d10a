-- name: begin
INSERT INTO session (id, token, began, used, account, address, device, proved)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: drop
DROP TABLE session

-- name: old
DELETE FROM session WHERE used < ? OR began < ?

-- name: session
SELECT token, id, account, began, used, address, device, proved FROM session WHERE id = ?

-- name: of
SELECT id, account, began, used, address, device, proved FROM session WHERE account = ? ORDER BY used DESC

-- name: prove
UPDATE session SET proved = ? WHERE id = ?

-- name: use
UPDATE session SET used = ? WHERE id = ?

-- name: end
DELETE FROM session WHERE id = ?

-- name: end_of
DELETE FROM session WHERE account = ? AND (? = '' OR lower(hex(id)) = ?) AND lower(hex(id)) <> ?

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
