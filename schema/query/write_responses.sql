-- Spans that are there with one of the response ids of a batch.
--   $1 tenant_id int4    $2 response_keys int8[], distinct    $3 since, $4 until timestamptz (chunk exclusion)    $5 most_rows int4
SELECT s.response_key, s.trace_bucket, s.trace_id, s.span_id, s.start_time
FROM spanledger.span AS s
WHERE s.tenant_id = $1 AND s.response_key = ANY ($2) AND s.start_time >= $3 AND s.start_time <= $4
LIMIT $5
