-- Spans of some traces that take part in counting, with what their cost depends on and what it is.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]   $4 since, $5 until timestamptz: both inclusive (chunk exclusion)
-- Columns: place int4 (of the trace in the arrays, from 0), the rest as in span_read_skeleton. The host is the only attribute that a price asks for,
-- so attributes are sent only where one is named so. Bits of meaning_flags: model/stored.h stored_flag.
SELECT (k.place - 1)::int4 AS place, s.span_id, s.start_time, s.start_ns, s.kind, s.billable, s.meaning_flags, s.observation_type, s.provider, s.model,
    s.request_model,
    CASE WHEN s.usage_rule IS NOT NULL THEN
        ARRAY[s.usage_rule, s.input_tokens, s.cache_read_tokens, s.cache_write_tokens, s.cache_write_1h_tokens, s.output_tokens,
            s.reasoning_tokens, s.audio_input_tokens, s.audio_output_tokens, s.image_tokens, s.total_tokens, s.cached_audio_tokens,
            s.image_output_tokens] END AS usage,
    CASE WHEN coalesce(s.cost_computed, s.cost_reported) IS NOT NULL THEN
        ARRAY[s.cost_source, s.input_cost, s.cache_read_cost, s.cache_write_cost, s.cache_write_1h_cost, s.output_cost,
            s.reasoning_cost, s.audio_input_cost, s.audio_output_cost, s.image_cost, s.request_cost, s.cost_computed, s.cost_reported,
            s.cost_total, s.price_id] END AS cost,
    s.marks,
    CASE WHEN strpos(s.attributes, '"server.address"') > 0 THEN s.attributes END AS attributes,
    CASE WHEN strpos(s.attributes, '"server.address"') > 0 THEN s.exact END AS exact
FROM unnest($1::int4[], $2::int2[], $3::uuid[]) WITH ORDINALITY AS k (tenant_id, trace_bucket, trace_id, place)
CROSS JOIN LATERAL (
    SELECT *
    FROM spanledger.span AS i
    WHERE i.tenant_id = k.tenant_id AND i.trace_bucket = k.trace_bucket AND i.trace_id = k.trace_id
        AND i.start_time >= $4 AND i.start_time <= $5 AND i.meaning_flags & 536870912 <> 0
    OFFSET 0
) AS s
