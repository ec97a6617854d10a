-- The last picture of each place and person. `who` and `place` are digests; `body` names the picture, kept once.
CREATE TABLE IF NOT EXISTS shown (
    who BLOB NOT NULL,
    place BLOB NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (who, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shown_by_age ON shown (at);
CREATE INDEX IF NOT EXISTS shown_by_body ON shown (body);
CREATE TABLE IF NOT EXISTS picture (
    digest BLOB PRIMARY KEY,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL
);
