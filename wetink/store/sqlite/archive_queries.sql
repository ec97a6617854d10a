-- name: insert  To be followed by as many rows as there are, eight values each.
INSERT OR IGNORE INTO opened (id, at, recipient, block, decision, moment, block_part, template_part) VALUES

-- name: insert_parts  From JSON: digest -> text.
INSERT OR IGNORE INTO part (digest, body) SELECT key, value FROM json_each(?)

-- name: find
SELECT decision, moment, b.body, t.body FROM opened
JOIN part AS b ON b.digest = block_part JOIN part AS t ON t.digest = template_part WHERE id = ?

-- name: of_recipient
SELECT at, id FROM opened WHERE recipient = ? AND at <= ? ORDER BY at DESC, seq DESC LIMIT ?

-- name: of_block
SELECT at, id FROM opened WHERE block = ? AND at <= ? ORDER BY at DESC, seq DESC LIMIT ?

-- name: newest
SELECT at, id FROM opened WHERE at <= ? ORDER BY seq DESC LIMIT ?

-- name: outlived  A few at a time: others that write wait no longer than that takes.
DELETE FROM opened WHERE seq IN (SELECT seq FROM opened ORDER BY seq LIMIT 2000) AND at < ?

-- name: oldest
DELETE FROM opened WHERE seq IN (SELECT seq FROM opened ORDER BY seq LIMIT 2000)

-- name: unused_parts
DELETE FROM part WHERE digest NOT IN (SELECT block_part FROM opened UNION SELECT template_part FROM opened)

-- name: used
SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count),
    (SELECT page_size FROM pragma_page_size)
