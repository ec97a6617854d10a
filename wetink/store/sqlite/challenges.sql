CREATE TABLE IF NOT EXISTS challenge (
    id BLOB PRIMARY KEY,  -- SHA-256 of what the browser holds
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    data TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
