-- Views for people and their tools: hexadecimal ids, whole timestamps, USD, attributes as jsonb.
-- Give every question a range of start_time (or of trace_id, which api.traces finds by its key): it decides which chunks are read.

-- A uuid as the 32 digits that OpenTelemetry writes, and back; a span id as 16 digits.
CREATE FUNCTION api.trace_hex(p_trace_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(p_trace_id::text, '-', '');

CREATE FUNCTION api.span_hex(p_span_id int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lpad(to_hex(p_span_id), 16, '0');

CREATE FUNCTION api.span_kind(p_kind int4) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce(('{unspecified,internal,server,client,producer,consumer}'::text[])[p_kind + 1], p_kind::text);

CREATE FUNCTION api.span_status(p_code int4) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce(('{unset,ok,error}'::text[])[p_code + 1], p_code::text);

-- Nanoseconds since 1970 as a timestamp: microseconds, the rest cut.
CREATE FUNCTION api.time_of(p_ns int8) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_timestamp(0) + (p_ns / 1000) * interval '1 microsecond';

-- By multiplication: a division would round sums of more than 16 digits.
CREATE FUNCTION api.usd(p_pico_usd numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim_scale(p_pico_usd * 0.000000000001);

CREATE VIEW api.spans AS
SELECT
    s.tenant_id,
    api.trace_hex(s.trace_id) AS trace_id,
    api.span_hex(s.span_id) AS span_id,
    api.span_hex(s.parent_span_id) AS parent_span_id,
    s.name,
    api.span_kind(s.kind) AS kind,
    s.service_name,
    s.start_time,
    s.start_time + ((s.start_ns + s.duration_ns) / 1000) * interval '1 microsecond' AS end_time,
    (extract(epoch FROM s.start_time) * 1000000000)::int8 + s.start_ns AS start_unix_nano,
    s.duration_ns,
    api.span_status(s.status_code) AS status,
    coalesce(s.status_message, '') AS status_message,
    s.error_type,
    -- Long texts stand in span_payload. Looked up where they are asked for: a join would be paid by every question.
    s.attributes::jsonb || coalesce((
        SELECT (SELECT jsonb_object_agg(moved ->> 1, moved -> 2) FROM jsonb_array_elements(p.attributes::jsonb) AS moved)
        FROM spanledger.span_payload p
        WHERE p.trace_id = s.trace_id AND p.span_id = s.span_id AND p.start_time = s.start_time AND p.kind = s.kind
            AND p.tenant_id = s.tenant_id AND p.trace_bucket = s.trace_bucket), '{}') AS attributes,
    coalesce(s.events, (
        SELECT p.events
        FROM spanledger.span_payload p
        WHERE p.trace_id = s.trace_id AND p.span_id = s.span_id AND p.start_time = s.start_time AND p.kind = s.kind
            AND p.tenant_id = s.tenant_id AND p.trace_bucket = s.trace_bucket), '[]')::jsonb AS events,
    coalesce(s.links, '[]')::jsonb AS links,
    r.attributes::jsonb AS resource,
    c.name AS scope_name,
    c.version AS scope_version,
    c.attributes::jsonb AS scope_attributes,
    s.trace_state,
    coalesce(s.flags, 0) AS flags,
    coalesce(s.dropped_attributes, 0) AS dropped_attributes,
    coalesce(s.dropped_events, 0) AS dropped_events,
    coalesce(s.dropped_links, 0) AS dropped_links,
    s.marks,
    s.received_at,
    s.observation_type,
    s.provider,
    s.model,
    s.request_model,
    s.session_id,
    s.user_id,
    s.environment,
    s.project,
    s.tags,
    s.input_tokens,
    s.cache_read_tokens,
    s.cache_write_tokens,
    s.cache_write_1h_tokens,
    s.output_tokens,
    s.reasoning_tokens,
    s.audio_input_tokens,
    s.audio_output_tokens,
    s.image_tokens,
    s.total_tokens,
    api.usd(s.cost_total) AS cost_usd,
    api.usd(s.cost_computed) AS cost_computed_usd,
    api.usd(s.cost_reported) AS cost_reported_usd,
    coalesce(s.billable, false) AS billable,
    api.trace_hex(s.duplicate_of_trace_id) AS duplicate_of_trace_id,
    api.span_hex(s.duplicate_of_span_id) AS duplicate_of_span_id,
    s.release,
    s.level,
    s.agent_name,
    s.prompt_name,
    s.prompt_version,
    s.completion_start_time,
    -- The columns as they are stored, for conditions that an index or a chunk's bounds can answer.
    s.trace_id AS trace_uuid,
    s.trace_bucket
FROM spanledger.span s
LEFT JOIN spanledger.resource r ON r.tenant_id = s.tenant_id AND r.resource_id = s.resource_id
LEFT JOIN spanledger.scope c ON c.tenant_id = s.tenant_id AND c.scope_id = s.scope_id;

-- A trace has a row for each day its spans started on; here is one row with the values of the whole.
CREATE VIEW api.traces AS
SELECT
    t.tenant_id,
    api.trace_hex(t.trace_id) AS trace_id,
    coalesce(
        (array_agg(t.root_name ORDER BY t.root_start_ns, t.root_span_id) FILTER (WHERE t.root_start_ns IS NOT NULL))[1],
        (array_agg(t.first_name ORDER BY t.start_ns, t.first_span_id))[1]) AS name,
    coalesce(
        (array_agg(t.root_service ORDER BY t.root_start_ns, t.root_span_id) FILTER (WHERE t.root_start_ns IS NOT NULL))[1],
        (array_agg(t.first_service ORDER BY t.start_ns, t.first_span_id))[1]) AS service_name,
    CASE
        WHEN sum(t.roots_failed) > 0 THEN 'failed'
        WHEN sum(t.roots_cancelled) > 0 THEN 'cancelled'
        WHEN sum(t.roots_ended) > 0 THEN 'completed'
        WHEN max(t.last_received) > now() - interval '1 hour' THEN 'running'
        ELSE 'completed'
    END AS status,
    api.time_of(min(t.start_ns)) AS start_time,
    api.time_of(max(t.end_ns)) AS end_time,
    min(t.start_ns) AS start_unix_nano,
    max(t.end_ns) - min(t.start_ns) AS duration_ns,
    sum(t.span_count)::int8 AS span_count,
    sum(t.error_count)::int8 AS error_count,
    sum(t.roots_ended + t.roots_failed + t.roots_cancelled + t.roots_unfinished) > 0 AS has_root,
    (SELECT array_agg(DISTINCT one ORDER BY one)
        FROM jsonb_array_elements(jsonb_agg(to_jsonb(t.services))) AS of_day, jsonb_array_elements_text(of_day) AS one) AS services,
    (array_agg(t.session_id ORDER BY t.session_rank, t.session_id COLLATE "C"))[1] AS session_id,
    (array_agg(t.user_id ORDER BY t.user_rank, t.user_id COLLATE "C"))[1] AS user_id,
    (array_agg(t.environment ORDER BY t.environment_rank, t.environment COLLATE "C"))[1] AS environment,
    (array_agg(t.project ORDER BY t.project_rank, t.project COLLATE "C"))[1] AS project,
    (array_agg(t.trace_name ORDER BY t.trace_name_rank, t.trace_name COLLATE "C"))[1] AS trace_name,
    coalesce(sum(t.billable_calls), 0)::int8 AS calls,
    coalesce(sum(t.unpriced_calls), 0)::int8 AS unpriced_calls,
    coalesce(sum(t.input_tokens), 0) AS input_tokens,
    coalesce(sum(t.cache_read_tokens), 0) AS cache_read_tokens,
    coalesce(sum(t.cache_write_tokens), 0) AS cache_write_tokens,
    coalesce(sum(t.cache_write_1h_tokens), 0) AS cache_write_1h_tokens,
    coalesce(sum(t.output_tokens), 0) AS output_tokens,
    coalesce(sum(t.reasoning_tokens), 0) AS reasoning_tokens,
    coalesce(sum(t.audio_input_tokens), 0) AS audio_input_tokens,
    coalesce(sum(t.audio_output_tokens), 0) AS audio_output_tokens,
    coalesce(sum(t.image_tokens), 0) AS image_tokens,
    coalesce(sum(t.total_tokens), 0) AS total_tokens,
    api.usd(sum(t.cost_total)) AS cost_usd,
    max(t.last_received) AS last_received,
    t.trace_id AS trace_uuid,
    t.trace_bucket
FROM spanledger.trace t
GROUP BY t.tenant_id, t.trace_bucket, t.trace_id;
