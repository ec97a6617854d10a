-- Events that say something of a conversion, so that reports need no scan: orders as they are committed, the events of
-- other goals as the log is gone through for them, up to `seq`.
CREATE TABLE IF NOT EXISTS outcome (
    who TEXT NOT NULL,
    key_time INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (who, key_time, fingerprint)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcome_by_time ON outcome (name, at);
CREATE INDEX IF NOT EXISTS outcome_by_id ON outcome (id, name) WHERE id <> '';
CREATE TABLE IF NOT EXISTS outcome_scan (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
