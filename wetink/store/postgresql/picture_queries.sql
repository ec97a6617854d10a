-- name: share  A lock that all who write pictures share, while nobody deletes unused ones.
SELECT pg_advisory_xact_lock_shared(20, 2)

-- name: exclude  The same lock, alone.
SELECT pg_advisory_xact_lock(20, 2)

-- name: known
SELECT digest FROM picture WHERE digest = ANY($1::bytea[])

-- name: keep
INSERT INTO picture (digest, content_type, bytes, body)
SELECT digest, content_type, octet_length(body), body
FROM unnest($1::bytea[], $2::text[], $3::bytea[]) AS new (digest, content_type, body)
ON CONFLICT DO NOTHING

-- name: show
INSERT INTO shown AS old (who, place, at, body) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[])
ON CONFLICT (who, place) DO UPDATE SET at = excluded.at, body = excluded.body WHERE excluded.at >= old.at

-- name: last
SELECT at, content_type, picture.body FROM shown JOIN picture ON digest = shown.body WHERE who = $1 AND place = $2

-- name: used
SELECT coalesce(sum(bytes), 0) + (SELECT count(*) * 150 FROM shown) FROM picture

-- name: oldest  The quarter that was shown longest ago.
DELETE FROM shown WHERE (who, place) IN (
    SELECT who, place FROM shown ORDER BY at LIMIT (SELECT count(*) / 4 + 1 FROM shown)
)

-- name: unused
DELETE FROM picture WHERE NOT EXISTS (SELECT FROM shown WHERE shown.body = picture.digest)
