-- Spans that are there with one of the response ids of a batch.
--   $1 tenant_id int4    $2 response_keys int8[], distinct    $3 since, $4 until timestamptz (chunk exclusion)    $5 most_rows int4, of each id
-- Id by id: before a chunk is analysed, a list of them looks as if it would find everything, and the planner reads the whole of another index.
SELECT s.response_key, s.trace_bucket, s.trace_id, s.span_id, s.start_time
FROM unnest($2::int8[]) AS k (response_key)
CROSS JOIN LATERAL (
    SELECT r.response_key, r.trace_bucket, r.trace_id, r.span_id, r.start_time
    FROM spanledger.span AS r
    WHERE r.response_key = k.response_key AND r.tenant_id = $1 AND r.start_time >= $3 AND r.start_time <= $4
    LIMIT $5
) AS s
