-- What a profile's events come to, by the strongest identifier that leads to it; derived, and gone with the next change.
-- `id` is a fingerprint of `who`: a tree of numbers is flat, one that is ordered by text and holds bodies is not.
-- `rules` tells by which rules it was made, `until` is the newest key_time of its events, `second` to `fourth` are further identifiers they are filed under.
CREATE TABLE IF NOT EXISTS summary (
    id INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    rules INTEGER NOT NULL,
    until INTEGER NOT NULL,
    second TEXT NOT NULL,
    third TEXT NOT NULL,
    fourth TEXT NOT NULL,
    body BLOB NOT NULL
);

-- How far in the log summaries have been made by some rules, and the newest `until` of all: what comes with an older time is late.
CREATE TABLE IF NOT EXISTS summarized (
    seq INTEGER NOT NULL,
    rules INTEGER NOT NULL,
    horizon INTEGER NOT NULL
);
INSERT INTO summarized SELECT 0, 0, -1 WHERE NOT EXISTS (SELECT 1 FROM summarized);
