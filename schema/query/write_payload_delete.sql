-- Payloads of spans whose version was replaced.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 span_ids int8[]  $5 start_times timestamptz[]  $6 kinds int4[]
--   $7 since, $8 until timestamptz (chunk exclusion)
DELETE FROM spanledger.span_payload AS t
USING unnest($1::int4[], $2::int2[], $3::uuid[], $4::int8[], $5::timestamptz[], $6::int4[])
    AS k (tenant_id, trace_bucket, trace_id, span_id, start_time, kind)
WHERE t.trace_id = k.trace_id AND t.span_id = k.span_id AND t.start_time = k.start_time AND t.kind = k.kind
    AND t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.start_time >= $7 AND t.start_time <= $8
