-- name: take
-- One that lasts far longer than it may was taken before the clock was set back.
INSERT INTO lease (name, holder, until, ttl) VALUES (:name, :holder, :until, :ttl)
ON CONFLICT (name) DO UPDATE SET holder = :holder, until = :until, ttl = :ttl
WHERE lease.until <= :now OR lease.until > :now + 2 * lease.ttl
RETURNING 1

-- name: renew
UPDATE lease SET until = :until WHERE name = :name AND holder = :holder RETURNING 1

-- name: release
DELETE FROM lease WHERE name = ? AND holder = ?

-- name: held
SELECT name, holder, until FROM lease WHERE until > ? AND until <= ? + 2 * ttl ORDER BY name
