-- What opens got, in the order of time: `id` has the milliseconds first (see `_place` in archive.py), `recipient` is a
-- fingerprint, `body` the decision and the moment as msgpack. `block_part` and `template_part` name texts, each kept once.
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    recipient INTEGER NOT NULL,
    block TEXT NOT NULL,
    block_part INTEGER NOT NULL,
    template_part INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS record_by_recipient ON record (recipient);
CREATE INDEX IF NOT EXISTS record_by_block ON record (block);
CREATE TABLE IF NOT EXISTS source_text (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);

-- As it was kept before.
DROP TABLE IF EXISTS opened;
DROP TABLE IF EXISTS part;
