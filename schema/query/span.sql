-- The spans of one trace that have one id: several where it is shared (other kind or start).
--   $1 tenant_id int4       $4 since timestamptz, inclusive    $6 span_id int8
--   $2 trace_bucket int2    $5 until timestamptz, exclusive    $7 most_rows int4
--   $3 trace_id uuid
-- Columns as trace_spans.
SELECT s.span_id, s.start_time, s.kind, s.start_ns, s.duration_ns, s.parent_span_id, s.status_code, s.outcome, s.marks,
    s.received_at, coalesce(cardinality(s.other_versions), 0) AS other_versions, s.name, s.service_name, s.status_message,
    s.resource_id, s.scope_id, s.attribute_count, s.content_hash, s.ingest_seq, s.flags, s.dropped_attributes, s.dropped_events,
    s.dropped_links, s.attributes, s.trace_state, s.error_type, s.events, s.links, s.exact
FROM spanledger.span AS s
WHERE s.tenant_id = $1 AND s.trace_bucket = $2 AND s.trace_id = $3
    AND s.start_time >= $4 AND s.start_time < $5 AND s.span_id = $6
ORDER BY s.start_time, s.kind
LIMIT $7
