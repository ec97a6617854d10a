-- name: insert
INSERT OR IGNORE INTO record (id, recipient, block, block_part, template_part, body) VALUES

-- name: insert_texts  From JSON: id -> text.
INSERT OR IGNORE INTO source_text (id, body) SELECT key, value FROM json_each(?)

-- name: find
SELECT record.body, b.body, t.body FROM record
JOIN source_text AS b ON b.id = block_part JOIN source_text AS t ON t.id = template_part WHERE record.id = ?

-- name: of_recipient
SELECT id FROM record WHERE recipient = ? AND id < ? ORDER BY id DESC LIMIT ?

-- name: of_block
SELECT id FROM record WHERE block = ? AND id < ? ORDER BY id DESC LIMIT ?

-- name: newest
SELECT id FROM record WHERE id < ? ORDER BY id DESC LIMIT ?

-- name: outlived  A few at a time: others that write wait no longer than that takes.
DELETE FROM record WHERE id IN (SELECT id FROM record WHERE id < ? ORDER BY id LIMIT 2000)

-- name: oldest
DELETE FROM record WHERE id IN (SELECT id FROM record ORDER BY id LIMIT 2000)

-- name: unused_texts
DELETE FROM source_text WHERE id NOT IN (SELECT block_part FROM record UNION SELECT template_part FROM record)

-- name: used
SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count),
    (SELECT page_size FROM pragma_page_size)
