CREATE TABLE IF NOT EXISTS upload (
    name TEXT PRIMARY KEY,
    revision TEXT NOT NULL
) WITHOUT ROWID;

-- A revision without an upload is one on its way in, or what a killed process left of one.
CREATE TABLE IF NOT EXISTS part (
    revision TEXT NOT NULL,  -- begins with the time (Unix ms, 13 digits)
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (revision, number)
);
