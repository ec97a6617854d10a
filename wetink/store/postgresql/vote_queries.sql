-- name: lock  Of a voter in a poll, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 26))

-- name: vote_of
SELECT option FROM vote WHERE poll = $1 AND who = $2

-- name: vote
INSERT INTO vote (poll, who, option, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (poll, who) DO UPDATE SET option = excluded.option, at = excluded.at

-- name: add_votes  In the order of options: others that vote wait for the same rows.
INSERT INTO tally AS old (poll, option, votes)
SELECT $1, option, votes FROM unnest($2::integer[], $3::bigint[]) AS new (option, votes) ORDER BY option
ON CONFLICT (poll, option) DO UPDATE SET votes = old.votes + excluded.votes

-- name: votes
SELECT option, votes FROM tally WHERE poll = $1
