-- name: add
INSERT INTO api_token (id, name, scopes, account, by, created, expires, used, revoked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: all
SELECT id, name, scopes, account, by, created, expires, used, revoked FROM api_token ORDER BY created DESC, id

-- name: get
SELECT id, name, scopes, account, by, created, expires, used, revoked FROM api_token WHERE id = $1

-- name: note_use
UPDATE api_token SET used = greatest(used, $2) WHERE id = $1

-- name: revoke
UPDATE api_token SET revoked = CASE revoked WHEN 0 THEN $2 ELSE revoked END WHERE id = $1 RETURNING 1

-- name: write
INSERT INTO audit_entry (at, actor, action, thing, version, detail, account, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: read
SELECT at, actor, action, thing, version, detail, account, address, seq FROM audit_entry
WHERE seq < $1 AND ($2 = '' OR actor = $2) AND ($3 = '' OR strpos(lower(thing), lower($3)) > 0) AND at >= $4 AND at < $5
ORDER BY seq DESC LIMIT $6

-- name: actors
SELECT DISTINCT actor FROM audit_entry ORDER BY actor
