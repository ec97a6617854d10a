-- What a profile's events come to, by the strongest identifier that leads to it; derived, and gone with the next change.
-- `id` is a fingerprint of `who`: a tree of numbers is flat, one that is ordered by text and holds bodies is not.
-- `rules` tells by which rules it was made.
CREATE TABLE IF NOT EXISTS summed_up (
    id INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    rules INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- The summaries that the events of a further identifier, by its fingerprint, went into.
CREATE TABLE IF NOT EXISTS summed_up_with (
    member INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (member, id)
) WITHOUT ROWID;

-- How far in the log summaries have been made by some rules.
CREATE TABLE IF NOT EXISTS summing_up (
    seq INTEGER NOT NULL,
    rules INTEGER NOT NULL
);
INSERT INTO summing_up SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM summing_up);

-- As they were kept before.
DROP TABLE IF EXISTS summary;
DROP TABLE IF EXISTS summarized;
