-- What opens got, as JSON, so that it can be drawn again. `block` and `template` name texts of `part`, each kept once.
CREATE TABLE IF NOT EXISTS opened (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    block TEXT NOT NULL,
    decision TEXT NOT NULL,
    moment TEXT NOT NULL,
    block_part TEXT NOT NULL,
    template_part TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS opened_by_recipient ON opened (recipient, at);
CREATE INDEX IF NOT EXISTS opened_by_block ON opened (block, at);
CREATE TABLE IF NOT EXISTS part (
    digest TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
