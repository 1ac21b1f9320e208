-- What counting made of spans, where it is something else than before.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 span_ids int8[]  $5 start_times timestamptz[]  $6 kinds int4[]
--   $7 billable bool[]  $8 billing_reason int2[]  $9 duplicate_of_trace_id uuid[]  $10 duplicate_of_span_id int8[]    NULL: as in the table
--   $11 since, $12 until timestamptz (chunk exclusion)
-- Arrays in a sub-select: see reprice_write.sql.
UPDATE spanledger.span AS t
SET (billable, billing_reason, duplicate_of_trace_id, duplicate_of_span_id)
  = (k.billable, k.billing_reason, k.duplicate_of_trace_id, k.duplicate_of_span_id)
FROM unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::int8[]), (SELECT $5::timestamptz[]),
        (SELECT $6::int4[]), (SELECT $7::bool[]), (SELECT $8::int2[]), (SELECT $9::uuid[]), (SELECT $10::int8[]))
    AS k (tenant_id, trace_bucket, trace_id, span_id, start_time, kind, billable, billing_reason, duplicate_of_trace_id, duplicate_of_span_id)
WHERE t.trace_id = k.trace_id AND t.span_id = k.span_id AND t.start_time = k.start_time AND t.kind = k.kind
    AND t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.start_time >= $11 AND t.start_time <= $12
