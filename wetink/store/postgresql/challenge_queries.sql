-- name: begin
INSERT INTO challenge (id, kind, account, data, until) VALUES ($1, $2, $3, $4, $5)

-- name: over  Rows that another process deletes are left to it.
DELETE FROM challenge WHERE id IN (SELECT id FROM challenge WHERE until <= $1 FOR UPDATE SKIP LOCKED)

-- name: oldest
DELETE FROM challenge WHERE id IN (
    SELECT id FROM challenge ORDER BY until LIMIT greatest(0, (SELECT count(*) FROM challenge) - $1)
    FOR UPDATE SKIP LOCKED
)

-- name: look
SELECT account, data FROM challenge WHERE id = $1 AND kind = $2 AND until > $3

-- name: take
DELETE FROM challenge WHERE id = $1 AND kind = $2 AND until > $3 RETURNING account, data

-- name: forget
DELETE FROM challenge WHERE account = $1
