-- Events that say something of a conversion, so that reports need no scan of the log: the message, its event, and the
-- id of its order. A rebuild writes all rows again with a new build, and removes those of earlier ones.
CREATE TABLE outcome (
    fingerprint bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    who text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    build bigint NOT NULL
);
CREATE INDEX outcome_by_time ON outcome (name, at, fingerprint);
CREATE INDEX outcome_by_id ON outcome (id, name) WHERE id <> '';

-- Which names of events are followed, and how far.
CREATE TABLE outcome_name (
    name text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL
);
INSERT INTO projection (name, build) VALUES ('conversions', nextval('projection_build'));

-- A duplicate may show that an event happened earlier.
CREATE FUNCTION outcome_moved() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE outcome SET at = NEW.at WHERE fingerprint = NEW.fingerprint;
    RETURN NULL;
END $$;
CREATE TRIGGER outcome_moved AFTER UPDATE OF at ON message
FOR EACH ROW WHEN (OLD.at <> NEW.at) EXECUTE FUNCTION outcome_moved();

-- The root that owns an event filed under an identifier at a moment.
CREATE FUNCTION event_root(filed text, moment bigint, page boolean) RETURNS text LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
    reached text := filed;
    found text;
BEGIN
    WHILE left(reached, 1) <> 'u' LOOP
        SELECT h.owner INTO found FROM holding h WHERE h.identifier = reached AND h.since <= moment
            AND h.until > moment AND h.moves IN ('all', CASE WHEN page THEN 'browser' ELSE 'server' END);
        IF found IS NULL THEN
            RETURN reached;
        END IF;
        reached := found;
    END LOOP;
    SELECT j.root INTO found FROM joined j WHERE j.member = reached;
    RETURN coalesce(found, reached);
END $$;
