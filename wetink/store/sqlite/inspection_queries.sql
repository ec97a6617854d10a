-- name: identifiers  Those after one, each once, by its key.
SELECT DISTINCT identifier FROM holding WHERE identifier > ? ORDER BY identifier LIMIT ?

-- name: followed
SELECT name, seq FROM outcome_scan

-- name: first_message
SELECT min(seq) FROM message
