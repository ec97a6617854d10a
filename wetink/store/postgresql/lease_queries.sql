-- name: take
-- One that lasts far longer than it may was taken before the server's clock was set back.
INSERT INTO lease AS held (name, holder, until, ttl)
VALUES ($1, $2, clock_timestamp() + $3::interval, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, ttl = excluded.ttl
WHERE held.until <= clock_timestamp() OR held.until > clock_timestamp() + 2 * held.ttl OR held.holder = excluded.holder
RETURNING true

-- name: renew
UPDATE lease SET until = clock_timestamp() + $3::interval WHERE name = $1 AND holder = $2 RETURNING true

-- name: release
DELETE FROM lease WHERE name = $1 AND holder = $2

-- name: held
SELECT name, holder, (extract(epoch FROM until) * 1000)::bigint FROM lease
WHERE until > clock_timestamp() AND until <= clock_timestamp() + 2 * ttl ORDER BY name
