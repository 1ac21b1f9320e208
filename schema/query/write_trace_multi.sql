-- Marks the rows of traces that turned out to have several days: those at most 31 days from another day of their trace. So whether a row is
-- marked depends on the trace's days, not on the order or the requests they came in.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 days date[]: of a batch   $5 since date, $6 until date: 31 days around them
-- Arrays in a sub-select: see reprice_write.sql.
UPDATE spanledger.trace AS t
SET multi_day = true
FROM unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::date[])) AS k (tenant_id, trace_bucket, trace_id, day)
WHERE t.tenant_id + 0 = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.trace_id = k.trace_id
  AND t.day >= k.day - 31 AND t.day <= k.day + 31 AND t.day <> k.day
  AND t.day >= $5 AND t.day <= $6 AND NOT t.multi_day
