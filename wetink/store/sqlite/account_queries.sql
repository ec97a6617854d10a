-- name: has_owner
SELECT 1 FROM account WHERE role = 'owner' AND NOT disabled LIMIT 1

-- name: owners
SELECT id FROM account WHERE role = 'owner' AND NOT disabled

-- name: all
SELECT id, email, name, role, password, disabled, created, used FROM account ORDER BY email

-- name: get
SELECT id, email, name, role, password, disabled, created, used FROM account WHERE id = ?

-- name: of_email
SELECT id, email, name, role, password, disabled, created, used FROM account WHERE email = ?

-- name: add
INSERT INTO account (id, email, name, role, password, disabled, created, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (email) DO NOTHING RETURNING 1

-- name: change
UPDATE account SET name = ifnull(?, name), role = ifnull(?, role), password = ifnull(?, password),
    disabled = ifnull(?, disabled), used = ifnull(?, used)
WHERE id = ?

-- name: remove
DELETE FROM account WHERE id = ?

-- name: remove_credentials
DELETE FROM credential WHERE account = ?

-- name: remove_links
DELETE FROM invitation WHERE account = ?

-- name: credentials
SELECT kind, id, account, name, data, created, used FROM credential WHERE account = ? ORDER BY created, id

-- name: credential
SELECT kind, id, account, name, data, created, used FROM credential WHERE kind = ? AND id = ?

-- name: add_credential
INSERT INTO credential (kind, id, account, name, data, created, used) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO NOTHING RETURNING 1

-- name: use_credential
UPDATE credential SET data = ?, used = ? WHERE kind = ? AND id = ? AND account = ? AND data = ? RETURNING 1

-- name: remove_credential
DELETE FROM credential WHERE account = ? AND kind = ? AND id = ? RETURNING 1

-- name: withdraw_others
UPDATE invitation SET revoked = ? WHERE email = ? AND account = ? AND NOT used AND NOT revoked

-- name: invite
INSERT INTO invitation (id, email, role, account, by, created, expires, used, revoked)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: invitations
SELECT id, email, role, account, by, created, expires, used, revoked FROM invitation WHERE account = ''
ORDER BY created DESC, id

-- name: invitation
SELECT id, email, role, account, by, created, expires, used, revoked FROM invitation WHERE id = ?

-- name: withdraw
UPDATE invitation SET revoked = ? WHERE id = ?

-- name: use
UPDATE invitation SET used = ? WHERE id = ?
