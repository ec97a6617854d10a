-- name: revision
SELECT coalesce(max(number), 0) FROM version

-- name: version
SELECT number, at, author, message, files FROM version WHERE number = ?

-- name: versions
SELECT number, at, author, message, files FROM version WHERE number < ? ORDER BY number DESC LIMIT ?

-- name: body
SELECT body FROM blob WHERE digest = ?

-- name: keep_body
INSERT OR IGNORE INTO blob (digest, body) VALUES (?, ?)

-- name: publish
INSERT INTO version (number, at, author, message, files) VALUES (?, ?, ?, ?, ?)
