-- Adds the spans of a batch to trace rows that are there. Every column merges without order; pg_temp.trace_stage holds what is to be added.
INSERT INTO spanledger.trace AS t (
--@columns trace_columns
    )
SELECT
--@columns trace_columns
FROM pg_temp.trace_stage
ON CONFLICT (tenant_id, trace_bucket, trace_id, day) DO UPDATE SET
    start_ns = LEAST(t.start_ns, excluded.start_ns),
    end_ns = GREATEST(t.end_ns, excluded.end_ns),
    last_received = GREATEST(t.last_received, excluded.last_received),
    (first_span_id, first_name, first_service) = (SELECT f.* FROM (VALUES
        (t.start_ns, t.first_span_id, t.first_name, t.first_service),
        (excluded.start_ns, excluded.first_span_id, excluded.first_name, excluded.first_service)) AS v (s, i, n, c),
        LATERAL (VALUES (v.i, v.n, v.c)) AS f ORDER BY v.s, v.i LIMIT 1),
    (root_start_ns, root_span_id, root_name, root_service) = (SELECT v.* FROM (VALUES
        (t.root_start_ns, t.root_span_id, t.root_name, t.root_service),
        (excluded.root_start_ns, excluded.root_span_id, excluded.root_name, excluded.root_service)) AS v (s, i, n, c)
        ORDER BY v.s NULLS LAST, v.i LIMIT 1),
    span_count = t.span_count + excluded.span_count,
    error_count = t.error_count + excluded.error_count,
    roots_ended = t.roots_ended + excluded.roots_ended,
    roots_failed = t.roots_failed + excluded.roots_failed,
    roots_cancelled = t.roots_cancelled + excluded.roots_cancelled,
    roots_unfinished = t.roots_unfinished + excluded.roots_unfinished,
    multi_day = t.multi_day OR excluded.multi_day,
    services = CASE WHEN t.services @> excluded.services THEN t.services
                    ELSE ARRAY(SELECT DISTINCT s FROM unnest(t.services || excluded.services) AS s ORDER BY s) END,
    models = CASE WHEN excluded.models IS NULL OR t.models @> excluded.models THEN t.models
        ELSE ARRAY(SELECT DISTINCT x COLLATE "C" FROM unnest(t.models || excluded.models) AS x ORDER BY 1 LIMIT 256) END,
    providers = CASE WHEN excluded.providers IS NULL OR t.providers @> excluded.providers THEN t.providers
        ELSE ARRAY(SELECT DISTINCT x COLLATE "C" FROM unnest(t.providers || excluded.providers) AS x ORDER BY 1 LIMIT 256) END,
    facets = CASE WHEN excluded.facets IS NULL OR t.facets @> excluded.facets THEN t.facets
        ELSE ARRAY(SELECT DISTINCT x FROM unnest(t.facets || excluded.facets) AS x ORDER BY 1 LIMIT 1000) END,
    tags = CASE WHEN excluded.tags IS NULL OR t.tags @> excluded.tags THEN t.tags
        ELSE ARRAY(SELECT DISTINCT x COLLATE "C" FROM unnest(t.tags || excluded.tags) AS x ORDER BY 1 LIMIT 256) END,
    (session_id, session_rank) = (SELECT v.x, v.r FROM (VALUES (t.session_id, t.session_rank), (excluded.session_id, excluded.session_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" LIMIT 1),
    (user_id, user_rank) = (SELECT v.x, v.r FROM (VALUES (t.user_id, t.user_rank), (excluded.user_id, excluded.user_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" LIMIT 1),
    (environment, environment_rank) = (SELECT v.x, v.r FROM (VALUES (t.environment, t.environment_rank), (excluded.environment, excluded.environment_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" LIMIT 1),
    (project, project_rank) = (SELECT v.x, v.r FROM (VALUES (t.project, t.project_rank), (excluded.project, excluded.project_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" LIMIT 1),
    (trace_name, trace_name_rank) = (SELECT v.x, v.r FROM (VALUES (t.trace_name, t.trace_name_rank), (excluded.trace_name, excluded.trace_name_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" LIMIT 1),
    (input_preview, input_rank) = (SELECT v.x, v.r FROM (VALUES (t.input_preview, t.input_rank), (excluded.input_preview, excluded.input_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" DESC LIMIT 1),
    (output_preview, output_rank) = (SELECT v.x, v.r FROM (VALUES (t.output_preview, t.output_rank), (excluded.output_preview, excluded.output_rank)) AS v (x, r)
        ORDER BY v.r NULLS LAST, v.x COLLATE "C" DESC LIMIT 1),
    counted_spans = nullif(coalesce(t.counted_spans, 0) + coalesce(excluded.counted_spans, 0), 0),
    plain_spans = nullif(coalesce(t.plain_spans, 0) + coalesce(excluded.plain_spans, 0), 0),
    billable_calls = nullif(coalesce(t.billable_calls, 0) + coalesce(excluded.billable_calls, 0), 0),
    unpriced_calls = nullif(coalesce(t.unpriced_calls, 0) + coalesce(excluded.unpriced_calls, 0), 0),
    input_tokens = nullif(coalesce(t.input_tokens, 0) + coalesce(excluded.input_tokens, 0), 0),
    cache_read_tokens = nullif(coalesce(t.cache_read_tokens, 0) + coalesce(excluded.cache_read_tokens, 0), 0),
    cache_write_tokens = nullif(coalesce(t.cache_write_tokens, 0) + coalesce(excluded.cache_write_tokens, 0), 0),
    cache_write_1h_tokens = nullif(coalesce(t.cache_write_1h_tokens, 0) + coalesce(excluded.cache_write_1h_tokens, 0), 0),
    output_tokens = nullif(coalesce(t.output_tokens, 0) + coalesce(excluded.output_tokens, 0), 0),
    reasoning_tokens = nullif(coalesce(t.reasoning_tokens, 0) + coalesce(excluded.reasoning_tokens, 0), 0),
    audio_input_tokens = nullif(coalesce(t.audio_input_tokens, 0) + coalesce(excluded.audio_input_tokens, 0), 0),
    audio_output_tokens = nullif(coalesce(t.audio_output_tokens, 0) + coalesce(excluded.audio_output_tokens, 0), 0),
    image_tokens = nullif(coalesce(t.image_tokens, 0) + coalesce(excluded.image_tokens, 0), 0),
    total_tokens = nullif(coalesce(t.total_tokens, 0) + coalesce(excluded.total_tokens, 0), 0),
    input_cost = nullif(coalesce(t.input_cost, 0) + coalesce(excluded.input_cost, 0), 0),
    cache_read_cost = nullif(coalesce(t.cache_read_cost, 0) + coalesce(excluded.cache_read_cost, 0), 0),
    cache_write_cost = nullif(coalesce(t.cache_write_cost, 0) + coalesce(excluded.cache_write_cost, 0), 0),
    cache_write_1h_cost = nullif(coalesce(t.cache_write_1h_cost, 0) + coalesce(excluded.cache_write_1h_cost, 0), 0),
    output_cost = nullif(coalesce(t.output_cost, 0) + coalesce(excluded.output_cost, 0), 0),
    reasoning_cost = nullif(coalesce(t.reasoning_cost, 0) + coalesce(excluded.reasoning_cost, 0), 0),
    audio_input_cost = nullif(coalesce(t.audio_input_cost, 0) + coalesce(excluded.audio_input_cost, 0), 0),
    audio_output_cost = nullif(coalesce(t.audio_output_cost, 0) + coalesce(excluded.audio_output_cost, 0), 0),
    image_cost = nullif(coalesce(t.image_cost, 0) + coalesce(excluded.image_cost, 0), 0),
    request_cost = nullif(coalesce(t.request_cost, 0) + coalesce(excluded.request_cost, 0), 0),
    cost_total = nullif(coalesce(t.cost_total, 0) + coalesce(excluded.cost_total, 0), 0)
