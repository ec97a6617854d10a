-- A draft that was dropped keeps its row with `live` 0, so that its revisions never come again.
CREATE TABLE IF NOT EXISTS draft (
    path TEXT PRIMARY KEY,
    body BLOB,  -- NULL deletes the file
    base TEXT NOT NULL,
    revision INTEGER NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    live INTEGER NOT NULL
);
