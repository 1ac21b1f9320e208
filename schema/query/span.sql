-- The spans of one trace that have one id: several where it is shared (other kind or start).
--   $1 tenant_id int4       $4 since timestamptz, inclusive    $6 span_id int8
--   $2 trace_bucket int2    $5 until timestamptz, exclusive    $7 most_rows int4
--   $3 trace_id uuid
SELECT
--@columns span_read_skeleton
    ,
--@columns span_read_whole
FROM spanledger.span AS s
--@columns span_payload_join
WHERE s.tenant_id = $1 AND s.trace_bucket = $2 AND s.trace_id = $3
    AND s.start_time >= $4 AND s.start_time < $5 AND s.span_id = $6
ORDER BY s.start_time, s.kind
LIMIT $7
