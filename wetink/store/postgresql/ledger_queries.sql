-- name: settle
-- A kept decision stands while it is younger than $8 ms and either shows the same or was not served in these slots
-- (`core.blocks.block.stands`). The commit does not wait for the disk: a crash loses no more than the last second.
INSERT INTO decision AS kept (recipient, block, campaign, at, says, served, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'
ON CONFLICT (recipient, block, campaign) DO UPDATE SET (at, says, served, previous, body) = (
    SELECT CASE WHEN stands THEN kept.at ELSE excluded.at END, CASE WHEN stands THEN kept.says ELSE excluded.says END,
        excluded.served | CASE WHEN stands THEN kept.served ELSE 0 END, CASE WHEN stands THEN kept.served ELSE 0 END,
        CASE WHEN stands THEN kept.body ELSE excluded.body END
    FROM (
        SELECT abs(excluded.at - kept.at) < $8::bigint
            AND (excluded.says = kept.says OR kept.served & excluded.served & $9::bigint = 0) AS stands
    ) AS rule
)
RETURNING recipient, block, campaign, previous, CASE WHEN previous <> 0 THEN body END

-- name: keep  Decisions made while the database was away. A newer stored one stays.
INSERT INTO decision AS kept (recipient, block, campaign, at, says, served, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
ON CONFLICT (recipient, block, campaign) DO UPDATE SET at = excluded.at, says = excluded.says, body = excluded.body,
    served = excluded.served | CASE WHEN kept.at = excluded.at THEN kept.served ELSE 0 END, previous = 0
WHERE kept.at < excluded.at OR (kept.at = excluded.at AND kept.says = excluded.says)

-- name: apply
INSERT INTO applied (id, at) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING RETURNING id

-- name: forget_applied
DELETE FROM applied WHERE at < $1

-- name: current
SELECT body FROM decision WHERE recipient = $1 AND block = $2 AND campaign = $3

-- name: promised
SELECT name, value FROM promise WHERE recipient = $1 AND block = $2

-- name: promise
INSERT INTO promise (recipient, block, name, value) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'
ON CONFLICT DO NOTHING

-- name: touches_within  Of recipients, each with its own [since, until). Compared so that no plan reads those of all people.
SELECT contact.recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS wanted (recipient, since, until)
JOIN contact ON contact.recipient = wanted.recipient AND at - since >= 0 AND at - until < 0

-- name: contacts_of
SELECT kind, count(*) FROM contact WHERE recipient = $1 AND block = $2 AND human GROUP BY kind

-- name: changes_before  How many before each of some times: of whole days, and then of the hours and minutes of the last one.
SELECT ((SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 86400000 AND start < day)
    + (SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 3600000 AND start >= day AND start < hour)
    + (SELECT coalesce(sum(changes), 0) FROM contact_change WHERE width = 60000 AND start >= hour AND start < at))::text
FROM (
    SELECT n, at, at - mod(mod(at, 86400000) + 86400000, 86400000) AS day,
        at - mod(mod(at, 3600000) + 3600000, 3600000) AS hour
    FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (at, n)
) AS spans ORDER BY n

-- name: listed  Opens or clicks of a span, the newest first.
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences, id
FROM contact WHERE at >= $1 AND (at, id) < ($2, $3) AND kind = $4 AND human = $5 AND ($6::text[] IS NULL OR block = ANY($6))
    AND ($7::text IS NULL OR variant = $7) AND ($8::text IS NULL OR campaign = $8)
    AND ($9::text IS NULL OR fetch_class = $9) AND ($10::text IS NULL OR $10 = ANY(parts_in(fetch_class, facts, audiences)))
ORDER BY at DESC, id DESC LIMIT $11

-- name: listed_of  The same of some recipients. Of each, no more rows are read than are wanted of all.
SELECT recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences, id
FROM (SELECT DISTINCT unnest($12::text[]) AS who) AS wanted CROSS JOIN LATERAL (
    SELECT * FROM contact WHERE recipient = wanted.who AND at >= $1 AND (at, id) < ($2, $3) AND kind = $4 AND human = $5
        AND ($6::text[] IS NULL OR block = ANY($6)) AND ($7::text IS NULL OR variant = $7)
        AND ($8::text IS NULL OR campaign = $8) AND ($9::text IS NULL OR fetch_class = $9)
        AND ($10::text IS NULL OR $10 = ANY(parts_in(fetch_class, facts, audiences)))
    ORDER BY at DESC, id DESC LIMIT $11
) AS own
ORDER BY at DESC, id DESC LIMIT $11
