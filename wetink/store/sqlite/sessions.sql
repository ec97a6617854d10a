CREATE TABLE IF NOT EXISTS session (
    id BLOB PRIMARY KEY,  -- SHA-256 of what the browser holds
    token BLOB NOT NULL,   -- SHA-256 of the token it was begun with
    began INTEGER NOT NULL,
    used INTEGER NOT NULL,
    account TEXT NOT NULL,  -- empty for the server's token
    address TEXT NOT NULL,
    device TEXT NOT NULL,
    proved INTEGER NOT NULL  -- when its holder last proved who they are
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS attempt (
    address TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
