-- Facts about a move from or to this database.
CREATE TABLE moving_note (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

-- The keys of rows that were written since a move began, as text.
CREATE TABLE moving_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    key text[] NOT NULL
);

-- Note a row: the first argument is the name of its table, the others are the columns of the key.
CREATE FUNCTION moving_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    before text[];
    now text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(to_jsonb(OLD) ->> TG_ARGV[i] ORDER BY i) INTO before FROM generate_series(1, TG_NARGS - 1) i;
        INSERT INTO moving_change (name, key) VALUES (TG_ARGV[0], before);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(to_jsonb(NEW) ->> TG_ARGV[i] ORDER BY i) INTO now FROM generate_series(1, TG_NARGS - 1) i;
        IF now IS DISTINCT FROM before THEN
            INSERT INTO moving_change (name, key) VALUES (TG_ARGV[0], now);
        END IF;
    END IF;
    RETURN NULL;
END $$;
