-- Which staged spans are there already under their key, and which version stands.
--   $1 since timestamptz, $2 until timestamptz: least and greatest start of the staged rows (chunk exclusion)
-- Columns: ord int4, verdict int4: 1 known already, 2 the staged one stands, 3 the stored one stands; response_key int8 of the stored one.
-- The greatest of (end, number of attributes, content hash) stands, whatever the order of arrival. start_time is part of the key, so the end
-- is compared as start_ns + duration_ns.
SELECT s.ord,
       CASE WHEN t.content_hash = s.content_hash OR s.content_hash = ANY (t.other_versions) THEN 1
            WHEN (t.start_ns::numeric + t.duration_ns, t.attribute_count, t.content_hash)
               < (s.start_ns::numeric + s.duration_ns, s.attribute_count, s.content_hash) THEN 2
            ELSE 3 END AS verdict,
       t.response_key
FROM pg_temp.span_stage AS s
CROSS JOIN LATERAL (
    SELECT r.content_hash, r.other_versions, r.start_ns, r.duration_ns, r.attribute_count, r.response_key
    FROM spanledger.span AS r
    WHERE r.trace_id = s.trace_id AND r.span_id = s.span_id AND r.start_time = s.start_time AND r.kind = s.kind
      AND r.tenant_id = s.tenant_id AND r.trace_bucket = s.trace_bucket
      AND r.start_time >= $1 AND r.start_time <= $2
    OFFSET 0
) AS t
