-- name: get
SELECT path, body, base, revision, author, at FROM draft WHERE path = $1 AND live

-- name: all
SELECT path, body, base, revision, author, at FROM draft WHERE live ORDER BY path

-- name: begin  Unless there is a draft.
INSERT INTO draft AS old (path, body, base, revision, author, at, live) VALUES ($1, $2, $3, 1, $4, $5, true)
ON CONFLICT (path) DO UPDATE SET body = $2, base = $3, revision = old.revision + 1, author = $4, at = $5, live = true
WHERE NOT old.live
RETURNING revision

-- name: change  The draft with the revision $6.
UPDATE draft SET body = $2, base = $3, revision = revision + 1, author = $4, at = $5
WHERE path = $1 AND live AND revision = $6
RETURNING revision

-- name: drop
UPDATE draft SET live = false, body = NULL WHERE path = $1 AND live AND revision = $2 RETURNING true
