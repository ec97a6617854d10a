-- name: get
SELECT start, body FROM report_cache WHERE key = $1 AND start = ANY ($2::bigint[])

-- name: put
INSERT INTO report_cache (key, start, at, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (key, start) DO UPDATE SET at = excluded.at, body = excluded.body

-- name: forget
DELETE FROM report_cache WHERE at < $1
