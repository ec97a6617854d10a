-- name: of
SELECT recipient, arm, at, person, heir_of, seen, clicked FROM exposure
WHERE experiment = ? AND recipient IN (SELECT value FROM json_each(?))

-- name: keep
INSERT INTO exposure (experiment, recipient, arm, at, person, heir_of, seen, clicked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET arm = excluded.arm, person = excluded.person, heir_of = excluded.heir_of
WHERE excluded.heir_of <> '' OR excluded.person <> exposure.person

-- name: days
SELECT coalesce(seen, at) / 86400000 * 86400000, arm, seen IS NOT NULL, count(*), count(clicked), total(seen = clicked)
FROM exposure
WHERE experiment = ? AND heir_of = '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: shares
SELECT shares FROM bandit WHERE experiment = ? AND epoch = ?

-- name: keep_shares
INSERT OR IGNORE INTO bandit (experiment, epoch, shares) VALUES (?, ?, ?)
