-- Spans that are there with one of the response ids of a batch whose spans are near each other in time: most batches.
--   $1 tenant_ids int4[], of any of the keys    $2 response_keys int8[], distinct    $3 since, $4 until timestamptz (chunk exclusion)    $5 most_rows int4
SELECT f.response_key, f.trace_bucket, f.trace_id, f.span_id, f.start_time, f.tenant_id
FROM spanledger.spans_of_responses($1, $2, $3, $4, $5) AS f
