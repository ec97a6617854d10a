-- The sums of `daily` by day (UTC), kept by triggers: a long range reads whole days, and quarters of an hour only at its ends.
CREATE TABLE day_sum (
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

CREATE FUNCTION add_to_day_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO day_sum AS kept
    SELECT day / 86400000 * 86400000, block, variant, campaign, sum(pictures), sum(opens), sum(unique_opens), sum(machine_opens),
        sum(unique_machine_opens), sum(clicks), sum(unique_clicks), sum(machine_clicks), sum(implied_opens)
    FROM added GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (day, block, variant, campaign) DO UPDATE SET
        pictures = kept.pictures + excluded.pictures,
        opens = kept.opens + excluded.opens,
        unique_opens = kept.unique_opens + excluded.unique_opens,
        machine_opens = kept.machine_opens + excluded.machine_opens,
        unique_machine_opens = kept.unique_machine_opens + excluded.unique_machine_opens,
        clicks = kept.clicks + excluded.clicks,
        unique_clicks = kept.unique_clicks + excluded.unique_clicks,
        machine_clicks = kept.machine_clicks + excluded.machine_clicks,
        implied_opens = kept.implied_opens + excluded.implied_opens;
    RETURN NULL;
END
$$;

CREATE FUNCTION change_day_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO day_sum AS kept
    SELECT day / 86400000 * 86400000, block, variant, campaign, sum(sign * pictures), sum(sign * opens), sum(sign * unique_opens),
        sum(sign * machine_opens), sum(sign * unique_machine_opens), sum(sign * clicks),
        sum(sign * unique_clicks), sum(sign * machine_clicks), sum(sign * implied_opens)
    FROM (SELECT 1 AS sign, * FROM added UNION ALL SELECT -1, * FROM gone) AS parts GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (day, block, variant, campaign) DO UPDATE SET
        pictures = kept.pictures + excluded.pictures,
        opens = kept.opens + excluded.opens,
        unique_opens = kept.unique_opens + excluded.unique_opens,
        machine_opens = kept.machine_opens + excluded.machine_opens,
        unique_machine_opens = kept.unique_machine_opens + excluded.unique_machine_opens,
        clicks = kept.clicks + excluded.clicks,
        unique_clicks = kept.unique_clicks + excluded.unique_clicks,
        machine_clicks = kept.machine_clicks + excluded.machine_clicks,
        implied_opens = kept.implied_opens + excluded.implied_opens;
    RETURN NULL;
END
$$;

CREATE TRIGGER daily_inserted AFTER INSERT ON daily REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION add_to_day_sum();
CREATE TRIGGER daily_updated AFTER UPDATE ON daily REFERENCING NEW TABLE AS added OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION change_day_sum();

INSERT INTO day_sum SELECT day / 86400000 * 86400000, block, variant, campaign, sum(pictures), sum(opens), sum(unique_opens), sum(machine_opens),
    sum(unique_machine_opens), sum(clicks), sum(unique_clicks), sum(machine_clicks), sum(implied_opens)
FROM daily GROUP BY 1, 2, 3, 4;
