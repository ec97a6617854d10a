-- name: of
SELECT recipient, arm, at, person, heir_of, seen, clicked FROM exposure
WHERE experiment = $1 AND recipient = ANY($2::text[])

-- name: keep
INSERT INTO exposure AS kept (experiment, recipient, arm, at, person, heir_of, seen, clicked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (recipient, experiment) DO UPDATE SET arm = excluded.arm, person = excluded.person, heir_of = excluded.heir_of
WHERE excluded.heir_of <> '' OR excluded.person <> kept.person

-- name: days
SELECT coalesce(seen, at) - mod(mod(coalesce(seen, at), 86400000) + 86400000, 86400000), arm, seen IS NOT NULL, count(*), count(clicked),
    count(*) FILTER (WHERE seen = clicked)
FROM exposure WHERE experiment = $1 AND heir_of = '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: shares
SELECT shares FROM bandit WHERE experiment = $1 AND epoch = $2

-- name: keep_shares
INSERT INTO bandit (experiment, epoch, shares) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
