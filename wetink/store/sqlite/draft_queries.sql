-- name: get
SELECT path, body, base, revision, author, at, live FROM draft WHERE path = ?

-- name: all
SELECT path, body, base, revision, author, at FROM draft WHERE live ORDER BY path

-- name: put
INSERT OR REPLACE INTO draft (path, body, base, revision, author, at, live) VALUES (?, ?, ?, ?, ?, ?, 1)

-- name: drop
UPDATE draft SET live = 0, body = NULL WHERE path = ?
