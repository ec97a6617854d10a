-- name: drop_again  Opens as data that another process has counted within the minute.
DELETE FROM temp.batch WHERE once AND EXISTS (
    SELECT 1 FROM contact AS old WHERE old.recipient = batch.recipient AND old.at > batch.at - :again
        AND old.at < batch.at + :again AND old.block = batch.block AND old.campaign = batch.campaign
        AND old.kind = batch.kind AND old.human = batch.human
)

-- name: confirmed  Opens of people that a click had proved before they came.
SELECT old.rowid, old.at, old.block, old.variant, old.campaign, min(batch.rowid), batch.fetch_class, batch.facts,
    batch.version
FROM temp.batch AS batch CROSS JOIN contact AS old ON old.recipient = batch.recipient AND old.implied
    AND old.at > batch.at - ?1 AND old.at < batch.at + ?1 AND old.block = batch.block
    AND old.campaign = batch.campaign
WHERE batch.kind = 0 AND batch.human GROUP BY old.rowid

-- name: confirm
UPDATE contact SET implied = 0, fetch_class = ?, facts = ?, version = ? WHERE rowid = ?

-- name: confirm_day
UPDATE daily SET implied_opens = implied_opens - 1 WHERE day = ? AND block = ? AND variant = ? AND campaign = ?

-- name: leave_parts  An open that a click proved, before the facts of a real open take the place of the click's.
UPDATE part_daily SET opens = opens - 1, implied_opens = implied_opens - 1, unique_opens = unique_opens - NOT EXISTS (
    SELECT 1 FROM contact AS old WHERE old.recipient = new.recipient AND old.block = new.block
        AND old.campaign = new.campaign AND old.kind = 0 AND old.human AND old.rowid < new.rowid
)
FROM contact AS new WHERE new.rowid = ? AND part_daily.day = new.at / 900000 * 900000
    AND part_daily.block = new.block AND part_daily.variant = new.variant AND part_daily.campaign = new.campaign
    AND part IN (SELECT value FROM json_each(parts_in(new.fetch_class, new.facts, new.audiences)))

-- name: enter_parts  The same open with the facts of the real one.
INSERT INTO part_daily (day, block, variant, campaign, part, opens, unique_opens)
SELECT at / 900000 * 900000, block, variant, campaign, part.value, 1, NOT EXISTS (
    SELECT 1 FROM contact AS old WHERE old.recipient = new.recipient AND old.block = new.block
        AND old.campaign = new.campaign AND old.kind = 0 AND old.human AND old.rowid < new.rowid
)
FROM contact AS new CROSS JOIN json_each(parts_in(fetch_class, facts, audiences)) AS part WHERE new.rowid = ?
ON CONFLICT DO UPDATE SET opens = opens + 1, unique_opens = unique_opens + excluded.unique_opens

-- name: drop
DELETE FROM temp.batch WHERE rowid = ?

-- name: unproved  Which of some clicks have no open around them that is kept.
SELECT wanted.key FROM json_each(?1) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM contact AS old WHERE old.recipient = wanted.value ->> 0 AND old.at > (wanted.value ->> 1) - ?2
        AND old.at < (wanted.value ->> 1) + ?2 AND old.block = wanted.value ->> 2 AND old.campaign = wanted.value ->> 3
        AND old.kind = 0 AND old.human
)

-- name: imply_again  The open that one click proves, for the past.
INSERT INTO contact (recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences)
SELECT recipient, at, 0, block, campaign, variant, fetch_class, facts, version, 1, arms, 1, audiences FROM contact WHERE rowid = ?

-- name: deny
DELETE FROM contact WHERE rowid = ?

-- name: implied_of  Opens that clicks of some recipients have proved.
SELECT rowid, recipient, at, block, campaign FROM contact
WHERE implied AND recipient IN (SELECT value FROM json_each(?))

-- name: insert
INSERT INTO contact (recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences)
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences FROM temp.batch

-- name: changed  The spans of all of them.
INSERT INTO contact_change (width, start, changes)
SELECT width, at - ((at % width) + width) % width, count(*) FROM temp.batch
CROSS JOIN (SELECT 60000 AS width UNION SELECT 3600000 UNION SELECT 86400000) WHERE true GROUP BY 1, 2
ON CONFLICT DO UPDATE SET changes = changes + excluded.changes

-- name: changed_at  What changed at a time, or in all the past.
INSERT INTO contact_change (width, start, changes)
SELECT width, ?1 - ((?1 % width) + width) % width, 1
FROM (SELECT 60000 AS width UNION SELECT 3600000 UNION SELECT 86400000) WHERE true
ON CONFLICT DO UPDATE SET changes = changes + 1

-- name: changes_before  How many before each of some times: of whole days, and then of the hours and minutes of the last one.
SELECT (SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 86400000 AND start < day)
    + (SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 3600000 AND start >= day AND start < hour)
    + (SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 60000 AND start >= hour AND start < at)
FROM (
    SELECT key, value AS at, value - ((value % 86400000) + 86400000) % 86400000 AS day,
        value - ((value % 3600000) + 3600000) % 3600000 AS hour
    FROM json_each(?)
) ORDER BY key

-- name: mark_firsts  Those that are the recipient's first of the block and campaign; run before they are inserted.
UPDATE temp.batch SET first = 1 WHERE rowid IN (
    SELECT id FROM (
        SELECT min(at), rowid AS id, recipient, block, campaign, kind, human FROM temp.batch
        GROUP BY recipient, block, campaign, kind, human
    ) AS new
    WHERE NOT EXISTS (
        SELECT 1 FROM contact AS old WHERE old.recipient = new.recipient AND old.block = new.block
            AND old.campaign = new.campaign AND old.kind = new.kind AND old.human = new.human AND old.rowid <= :last
    )
)

-- name: count  All of them, by quarter of an hour.
INSERT INTO daily (day, block, variant, campaign, opens, unique_opens, machine_opens, unique_machine_opens, clicks,
    unique_clicks, machine_clicks, implied_opens)
SELECT at / 900000 * 900000, block, variant, campaign,
    sum(kind = 0 AND human), sum(first AND kind = 0 AND human), sum(kind = 0 AND NOT human),
    sum(first AND kind = 0 AND NOT human), sum(kind = 1 AND human), sum(first AND kind = 1 AND human),
    sum(kind = 1 AND NOT human), sum(implied)
FROM temp.batch WHERE true GROUP BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET opens = opens + excluded.opens, unique_opens = unique_opens + excluded.unique_opens,
    machine_opens = machine_opens + excluded.machine_opens,
    unique_machine_opens = unique_machine_opens + excluded.unique_machine_opens,
    clicks = clicks + excluded.clicks, unique_clicks = unique_clicks + excluded.unique_clicks,
    machine_clicks = machine_clicks + excluded.machine_clicks, implied_opens = implied_opens + excluded.implied_opens

-- name: count_parts  The same, for each part that they are in.
INSERT INTO part_daily (day, block, variant, campaign, part, opens, unique_opens, machine_opens, unique_machine_opens,
    clicks, unique_clicks, machine_clicks, implied_opens)
SELECT at / 900000 * 900000, block, variant, campaign, part.value,
    sum(kind = 0 AND human), sum(first AND kind = 0 AND human), sum(kind = 0 AND NOT human),
    sum(first AND kind = 0 AND NOT human), sum(kind = 1 AND human), sum(first AND kind = 1 AND human),
    sum(kind = 1 AND NOT human), sum(implied)
FROM temp.batch CROSS JOIN json_each(parts_in(fetch_class, facts, audiences)) AS part WHERE true GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET opens = opens + excluded.opens, unique_opens = unique_opens + excluded.unique_opens,
    machine_opens = machine_opens + excluded.machine_opens,
    unique_machine_opens = unique_machine_opens + excluded.unique_machine_opens,
    clicks = clicks + excluded.clicks, unique_clicks = unique_clicks + excluded.unique_clicks,
    machine_clicks = machine_clicks + excluded.machine_clicks, implied_opens = implied_opens + excluded.implied_opens

-- name: take_over  Sums that were made aside in place of those there were; pictures stay.
INSERT INTO daily (day, block, variant, campaign, opens, unique_opens, machine_opens, unique_machine_opens, clicks,
    unique_clicks, machine_clicks, implied_opens)
SELECT day, block, variant, campaign, opens, unique_opens, machine_opens, unique_machine_opens, clicks, unique_clicks,
    machine_clicks, implied_opens
FROM temp.sums WHERE true
ON CONFLICT DO UPDATE SET opens = excluded.opens, unique_opens = excluded.unique_opens,
    machine_opens = excluded.machine_opens, unique_machine_opens = excluded.unique_machine_opens,
    clicks = excluded.clicks, unique_clicks = excluded.unique_clicks, machine_clicks = excluded.machine_clicks,
    implied_opens = excluded.implied_opens

-- name: take_over_parts
INSERT INTO part_daily (day, block, variant, campaign, part, opens, unique_opens, machine_opens, unique_machine_opens,
    clicks, unique_clicks, machine_clicks, implied_opens)
SELECT day, block, variant, campaign, part, opens, unique_opens, machine_opens, unique_machine_opens, clicks,
    unique_clicks, machine_clicks, implied_opens
FROM temp.part_sums

-- name: expose  What it says of exposures; of an heir, that counts for whom it follows. Whoever clicks has seen it.
UPDATE exposure SET
    seen = min(coalesce(exposure.seen, met.seen), coalesce(met.seen, exposure.seen)),
    clicked = min(coalesce(exposure.clicked, met.clicked), coalesce(met.clicked, exposure.clicked))
FROM (
    SELECT arm.key AS experiment, coalesce(nullif(own.heir_of, ''), batch.recipient) AS recipient,
        min(CASE WHEN batch.human THEN batch.at END) AS seen,
        min(CASE WHEN batch.human AND batch.kind = 1 THEN batch.at END) AS clicked
    FROM temp.batch AS batch CROSS JOIN json_each(batch.arms) AS arm
    JOIN exposure AS own ON own.experiment = arm.key AND own.recipient = batch.recipient
    WHERE batch.arms <> '' GROUP BY 1, 2
) AS met
WHERE exposure.experiment = met.experiment AND exposure.recipient = met.recipient

-- name: pictures
INSERT INTO daily (day, block, variant, campaign, pictures)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET pictures = pictures + excluded.pictures

-- name: listed  Opens or clicks of a span, the newest first.
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences, rowid
FROM contact WHERE at >= :since AND (at, rowid) < (:at, :row) AND kind = :kind AND human = :human
    AND (:blocks IS NULL OR block IN (SELECT value FROM json_each(:blocks))) AND (:variant IS NULL OR variant = :variant)
    AND (:campaign IS NULL OR campaign = :campaign) AND (:fetch_class IS NULL OR fetch_class = :fetch_class)
    AND (:part IS NULL OR :part IN (SELECT value FROM json_each(parts_in(fetch_class, facts, audiences))))
ORDER BY at DESC, rowid DESC LIMIT :limit

-- name: listed_of  The same of some recipients, in a JSON list. Of each, no more rows are read than are wanted of all.
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences, contact.rowid
FROM (SELECT DISTINCT value AS who FROM json_each(:recipients)) AS wanted CROSS JOIN contact ON contact.rowid IN (
    SELECT own.rowid FROM contact AS own WHERE own.recipient = wanted.who
        AND own.at >= :since AND (own.at, own.rowid) < (:at, :row) AND own.kind = :kind AND own.human = :human
        AND (:blocks IS NULL OR own.block IN (SELECT value FROM json_each(:blocks)))
        AND (:variant IS NULL OR own.variant = :variant) AND (:campaign IS NULL OR own.campaign = :campaign)
        AND (:fetch_class IS NULL OR own.fetch_class = :fetch_class)
        AND (:part IS NULL OR :part IN (SELECT value FROM json_each(parts_in(own.fetch_class, own.facts, own.audiences))))
    ORDER BY own.at DESC, own.rowid DESC LIMIT :limit
)
ORDER BY at DESC, contact.rowid DESC LIMIT :limit

-- name: clear_days
UPDATE daily SET opens = 0, unique_opens = 0, machine_opens = 0, unique_machine_opens = 0, clicks = 0,
    unique_clicks = 0, machine_clicks = 0, implied_opens = 0;
DELETE FROM part_daily

-- name: recipients  The next ones, in their order.
SELECT DISTINCT recipient FROM contact WHERE recipient > ? ORDER BY recipient LIMIT ?

-- name: last_contact
SELECT coalesce(max(rowid), 0) FROM contact

-- name: batch_again  All of some recipients, up to a row.
INSERT INTO temp.batch
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, 0, audiences, 0 FROM contact
WHERE recipient IN (SELECT value FROM json_each(:recipients)) AND rowid <= :last

-- name: batch_since  What has been written since.
INSERT INTO temp.batch
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, 0, audiences, 0 FROM contact
WHERE rowid > :last

-- name: touches_of  All of some recipients, email by email.
SELECT rowid, recipient, at, kind, block, campaign, fetch_class, facts FROM contact
WHERE recipient IN (SELECT value FROM json_each(?)) AND NOT implied ORDER BY recipient, campaign, at, kind

-- name: retake
UPDATE contact SET fetch_class = ?, facts = ?, version = ?, human = ? WHERE rowid = ?

-- name: heirs
SELECT recipient, heir_of FROM exposure WHERE heir_of <> ''

-- name: unexpose
UPDATE exposure SET seen = NULL, clicked = NULL WHERE recipient IN (SELECT value FROM json_each(?))
