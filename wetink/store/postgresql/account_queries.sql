-- name: has_owner
SELECT 1 FROM account WHERE role = 'owner' AND NOT disabled LIMIT 1

-- name: owners  Locked, so that of two owners who leave at once, one stays.
SELECT id FROM account WHERE role = 'owner' AND NOT disabled ORDER BY id FOR UPDATE

-- name: all
SELECT id, email, name, role, password, disabled, created, used FROM account ORDER BY email

-- name: get
SELECT id, email, name, role, password, disabled, created, used FROM account WHERE id = $1

-- name: of_email
SELECT id, email, name, role, password, disabled, created, used FROM account WHERE email = $1

-- name: add
INSERT INTO account (id, email, name, role, password, disabled, created, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (email) DO NOTHING RETURNING 1

-- name: change
UPDATE account SET name = coalesce($2, name), role = coalesce($3, role), password = coalesce($4, password),
    disabled = coalesce($5, disabled), used = coalesce($6, used)
WHERE id = $1
RETURNING id, email, name, role, password, disabled, created, used

-- name: remove
DELETE FROM account WHERE id = $1 RETURNING 1

-- name: remove_credentials
DELETE FROM credential WHERE account = $1

-- name: remove_links
DELETE FROM invitation WHERE account = $1

-- name: credentials
SELECT kind, id, account, name, data, created, used FROM credential WHERE account = $1 ORDER BY created, id

-- name: credential
SELECT kind, id, account, name, data, created, used FROM credential WHERE kind = $1 AND id = $2

-- name: add_credential
INSERT INTO credential (kind, id, account, name, data, created, used) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, id) DO NOTHING RETURNING 1

-- name: use_credential
UPDATE credential SET data = $1, used = $2 WHERE kind = $3 AND id = $4 AND account = $5 AND data = $6 RETURNING 1

-- name: remove_credential
DELETE FROM credential WHERE account = $1 AND kind = $2 AND id = $3 RETURNING 1

-- name: withdraw_others
UPDATE invitation SET revoked = $1 WHERE email = $2 AND account = $3 AND used = 0 AND revoked = 0

-- name: invite
INSERT INTO invitation (id, email, role, account, by, created, expires, used, revoked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: invitations
SELECT id, email, role, account, by, created, expires, used, revoked FROM invitation WHERE account = ''
ORDER BY created DESC, id

-- name: invitation
SELECT id, email, role, account, by, created, expires, used, revoked FROM invitation WHERE id = $1

-- name: locked_invitation  Two who use a link at once come one after the other.
SELECT id, email, role, account, by, created, expires, used, revoked FROM invitation WHERE id = $1 FOR UPDATE

-- name: withdraw
UPDATE invitation SET revoked = $1 WHERE id = $2

-- name: use
UPDATE invitation SET used = $1 WHERE id = $2
