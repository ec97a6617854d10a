-- Audiences that have been computed, and when last (Unix ms).
CREATE TABLE audience (
    name text COLLATE "C" PRIMARY KEY,
    looked bigint NOT NULL
);

-- Who is in which audience since when: the root of a profile ('u42').
CREATE TABLE member (
    audience text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (audience, who)
);

-- The members that a computation has found so far. `run` begins with its time (Unix ms, 13 digits).
CREATE UNLOGGED TABLE present (
    audience text COLLATE "C" NOT NULL,
    run text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    PRIMARY KEY (audience, run, who)
);

-- One point for each audience and day (days since 1970, UTC): its size when last computed, who came and went that day;
-- NULL where the size was worked out afterwards.
CREATE TABLE size (
    audience text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    size bigint NOT NULL,
    entered bigint,
    departed bigint,
    PRIMARY KEY (audience, day)
);

-- Changes that are delivered to webhooks, in the order of `seq`. state: 0 waiting, 1 delivered, 2 dead.
CREATE TABLE delivery (
    audience text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    move text NOT NULL,
    who text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    state smallint NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    due bigint NOT NULL,
    why text NOT NULL DEFAULT '',
    PRIMARY KEY (audience, id)
);
CREATE INDEX delivery_by_id ON delivery (id);
CREATE INDEX delivery_due ON delivery (audience, due, seq) WHERE state = 0;
CREATE INDEX delivery_order ON delivery (audience, who, seq) WHERE state = 0;
CREATE INDEX delivery_state ON delivery (audience, state, seq);
CREATE INDEX delivery_done ON delivery (due) WHERE state = 1;
