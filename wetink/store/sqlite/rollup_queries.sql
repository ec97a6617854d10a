-- name: sums  Of a span, apart by columns that take the place of these, from one of the tables with sums.
SELECT block, variant, campaign, part, sum(pictures), sum(opens), sum(unique_opens), sum(machine_opens),
    sum(unique_machine_opens), sum(clicks), sum(unique_clicks), sum(machine_clicks), sum(implied_opens)
FROM rollup WHERE start >= :since AND start < :until GROUP BY block, variant, campaign, part

-- name: lacks_rollups  Of counts from before there were any.
SELECT EXISTS (SELECT 1 FROM daily) AND NOT EXISTS (SELECT 1 FROM rollup)

-- name: fill_rollups  In place of the sums by day that there were.
DROP TRIGGER IF EXISTS daily_inserted;
DROP TRIGGER IF EXISTS daily_updated;
DROP TABLE IF EXISTS day_sum;
INSERT INTO unsummed
SELECT day, block, variant, campaign, NULL, pictures, opens, unique_opens, machine_opens, unique_machine_opens, clicks,
    unique_clicks, machine_clicks, implied_opens
FROM daily;
INSERT INTO part_daily (day, block, variant, campaign, part, opens, unique_opens, machine_opens, unique_machine_opens,
    clicks, unique_clicks, machine_clicks, implied_opens)
SELECT at / 900000 * 900000, block, variant, campaign, part.value,
    sum(kind = 0 AND human), sum(first AND kind = 0 AND human), sum(kind = 0 AND NOT human),
    sum(first AND kind = 0 AND NOT human), sum(kind = 1 AND human), sum(first AND kind = 1 AND human),
    sum(kind = 1 AND NOT human), sum(implied)
FROM (
    SELECT *, row_number() OVER (PARTITION BY recipient, block, campaign, kind, human ORDER BY at, rowid) = 1 AS first
    FROM contact
) CROSS JOIN json_each(parts_in(fetch_class, facts, audiences)) AS part GROUP BY 1, 2, 3, 4, 5

-- name: lacks_audiences
SELECT NOT EXISTS (SELECT 1 FROM pragma_table_info('contact') WHERE name = 'audiences')

-- name: add_audiences
ALTER TABLE contact ADD COLUMN audiences TEXT NOT NULL DEFAULT ''
