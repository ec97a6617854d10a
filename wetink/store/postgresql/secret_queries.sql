-- name: all
SELECT name, value FROM secret

-- name: keep
INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: replace
UPDATE secret SET value = $3 WHERE name = $1 AND value = $2 RETURNING true
