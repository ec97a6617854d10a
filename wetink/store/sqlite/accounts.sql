CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,  -- Argon2 hash
    disabled INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS credential (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS credential_of_account ON credential (account);

CREATE TABLE IF NOT EXISTS invitation (
    id TEXT PRIMARY KEY,  -- SHA-256 of the link's secret, in hexadecimal
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    account TEXT NOT NULL,  -- whose password the link sets; empty: it invites
    by TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL,
    revoked INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS api_token (
    id TEXT PRIMARY KEY,  -- SHA-256 of the token, in hexadecimal
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,  -- JSON
    account TEXT NOT NULL,
    by TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL,
    revoked INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit_entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    thing TEXT NOT NULL,
    version INTEGER NOT NULL,
    detail TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_entry_of_actor ON audit_entry (actor, seq);
