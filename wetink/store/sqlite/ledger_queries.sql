-- name: current
SELECT served, body FROM decision WHERE recipient = ? AND block = ? AND campaign = ?

-- name: keep
INSERT INTO decision (recipient, block, campaign, at, served, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, served = excluded.served, body = excluded.body

-- name: serve
UPDATE decision SET served = ? WHERE recipient = ? AND block = ? AND campaign = ?

-- name: apply
INSERT OR IGNORE INTO applied (id, at) VALUES (?, ?) RETURNING id

-- name: forget_applied
DELETE FROM applied WHERE at < ?

-- name: touches_within  Of the recipients in a JSON object, each with the [since, until) that is asked for.
SELECT contact.recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences
FROM json_each(?) AS wanted CROSS JOIN contact ON contact.recipient = wanted.key
    AND at >= wanted.value ->> 0 AND at < wanted.value ->> 1

-- name: contacts_of
SELECT kind, count(*) FROM contact
WHERE recipient = ? AND block = ? AND human GROUP BY kind

-- name: promised
SELECT name, value FROM promise WHERE recipient = ? AND block = ?

-- name: promise
INSERT OR IGNORE INTO promise (recipient, block, name, value) VALUES (?, ?, ?, ?)
