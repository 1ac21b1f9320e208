-- What counting knows of the spans of some traces (ledger/fold.h), and what it has made of them so far.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]    one element per distinct trace
--   $4 since, $5 until timestamptz[], of each trace    $6 since, $7 until timestamptz: all of them lie within (chunk exclusion)
SELECT (k.place - 1)::int4 AS place, s.span_id, s.start_time, s.start_ns, s.kind, s.parent_span_id, s.duration_ns, s.observation_type, s.meaning_flags,
    s.response_key, s.model, s.request_model, c.name AS scope_name, s.cost_reported IS NOT NULL AS has_cost,
    s.outcome = 1 AND coalesce(s.cost_reported, 0) <= 0 AS failed,
    CASE WHEN s.usage_rule IS NOT NULL THEN
        ARRAY[s.input_tokens, s.cache_read_tokens, s.cache_write_tokens, s.cache_write_1h_tokens, s.output_tokens, s.reasoning_tokens,
            s.audio_input_tokens, s.audio_output_tokens, s.image_tokens, s.total_tokens] END AS usage,
    s.billable, s.billing_reason, s.duplicate_of_trace_id, s.duplicate_of_span_id
FROM unnest($1::int4[], $2::int2[], $3::uuid[], $4::timestamptz[], $5::timestamptz[]) WITH ORDINALITY
    AS k (tenant_id, trace_bucket, trace_id, since, until, place)
CROSS JOIN LATERAL (
    SELECT r.*
    FROM spanledger.span AS r
    WHERE r.trace_id = k.trace_id AND r.tenant_id = k.tenant_id AND r.trace_bucket = k.trace_bucket
        AND r.start_time >= $6 AND r.start_time <= $7 AND r.start_time >= k.since AND r.start_time <= k.until
    OFFSET 0
) AS s
LEFT JOIN spanledger.scope AS c ON c.tenant_id = s.tenant_id AND c.scope_id = s.scope_id AND s.meaning_flags IS NOT NULL
ORDER BY k.place
