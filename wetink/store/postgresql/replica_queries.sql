-- name: position  Whether the server is a replica, which cluster and, if it is none, which timeline it belongs to, how far it has come in the write-ahead
-- log, and its own guess of how many seconds it is behind.
SELECT now.copies, system.system_identifier,
    CASE WHEN now.copies THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
    coalesce(CASE WHEN now.copies THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0', 0)::bigint,
    CASE
        WHEN NOT now.copies OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
    END::double precision
FROM pg_control_system() AS system CROSS JOIN (SELECT pg_is_in_recovery() AS copies OFFSET 0) AS now
