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

-- How often what there is of conversions changed in each day, hour and minute (`width` and first ms; floored division).
-- Width 0 counts changes of everything.
CREATE TABLE IF NOT EXISTS outcome_change (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (width, start)
) WITHOUT ROWID;

-- Before an event goes or gets another time: that concerns its own time, and the times of all events of its order.
CREATE TRIGGER IF NOT EXISTS outcome_going BEFORE DELETE ON event BEGIN
    INSERT INTO outcome_change (width, start, changes)
    SELECT DISTINCT width, at - ((at % width) + width) % width, 1 FROM (
        SELECT at FROM outcome WHERE who = OLD.who AND key_time = OLD.key_time AND fingerprint = OLD.fingerprint
        UNION SELECT other.at FROM outcome AS own CROSS JOIN outcome AS other ON other.id = own.id
        WHERE own.who = OLD.who AND own.key_time = OLD.key_time AND own.fingerprint = OLD.fingerprint
            AND own.id <> '' AND other.id <> ''
    ) CROSS JOIN (SELECT 60000 AS width UNION SELECT 3600000 UNION SELECT 86400000) WHERE true
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;
CREATE TRIGGER IF NOT EXISTS outcome_moving BEFORE UPDATE ON event BEGIN
    INSERT INTO outcome_change (width, start, changes)
    SELECT DISTINCT width, at - ((at % width) + width) % width, 1 FROM (
        SELECT moved.at FROM (SELECT OLD.at AS at UNION SELECT NEW.at) AS moved CROSS JOIN outcome
        ON outcome.who = OLD.who AND outcome.key_time = OLD.key_time AND outcome.fingerprint = OLD.fingerprint
        UNION SELECT other.at FROM outcome AS own CROSS JOIN outcome AS other ON other.id = own.id
        WHERE own.who = OLD.who AND own.key_time = OLD.key_time AND own.fingerprint = OLD.fingerprint
            AND own.id <> '' AND other.id <> ''
    ) CROSS JOIN (SELECT 60000 AS width UNION SELECT 3600000 UNION SELECT 86400000) WHERE true
    ON CONFLICT DO UPDATE SET changes = changes + 1;
END;

-- Which identifiers got or lost an owner, until the conversions of their profiles are marked as changed.
CREATE TABLE IF NOT EXISTS owner_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT NOT NULL,
    owner TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS holding_made AFTER INSERT ON holding BEGIN
    INSERT INTO owner_change (identifier, owner) VALUES (NEW.identifier, NEW.owner);
END;
CREATE TRIGGER IF NOT EXISTS holding_ended AFTER DELETE ON holding BEGIN
    INSERT INTO owner_change (identifier, owner) VALUES (OLD.identifier, OLD.owner);
END;
CREATE TRIGGER IF NOT EXISTS user_joined AFTER INSERT ON joined BEGIN
    INSERT INTO owner_change (identifier, owner) VALUES (NEW.member, NEW.root);
END;
CREATE TRIGGER IF NOT EXISTS user_rejoined AFTER UPDATE ON joined BEGIN
    INSERT INTO owner_change (identifier, owner) VALUES (OLD.member, OLD.root), (NEW.member, NEW.root);
END;
CREATE TRIGGER IF NOT EXISTS user_parted AFTER DELETE ON joined BEGIN
    INSERT INTO owner_change (identifier, owner) VALUES (OLD.member, OLD.root);
END;
