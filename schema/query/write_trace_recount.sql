-- Counts trace rows anew from their spans, where a version was replaced or what is billed has changed: what was added before cannot be taken back
-- column by column.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 days date[]
--   $5 since, $6 until timestamptz: all of the days lie within (chunk exclusion)   $7 since date, $8 until date
-- Bits of meaning_flags: model/stored.h stored_flag. Ranks: spanledger.trace.
-- Arrays in a sub-select: see reprice_write.sql.
UPDATE spanledger.trace AS t
SET (start_ns, end_ns, span_count, error_count, roots_ended, roots_failed, roots_cancelled, roots_unfinished, services,
     models, providers, tags, session_id, session_rank, user_id, user_rank, environment, environment_rank, project, project_rank, trace_name,
     trace_name_rank, counted_spans, plain_spans, billable_calls, unpriced_calls,
     input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, audio_input_tokens,
     audio_output_tokens, image_tokens, total_tokens, input_cost, cache_read_cost, cache_write_cost, cache_write_1h_cost, output_cost,
     reasoning_cost, audio_input_cost, audio_output_cost, image_cost, request_cost, cost_total)
  = (a.start_ns, a.end_ns, a.span_count, a.error_count, a.roots_ended, a.roots_failed, a.roots_cancelled, a.roots_unfinished, a.services,
     a.models[:256], a.providers[:256], g.tags, a.session_id, a.session_rank, a.user_id, a.user_rank, a.environment, a.environment_rank,
     a.project, a.project_rank, a.trace_name, a.trace_name_rank, a.counted_spans,
     a.plain_spans, a.billable_calls, a.unpriced_calls, a.input_tokens, a.cache_read_tokens, a.cache_write_tokens, a.cache_write_1h_tokens,
     a.output_tokens, a.reasoning_tokens, a.audio_input_tokens, a.audio_output_tokens, a.image_tokens, a.total_tokens, a.input_cost,
     a.cache_read_cost, a.cache_write_cost, a.cache_write_1h_cost, a.output_cost, a.reasoning_cost, a.audio_input_cost, a.audio_output_cost,
     a.image_cost, a.request_cost, a.cost_total),
    last_received = GREATEST(t.last_received, a.last_received), facets = g.facets,
    first_span_id = f.span_id, first_name = f.name, first_service = f.service_name,
    root_start_ns = r.at, root_span_id = r.span_id, root_name = r.name, root_service = r.service_name
FROM unnest((SELECT $1::int4[]), (SELECT $2::int2[]), (SELECT $3::uuid[]), (SELECT $4::date[])) AS k (tenant_id, trace_bucket, trace_id, day)
CROSS JOIN LATERAL (
    SELECT min(u.at) AS start_ns, max(u.at + s.duration_ns) AS end_ns, max(s.received_at) AS last_received,
        count(*)::int4 AS span_count,
        count(*) FILTER (WHERE s.status_code = 2 OR s.outcome IN (1, 2))::int4 AS error_count,
        count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 0)::int4 AS roots_ended,
        count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 1)::int4 AS roots_failed,
        count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 2)::int4 AS roots_cancelled,
        count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 3)::int4 AS roots_unfinished,
        array_agg(DISTINCT s.service_name ORDER BY s.service_name) AS services,
        array_agg(DISTINCT s.model COLLATE "C" ORDER BY s.model COLLATE "C") FILTER (WHERE s.model IS NOT NULL) AS models,
        array_agg(DISTINCT s.provider COLLATE "C" ORDER BY s.provider COLLATE "C") FILTER (WHERE s.provider IS NOT NULL) AS providers,
        (array_agg(s.session_id ORDER BY u.earliest, s.session_id COLLATE "C") FILTER (WHERE s.session_id IS NOT NULL))[1] AS session_id,
        min(u.earliest) FILTER (WHERE s.session_id IS NOT NULL) AS session_rank,
        (array_agg(s.user_id ORDER BY u.earliest, s.user_id COLLATE "C") FILTER (WHERE s.user_id IS NOT NULL))[1] AS user_id,
        min(u.earliest) FILTER (WHERE s.user_id IS NOT NULL) AS user_rank,
        (array_agg(s.environment ORDER BY u.earliest, s.environment COLLATE "C") FILTER (WHERE s.environment IS NOT NULL))[1] AS environment,
        min(u.earliest) FILTER (WHERE s.environment IS NOT NULL) AS environment_rank,
        (array_agg(s.project ORDER BY u.earliest, s.project COLLATE "C") FILTER (WHERE s.project IS NOT NULL))[1] AS project,
        min(u.earliest) FILTER (WHERE s.project IS NOT NULL) AS project_rank,
        (array_agg(s.trace_name ORDER BY u.last, s.trace_name COLLATE "C") FILTER (WHERE s.trace_name IS NOT NULL))[1] AS trace_name,
        min(u.last) FILTER (WHERE s.trace_name IS NOT NULL) AS trace_name_rank,
        nullif(count(*) FILTER (WHERE s.meaning_flags & 536870912 <> 0), 0)::int4 AS counted_spans,
        nullif(count(*) FILTER (WHERE s.meaning_flags & 1073741824 <> 0), 0)::int4 AS plain_spans,
        nullif(count(*) FILTER (WHERE s.billable), 0)::int4 AS billable_calls,
        nullif(count(*) FILTER (WHERE s.billable AND s.cost_total IS NULL), 0)::int4 AS unpriced_calls,
        nullif(sum(s.input_tokens) FILTER (WHERE s.billable), 0) AS input_tokens,
        nullif(sum(s.cache_read_tokens) FILTER (WHERE s.billable), 0) AS cache_read_tokens,
        nullif(sum(s.cache_write_tokens) FILTER (WHERE s.billable), 0) AS cache_write_tokens,
        nullif(sum(s.cache_write_1h_tokens) FILTER (WHERE s.billable), 0) AS cache_write_1h_tokens,
        nullif(sum(s.output_tokens) FILTER (WHERE s.billable), 0) AS output_tokens,
        nullif(sum(s.reasoning_tokens) FILTER (WHERE s.billable), 0) AS reasoning_tokens,
        nullif(sum(s.audio_input_tokens) FILTER (WHERE s.billable), 0) AS audio_input_tokens,
        nullif(sum(s.audio_output_tokens) FILTER (WHERE s.billable), 0) AS audio_output_tokens,
        nullif(sum(s.image_tokens) FILTER (WHERE s.billable), 0) AS image_tokens,
        nullif(sum(s.total_tokens) FILTER (WHERE s.billable), 0) AS total_tokens,
        nullif(sum(s.input_cost) FILTER (WHERE s.billable), 0) AS input_cost,
        nullif(sum(s.cache_read_cost) FILTER (WHERE s.billable), 0) AS cache_read_cost,
        nullif(sum(s.cache_write_cost) FILTER (WHERE s.billable), 0) AS cache_write_cost,
        nullif(sum(s.cache_write_1h_cost) FILTER (WHERE s.billable), 0) AS cache_write_1h_cost,
        nullif(sum(s.output_cost) FILTER (WHERE s.billable), 0) AS output_cost,
        nullif(sum(s.reasoning_cost) FILTER (WHERE s.billable), 0) AS reasoning_cost,
        nullif(sum(s.audio_input_cost) FILTER (WHERE s.billable), 0) AS audio_input_cost,
        nullif(sum(s.audio_output_cost) FILTER (WHERE s.billable), 0) AS audio_output_cost,
        nullif(sum(s.image_cost) FILTER (WHERE s.billable), 0) AS image_cost,
        nullif(sum(s.request_cost) FILTER (WHERE s.billable), 0) AS request_cost,
        nullif(sum(s.cost_total) FILTER (WHERE s.billable), 0) AS cost_total
    FROM spanledger.span AS s
    CROSS JOIN LATERAL (SELECT (extract(epoch FROM s.start_time) * 1000000)::int8 * 1000 + s.start_ns AS at) AS n
    CROSS JOIN LATERAL (SELECT n.at,
        CASE WHEN s.parent_span_id IS NULL THEN n.at + '-9223372036854775808'::int8 ELSE n.at END AS earliest,
        CASE WHEN s.parent_span_id IS NULL THEN n.at + '-9223372036854775808'::int8 ELSE 9223372036854775807 - n.at END AS latest,
        9223372036854775807 - n.at AS last) AS u
    WHERE s.tenant_id = k.tenant_id AND s.trace_bucket = k.trace_bucket AND s.trace_id = k.trace_id
      AND s.start_time >= $5 AND s.start_time <= $6
      AND s.start_time >= k.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
) AS a
CROSS JOIN LATERAL (
    SELECT (array_agg(DISTINCT hashtextextended(e.kind || ':' || left(e.value, 200), k.tenant_id)
            ORDER BY hashtextextended(e.kind || ':' || left(e.value, 200), k.tenant_id)))[:1000] AS facets,
        (array_agg(DISTINCT e.value COLLATE "C" ORDER BY e.value COLLATE "C") FILTER (WHERE e.kind = 'tag'))[:256] AS tags
    FROM spanledger.span AS s
    CROSS JOIN LATERAL (
        VALUES ('model', s.model), ('provider', s.provider), ('type', s.observation_type), ('user', s.user_id), ('session', s.session_id),
            ('environment', s.environment), ('release', s.release), ('prompt', s.prompt_name), ('agent', s.agent_name)
        UNION ALL SELECT 'tag', tag FROM unnest(s.tags) AS tag
    ) AS e (kind, value)
    WHERE s.tenant_id = k.tenant_id AND s.trace_bucket = k.trace_bucket AND s.trace_id = k.trace_id
      AND s.start_time >= $5 AND s.start_time <= $6
      AND s.start_time >= k.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
      AND e.value IS NOT NULL
) AS g
CROSS JOIN LATERAL (
    SELECT s.span_id, s.name, s.service_name
    FROM spanledger.span AS s
    WHERE s.tenant_id = k.tenant_id AND s.trace_bucket = k.trace_bucket AND s.trace_id = k.trace_id
      AND s.start_time >= $5 AND s.start_time <= $6
      AND s.start_time >= k.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY s.start_time, s.start_ns, s.span_id
    LIMIT 1
) AS f
LEFT JOIN LATERAL (
    SELECT s.span_id, s.name, s.service_name, (extract(epoch FROM s.start_time) * 1000000)::int8 * 1000 + s.start_ns AS at
    FROM spanledger.span AS s
    WHERE s.tenant_id = k.tenant_id AND s.trace_bucket = k.trace_bucket AND s.trace_id = k.trace_id
      AND s.start_time >= $5 AND s.start_time <= $6 AND s.parent_span_id IS NULL
      AND s.start_time >= k.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY s.start_time, s.start_ns, s.span_id
    LIMIT 1
) AS r ON true
WHERE t.tenant_id + 0 = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.trace_id = k.trace_id AND t.day = k.day
  AND t.day >= $7 AND t.day <= $8
