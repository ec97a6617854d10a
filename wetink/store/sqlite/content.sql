CREATE TABLE IF NOT EXISTS blob (
    digest TEXT PRIMARY KEY,  -- SHA-256 in hexadecimal
    body BLOB NOT NULL
);

CREATE TABLE IF NOT EXISTS version (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    files TEXT NOT NULL  -- JSON: path -> digest
);
