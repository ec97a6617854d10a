-- The newest decision of each (block, recipient, campaign), and which slots of it were served.
CREATE TABLE IF NOT EXISTS decision (
    recipient TEXT NOT NULL,
    block TEXT NOT NULL,
    campaign TEXT NOT NULL,
    at INTEGER NOT NULL,
    served INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (recipient, block, campaign)
) WITHOUT ROWID;

-- Opens (kind 0) and clicks (kind 1), by recipient for crediting orders and by time for counting.
CREATE TABLE IF NOT EXISTS touch (
    recipient TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    block TEXT NOT NULL,
    campaign TEXT NOT NULL,
    variant TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS touch_by_recipient ON touch (recipient, at);
CREATE INDEX IF NOT EXISTS touch_by_time ON touch (at, block, kind);

-- What a block promised a person when it was first shown to them, such as when an offer ends. Never changes.
CREATE TABLE IF NOT EXISTS promise (
    recipient TEXT NOT NULL,
    block TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (recipient, block, name)
) WITHOUT ROWID;
