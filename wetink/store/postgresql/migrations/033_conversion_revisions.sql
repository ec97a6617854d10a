CREATE INDEX outcome_by_who ON outcome (who);

-- How often what there is of conversions changed in each day, hour and minute (`width` and first ms; floored division).
-- Width 0 counts changes of everything.
CREATE TABLE outcome_change (
    width bigint NOT NULL,
    start bigint NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (width, start)
) WITH (fillfactor = 50);

-- Count a change in the spans of some times.
CREATE FUNCTION outcome_changed(times bigint[]) RETURNS void LANGUAGE sql
AS $$
    INSERT INTO outcome_change AS c (width, start, changes)
    SELECT DISTINCT width, at - ((at % width) + width) % width, 1
    FROM unnest(times) AS t (at) CROSS JOIN unnest('{60000, 3600000, 86400000}'::bigint[]) AS w (width)
    ORDER BY 1, 2  -- in one order everywhere, so that no two transactions wait for each other
    ON CONFLICT (width, start) DO UPDATE SET changes = c.changes + 1
$$;

-- The times of some events, and of all others of the same orders.
CREATE FUNCTION outcome_times(prints bigint[]) RETURNS bigint[] LANGUAGE sql
AS $$
    WITH own AS MATERIALIZED (SELECT id, at FROM outcome WHERE fingerprint = ANY (prints))
    SELECT array(SELECT at FROM own UNION SELECT o.at FROM outcome o JOIN own ON own.id = o.id WHERE o.id <> '')
$$;

-- A duplicate may show that an event happened earlier. That concerns both times, and those of its order's other events.
CREATE OR REPLACE FUNCTION outcome_moved() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM outcome WHERE fingerprint = NEW.fingerprint) THEN
        PERFORM FROM projection WHERE projection.name = 'conversions' FOR UPDATE;
        PERFORM outcome_changed(outcome_times(ARRAY[NEW.fingerprint]) || NEW.at);
        UPDATE outcome SET at = NEW.at WHERE fingerprint = NEW.fingerprint;
    END IF;
    RETURN NULL;
END $$;

-- Which identifiers got or lost an owner, until the conversions of their profiles are marked as changed.
CREATE TABLE owner_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identifier text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL
);
CREATE FUNCTION holding_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO owner_change (identifier, owner) SELECT DISTINCT identifier, owner FROM changed;
    RETURN NULL;
END $$;
CREATE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO owner_change (identifier, owner) SELECT DISTINCT member, root FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER holding_made AFTER INSERT ON holding
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION holding_changed();
CREATE TRIGGER holding_moved_from AFTER UPDATE ON holding
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION holding_changed();
CREATE TRIGGER holding_moved_to AFTER UPDATE ON holding
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION holding_changed();
CREATE TRIGGER holding_ended AFTER DELETE ON holding
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION holding_changed();
CREATE TRIGGER user_joined AFTER INSERT ON joined
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION user_changed();
CREATE TRIGGER user_moved_from AFTER UPDATE ON joined
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION user_changed();
CREATE TRIGGER user_moved_to AFTER UPDATE ON joined
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION user_changed();
CREATE TRIGGER user_parted AFTER DELETE ON joined
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION user_changed();
