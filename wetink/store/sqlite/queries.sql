-- name: insert_event  One event; nothing when it is there already.
INSERT INTO event (who, key_time, fingerprint, seq, at, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: take_write_lock  Changes nothing, so no reader's memory of the file grows old.
UPDATE message SET seq = seq WHERE 0

-- name: insert_arrival
INSERT INTO arrival (seq, ids) VALUES (?, ?)

-- name: arrivals_after
SELECT ids FROM arrival WHERE seq > ? ORDER BY seq

-- name: arrivals  The newest first.
SELECT ids FROM arrival ORDER BY seq DESC

-- name: insert_message
INSERT INTO message (seq, received, source, message_id, verdict, problems, type, name, who, raw, key_time, fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_claim
INSERT OR IGNORE INTO claim (weaker, at, source, message_id, stronger, level, alias) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: delete_claim
DELETE FROM claim
WHERE weaker = ? AND at = ? AND source = ? AND message_id = ? AND stronger = ? AND level = ? AND alias = ?

-- name: insert_uncounted
INSERT OR IGNORE INTO uncounted_claim (weaker, at, source, message_id, stronger, level, alias) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: delete_uncounted
DELETE FROM uncounted_claim WHERE weaker = ? AND stronger = ?

-- name: delete_uncounted_alias
DELETE FROM uncounted_claim WHERE weaker = ? AND at = ? AND source = ? AND message_id = ?

-- name: uncounted_aliases
SELECT at, source, message_id, level FROM uncounted_claim WHERE weaker = ? AND stronger = ? AND alias

-- name: uncounted
SELECT DISTINCT stronger FROM uncounted_claim WHERE weaker = ?

-- name: claimed_by_others
SELECT EXISTS (SELECT 1 FROM claim WHERE weaker = ? AND stronger <> ?)

-- name: carriers  The events of somebody in some time that may carry a value.
SELECT body FROM event WHERE who = ? AND at >= ? AND at <= ? AND instr(body, ?)

-- name: claims_on
SELECT weaker, at, source, message_id, stronger, level, alias FROM claim WHERE weaker = ?

-- name: claimers
SELECT DISTINCT stronger FROM claim WHERE weaker = ?

-- name: carried  Whether some message is known to have carried this identifier as its own.
SELECT 1 FROM claim WHERE weaker = ?1 AND alias = 0 UNION ALL SELECT 1 FROM event WHERE who = ?1 LIMIT 1

-- name: page_claims_for  What pages claimed for somebody.
SELECT DISTINCT weaker FROM claim WHERE stronger = ? AND level = 'browser'

-- name: pages_claim
SELECT EXISTS (SELECT 1 FROM page_claimed WHERE told = 0)

-- name: unsent  Those of a JSON list that pages claim and no server has sent.
SELECT identifier FROM page_claimed WHERE told = 0 AND identifier IN (SELECT value FROM json_each(?))

-- name: page_claimed  Those of a JSON list that stand on either side of a page's claim.
SELECT identifier, told FROM page_claimed WHERE identifier IN (SELECT value FROM json_each(?))

-- name: put_page_claimed
INSERT INTO page_claimed (identifier, told) VALUES (?, ?) ON CONFLICT DO UPDATE SET told = excluded.told

-- name: sent_by_claim  Whether a server has sent an identifier in a claim, or in an alias.
SELECT 1 FROM claim WHERE weaker = ?1 AND level <> 'browser'
UNION ALL SELECT 1 FROM holding WHERE identifier = ?1 AND level <> 'browser'
UNION ALL SELECT 1 FROM joined WHERE member = ?1 LIMIT 1

-- name: led_to
SELECT owner FROM holding WHERE identifier = ?1 AND since <= ?2 AND until > ?2 AND followed

-- name: held
SELECT since, until, owner, level, moves, followed FROM holding WHERE identifier = ?

-- name: owner_at  Whose the events of a level are.
SELECT owner FROM holding WHERE identifier = ?1 AND since <= ?2 AND until > ?2 AND moves IN ('all', ?3)

-- name: delete_holding
DELETE FROM holding WHERE identifier = ? AND moves = ? AND since = ?

-- name: insert_holding
INSERT INTO holding (identifier, since, until, owner, level, moves, followed) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: holding_generation
SELECT number FROM holding_generation

-- name: next_holding_generation
UPDATE holding_generation SET number = number + 1

-- name: contest
INSERT INTO contested (identifier, claimers, at) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET claimers = excluded.claimers, at = max(at, excluded.at)

-- name: contested
SELECT identifier, CASE WHEN EXISTS (SELECT 1 FROM uncounted_claim WHERE weaker = identifier) THEN (
    SELECT count(*) FROM (
        SELECT stronger FROM claim WHERE weaker = identifier AND NOT alias
        UNION SELECT stronger FROM uncounted_claim WHERE weaker = identifier AND NOT alias
    )
) ELSE claimers END, at FROM contested WHERE at >= ? ORDER BY at DESC LIMIT ?

-- name: held_by
SELECT identifier, since, until, moves FROM holding WHERE owner = ? AND moves <> 'none' LIMIT ?

-- name: newest_reached  The newest events of whoever a JSON list of users is, or an address, in however many places.
WITH RECURSIVE reach (who, since, until, moves) AS (
    SELECT value, -?2, ?2, 'all' FROM json_each(?1)
    UNION ALL
    SELECT identifier, max(holding.since, reach.since), min(holding.until, reach.until), holding.moves
    FROM reach CROSS JOIN holding ON owner = who
    WHERE holding.moves <> 'none' AND max(holding.since, reach.since) < min(holding.until, reach.until)
)
SELECT at, body FROM reach CROSS JOIN event ON event.who = reach.who
WHERE at >= since AND at < until AND at <= ?3 AND (moves = 'all' OR moves = sender_of(body))
ORDER BY at DESC, body DESC LIMIT ?4

-- name: leading  The identifiers that lead to them at a moment, users first, then addresses, from one on.
WITH RECURSIVE reach (who) AS (
    SELECT value FROM json_each(?1)
    UNION
    SELECT identifier FROM reach CROSS JOIN holding ON owner = who
    WHERE holding.moves <> 'none' AND holding.since <= ?2 AND holding.until > ?2
)
SELECT who FROM reach
WHERE substr(who, 1, 1) < substr(?3, 1, 1) OR (substr(who, 1, 1) = substr(?3, 1, 1) AND who > ?3)
ORDER BY substr(who, 1, 1) DESC, who LIMIT ?4

-- name: insert_alias
INSERT OR IGNORE INTO alias (previous, current) VALUES (?, ?)

-- name: aliases_of
SELECT previous, current FROM alias WHERE previous = ?

-- name: delete_alias
DELETE FROM alias WHERE previous = ? AND current = ?

-- name: delete_joined
DELETE FROM joined WHERE root = ?

-- name: root_of
SELECT root FROM joined WHERE member = ?

-- name: members_of
SELECT member FROM joined WHERE root = ?

-- name: joined_with  All users that are one person with this one, itself included; none when it is alone.
SELECT member FROM joined WHERE root = (SELECT root FROM joined WHERE member = ?)

-- name: upsert_joined
INSERT INTO joined (member, root) VALUES (?, ?) ON CONFLICT DO UPDATE SET root = excluded.root

-- name: state  The end of the log, and whether pages claim identifiers that no server has sent, and there are summaries.
SELECT
    (SELECT coalesce(max(seq), 0) FROM message),
    EXISTS (SELECT 1 FROM page_claimed WHERE told = 0),
    EXISTS (SELECT 1 FROM person_summary)

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM message

-- name: stored_event
SELECT seq, at, body FROM event WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: stored_event_of_message  Where an event of a person stands that is filed under another time than it has now.
SELECT key_time, seq, at, body FROM event WHERE who = ? AND fingerprint = ? AND seq = ?

-- name: delete_event
DELETE FROM event WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: renew_message
UPDATE message SET verdict = ?, problems = ?, type = ?, name = ?, who = ? WHERE seq = ?

-- name: messages_after  Oldest first.
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE seq > ? ORDER BY seq LIMIT ?

-- name: replays
SELECT count FROM replays

-- name: count_replay
UPDATE replays SET count = count + 1

-- name: move_event  A duplicate that was received earlier in its own clock: the smallest time counts.
UPDATE event SET at = ?, body = ? WHERE who = ? AND key_time = ? AND fingerprint = ?

-- name: events_filed_under
SELECT body FROM event WHERE who = ?

-- name: newest_events  Newest first by the client's own time.
SELECT at, body, seq FROM event WHERE who = ? AND at >= ? AND at < ? ORDER BY key_time DESC LIMIT ?

-- name: untimed_events  Those whose client gave no time stand first in the cluster.
SELECT at, body, seq FROM event WHERE who = ? AND key_time = 0 AND at >= ? AND at < ? LIMIT ?

-- name: received_from  When the message was received that stands at a place of the log, or the next one.
SELECT received FROM message WHERE seq >= ? ORDER BY seq LIMIT 1

-- name: vote_of
SELECT option FROM vote WHERE poll = ? AND who = ?

-- name: vote
INSERT INTO vote (poll, who, option, at) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET option = excluded.option, at = excluded.at

-- name: add_votes
INSERT INTO tally (poll, option, votes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET votes = votes + excluded.votes

-- name: votes
SELECT option, votes FROM tally WHERE poll = ?

-- name: messages
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE seq < ? ORDER BY seq DESC LIMIT ?

-- name: messages_of_verdict
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE verdict = ? AND seq < ? ORDER BY seq DESC LIMIT ?

-- name: messages_in_trouble  The same by an index that has only those.
SELECT seq, source, message_id, received, verdict, problems, type, name, who, raw FROM message
WHERE verdict = ? AND verdict > 0 AND seq < ? ORDER BY seq DESC LIMIT ?

-- name: recent_identifiers
SELECT DISTINCT who FROM (SELECT who FROM message WHERE who <> 'p' ORDER BY seq DESC LIMIT ?)

-- name: next_identifier_filed  The next identifier after one, in the order of the cluster.
SELECT who FROM event WHERE who > ? AND who < ? ORDER BY who LIMIT 1

-- name: next_identifier_held
SELECT identifier FROM holding WHERE identifier > ? AND identifier < ? ORDER BY identifier LIMIT 1

-- name: events_of_products  Those of (seq, seq], and perhaps some others.
SELECT seq, body FROM logged WHERE seq > ? AND seq <= ? AND instr(body, CAST('products' AS BLOB)) ORDER BY seq
