-- The arm each recipient is in, from the first exposure on. `seen` is the first open that counts, `clicked` the first such
-- click; `heir_of` names the recipient that turned out to be the same person, exposed before: that row counts for both.
CREATE TABLE exposure (
    recipient text COLLATE "C" NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    arm text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    person text NOT NULL,
    heir_of text COLLATE "C" NOT NULL,
    seen bigint,
    clicked bigint,
    PRIMARY KEY (recipient, experiment)
);
CREATE INDEX exposure_by_experiment ON exposure (experiment);
CREATE INDEX exposure_heir ON exposure (recipient) WHERE heir_of <> '';

-- What share of newcomers a bandit gives each arm in an epoch (JSON), the same for all processes.
CREATE TABLE bandit (
    experiment text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    shares text NOT NULL,
    PRIMARY KEY (experiment, epoch)
);
