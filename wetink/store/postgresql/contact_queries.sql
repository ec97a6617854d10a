-- name: share  A lock that all who write opens and clicks share, while nobody sums them all up.
SELECT pg_advisory_xact_lock_shared(20, 1)

-- name: exclude  The same lock, alone.
SELECT pg_advisory_xact_lock(20, 1)

-- name: lock  Of recipients, in one order. What follows in the transaction reads what others wrote before.
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(recipient, 20) AS key FROM unnest($1::text[]) AS recipient ORDER BY 1 OFFSET 0
) AS sorted

-- name: known  Whether there are people's opens, machines' opens, and people's clicks of these. With OFFSET 0, no plan, as of a
-- new table, reads those of all people first.
SELECT
    EXISTS (SELECT FROM contact AS old WHERE old.recipient = wanted.recipient AND old.block = wanted.block
        AND old.campaign = wanted.campaign AND old.kind = 0 AND old.human OFFSET 0),
    EXISTS (SELECT FROM contact AS old WHERE old.recipient = wanted.recipient AND old.block = wanted.block
        AND old.campaign = wanted.campaign AND old.kind = 0 AND NOT old.human OFFSET 0),
    EXISTS (SELECT FROM contact AS old WHERE old.recipient = wanted.recipient AND old.block = wanted.block
        AND old.campaign = wanted.campaign AND old.kind = 1 AND old.human OFFSET 0)
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (recipient, block, campaign, n) ORDER BY n

-- name: near  Whether there is one of a kind within so many ms of these times. Compared so that no plan, as of a new table,
-- reads all people's opens of that time.
SELECT EXISTS (
    SELECT FROM contact AS old WHERE old.recipient = wanted.recipient AND old.block = wanted.block
        AND old.campaign = wanted.campaign AND old.kind = wanted.kind AND old.human = wanted.human
        AND abs(old.at - wanted.at) < $7::bigint
)
FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::boolean[], $6::bigint[]) WITH ORDINALITY
    AS wanted (recipient, block, campaign, kind, human, at, n)
ORDER BY n

-- name: implied_near  Opens that clicks have proved, within so many ms of these times, and whether each is the first open.
SELECT DISTINCT old.id, old.at, old.recipient, old.block, old.campaign, old.variant, old.fetch_class, old.facts,
    old.audiences, NOT EXISTS (
    SELECT FROM contact AS other WHERE other.recipient = old.recipient AND other.block = old.block
        AND other.campaign = old.campaign AND other.kind = 0 AND other.human AND other.id < old.id
)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS wanted (recipient, block, campaign, at)
JOIN contact AS old ON old.implied AND old.recipient = wanted.recipient AND old.block = wanted.block
    AND old.campaign = wanted.campaign AND abs(old.at - wanted.at) < $5::bigint

-- name: confirm
UPDATE contact SET implied = false, fetch_class = new.fetch_class, facts = new.facts, version = new.version
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::integer[])
    AS new (recipient, id, fetch_class, facts, version)
WHERE contact.recipient = new.recipient AND contact.id = new.id AND contact.implied

-- name: insert
INSERT INTO contact (recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::integer[], $10::boolean[], $11::text[], $12::boolean[], $13::text[])

-- name: expose  What it says of exposures; of an heir, that counts for whom it follows. Whoever clicks has seen it.
WITH met AS (
    SELECT own.experiment, coalesce(nullif(own.heir_of, ''), own.recipient) AS recipient, min(batch.seen) AS seen,
        min(batch.clicked) AS clicked
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS batch (recipient, experiment, seen, clicked)
    JOIN exposure AS own ON own.recipient = batch.recipient AND own.experiment = batch.experiment
    GROUP BY 1, 2
), locked AS (
    SELECT met.* FROM met JOIN exposure AS each ON each.recipient = met.recipient AND each.experiment = met.experiment
    ORDER BY each.recipient, each.experiment FOR UPDATE OF each
)
UPDATE exposure SET seen = least(exposure.seen, locked.seen), clicked = least(exposure.clicked, locked.clicked)
FROM locked WHERE exposure.recipient = locked.recipient AND exposure.experiment = locked.experiment

-- name: changed  Times of opens and clicks that were written or changed.
INSERT INTO contact_change AS old (width, start, changes)
SELECT width, at - mod(mod(at, width) + width, width), count(*) FROM unnest($1::bigint[]) AS at
CROSS JOIN (VALUES (60000::bigint), (3600000), (86400000)) AS widths (width) GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (width, start) DO UPDATE SET changes = old.changes + excluded.changes

-- name: count  Sums to add to those of their quarters of an hour.
INSERT INTO daily AS old (day, block, variant, campaign, pictures, opens, unique_opens, machine_opens, unique_machine_opens,
    clicks, unique_clicks, machine_clicks, implied_opens)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
ON CONFLICT (day, block, variant, campaign) DO UPDATE SET
    pictures = old.pictures + excluded.pictures,
    opens = old.opens + excluded.opens, unique_opens = old.unique_opens + excluded.unique_opens,
    machine_opens = old.machine_opens + excluded.machine_opens,
    unique_machine_opens = old.unique_machine_opens + excluded.unique_machine_opens,
    clicks = old.clicks + excluded.clicks, unique_clicks = old.unique_clicks + excluded.unique_clicks,
    machine_clicks = old.machine_clicks + excluded.machine_clicks,
    implied_opens = old.implied_opens + excluded.implied_opens

-- name: alone  One transaction at a time adds to the sums: triggers add to those of days first what is new, then what changes.
SELECT pg_advisory_xact_lock(20, 2)

-- name: count_parts  The same by part.
INSERT INTO part_daily AS old (day, block, variant, campaign, part, opens, unique_opens, machine_opens,
    unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
ON CONFLICT (day, block, variant, campaign, part) DO UPDATE SET
    opens = old.opens + excluded.opens, unique_opens = old.unique_opens + excluded.unique_opens,
    machine_opens = old.machine_opens + excluded.machine_opens,
    unique_machine_opens = old.unique_machine_opens + excluded.unique_machine_opens,
    clicks = old.clicks + excluded.clicks, unique_clicks = old.unique_clicks + excluded.unique_clicks,
    machine_clicks = old.machine_clicks + excluded.machine_clicks,
    implied_opens = old.implied_opens + excluded.implied_opens

-- name: clear_parts
DELETE FROM part_daily

-- name: clear_days  Pictures stay.
UPDATE daily SET opens = 0, unique_opens = 0, machine_opens = 0, unique_machine_opens = 0, clicks = 0,
    unique_clicks = 0, machine_clicks = 0, implied_opens = 0

-- name: last_id  The last one that was given out. Nobody may be writing.
SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('contact', 'id')::regclass), 0)

-- name: recipients  The next ones, in their order.
SELECT DISTINCT recipient FROM contact WHERE recipient > $1 ORDER BY recipient LIMIT $2

-- name: heirs
SELECT recipient, heir_of FROM exposure WHERE heir_of <> ''

-- name: touches_of  All of some recipients, email by email.
SELECT id, recipient, at, kind, block, campaign, fetch_class, facts FROM contact
WHERE recipient = ANY($1::text[]) AND NOT implied ORDER BY recipient, campaign, at, kind, id

-- name: retake
UPDATE contact SET fetch_class = new.fetch_class, facts = new.facts, version = $6, human = new.human
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::boolean[])
    AS new (recipient, id, fetch_class, facts, human)
WHERE contact.recipient = new.recipient AND contact.id = new.id

-- name: implied_of  Opens that clicks of some recipients have proved.
SELECT id, recipient, at, block, campaign FROM contact WHERE implied AND recipient = ANY($1::text[])

-- name: deny
DELETE FROM contact WHERE recipient = ANY($1::text[]) AND id = ANY($2::bigint[]) AND implied

-- name: imply_again  The opens that clicks prove, for the past.
INSERT INTO contact (recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences)
SELECT recipient, at, 0, block, campaign, variant, fetch_class, facts, version, true, arms, true, audiences FROM contact
WHERE recipient = ANY($1::text[]) AND id = ANY($2::bigint[])

-- name: unexpose
UPDATE exposure SET seen = NULL, clicked = NULL WHERE recipient = ANY($1::text[])

-- name: arms_of  What some recipients have seen and clicked in each experiment.
SELECT recipient, arm.key, min(at) FILTER (WHERE human), min(at) FILTER (WHERE human AND kind = 1)
FROM contact CROSS JOIN LATERAL json_each_text(arms::json) AS arm
WHERE recipient = ANY($1::text[]) AND arms <> '' GROUP BY 1, 2

-- name: sums_of  Sums by quarter of an hour of some recipients' rows up to one.
SELECT at - mod(mod(at, 900000) + 900000, 900000), block, variant, campaign, parts_in(fetch_class, facts, audiences),
    count(*) FILTER (WHERE kind = 0 AND human),
    count(*) FILTER (WHERE first AND kind = 0 AND human), count(*) FILTER (WHERE kind = 0 AND NOT human),
    count(*) FILTER (WHERE first AND kind = 0 AND NOT human), count(*) FILTER (WHERE kind = 1 AND human),
    count(*) FILTER (WHERE first AND kind = 1 AND human), count(*) FILTER (WHERE kind = 1 AND NOT human),
    count(*) FILTER (WHERE implied)
FROM (
    SELECT at, block, variant, campaign, kind, human, implied, fetch_class, facts, audiences,
        row_number() OVER (PARTITION BY recipient, block, campaign, kind, human ORDER BY at, id) = 1 AS first
    FROM contact WHERE recipient = ANY($1::text[]) AND id <= $2
) AS each GROUP BY 1, 2, 3, 4, 5

-- name: sums_since  The same of all rows after one. The first of somebody is no first if there was one up to then.
SELECT at - mod(mod(at, 900000) + 900000, 900000), block, variant, campaign, parts_in(fetch_class, facts, audiences),
    count(*) FILTER (WHERE kind = 0 AND human),
    count(*) FILTER (WHERE first AND kind = 0 AND human), count(*) FILTER (WHERE kind = 0 AND NOT human),
    count(*) FILTER (WHERE first AND kind = 0 AND NOT human), count(*) FILTER (WHERE kind = 1 AND human),
    count(*) FILTER (WHERE first AND kind = 1 AND human), count(*) FILTER (WHERE kind = 1 AND NOT human),
    count(*) FILTER (WHERE implied)
FROM (
    SELECT at, block, variant, campaign, kind, human, implied, fetch_class, facts, audiences,
        row_number() OVER (PARTITION BY recipient, block, campaign, kind, human ORDER BY at, id) = 1 AND NOT EXISTS (
            SELECT FROM contact AS old WHERE old.recipient = new.recipient AND old.block = new.block
                AND old.campaign = new.campaign AND old.kind = new.kind AND old.human = new.human AND old.id <= $1
        ) AS first
    FROM contact AS new WHERE id > $1
) AS each GROUP BY 1, 2, 3, 4, 5

-- name: sums  Of periods: whole days, and quarters of an hour added or taken away. Tables and columns take the places in braces.
SELECT period, {block}, {variant}, {campaign}, {part}, sum(sign * pictures)::bigint, sum(sign * opens)::bigint,
    sum(sign * unique_opens)::bigint, sum(sign * machine_opens)::bigint, sum(sign * unique_machine_opens)::bigint,
    sum(sign * clicks)::bigint, sum(sign * unique_clicks)::bigint, sum(sign * machine_clicks)::bigint,
    sum(sign * implied_opens)::bigint
FROM (
    SELECT period, 1 AS sign, rollup.*
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS wanted (period, since, until)
    JOIN rollup ON kind = {days} AND start >= since AND start < until
    WHERE ($8::text[] IS NULL OR block = ANY($8)) AND ($9::text IS NULL OR campaign = $9)
    UNION ALL
    SELECT period, sign, rollup.*
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::int[]) AS wanted (period, since, until, sign)
    JOIN {quarters} AS rollup ON kind = {kind} AND start >= since AND start < until
    WHERE ($8::text[] IS NULL OR block = ANY($8)) AND ($9::text IS NULL OR campaign = $9)
) AS parts GROUP BY 1, 2, 3, 4, 5

-- name: rows_of_daily  As those of `rollup`.
SELECT 0::smallint AS kind, day AS start, block, variant, campaign, '' AS part, pictures, opens, unique_opens, machine_opens,
    unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens
FROM daily

-- name: rows_of_part_daily
SELECT 0::smallint AS kind, day AS start, block, variant, campaign, part, 0::bigint AS pictures, opens, unique_opens,
    machine_opens, unique_machine_opens, clicks, unique_clicks, machine_clicks, implied_opens
FROM part_daily

-- name: audiences_of  Recipients (`kind:value`) with the audiences that they are in at a time.
SELECT wanted.recipient, array_agg(member.audience ORDER BY member.audience)
FROM unnest($1::text[], $2::text[]) AS wanted (recipient, who)
JOIN member ON member.who = root_of(wanted.who, $3) JOIN audience ON audience.name = member.audience GROUP BY 1
