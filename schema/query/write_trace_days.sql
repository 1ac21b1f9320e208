-- Rows that the traces of a batch have already, on days near theirs.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]   one element per distinct trace, ascending
--   $4 since date, $5 until date
-- Columns: place int4 (0-based, in the arrays), day date.
-- A trace whose days lie more than 31 days apart is shown once per group of days; looking into every chunk for each new trace would cost more than all the rest.
SELECT (k.place - 1)::int4 AS place, t.day
FROM unnest($1::int4[], $2::int2[], $3::uuid[]) WITH ORDINALITY AS k (tenant_id, trace_bucket, trace_id, place)
JOIN spanledger.trace AS t
  ON t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.trace_id = k.trace_id
WHERE t.day >= $4 AND t.day <= $5
