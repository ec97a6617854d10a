-- name: current
SELECT served, body FROM decision WHERE recipient = ? AND block = ? AND campaign = ?

-- name: keep
INSERT INTO decision (recipient, block, campaign, at, served, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, served = excluded.served, body = excluded.body

-- name: serve
UPDATE decision SET served = ? WHERE recipient = ? AND block = ? AND campaign = ?

-- name: insert_touches  From JSON: an array of arrays.
INSERT INTO contact (recipient, at, kind, block, campaign, variant, taken_for, facts, version, human)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9
FROM json_each(?)

-- name: touches_of
SELECT recipient, at, kind, block, campaign, variant, taken_for, facts, version, human FROM contact
WHERE recipient = ? AND at >= ? AND at < ?

-- name: all_touches
SELECT rowid, recipient, at, kind, block, campaign, taken_for, facts FROM contact ORDER BY recipient, campaign, at, kind

-- name: retake
UPDATE contact SET taken_for = ?, facts = ?, version = ?, human = ? WHERE rowid = ?

-- name: counts
SELECT block, sum(kind = 0), sum(kind = 1) FROM contact
WHERE at >= ? AND at < ? AND human GROUP BY block ORDER BY block

-- name: contacts_of
SELECT kind, count(*) FROM contact
WHERE recipient = ? AND block = ? AND human GROUP BY kind

-- name: promised
SELECT name, value FROM promise WHERE recipient = ? AND block = ?

-- name: promise
INSERT OR IGNORE INTO promise (recipient, block, name, value) VALUES (?, ?, ?, ?)
