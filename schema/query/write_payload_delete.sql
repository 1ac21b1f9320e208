-- Payloads of spans whose version was replaced.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 span_ids int8[]  $5 start_times timestamptz[]  $6 kinds int4[]
--   $7 since, $8 until timestamptz (chunk exclusion)
-- Arrays in a sub-select: see reprice_write.sql.
DELETE FROM spanledger.span_payload AS t
USING unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::int8[]), (SELECT $5::timestamptz[]), (SELECT $6::int4[]))
    AS k (tenant_id, trace_bucket, trace_id, span_id, start_time, kind)
WHERE t.trace_id = k.trace_id AND t.span_id = k.span_id AND t.start_time = k.start_time AND t.kind = k.kind
    AND t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.start_time >= $7 AND t.start_time <= $8
