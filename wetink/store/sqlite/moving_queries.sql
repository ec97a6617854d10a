-- name: tables
SELECT name FROM sqlite_schema WHERE type = 'table'

-- name: prepare  Facts about a move.
CREATE TABLE IF NOT EXISTS moving_note (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID

-- name: begin  The keys of rows that were written since a move began.
CREATE TABLE IF NOT EXISTS moving_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    k1, k2, k3, k4
)

-- name: end
DROP TABLE IF EXISTS moving_change;
DROP TABLE IF EXISTS moving_note

-- name: notes
SELECT name, value FROM moving_note

-- name: put_note
INSERT OR REPLACE INTO moving_note (name, value) VALUES (?, ?)

-- name: changes
SELECT id, name, k1, k2, k3, k4 FROM moving_change ORDER BY id LIMIT ?

-- name: forget
DELETE FROM moving_change WHERE id = ?

-- name: noted
SELECT count(*) FROM moving_change

-- name: last
SELECT max(seq) FROM message

-- name: count
SELECT count(*) FROM message

-- name: messages  With their events, oldest first.
SELECT m.seq, m.source, m.message_id, m.received, m.verdict, m.problems, m.type, m.name, m.who, m.raw, m.key_time, e.body
FROM message m LEFT JOIN event e ON e.who = m.who AND e.key_time = m.key_time AND e.fingerprint = m.fingerprint
WHERE m.seq > ? ORDER BY m.seq LIMIT ?

-- name: message
SELECT m.seq, m.source, m.message_id, m.received, m.verdict, m.problems, m.type, m.name, m.who, m.raw, m.key_time, e.body
FROM message m LEFT JOIN event e ON e.who = m.who AND e.key_time = m.key_time AND e.fingerprint = m.fingerprint
WHERE m.seq = ? AND m.seq <= ?

-- name: imports  Those up to a place of the log, each after the message there.
SELECT id, seq, at, products FROM product_import WHERE id > ? AND seq <= ? ORDER BY id LIMIT ?
