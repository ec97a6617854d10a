-- The newest vote of each person in each poll, and the sums of them.
CREATE TABLE vote (
    poll text COLLATE "C" NOT NULL,
    who text COLLATE "C" NOT NULL,
    option integer NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (poll, who)
);

CREATE TABLE tally (
    poll text COLLATE "C" NOT NULL,
    option integer NOT NULL,
    votes bigint NOT NULL,
    PRIMARY KEY (poll, option)
);
