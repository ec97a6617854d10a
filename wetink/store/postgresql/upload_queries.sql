-- name: revisions
SELECT name, revision FROM upload

-- name: revision
SELECT revision FROM upload WHERE name = $1

-- name: lock  Of a name, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('upload ' || $1, 22))

-- name: part
SELECT body FROM part WHERE revision = $1 AND number = $2

-- name: add_part  The whole file's commit waits for the disk.
INSERT INTO part (revision, number, body) SELECT $1, $2, $3
WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'

-- name: put
INSERT INTO upload (name, revision) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET revision = excluded.revision

-- name: remove
DELETE FROM upload WHERE name = $1 AND revision = $2

-- name: left  What is nobody's and older than this revision.
DELETE FROM part WHERE revision < $1
    AND NOT EXISTS (SELECT FROM upload WHERE upload.revision = part.revision)

-- name: drop
DELETE FROM part WHERE revision = $1
