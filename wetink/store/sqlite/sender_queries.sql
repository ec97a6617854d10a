-- name: insert
INSERT INTO source (name, level, hosts, write_hash, path_key, access_key, secret_hash, created, secrets)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: sources
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
ORDER BY name

-- name: named
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
WHERE name = ?

-- name: of_write_key
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used FROM source
WHERE write_hash = ?1 OR old_write_hash = ?1

-- name: of_path  With both pairs of access key and secret.
SELECT name, level, hosts, secrets, verify, orders, per_second, burst, disabled, created, rotated, old_used,
    access_key, secret_hash, old_access_key, old_secret_hash FROM source WHERE path_key = ?

-- name: path_of
SELECT path_key FROM source WHERE name = ?

-- name: is_old
SELECT 1 FROM source WHERE old_write_hash = ?1 OR old_secret_hash = ?1

-- name: rotate
UPDATE source SET old_write_hash = write_hash, old_access_key = access_key, old_secret_hash = secret_hash,
    write_hash = ?, access_key = ?, secret_hash = ?, rotated = ?, old_used = 0 WHERE name = ?

-- name: retire
UPDATE source SET old_write_hash = NULL, old_access_key = NULL, old_secret_hash = NULL, rotated = 0, old_used = 0
WHERE name = ?

-- name: old_used
UPDATE source SET old_used = max(old_used, ?) WHERE name = ?

-- name: set  What is NULL stays.
UPDATE source SET disabled = coalesce(?, disabled), verify = coalesce(?, verify), orders = coalesce(?, orders),
    per_second = coalesce(?, per_second), burst = coalesce(?, burst), hosts = coalesce(?, hosts) WHERE name = ?

-- name: rename
UPDATE source SET name = ? WHERE name = ?

-- name: delete
DELETE FROM source WHERE name = ?

-- name: set_secrets
UPDATE source SET secrets = ? WHERE name = ?
