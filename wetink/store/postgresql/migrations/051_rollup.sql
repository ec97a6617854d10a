-- Sums of `daily`, so that a report reads few rows, in place of those by day: `kind` is the period and the columns that they
-- are apart by (`store.interactions.ROLLUPS`), and the other columns are empty. Triggers keep them.
CREATE TABLE rollup (
    kind smallint NOT NULL,
    start bigint NOT NULL,
    block text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    pictures bigint NOT NULL DEFAULT 0,
    opens bigint NOT NULL DEFAULT 0,
    unique_opens bigint NOT NULL DEFAULT 0,
    machine_opens bigint NOT NULL DEFAULT 0,
    unique_machine_opens bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    unique_clicks bigint NOT NULL DEFAULT 0,
    machine_clicks bigint NOT NULL DEFAULT 0,
    implied_opens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, start, block, variant, campaign, part)
) WITH (fillfactor = 50);
CREATE INDEX rollup_of_campaign ON rollup (campaign, start) WHERE kind = 5;

CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts constant text := 'opens, unique_opens, machine_opens, unique_machine_opens, '
        'clicks, unique_clicks, machine_clicks, implied_opens';
    given text := 'day, block, variant, campaign, '''' AS part, pictures, ' || counts;
    parts text := '(0, day, '''', '''', '''', ''''), (1, whole, '''', '''', '''', ''''), (2, day, '''', '''', campaign, ''''), '
        '(3, whole, '''', '''', campaign, ''''), (4, whole, block, variant, '''', ''''), (5, whole, block, variant, campaign, '''')';
    rows text;
BEGIN
    IF TG_TABLE_NAME = 'part_daily' THEN
        given := 'day, block, variant, campaign, part, 0::bigint AS pictures, ' || counts;
        parts := '(6, day, '''', '''', '''', part), (7, whole, '''', '''', '''', part), (8, whole, '''', '''', campaign, part), '
            '(9, whole, block, variant, '''', part), (10, whole, block, variant, campaign, part)';
    END IF;
    rows := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, ' || given || ' FROM added'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, ' || given || ' FROM gone'
        ELSE 'SELECT 1 AS sign, ' || given || ' FROM added UNION ALL SELECT -1, ' || given || ' FROM gone'
    END;
    EXECUTE 'INSERT INTO rollup AS kept (kind, start, block, variant, campaign, part, pictures, ' || counts || ')
        SELECT each.*, sum(sign * pictures), sum(sign * opens), sum(sign * unique_opens), sum(sign * machine_opens),
            sum(sign * unique_machine_opens), sum(sign * clicks), sum(sign * unique_clicks), sum(sign * machine_clicks), sum(sign * implied_opens)
        FROM (SELECT *, day / 86400000 * 86400000 AS whole FROM (' || rows || ') AS plain) AS counted
        CROSS JOIN LATERAL (VALUES ' || parts || ') AS each (kind, start, block, variant, campaign, part)
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (kind, start, block, variant, campaign, part) DO UPDATE SET
            pictures = kept.pictures + excluded.pictures, opens = kept.opens + excluded.opens,
            unique_opens = kept.unique_opens + excluded.unique_opens,
            machine_opens = kept.machine_opens + excluded.machine_opens,
            unique_machine_opens = kept.unique_machine_opens + excluded.unique_machine_opens,
            clicks = kept.clicks + excluded.clicks, unique_clicks = kept.unique_clicks + excluded.unique_clicks,
            machine_clicks = kept.machine_clicks + excluded.machine_clicks,
            implied_opens = kept.implied_opens + excluded.implied_opens';
    RETURN NULL;
END
$$;

DROP TRIGGER daily_inserted ON daily;
DROP TRIGGER daily_updated ON daily;
DROP FUNCTION add_to_day_sum, change_day_sum;
CREATE TRIGGER daily_inserted AFTER INSERT ON daily REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();
CREATE TRIGGER daily_updated AFTER UPDATE ON daily REFERENCING NEW TABLE AS added OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();
CREATE TRIGGER daily_deleted AFTER DELETE ON daily REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION sum_up();

INSERT INTO rollup (kind, start, block, variant, campaign, part, pictures, opens, unique_opens, machine_opens, unique_machine_opens,
    clicks, unique_clicks, machine_clicks, implied_opens)
SELECT each.*, sum(pictures), sum(opens), sum(unique_opens), sum(machine_opens), sum(unique_machine_opens),
    sum(clicks), sum(unique_clicks), sum(machine_clicks), sum(implied_opens)
FROM daily CROSS JOIN LATERAL (VALUES
    (0, day, '', '', '', ''), (1, day / 86400000 * 86400000, '', '', '', ''), (2, day, '', '', campaign, ''),
    (3, day / 86400000 * 86400000, '', '', campaign, ''), (4, day / 86400000 * 86400000, block, variant, '', ''),
    (5, day / 86400000 * 86400000, block, variant, campaign, '')
) AS each (kind, start, block, variant, campaign, part)
GROUP BY 1, 2, 3, 4, 5, 6;

-- Servers of the version before read it.
DROP TABLE day_sum;
CREATE VIEW day_sum AS SELECT start AS day, block, variant, campaign, pictures, opens, unique_opens, machine_opens,
    unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens
FROM rollup WHERE kind = 5;
