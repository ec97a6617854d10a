-- name: revision
SELECT coalesce(max(number), 0) FROM version

-- name: version  The current one for 0.
SELECT number, at, author, message, files FROM version WHERE number = $1 OR $1 = 0 ORDER BY number DESC LIMIT 1

-- name: versions
SELECT number, at, author, message, files FROM version WHERE number < $1 ORDER BY number DESC LIMIT $2

-- name: bodies
SELECT digest, body FROM blob WHERE digest = ANY($1::text[])

-- name: stored
SELECT digest FROM blob WHERE digest = ANY($1::text[])

-- name: keep_body
INSERT INTO blob (digest, body) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: publish  Only the version after the current one. Of several at once, one is written.
INSERT INTO version (number, at, author, message, files)
SELECT $1::bigint, $2, $3, $4, $5 WHERE (SELECT coalesce(max(number), 0) FROM version) = $1 - 1
ON CONFLICT DO NOTHING RETURNING true
