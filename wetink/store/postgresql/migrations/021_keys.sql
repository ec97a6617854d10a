CREATE TABLE secret (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

-- Senders. Keys are kept as SHA-256 only, secrets for user ids as they are. `hosts` and `secrets` are JSON.
CREATE TABLE source (
    name text COLLATE "C" PRIMARY KEY,
    level text NOT NULL,
    hosts text NOT NULL,
    secrets text NOT NULL,
    verify boolean NOT NULL DEFAULT false,
    orders text NOT NULL DEFAULT 'count',
    per_second double precision NOT NULL DEFAULT 0,
    burst integer NOT NULL DEFAULT 0,
    disabled boolean NOT NULL DEFAULT false,
    created bigint NOT NULL,
    rotated bigint NOT NULL DEFAULT 0,
    old_used bigint NOT NULL DEFAULT 0,
    path_key text NOT NULL,
    write_hash bytea NOT NULL,
    access_key text NOT NULL,
    secret_hash bytea NOT NULL,
    old_write_hash bytea,
    old_access_key text,
    old_secret_hash bytea
);

-- Sessions of the dashboard: SHA-256 of what the browser holds, and of the token it was begun with. Times are Unix ms.
CREATE TABLE session (
    id bytea PRIMARY KEY,
    token bytea NOT NULL,
    began bigint NOT NULL,
    used bigint NOT NULL
);

-- Failed logins.
CREATE TABLE attempt (
    address text COLLATE "C" PRIMARY KEY,
    failures integer NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX attempt_by_time ON attempt (at);
