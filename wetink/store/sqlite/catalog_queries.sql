-- name: product
SELECT facts FROM product WHERE key = ?

-- name: products  The facts of the products of a JSON list of keys.
SELECT key, facts FROM product WHERE key IN (SELECT value FROM json_each(?))

-- name: feed_version
SELECT version FROM catalog_feed WHERE feed = ?

-- name: note_feed
INSERT OR REPLACE INTO catalog_feed (feed, version) VALUES (?, ?)

-- name: keep_progress
INSERT INTO import_progress (id, begun, at, state) VALUES (?1, ?2, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, state = excluded.state

-- name: forget_progress  Of all imports but the newest ones.
DELETE FROM import_progress WHERE id NOT IN (SELECT id FROM import_progress ORDER BY begun DESC, id DESC LIMIT ?)

-- name: progress  The newest import first.
SELECT id, at, state FROM import_progress ORDER BY begun DESC, id DESC

-- name: product_keys
SELECT key FROM product WHERE key > ? ORDER BY key LIMIT ?

-- name: upsert_product
INSERT INTO product (key, facts) VALUES (?, ?) ON CONFLICT DO UPDATE SET facts = excluded.facts

-- name: insert_change
INSERT OR REPLACE INTO product_change (key, at, price, availability, stock) VALUES (?, ?, ?, ?, ?)

-- name: forget_changes  All but the newest of a product.
DELETE FROM product_change WHERE key = ?1 AND at < (
    SELECT at FROM product_change WHERE key = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2
)

-- name: changes
SELECT at, price, availability, stock FROM product_change WHERE key = ? ORDER BY at DESC LIMIT ?

-- name: delete_words
DELETE FROM product_words WHERE rowid = ?

-- name: insert_words
INSERT INTO product_words (rowid, key, name, brand, category) VALUES (?, ?, ?, ?, ?)

-- name: search  A hit in the name counts most.
SELECT key FROM product_words WHERE product_words MATCH ? ORDER BY bm25(product_words, 0, 8, 2, 3), key LIMIT ?

-- name: skus  The skus that the product ids of a JSON list go with.
SELECT product_id, sku FROM product_alias WHERE product_id IN (SELECT value FROM json_each(?))

-- name: insert_product_alias
INSERT INTO product_alias (product_id, sku) VALUES (?, ?) ON CONFLICT DO UPDATE SET sku = excluded.sku

-- name: delete_product
DELETE FROM product WHERE key = ?

-- name: delete_changes
DELETE FROM product_change WHERE key = ?

-- name: delete_product_aliases
DELETE FROM product_alias WHERE sku = ?1 OR product_id = ?1

-- name: cursor
SELECT seq, imported, generation FROM catalog_cursor

-- name: place  The cursor, and where the log ends.
SELECT seq, imported, generation, (SELECT coalesce(max(seq), 0) FROM message) FROM catalog_cursor

-- name: advance  Nothing if somebody else has written since.
UPDATE catalog_cursor SET seq = ?, imported = ? WHERE seq = ? AND imported = ? AND generation = ?

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM message

-- name: next_import
SELECT id, seq, at, products FROM product_import WHERE id > ? ORDER BY id LIMIT 1

-- name: insert_import
INSERT INTO product_import (seq, at, products) SELECT coalesce(max(seq), 0), ?, ? FROM message

-- name: imported  An import is in the catalog, unless earlier ones are not.
UPDATE catalog_cursor SET imported = ?1 WHERE imported = ?1 - 1

-- name: next_generation
UPDATE catalog_cursor SET generation = generation + 1

-- name: begin_beside  In a file of its own, where the log and the imports are those of `store`.
DROP TABLE product_import;
UPDATE catalog_cursor SET seq = 0

-- name: replace  The catalog of the store by the one beside it. Only rows that differ are written.
DELETE FROM store.product WHERE key IN (
    SELECT key FROM (SELECT key, facts FROM store.product EXCEPT SELECT key, facts FROM main.product)
);
INSERT INTO store.product (key, facts) SELECT key, facts FROM main.product EXCEPT SELECT key, facts FROM store.product;
DELETE FROM store.product_change WHERE (key, at) IN (
    SELECT key, at FROM (
        SELECT key, at, price, availability, stock FROM store.product_change
        EXCEPT SELECT key, at, price, availability, stock FROM main.product_change
    )
);
INSERT INTO store.product_change (key, at, price, availability, stock)
SELECT key, at, price, availability, stock FROM main.product_change
EXCEPT SELECT key, at, price, availability, stock FROM store.product_change;
DELETE FROM store.product_alias;
INSERT INTO store.product_alias (product_id, sku) SELECT product_id, sku FROM main.product_alias;
DELETE FROM store.product_words WHERE rowid IN (SELECT rowid FROM (
    SELECT rowid, * FROM store.product_words EXCEPT SELECT rowid, * FROM main.product_words
));
INSERT INTO store.product_words (rowid, key, name, brand, category)
SELECT rowid, * FROM main.product_words EXCEPT SELECT rowid, * FROM store.product_words;
UPDATE store.catalog_cursor SET generation = generation + 1, (seq, imported) = (
    SELECT seq, imported FROM main.catalog_cursor
)
