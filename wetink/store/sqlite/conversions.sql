-- Events that say something of a conversion, so that reports need no scan of the log.
CREATE TABLE IF NOT EXISTS outcome (
    who TEXT NOT NULL,
    key_time INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (who, key_time, fingerprint)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcome_by_time ON outcome (name, at);
CREATE INDEX IF NOT EXISTS outcome_by_id ON outcome (id, name) WHERE id <> '';

-- Which names of events are followed, and how far.
CREATE TABLE IF NOT EXISTS outcome_scan (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;

-- Where an event stands never changes, but when it was, and whether it is, may.
CREATE TRIGGER IF NOT EXISTS outcome_moved AFTER UPDATE OF at ON event BEGIN
    UPDATE outcome SET at = NEW.at
    WHERE who = OLD.who AND key_time = OLD.key_time AND fingerprint = OLD.fingerprint;
END;
CREATE TRIGGER IF NOT EXISTS outcome_removed AFTER DELETE ON event BEGIN
    DELETE FROM outcome WHERE who = OLD.who AND key_time = OLD.key_time AND fingerprint = OLD.fingerprint;
END;
