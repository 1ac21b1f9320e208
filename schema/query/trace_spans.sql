-- A part of the spans of one trace, whole.
--   $1 tenant_id int4       $4 since timestamptz, inclusive    $6 span_id int8          behind this span, in the order of the
--   $2 trace_bucket int2    $5 until timestamptz, exclusive    $7 start_time timestamptz    unique key
--   $3 trace_id uuid                                           $8 kind int4             $9 most_rows int4
-- The order is the key's, so that a part of a large trace is one stretch of the index: no sort in the database, no more memory than a part
-- takes. The time bounds let chunks be skipped: constant expressions, because computed ones are not pruned.
SELECT
--@columns span_read_skeleton
    ,
--@columns span_read_whole
FROM spanledger.span AS s
--@columns span_payload_join
WHERE s.tenant_id = $1 AND s.trace_bucket = $2 AND s.trace_id = $3
    AND s.start_time >= $4 AND s.start_time < $5
    AND (s.span_id, s.start_time, s.kind) > ($6, $7, $8)
ORDER BY s.span_id, s.start_time, s.kind
LIMIT $9
