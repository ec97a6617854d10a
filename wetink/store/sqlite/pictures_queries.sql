-- name: show
INSERT INTO shown (who, place, at, body) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, body = excluded.body WHERE excluded.at >= at

-- name: keep
INSERT OR IGNORE INTO picture (digest, content_type, body) VALUES (?, ?, ?)

-- name: last
SELECT at, content_type, picture.body FROM shown JOIN picture ON digest = shown.body WHERE who = ? AND place = ?

-- name: count
SELECT count(*) FROM shown

-- name: oldest
DELETE FROM shown WHERE (who, place) IN (SELECT who, place FROM shown ORDER BY at LIMIT ?)

-- name: unused
DELETE FROM picture WHERE digest NOT IN (SELECT body FROM shown)

-- name: used
SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count),
    (SELECT page_size FROM pragma_page_size)
