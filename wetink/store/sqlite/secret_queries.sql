-- name: all
SELECT name, value FROM secret

-- name: keep
INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)

-- name: replace
UPDATE secret SET value = ? WHERE name = ? AND value = ? RETURNING name
