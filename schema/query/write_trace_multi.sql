-- Marks the rows of traces that turned out to have several days.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]   $4 since date, $5 until date
UPDATE spanledger.trace AS t
SET multi_day = true
FROM unnest($1::int4[], $2::int2[], $3::uuid[]) AS k (tenant_id, trace_bucket, trace_id)
WHERE t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.trace_id = k.trace_id
  AND t.day >= $4 AND t.day <= $5 AND NOT t.multi_day
