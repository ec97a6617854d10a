-- Audiences that have been looked at, and when last (Unix ms).
CREATE TABLE IF NOT EXISTS audience (
    name TEXT PRIMARY KEY,
    looked INTEGER NOT NULL
) WITHOUT ROWID;

-- Who is in which audience since when: the root of a profile ('u42').
CREATE TABLE IF NOT EXISTS member (
    audience TEXT NOT NULL,
    who TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (audience, who)
) WITHOUT ROWID;

-- One point for each audience and day (days since 1970, UTC): its size when last looked at, who came and went that day;
-- NULL where the size was worked out afterwards.
CREATE TABLE IF NOT EXISTS size (
    audience TEXT NOT NULL,
    day INTEGER NOT NULL,
    size INTEGER NOT NULL,
    entered INTEGER,
    departed INTEGER,
    PRIMARY KEY (audience, day)
) WITHOUT ROWID;

-- Changes that webhooks deliver. state: 0 waiting, 1 delivered, 2 dead.
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    audience TEXT NOT NULL,
    move TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL,
    why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (audience, due) WHERE state = 0;
CREATE INDEX IF NOT EXISTS delivery_order ON delivery (audience, who, seq) WHERE state = 0;
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (audience, state, seq);
CREATE INDEX IF NOT EXISTS delivery_done ON delivery (due) WHERE state = 1;

-- The members of the computation in progress.
CREATE TEMP TABLE IF NOT EXISTS present (who TEXT PRIMARY KEY) WITHOUT ROWID;
