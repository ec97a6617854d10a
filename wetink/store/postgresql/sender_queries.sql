-- name: insert
INSERT INTO source (name, level, hosts, write_hash, path_key, access_key, secret_hash, created, secrets)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING true

-- name: sources
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
ORDER BY name

-- name: named
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
WHERE name = $1

-- name: of_write_key
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
WHERE write_hash = $1 OR old_write_hash = $1

-- name: of_path  With both pairs of access key and secret.
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used,
    access_key, secret_hash, old_access_key, old_secret_hash FROM source WHERE path_key = $1

-- name: path_of
SELECT path_key FROM source WHERE name = $1 FOR UPDATE

-- name: is_old
SELECT true FROM source WHERE old_write_hash = $1 OR old_secret_hash = $1

-- name: rotate
UPDATE source SET old_write_hash = write_hash, old_access_key = access_key, old_secret_hash = secret_hash,
    write_hash = $2, access_key = $3, secret_hash = $4, rotated = $5, old_used = 0 WHERE name = $1

-- name: retire
UPDATE source SET old_write_hash = NULL, old_access_key = NULL, old_secret_hash = NULL, rotated = 0, old_used = 0
WHERE name = $1

-- name: old_used
UPDATE source SET old_used = greatest(old_used, $2) WHERE name = $1

-- name: set  What is NULL stays.
UPDATE source SET disabled = coalesce($2, disabled), verify = coalesce($3, verify), orders = coalesce($4, orders),
    per_second = coalesce($5, per_second), burst = coalesce($6, burst), hosts = coalesce($7, hosts) WHERE name = $1
RETURNING name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used

-- name: rename  Unless there is one of the new name.
UPDATE source SET name = $2 WHERE name = $1 AND NOT EXISTS (SELECT FROM source WHERE name = $2 AND name <> $1)
RETURNING true

-- name: delete
DELETE FROM source WHERE name = $1 RETURNING true

-- name: secrets
SELECT secrets FROM source WHERE name = $1 FOR UPDATE

-- name: set_secrets
UPDATE source SET secrets = $2 WHERE name = $1
