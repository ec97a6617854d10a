-- What a profile's events come to, by the strongest identifier that leads to it; derived, and gone with the next change.
-- `id` is a fingerprint of `who`: a tree of numbers is flat, one that is ordered by text and holds bodies is not.
-- `rules` tells by which rules it was made, `revision` of which revision of the profile, `newest` when its last event was.
-- `history` comes last and is large: SQLite reads the pages of a row only as far as the columns that it is asked for.
CREATE TABLE IF NOT EXISTS person_summary (
    id INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    rules INTEGER NOT NULL,
    root TEXT NOT NULL,
    revision TEXT NOT NULL,
    newest INTEGER NOT NULL,
    person BLOB NOT NULL,
    history BLOB NOT NULL
);

-- The summaries that the events of a further identifier, by its fingerprint, went into.
CREATE TABLE IF NOT EXISTS person_summary_part (
    member INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (member, id)
) WITHOUT ROWID;

-- How far in the log summaries have been made by some rules.
CREATE TABLE IF NOT EXISTS person_summary_place (
    seq INTEGER NOT NULL,
    rules INTEGER NOT NULL
);
INSERT INTO person_summary_place (seq, rules) SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM person_summary_place);
