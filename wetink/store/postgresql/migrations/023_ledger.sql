-- The newest decision of each (recipient, block, campaign). `says` is a hash of what it shows; `served` has a bit for each
-- served slot and two for the kinds of fetch that have been counted; `previous` is `served` before the last open, 0 if that
-- open made the decision.
CREATE TABLE decision (
    recipient text COLLATE "C" NOT NULL,
    block text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    says bigint NOT NULL,
    served bigint NOT NULL,
    previous bigint NOT NULL DEFAULT 0,
    body bytea NOT NULL,
    PRIMARY KEY (recipient, block, campaign)
) WITH (fillfactor = 70);

-- What a block promised a person when it was first shown to them, such as when an offer ends. Never changes.
CREATE TABLE promise (
    recipient text COLLATE "C" NOT NULL,
    block text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (recipient, block, name)
);

-- Opens (kind 0) and clicks (kind 1). `facts` are what the rules read to tell people from machines (JSON), `fetch_class` is
-- their result, and `human` whether the block counts it as somebody's; `arms` (JSON) is the arm of each experiment.
-- `implied` is an open that nobody saw and a person's click proves.
CREATE TABLE contact (
    recipient text COLLATE "C" NOT NULL,
    block text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    human boolean NOT NULL,
    at bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    implied boolean NOT NULL,
    version integer NOT NULL,
    variant text COLLATE "C" NOT NULL,
    fetch_class text NOT NULL,
    facts text NOT NULL,
    arms text NOT NULL,
    PRIMARY KEY (recipient, block, campaign, kind, human, at, id)
);
CREATE INDEX contact_implied ON contact (recipient, at) WHERE implied;
CREATE INDEX contact_by_id ON contact USING brin (id);

-- What was served, opened and clicked on each day (its first Unix ms, UTC), so that a report reads no contact.
CREATE TABLE daily (
    day bigint NOT NULL,
    block text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    pictures bigint NOT NULL DEFAULT 0,
    opens bigint NOT NULL DEFAULT 0,
    unique_opens bigint NOT NULL DEFAULT 0,
    machine_opens bigint NOT NULL DEFAULT 0,
    unique_machine_opens bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    unique_clicks bigint NOT NULL DEFAULT 0,
    machine_clicks bigint NOT NULL DEFAULT 0,
    implied_opens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, block, variant, campaign)
) WITH (fillfactor = 50);

-- How many opens and clicks were written or changed in each day, hour and minute (`width` and first ms; floored division).
CREATE TABLE contact_change (
    width bigint NOT NULL,
    start bigint NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (width, start)
) WITH (fillfactor = 50);
