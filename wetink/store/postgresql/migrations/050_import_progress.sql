-- How far imports of files are: `begun` and `at`, when a state was stored, in Unix ms. `state` is JSON.
CREATE TABLE import_progress (
    id text COLLATE "C" PRIMARY KEY,
    begun bigint NOT NULL,
    at bigint NOT NULL,
    state bytea NOT NULL
);
