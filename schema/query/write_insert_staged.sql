-- Staged spans that are new.
--   $1 there int4[]: ords that are there already
INSERT INTO spanledger.span (start_time, trace_id, span_id, parent_span_id, duration_ns, content_hash, received_at, ingest_seq, resource_id, scope_id,
    tenant_id, kind, status_code, marks, attribute_count, trace_bucket, start_ns, outcome, name, service_name, attributes, status_message,
    trace_state, error_type, events, links, flags, dropped_attributes, dropped_events, dropped_links, exact, other_versions)
SELECT start_time, trace_id, span_id, parent_span_id, duration_ns, content_hash, received_at, ingest_seq, resource_id, scope_id,
    tenant_id, kind, status_code, marks, attribute_count, trace_bucket, start_ns, outcome, name, service_name, attributes, status_message,
    trace_state, error_type, events, links, flags, dropped_attributes, dropped_events, dropped_links, exact, other_versions
FROM pg_temp.span_stage
WHERE ord <> ALL ($1)
