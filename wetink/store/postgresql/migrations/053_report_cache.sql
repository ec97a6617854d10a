-- Sums of reports by period, which can be made again.
CREATE TABLE report_cache (
    key bytea NOT NULL,
    start bigint NOT NULL,
    at bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (key, start)
);
CREATE INDEX report_cache_by_age ON report_cache (at);
