-- The newest decision of each (block, recipient, campaign), and which slots of it were served.
CREATE TABLE IF NOT EXISTS decision (
    recipient TEXT NOT NULL,
    block TEXT NOT NULL,
    campaign TEXT NOT NULL,
    at INTEGER NOT NULL,
    served INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (recipient, block, campaign)
) WITHOUT ROWID;

-- Opens (kind 0) and clicks (kind 1), by recipient for crediting orders and by time for counting.
-- `facts` are the few words (JSON) that the rules read to tell people from machines; `fetch_class` is what they said, and
-- `human` whether the block counts it as somebody's; `arms` (JSON) is the arm of each experiment it was in.
-- `implied` is an open that nobody saw and a person's click proves.
CREATE TABLE IF NOT EXISTS contact (
    recipient TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    block TEXT NOT NULL,
    campaign TEXT NOT NULL,
    variant TEXT NOT NULL,
    fetch_class TEXT NOT NULL,
    facts TEXT NOT NULL,
    version INTEGER NOT NULL,
    human INTEGER NOT NULL DEFAULT 1,
    arms TEXT NOT NULL DEFAULT '',
    implied INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS contact_by_recipient ON contact (recipient, at);
CREATE INDEX IF NOT EXISTS contact_by_time ON contact (at);
CREATE INDEX IF NOT EXISTS contact_implied ON contact (recipient, at) WHERE implied;

-- What was served, opened and clicked in each quarter of an hour (`day` is its first Unix ms), so that a report reads no
-- contact, and days can begin at midnight in any zone.
CREATE TABLE IF NOT EXISTS daily (
    day INTEGER NOT NULL,
    block TEXT NOT NULL,
    variant TEXT NOT NULL,
    campaign TEXT NOT NULL,
    pictures INTEGER NOT NULL DEFAULT 0,
    opens INTEGER NOT NULL DEFAULT 0,
    unique_opens INTEGER NOT NULL DEFAULT 0,
    machine_opens INTEGER NOT NULL DEFAULT 0,
    unique_machine_opens INTEGER NOT NULL DEFAULT 0,
    clicks INTEGER NOT NULL DEFAULT 0,
    unique_clicks INTEGER NOT NULL DEFAULT 0,
    machine_clicks INTEGER NOT NULL DEFAULT 0,
    implied_opens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, block, variant, campaign)
) WITHOUT ROWID;

-- The same by day (UTC), kept by triggers: a long range reads whole days, and quarters of an hour only at its ends.
CREATE TABLE IF NOT EXISTS day_sum (
    day INTEGER NOT NULL,
    block TEXT NOT NULL,
    variant TEXT NOT NULL,
    campaign TEXT NOT NULL,
    pictures INTEGER NOT NULL DEFAULT 0,
    opens INTEGER NOT NULL DEFAULT 0,
    unique_opens INTEGER NOT NULL DEFAULT 0,
    machine_opens INTEGER NOT NULL DEFAULT 0,
    unique_machine_opens INTEGER NOT NULL DEFAULT 0,
    clicks INTEGER NOT NULL DEFAULT 0,
    unique_clicks INTEGER NOT NULL DEFAULT 0,
    machine_clicks INTEGER NOT NULL DEFAULT 0,
    implied_opens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, block, variant, campaign)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS daily_inserted AFTER INSERT ON daily BEGIN
    UPDATE day_sum SET
        pictures = pictures + NEW.pictures,
        opens = opens + NEW.opens,
        unique_opens = unique_opens + NEW.unique_opens,
        machine_opens = machine_opens + NEW.machine_opens,
        unique_machine_opens = unique_machine_opens + NEW.unique_machine_opens,
        clicks = clicks + NEW.clicks,
        unique_clicks = unique_clicks + NEW.unique_clicks,
        machine_clicks = machine_clicks + NEW.machine_clicks,
        implied_opens = implied_opens + NEW.implied_opens
    WHERE day = NEW.day / 86400000 * 86400000 AND block = NEW.block AND variant = NEW.variant AND campaign = NEW.campaign;
    INSERT INTO day_sum (day, block, variant, campaign, pictures, opens, unique_opens, machine_opens,
        unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens)
    SELECT NEW.day / 86400000 * 86400000, NEW.block, NEW.variant, NEW.campaign, NEW.pictures, NEW.opens, NEW.unique_opens,
        NEW.machine_opens, NEW.unique_machine_opens, NEW.clicks, NEW.unique_clicks, NEW.machine_clicks, NEW.implied_opens
    WHERE NOT EXISTS (
        SELECT 1 FROM day_sum
        WHERE day = NEW.day / 86400000 * 86400000 AND block = NEW.block AND variant = NEW.variant AND campaign = NEW.campaign
    );
END;
CREATE TRIGGER IF NOT EXISTS daily_updated AFTER UPDATE ON daily BEGIN
    UPDATE day_sum SET
        pictures = pictures + NEW.pictures - OLD.pictures,
        opens = opens + NEW.opens - OLD.opens,
        unique_opens = unique_opens + NEW.unique_opens - OLD.unique_opens,
        machine_opens = machine_opens + NEW.machine_opens - OLD.machine_opens,
        unique_machine_opens = unique_machine_opens + NEW.unique_machine_opens - OLD.unique_machine_opens,
        clicks = clicks + NEW.clicks - OLD.clicks,
        unique_clicks = unique_clicks + NEW.unique_clicks - OLD.unique_clicks,
        machine_clicks = machine_clicks + NEW.machine_clicks - OLD.machine_clicks,
        implied_opens = implied_opens + NEW.implied_opens - OLD.implied_opens
    WHERE day = NEW.day / 86400000 * 86400000 AND block = NEW.block AND variant = NEW.variant AND campaign = NEW.campaign;
END;

-- How many opens and clicks were written or changed in each day, hour and minute (`width` and first ms; floored division).
CREATE TABLE IF NOT EXISTS contact_change (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (width, start)
) WITHOUT ROWID;

-- The groups of opens and clicks from a stream that are stored: a group that is delivered again changes nothing. `at` is when
-- it was published (Unix ms); rows older than everything in the stream are deleted.
CREATE TABLE IF NOT EXISTS applied (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS applied_by_time ON applied (at);

-- What a block promised a person when it was first shown to them, such as when an offer ends. Never changes.
CREATE TABLE IF NOT EXISTS promise (
    recipient TEXT NOT NULL,
    block TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (recipient, block, name)
) WITHOUT ROWID;
