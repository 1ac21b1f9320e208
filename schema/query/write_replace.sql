-- Staged versions that stand take the place of the stored ones, which are remembered by their hashes (64 at most).
--   $1 since, $2 until timestamptz   $3 ords int4[]
UPDATE spanledger.span AS t
SET (parent_span_id, duration_ns, content_hash, received_at, ingest_seq, resource_id, scope_id, status_code, marks, attribute_count,
     start_ns, outcome, name, service_name, attributes, status_message, trace_state, error_type, events, links, flags, dropped_attributes,
     dropped_events, dropped_links, exact, other_versions)
  = (s.parent_span_id, s.duration_ns, s.content_hash, s.received_at, s.ingest_seq, s.resource_id, s.scope_id, s.status_code, s.marks,
     s.attribute_count, s.start_ns, s.outcome, s.name, s.service_name, s.attributes, s.status_message, s.trace_state, s.error_type, s.events,
     s.links, s.flags, s.dropped_attributes, s.dropped_events, s.dropped_links, s.exact,
     ARRAY(SELECT DISTINCT h FROM unnest(t.other_versions || t.content_hash || s.other_versions) AS h WHERE h <> s.content_hash LIMIT 64))
FROM pg_temp.span_stage AS s
WHERE t.tenant_id = s.tenant_id AND t.trace_bucket = s.trace_bucket AND t.trace_id = s.trace_id
  AND t.span_id = s.span_id AND t.start_time = s.start_time AND t.kind = s.kind
  AND t.start_time >= $1 AND t.start_time <= $2 AND s.ord = ANY ($3)
