-- The catalog: what trusted events and imports have said of products, field -> [when it was last said, value], as msgpack.
-- In the order they were first heard of: those that are new to a batch are neighbors, wherever their keys are.
CREATE TABLE IF NOT EXISTS product (
    key TEXT PRIMARY KEY,
    facts BLOB NOT NULL
);

-- What was said of a product's price and stock, from `at` on.
CREATE TABLE IF NOT EXISTS product_change (
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    price REAL,
    availability TEXT NOT NULL,
    stock INTEGER,
    PRIMARY KEY (key, at)
) WITHOUT ROWID;

-- The words of each product, to be searched; rowid is the key's fingerprint.
CREATE VIRTUAL TABLE IF NOT EXISTS product_words USING fts5 (
    key UNINDEXED, name, brand, category, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

-- Which sku a product id goes with.
CREATE TABLE IF NOT EXISTS product_alias (
    product_id TEXT PRIMARY KEY,
    sku TEXT NOT NULL
) WITHOUT ROWID;

-- What imports said that was new, compressed, with the place of the log they came at: facts, as events are.
CREATE TABLE IF NOT EXISTS product_import (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    products BLOB NOT NULL
);

-- Which version of each catalog feed was imported last.
CREATE TABLE IF NOT EXISTS catalog_feed (
    feed TEXT PRIMARY KEY,
    version TEXT NOT NULL
) WITHOUT ROWID;

-- How far imports of files are: `begun` and `at`, when a state was stored, in Unix ms. `state` is JSON.
CREATE TABLE IF NOT EXISTS import_progress (
    id TEXT PRIMARY KEY,
    begun INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state BLOB NOT NULL
) WITHOUT ROWID;

-- How far the catalog has followed the log and the imports. `generation` counts what was written to it in other ways.
CREATE TABLE IF NOT EXISTS catalog_cursor (
    seq INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
INSERT INTO catalog_cursor (seq, imported, generation) SELECT coalesce(max(seq), 0), 0, 0 FROM message
WHERE NOT EXISTS (SELECT 1 FROM catalog_cursor);

DROP TABLE IF EXISTS product_revision;
