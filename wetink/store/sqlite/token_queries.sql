-- name: add
INSERT INTO api_token (id, name, scopes, account, by, created, expires, used, revoked)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: all
SELECT id, name, scopes, account, by, created, expires, used, revoked FROM api_token ORDER BY created DESC, id

-- name: get
SELECT id, name, scopes, account, by, created, expires, used, revoked FROM api_token WHERE id = ?

-- name: note_use
UPDATE api_token SET used = max(used, ?) WHERE id = ?

-- name: revoke
UPDATE api_token SET revoked = iif(revoked, revoked, ?) WHERE id = ? RETURNING 1

-- name: write
INSERT INTO audit_entry (at, actor, action, thing, version, detail, account, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: read
SELECT at, actor, action, thing, version, detail, account, address, seq FROM audit_entry
WHERE seq < ? AND (? = '' OR actor = ?) AND (? = '' OR instr(lower(thing), lower(?))) AND at >= ? AND at < ?
ORDER BY seq DESC LIMIT ?

-- name: actors
SELECT DISTINCT actor FROM audit_entry ORDER BY actor
