-- The log. `seq` grows in the order of arrival; verdict: 0 usable, 1 unusable, 2 parked. Its event stands at (who,
-- key_time, fingerprint).
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    source TEXT NOT NULL,
    message_id TEXT NOT NULL,
    verdict INTEGER NOT NULL,
    problems BLOB,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    who TEXT NOT NULL,
    raw BLOB NOT NULL,
    key_time INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_in_trouble ON message (verdict, seq) WHERE verdict > 0;

-- The fingerprints of the message ids that came together, 64 bits each; `seq` is the place of the last of them. Whoever
-- writes knows by them what came last, whichever process took it (`recent.py`).
CREATE TABLE IF NOT EXISTS arrival (
    seq INTEGER PRIMARY KEY,
    ids BLOB NOT NULL
);

-- Events, clustered by the identifier they are filed under ('u42', 'ejane@shop.example', 'ax-1'; 'p' for parked).
-- key_time is the client's own timestamp (0: none) and fingerprint stands for (source, message id): a retry meets itself.
CREATE TABLE IF NOT EXISTS event (
    who TEXT NOT NULL,
    key_time INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (who, key_time, fingerprint)
) WITHOUT ROWID;

-- Events in the order of the log, each found at its place: somebody with many events costs no more than anybody.
CREATE VIEW IF NOT EXISTS logged AS
SELECT message.seq, message.verdict, message.type, message.name, event.who, event.key_time, event.fingerprint,
    event.at, event.body
FROM message CROSS JOIN event ON event.who = message.who AND event.key_time = message.key_time
    AND event.fingerprint = message.fingerprint;

-- The claims that runs begin with; holdings are derived from them, and from what events of the same claimer tell.
CREATE TABLE IF NOT EXISTS claim (
    weaker TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    message_id TEXT NOT NULL,
    stronger TEXT NOT NULL,
    level TEXT NOT NULL,
    alias INTEGER NOT NULL,
    PRIMARY KEY (weaker, at, source, message_id, stronger, level, alias)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS claim_of_page ON claim (stronger) WHERE level = 'browser';

-- Who else claims an identifier that more claim than count: one row for each of them, and all of aliases.
CREATE TABLE IF NOT EXISTS uncounted_claim (
    weaker TEXT NOT NULL,
    stronger TEXT NOT NULL,
    level TEXT NOT NULL,
    alias INTEGER NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (weaker, stronger, level, alias, at, source, message_id)
) WITHOUT ROWID;

-- Who holds an identifier in [since, until): which events that moves, and whether a lookup follows it.
CREATE TABLE IF NOT EXISTS holding (
    identifier TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    owner TEXT NOT NULL,
    level TEXT NOT NULL,
    moves TEXT NOT NULL,
    followed INTEGER NOT NULL,
    PRIMARY KEY (identifier, moves, since)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holding_by_owner ON holding (owner, identifier, moves, since, until);

-- Identifiers on either side of a page's claim, and whether a server has sent them (`told`).
CREATE TABLE IF NOT EXISTS page_claimed (
    identifier TEXT PRIMARY KEY,
    told INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS page_claimed_untold ON page_claimed (identifier) WHERE told = 0;

-- How often holdings were worked out anew: until then, what a process remembers of them is right.
CREATE TABLE IF NOT EXISTS holding_generation (
    number INTEGER NOT NULL
);
INSERT INTO holding_generation (number) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM holding_generation);

-- Identifiers with many claimers, to be shown.
CREATE TABLE IF NOT EXISTS contested (
    identifier TEXT PRIMARY KEY,
    claimers INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contested_by_time ON contested (at);

-- Aliases as they were made, and the groups of users they join, each named by its smallest member.
CREATE TABLE IF NOT EXISTS alias (
    previous TEXT NOT NULL,
    current TEXT NOT NULL,
    PRIMARY KEY (previous, current)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS joined (
    member TEXT PRIMARY KEY,
    root TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS joined_by_root ON joined (root, member);

-- The newest vote of each person in each poll, and the sums of them.
CREATE TABLE IF NOT EXISTS vote (
    poll TEXT NOT NULL,
    who TEXT NOT NULL,
    option INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (poll, who)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tally (
    poll TEXT NOT NULL,
    option INTEGER NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (poll, option)
) WITHOUT ROWID;

-- How often messages were replayed: what was read of the log before may have changed.
CREATE TABLE IF NOT EXISTS replays (
    count INTEGER NOT NULL
);
INSERT INTO replays (count) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM replays);

-- Senders. Keys are kept as SHA-256 only.
CREATE TABLE IF NOT EXISTS source (
    name TEXT PRIMARY KEY,
    level TEXT NOT NULL,
    hosts TEXT NOT NULL,
    write_hash BLOB NOT NULL UNIQUE,
    path_key TEXT NOT NULL UNIQUE,
    access_key TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    secrets TEXT NOT NULL,
    verify INTEGER NOT NULL DEFAULT 0,
    orders TEXT NOT NULL DEFAULT 'count',
    per_second REAL NOT NULL DEFAULT 0,
    burst INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER NOT NULL DEFAULT 0,
    rotated INTEGER NOT NULL DEFAULT 0,
    old_used INTEGER NOT NULL DEFAULT 0,
    old_write_hash BLOB,
    old_access_key TEXT,
    old_secret_hash BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS source_by_old_key ON source (old_write_hash);

-- Which events were changed or removed after they were written, for who keeps something that follows from them. The last
-- million: whoever has not read for longer than that reads everything anew.
CREATE TABLE IF NOT EXISTS event_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    who TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS event_moved AFTER UPDATE ON event BEGIN
    INSERT INTO event_change (seq, who) VALUES (OLD.seq, OLD.who);
END;
CREATE TRIGGER IF NOT EXISTS event_removed AFTER DELETE ON event BEGIN
    INSERT INTO event_change (seq, who) VALUES (OLD.seq, OLD.who);
END;
CREATE TRIGGER IF NOT EXISTS event_change_forgotten AFTER INSERT ON event_change WHEN NEW.id % 1000 = 0 BEGIN
    DELETE FROM event_change WHERE id <= NEW.id - 1000000;
END;
