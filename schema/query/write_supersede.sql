-- Staged versions that do not stand: their hashes are remembered with the stored span, so that a second re-send changes nothing.
--   $1 since, $2 until timestamptz   $3 ords int4[]
UPDATE spanledger.span AS t
SET other_versions = ARRAY(SELECT DISTINCT h FROM unnest(t.other_versions || s.content_hash || s.other_versions) AS h
                           WHERE h <> t.content_hash LIMIT 64)
FROM pg_temp.span_stage AS s
WHERE t.tenant_id = s.tenant_id AND t.trace_bucket = s.trace_bucket AND t.trace_id = s.trace_id
  AND t.span_id = s.span_id AND t.start_time = s.start_time AND t.kind = s.kind
  AND t.start_time >= $1 AND t.start_time <= $2 AND s.ord = ANY ($3)
