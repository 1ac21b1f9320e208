-- Spans that are there with one of the response ids of a batch.
--   $1 tenant_ids int4[], $2 response_keys int8[], distinct    $3 since, $4 until timestamptz[], of each id
--   $5 since, $6 until timestamptz (chunk exclusion)    $7 most_rows int4, of each id
-- Id by id: before a chunk is analysed, a list of them looks as if it would find everything, and the planner reads the whole of another index.
-- Each id between times of its own, which leave it one or two chunks: a single span of 1970 in a batch widens what all of them have in common to
-- every chunk there is (measured: 400 of them, 3,900 ids).
SELECT s.response_key, s.trace_bucket, s.trace_id, s.span_id, s.start_time, s.tenant_id
FROM unnest($1::int4[], $2::int8[], $3::timestamptz[], $4::timestamptz[]) AS k (tenant_id, response_key, since, until)
CROSS JOIN LATERAL (
    SELECT r.response_key, r.trace_bucket, r.trace_id, r.span_id, r.start_time, r.tenant_id
    FROM spanledger.span AS r
    WHERE r.response_key = k.response_key AND r.tenant_id = k.tenant_id AND r.start_time >= $5 AND r.start_time <= $6
        AND r.start_time >= k.since AND r.start_time <= k.until
    LIMIT $7
) AS s
