-- A part of the log records of the spans of one trace: of one span ($6 = $7) or of all.
--   $1 tenant_id int4       $4 since timestamptz, inclusive    $6 first_span_id int8    $8 span_id int8          behind this record, in the
--   $2 trace_bucket int2    $5 until timestamptz, exclusive    $7 last_span_id int8     $9 record_time timestamptz    order of the key
--   $3 trace_id uuid                                                                    $10 content_hash int8    $11 most_rows int4
SELECT l.span_id, l.record_time, l.content_hash, l.record_ns, l.position, l.event
FROM spanledger.span_log AS l
WHERE l.tenant_id = $1 AND l.trace_bucket = $2 AND l.trace_id = $3
    AND l.record_time >= $4 AND l.record_time < $5
    AND l.span_id >= $6 AND l.span_id <= $7
    AND (l.span_id, l.record_time, l.content_hash) > ($8, $9, $10)
ORDER BY l.span_id, l.record_time, l.content_hash
LIMIT $11
