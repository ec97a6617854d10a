-- The arm each recipient is in, from the first exposure on. `seen` is the first open that counts, `clicked` the first such
-- click; `heir_of` names the recipient that turned out to be the same person, exposed before: that row counts for both.
CREATE TABLE IF NOT EXISTS exposure (
    experiment TEXT NOT NULL,
    recipient TEXT NOT NULL,
    arm TEXT NOT NULL,
    at INTEGER NOT NULL,
    person TEXT NOT NULL,
    heir_of TEXT NOT NULL,
    seen INTEGER,
    clicked INTEGER,
    PRIMARY KEY (experiment, recipient)
) WITHOUT ROWID;

-- What share of newcomers a bandit gives each arm in an epoch, the same for all processes.
CREATE TABLE IF NOT EXISTS bandit (
    experiment TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    shares TEXT NOT NULL,
    PRIMARY KEY (experiment, epoch)
) WITHOUT ROWID;
