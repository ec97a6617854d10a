-- name: hold
SELECT * FROM hold_identifiers($1, $2, $3, $4)

-- name: lock
SELECT lock_identifiers($1, $2)

-- name: drop_summaries_about
SELECT drop_summaries_about($1)

-- name: claims_on
SELECT c.weaker, c.at, c.source, c.message_id, c.stronger, c.level, c.alias
FROM unnest($1::text[]) AS k (weaker) CROSS JOIN LATERAL (SELECT * FROM claim c WHERE c.weaker = k.weaker OFFSET 0) c

-- name: holdings_of
SELECT h.identifier, h.since, h.until, h.owner, h.level, h.moves, h.followed
FROM unnest($1::text[]) AS k (identifier)
CROSS JOIN LATERAL (SELECT * FROM holding h WHERE h.identifier = k.identifier OFFSET 0) h

-- name: carriers  The events of somebody in some time that may carry a value.
SELECT k.place, e.body
FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[]) AS k (place, who, since, until, value)
CROSS JOIN LATERAL (
    SELECT e.body FROM event e WHERE e.who = k.who AND e.at >= k.since AND e.at <= k.until
    AND position(k.value IN e.body) > 0 OFFSET 0
) e

-- name: uncounted_aliases
SELECT k.place, u.weaker, u.at, u.source, u.message_id, u.stronger, u.level, u.alias
FROM unnest($1::integer[], $2::text[], $3::text[]) AS k (place, weaker, stronger)
JOIN uncounted_claim u ON u.weaker = k.weaker AND u.stronger = k.stronger AND u.alias

-- name: uncounted
SELECT DISTINCT stronger FROM uncounted_claim WHERE weaker = $1

-- name: delete_uncounted_alias
DELETE FROM uncounted_claim WHERE weaker = $1 AND at = $2 AND source = $3 AND message_id = $4

-- name: page_claimed
SELECT identifier, server_sent FROM page_claimed WHERE identifier = ANY($1)

-- name: put_page_claimed
INSERT INTO page_claimed (identifier, server_sent)
SELECT * FROM unnest($1::text[], $2::boolean[]) AS k (identifier, server_sent) ORDER BY identifier
ON CONFLICT (identifier) DO UPDATE SET server_sent = excluded.server_sent

-- name: page_claims_for  The identifiers that pages claimed for some.
SELECT DISTINCT weaker FROM claim WHERE stronger = ANY($1) AND level = 'browser'

-- name: server_sent  Those that a server's message has.
SELECT who FROM unnest($1::text[]) AS k (who)
WHERE EXISTS (SELECT 1 FROM claim WHERE weaker = who AND level <> 'browser')
OR EXISTS (SELECT 1 FROM holding WHERE identifier = who AND level <> 'browser')
OR EXISTS (SELECT 1 FROM joined WHERE member = who)
OR EXISTS (SELECT 1 FROM event WHERE event.who = k.who AND NOT page)

-- name: delete_claims
DELETE FROM claim USING
    unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
    AS k (weaker, at, source, message_id, stronger, level, alias)
WHERE claim.weaker = k.weaker AND claim.at = k.at AND claim.source = k.source AND claim.message_id = k.message_id
AND claim.stronger = k.stronger AND claim.level = k.level AND claim.alias = k.alias

-- name: insert_claims
INSERT INTO claim (weaker, at, source, message_id, stronger, level, alias)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
ON CONFLICT DO NOTHING

-- name: delete_uncounted
DELETE FROM uncounted_claim USING unnest($1::text[], $2::text[]) AS k (weaker, stronger)
WHERE uncounted_claim.weaker = k.weaker AND uncounted_claim.stronger = k.stronger

-- name: insert_uncounted
INSERT INTO uncounted_claim (weaker, at, source, message_id, stronger, level, alias)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
ON CONFLICT DO NOTHING

-- name: delete_holdings
DELETE FROM holding USING unnest($1::text[], $2::text[], $3::bigint[]) AS k (identifier, moves, since)
WHERE holding.identifier = k.identifier AND holding.moves = k.moves AND holding.since = k.since

-- name: insert_holdings
INSERT INTO holding (identifier, since, until, owner, level, moves, followed)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[])

-- name: contest
INSERT INTO contested AS c (identifier, claimers, at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
ON CONFLICT (identifier) DO UPDATE SET claimers = excluded.claimers, at = greatest(c.at, excluded.at)

-- name: known_alias
SELECT EXISTS (SELECT 1 FROM alias WHERE previous = $1 AND current = $2)

-- name: lock_aliases
SELECT pg_advisory_xact_lock(2)

-- name: insert_alias
INSERT INTO alias (previous, current) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true

-- name: groups_of  All users that are one person with some of these.
SELECT member FROM joined WHERE root IN (SELECT root FROM joined WHERE member = ANY($1))

-- name: join_members
INSERT INTO joined (member, root) SELECT unnest($1::text[]), $2
ON CONFLICT (member) DO UPDATE SET root = excluded.root

-- name: aliases_of
SELECT previous, current FROM alias WHERE previous = ANY($1)

-- name: delete_aliases
DELETE FROM alias USING unnest($1::text[], $2::text[]) AS k (previous, current)
WHERE alias.previous = k.previous AND alias.current = k.current

-- name: part_members
DELETE FROM joined WHERE member = ANY($1)
