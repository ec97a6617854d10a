-- name: place  How far a projection has come, which rows are its own, and the end of the log that it can see.
SELECT seq, build, generation, log_end() FROM projection WHERE name = $1

-- name: news  The same, and whether a message or an import follows.
SELECT seq, build, generation, log_end(),
    (SELECT seq FROM message WHERE message.seq > projection.seq ORDER BY seq LIMIT 1) < log_end()
        OR (SELECT seq FROM product_import WHERE product_import.seq > projection.seq ORDER BY seq LIMIT 1) < log_end()
FROM projection WHERE name = $1

-- name: read  Some products, by key or product id, and what the log says beyond them. One statement reads one state.
-- Rows of several kinds (the first column): 0 the place of the projection, 1 the end of the log that followers see and
-- the number of messages read, 2 a product id and its sku, 3 facts, 4 a change of a key, 5 an event, 6 an import.
-- $1 keys, $2 changes of each key, $3 read the log from here, $4 leave these out, $5 most messages.
WITH place AS MATERIALIZED (
    SELECT seq, build, generation FROM projection WHERE name = 'catalog'
), named AS MATERIALIZED (
    SELECT alias.product_id, alias.sku FROM place CROSS JOIN unnest($1::text[]) AS given (key) CROSS JOIN LATERAL (
        SELECT product_id, sku FROM product_alias a WHERE a.product_id = given.key AND a.build = place.build OFFSET 0
    ) alias
), wanted AS MATERIALIZED (
    SELECT unnest($1::text[]) AS key UNION SELECT sku FROM named
), beyond AS MATERIALIZED (
    SELECT log.* FROM place CROSS JOIN LATERAL (
        SELECT seq, who, at, fingerprint FROM message
        WHERE message.seq > greatest(place.seq, $3::bigint) AND message.seq <> ALL ($4::bigint[])
        ORDER BY message.seq LIMIT $5
    ) log
)
SELECT 0 AS kind, NULL AS key, NULL AS word, seq, build AS at, NULL::double precision AS price, generation AS stock,
    NULL::bytea AS body
FROM place
UNION ALL
SELECT 1, NULL, NULL, log_end(), NULL, NULL, (SELECT count(*) FROM beyond), NULL
UNION ALL
SELECT 2, product_id, sku, NULL, NULL, NULL, NULL, NULL FROM named
UNION ALL
SELECT 3, wanted.key, NULL, NULL, NULL, NULL, NULL, found.facts FROM place CROSS JOIN wanted CROSS JOIN LATERAL (
    SELECT facts FROM product WHERE product.key = wanted.key AND product.build = place.build OFFSET 0
) found
UNION ALL
SELECT 4, wanted.key, found.availability, NULL, found.at, found.price, found.stock, NULL
FROM place CROSS JOIN wanted CROSS JOIN LATERAL (
    SELECT at, price, availability, stock FROM product_change c WHERE c.key = wanted.key AND c.build = place.build
    ORDER BY at DESC LIMIT $2
) found
UNION ALL
SELECT 5, NULL, NULL, beyond.seq, NULL, NULL, NULL, found.body FROM beyond CROSS JOIN LATERAL (
    SELECT body FROM event e WHERE e.who = beyond.who AND e.at = beyond.at AND e.fingerprint = beyond.fingerprint OFFSET 0
) found
WHERE position('products'::bytea IN found.body) > 0
UNION ALL
SELECT 6, NULL, NULL, log.seq, log.at, NULL, NULL, log.products FROM place CROSS JOIN LATERAL (
    SELECT seq, at, products FROM product_import i
    WHERE i.seq > greatest(place.seq, $3::bigint) AND i.seq <> ALL ($4::bigint[]) ORDER BY i.seq LIMIT $5
) log

-- name: slice  The events of products among the next messages, perhaps with some others; last, without an event, the
-- place of the last of these messages, and how many there are.
WITH slice AS MATERIALIZED (
    SELECT seq, who, at, fingerprint FROM message WHERE seq > $1 AND seq < $2 ORDER BY seq LIMIT $3
)
SELECT slice.seq, found.body, 0::bigint AS messages FROM slice CROSS JOIN LATERAL (
    SELECT body FROM event e WHERE e.who = slice.who AND e.at = slice.at AND e.fingerprint = slice.fingerprint OFFSET 0
) found
WHERE position('products'::bytea IN found.body) > 0
UNION ALL
SELECT max(seq), NULL, count(*) FROM slice

-- name: imports  The next ones.
SELECT seq, at, products FROM product_import WHERE seq > $1 AND seq < $2 ORDER BY seq LIMIT $3

-- name: events  Those of products among some messages, in the order of the log.
SELECT e.body FROM message m JOIN event e ON e.who = m.who AND e.at = m.at AND e.fingerprint = m.fingerprint
WHERE m.fingerprint = ANY ($1) ORDER BY m.seq

-- name: behind  The messages beyond a place, at most so many.
SELECT count(*) FROM (SELECT FROM message WHERE seq > $1 LIMIT $2) beyond

-- name: advance  Nothing if somebody else has written since.
UPDATE projection SET seq = $2 WHERE name = $1 AND seq = $3 AND build = $4 AND generation = $5

-- name: next_generation  Others wait from here on, until this transaction ends.
UPDATE projection SET generation = generation + 1 WHERE name = $1 RETURNING build

-- name: facts
SELECT key, facts FROM product WHERE key = ANY ($1) AND build = $2

-- name: skus
SELECT product_id, sku FROM product_alias WHERE product_id = ANY ($1) AND build = $2

-- name: put_facts
INSERT INTO product AS p (key, build, facts) SELECT key, $1, facts FROM unnest($2::text[], $3::bytea[]) AS g (key, facts)
ON CONFLICT (key, build) DO UPDATE SET facts = excluded.facts

-- name: put_words
INSERT INTO product AS p (key, build, facts, words)
SELECT key, $1, facts, words::tsvector FROM unnest($2::text[], $3::bytea[], $4::text[]) AS g (key, facts, words)
ON CONFLICT (key, build) DO UPDATE SET facts = excluded.facts, words = excluded.words

-- name: put_changes
INSERT INTO product_change (key, build, at, price, availability, stock)
SELECT key, $1, at, price, availability, stock
FROM unnest($2::text[], $3::bigint[], $4::double precision[], $5::text[], $6::bigint[])
    AS g (key, at, price, availability, stock)
ON CONFLICT (key, build, at) DO UPDATE
SET price = excluded.price, availability = excluded.availability, stock = excluded.stock

-- name: forget_changes  All but the newest of some products.
DELETE FROM product_change c USING unnest($2::text[]) AS g (key) WHERE c.key = g.key AND c.build = $1 AND c.at < (
    SELECT at FROM product_change k WHERE k.key = g.key AND k.build = $1 ORDER BY at DESC LIMIT 1 OFFSET $3
)

-- name: put_aliases
INSERT INTO product_alias (product_id, build, sku)
SELECT product_id, $1, sku FROM unnest($2::text[], $3::text[]) AS g (product_id, sku)
ON CONFLICT (product_id, build) DO UPDATE SET sku = excluded.sku

-- name: delete_products
DELETE FROM product WHERE key = ANY ($1) AND build = $2

-- name: delete_changes
DELETE FROM product_change WHERE key = ANY ($1) AND build = $2

-- name: delete_aliases
DELETE FROM product_alias WHERE (sku = ANY ($1) OR product_id = ANY ($1)) AND build = $2

-- name: insert_imports
INSERT INTO product_import (seq, at, products)
SELECT log_begin() + place, $1, products FROM unnest($2::bytea[]) WITH ORDINALITY AS g (products, place) RETURNING seq

-- name: feed_version
SELECT version FROM catalog_feed WHERE feed = $1

-- name: keep_progress
INSERT INTO import_progress (id, begun, at, state) VALUES ($1, $2, $2, $3)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, state = excluded.state

-- name: forget_progress  Of all imports but the newest ones.
DELETE FROM import_progress WHERE id NOT IN (SELECT id FROM import_progress ORDER BY begun DESC, id DESC LIMIT $1)

-- name: progress  The newest import first.
SELECT id, at, state FROM import_progress ORDER BY begun DESC, id DESC

-- name: note_feed
INSERT INTO catalog_feed (feed, version) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET version = excluded.version

-- name: product_keys
SELECT p.key FROM product p JOIN projection ON projection.build = p.build
WHERE projection.name = 'catalog' AND p.key > $1 ORDER BY p.key LIMIT $2

-- name: search  A hit in the name (A) counts most, then in the category (B), then in the brand (C).
SELECT p.key FROM product p JOIN projection ON projection.build = p.build
WHERE projection.name = 'catalog' AND p.words @@ $1::text::tsquery
ORDER BY ts_rank('{0.1, 0.25, 0.375, 1}', p.words, $1::text::tsquery) DESC, p.key LIMIT $2

-- name: begin_rebuild  The number of replays so far, and a new build.
SELECT (SELECT count FROM replay), nextval('projection_build')

-- name: use_build  The rows of another build, which has come so far, from here on.
UPDATE projection SET build = $2, seq = $3, generation = generation + 1 WHERE name = $1

-- name: locked  How far a projection has come; others that write it wait from here on.
SELECT seq, build, generation, log_end() FROM projection WHERE name = $1 FOR UPDATE

-- name: replays
SELECT count FROM replay

-- name: old_products  Some rows of earlier builds. No read uses them.
DELETE FROM product WHERE ctid = ANY (ARRAY(SELECT ctid FROM product WHERE build < (SELECT build FROM projection WHERE name = 'catalog') LIMIT $1))

-- name: old_changes
DELETE FROM product_change WHERE ctid = ANY (ARRAY(SELECT ctid FROM product_change WHERE build < (SELECT build FROM projection WHERE name = 'catalog') LIMIT $1))

-- name: old_aliases
DELETE FROM product_alias WHERE ctid = ANY (ARRAY(SELECT ctid FROM product_alias WHERE build < (SELECT build FROM projection WHERE name = 'catalog') LIMIT $1))
