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
-- `implied` is an open that nobody saw and a person's click proves. `audiences` (JSON) are those that the person was in.
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
    implied INTEGER NOT NULL DEFAULT 0,
    audiences TEXT NOT NULL DEFAULT ''
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

-- The same without pictures, once for the device class (`phone`), and for each audience that the person was in (`@vip`).
CREATE TABLE IF NOT EXISTS part_daily (
    day INTEGER NOT NULL,
    block TEXT NOT NULL,
    variant TEXT NOT NULL,
    campaign TEXT NOT NULL,
    part TEXT NOT NULL,
    opens INTEGER NOT NULL DEFAULT 0,
    unique_opens INTEGER NOT NULL DEFAULT 0,
    machine_opens INTEGER NOT NULL DEFAULT 0,
    unique_machine_opens INTEGER NOT NULL DEFAULT 0,
    clicks INTEGER NOT NULL DEFAULT 0,
    unique_clicks INTEGER NOT NULL DEFAULT 0,
    machine_clicks INTEGER NOT NULL DEFAULT 0,
    implied_opens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, block, variant, campaign, part)
) WITHOUT ROWID;

-- Sums of both tables, so that a report reads few rows. `kind` is the period and the columns that they are apart by
-- (`store.interactions.ROLLUPS`); the other columns are empty. Triggers keep them.
CREATE TABLE IF NOT EXISTS rollup (
    kind INTEGER NOT NULL,
    start INTEGER NOT NULL,
    block TEXT NOT NULL,
    variant TEXT NOT NULL,
    campaign TEXT NOT NULL,
    part TEXT NOT NULL,
    pictures INTEGER NOT NULL DEFAULT 0,
    opens INTEGER NOT NULL DEFAULT 0,
    unique_opens INTEGER NOT NULL DEFAULT 0,
    machine_opens INTEGER NOT NULL DEFAULT 0,
    unique_machine_opens INTEGER NOT NULL DEFAULT 0,
    clicks INTEGER NOT NULL DEFAULT 0,
    unique_clicks INTEGER NOT NULL DEFAULT 0,
    machine_clicks INTEGER NOT NULL DEFAULT 0,
    implied_opens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, start, block, variant, campaign, part)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rollup_of_campaign ON rollup (campaign, start) WHERE kind = 5;

-- Rows to add to the sums; those of `daily` have no part.
CREATE VIEW IF NOT EXISTS unsummed AS
SELECT day, block, variant, campaign, part, 0 AS pictures,
    opens, unique_opens, machine_opens, unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens
FROM part_daily;
CREATE TRIGGER IF NOT EXISTS sum_up INSTEAD OF INSERT ON unsummed BEGIN
    INSERT INTO rollup (kind, start, block, variant, campaign, part,
        pictures, opens, unique_opens, machine_opens, unique_machine_opens, clicks, unique_clicks, machine_clicks,
        implied_opens)
    SELECT part.*,
        NEW.pictures, NEW.opens, NEW.unique_opens, NEW.machine_opens, NEW.unique_machine_opens, NEW.clicks,
        NEW.unique_clicks, NEW.machine_clicks, NEW.implied_opens
    FROM (VALUES
        (0, NEW.day, '', '', '', ''),
        (1, NEW.day / 86400000 * 86400000, '', '', '', ''),
        (2, NEW.day, '', '', NEW.campaign, ''),
        (3, NEW.day / 86400000 * 86400000, '', '', NEW.campaign, ''),
        (4, NEW.day / 86400000 * 86400000, NEW.block, NEW.variant, '', ''),
        (5, NEW.day / 86400000 * 86400000, NEW.block, NEW.variant, NEW.campaign, '')
    ) AS part WHERE NEW.part IS NULL
    UNION ALL SELECT part.*,
        NEW.pictures, NEW.opens, NEW.unique_opens, NEW.machine_opens, NEW.unique_machine_opens, NEW.clicks,
        NEW.unique_clicks, NEW.machine_clicks, NEW.implied_opens
    FROM (VALUES
        (6, NEW.day, '', '', '', NEW.part),
        (7, NEW.day / 86400000 * 86400000, '', '', '', NEW.part),
        (8, NEW.day / 86400000 * 86400000, '', '', NEW.campaign, NEW.part),
        (9, NEW.day / 86400000 * 86400000, NEW.block, NEW.variant, '', NEW.part),
        (10, NEW.day / 86400000 * 86400000, NEW.block, NEW.variant, NEW.campaign, NEW.part)
    ) AS part WHERE NEW.part IS NOT NULL
    ON CONFLICT DO UPDATE SET
        pictures = pictures + excluded.pictures, opens = opens + excluded.opens,
        unique_opens = unique_opens + excluded.unique_opens, machine_opens = machine_opens + excluded.machine_opens,
        unique_machine_opens = unique_machine_opens + excluded.unique_machine_opens,
        clicks = clicks + excluded.clicks, unique_clicks = unique_clicks + excluded.unique_clicks,
        machine_clicks = machine_clicks + excluded.machine_clicks,
        implied_opens = implied_opens + excluded.implied_opens;
END;
CREATE TRIGGER IF NOT EXISTS daily_added AFTER INSERT ON daily BEGIN
    INSERT INTO unsummed VALUES (
        NEW.day, NEW.block, NEW.variant, NEW.campaign, NULL, NEW.pictures, NEW.opens, NEW.unique_opens,
        NEW.machine_opens, NEW.unique_machine_opens, NEW.clicks, NEW.unique_clicks, NEW.machine_clicks,
        NEW.implied_opens
    );
END;
CREATE TRIGGER IF NOT EXISTS daily_changed AFTER UPDATE ON daily BEGIN
    INSERT INTO unsummed VALUES (
        NEW.day, NEW.block, NEW.variant, NEW.campaign, NULL, NEW.pictures - OLD.pictures, NEW.opens - OLD.opens,
        NEW.unique_opens - OLD.unique_opens, NEW.machine_opens - OLD.machine_opens,
        NEW.unique_machine_opens - OLD.unique_machine_opens, NEW.clicks - OLD.clicks,
        NEW.unique_clicks - OLD.unique_clicks, NEW.machine_clicks - OLD.machine_clicks,
        NEW.implied_opens - OLD.implied_opens
    );
END;
CREATE TRIGGER IF NOT EXISTS daily_removed AFTER DELETE ON daily BEGIN
    INSERT INTO unsummed VALUES (
        OLD.day, OLD.block, OLD.variant, OLD.campaign, NULL, -OLD.pictures, -OLD.opens, -OLD.unique_opens,
        -OLD.machine_opens, -OLD.unique_machine_opens, -OLD.clicks, -OLD.unique_clicks, -OLD.machine_clicks,
        -OLD.implied_opens
    );
END;
CREATE TRIGGER IF NOT EXISTS part_daily_added AFTER INSERT ON part_daily BEGIN
    INSERT INTO unsummed VALUES (
        NEW.day, NEW.block, NEW.variant, NEW.campaign, NEW.part, 0, NEW.opens, NEW.unique_opens, NEW.machine_opens,
        NEW.unique_machine_opens, NEW.clicks, NEW.unique_clicks, NEW.machine_clicks, NEW.implied_opens
    );
END;
CREATE TRIGGER IF NOT EXISTS part_daily_changed AFTER UPDATE ON part_daily BEGIN
    INSERT INTO unsummed VALUES (
        NEW.day, NEW.block, NEW.variant, NEW.campaign, NEW.part, 0, NEW.opens - OLD.opens,
        NEW.unique_opens - OLD.unique_opens, NEW.machine_opens - OLD.machine_opens,
        NEW.unique_machine_opens - OLD.unique_machine_opens, NEW.clicks - OLD.clicks,
        NEW.unique_clicks - OLD.unique_clicks, NEW.machine_clicks - OLD.machine_clicks,
        NEW.implied_opens - OLD.implied_opens
    );
END;
CREATE TRIGGER IF NOT EXISTS part_daily_removed AFTER DELETE ON part_daily BEGIN
    INSERT INTO unsummed VALUES (
        OLD.day, OLD.block, OLD.variant, OLD.campaign, OLD.part, 0, -OLD.opens, -OLD.unique_opens,
        -OLD.machine_opens, -OLD.unique_machine_opens, -OLD.clicks, -OLD.unique_clicks, -OLD.machine_clicks,
        -OLD.implied_opens
    );
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
