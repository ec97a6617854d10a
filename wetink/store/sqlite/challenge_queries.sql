-- name: begin
INSERT INTO challenge (id, kind, account, data, until) VALUES (?, ?, ?, ?, ?)

-- name: over
DELETE FROM challenge WHERE until <= ?

-- name: oldest
DELETE FROM challenge WHERE id IN (
    SELECT id FROM challenge ORDER BY until LIMIT max(0, (SELECT count(*) FROM challenge) - ?)
)

-- name: look
SELECT account, data FROM challenge WHERE id = ? AND kind = ? AND until > ?

-- name: take
DELETE FROM challenge WHERE id = ? AND kind = ? AND until > ? RETURNING account, data

-- name: forget
DELETE FROM challenge WHERE account = ?
