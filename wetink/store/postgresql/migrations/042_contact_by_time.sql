-- concurrently
-- Lists opens and clicks of a span. From now on, `daily` has a row for each quarter of an hour, so that days can begin at
-- midnight in any zone: `day` is its first Unix ms. Earlier rows have whole days (UTC).
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_by_time ON contact (at);
