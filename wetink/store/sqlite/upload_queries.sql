-- name: revisions
SELECT name, revision FROM upload

-- name: revision
SELECT revision FROM upload WHERE name = ?

-- name: part
SELECT body FROM part WHERE revision = ? AND number = ?

-- name: add_part
INSERT INTO part (revision, number, body) VALUES (?, ?, ?)

-- name: put
INSERT OR REPLACE INTO upload (name, revision) VALUES (?, ?)

-- name: remove
DELETE FROM upload WHERE name = ? AND revision = ?

-- name: left  What is nobody's and older than this revision.
DELETE FROM part WHERE revision < ? AND revision NOT IN (SELECT revision FROM upload)

-- name: drop
DELETE FROM part WHERE revision = ?
