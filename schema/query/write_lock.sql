-- First statement of a write transaction: the locks that order writers, and the transaction's number.
--   $1 tenant_ids int4[], ascending       $2 trace_keys int8[], ascending (64-bit hashes of trace ids)
--   $3 all_traces bool: true takes the one lock that stands for every trace, where a batch has more traces than the lock table may hold
-- Columns: ingest_seq int8.
-- Tenants are locked shared (closing the books takes the exclusive one), traces exclusively, so that what one transaction reads of a trace
-- stays true until it commits. Classes 7001 and 7002 are spanledger's.
SELECT (SELECT count(pg_advisory_xact_lock_shared(7001, t)) FROM unnest($1::int4[]) AS t)
     + CASE WHEN $3 THEN (SELECT count(pg_advisory_xact_lock(7002, 0)))
            ELSE (SELECT count(pg_advisory_xact_lock_shared(7002, 0))) END
     + (SELECT count(pg_advisory_xact_lock(k)) FROM unnest($2::int8[]) AS k) AS locks,
       pg_current_xact_id()::text::int8 AS ingest_seq
