-- name: get
SELECT report_cache.start, body FROM json_each(?2) AS wanted
CROSS JOIN report_cache ON report_cache.key = ?1 AND report_cache.start = wanted.value

-- name: put
INSERT OR REPLACE INTO report_cache (key, start, at, body) VALUES (?, ?, ?, ?)

-- name: forget
DELETE FROM report_cache WHERE at < ?
