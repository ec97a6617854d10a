-- The groups of opens and clicks from a stream that are stored: a group that is delivered again changes nothing. `at` is when
-- it was published (Unix ms); rows older than everything in the stream are deleted.
CREATE TABLE applied (
    id text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL
);
CREATE INDEX applied_by_time ON applied (at);
