-- Sums of reports by period, which can be made again.
CREATE TABLE IF NOT EXISTS report_cache (
    key BLOB NOT NULL,
    start INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, start)
);
CREATE INDEX IF NOT EXISTS report_cache_by_age ON report_cache (at);
