-- Traces of a time range with the values of the whole trace: a page of a list.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 most_rows int4
--                        $3 last_day date     $5 to_ns int8, exclusive
-- Lines that begin with --@ are places where store/list_sql.c puts fragments for filters, cursor, order and the way of looking; as it stands
-- here the statement lists all traces of the days.
-- `one`: traces of one day, narrow: what is filtered and sorted by. `several`: traces whose spans start on several days have a row for each; such
-- a trace is shown by the row of its first day, for which its other rows are read (::int: not by the index of such rows, which knows no trace).
-- A day that is alone, further than 31 days from all others of its trace, is a row of the list by itself (write_trace_multi.sql). Traces of several
-- days are few and have an index of their own, so they are a part of their own: judged together with the others, each of 100,000 rows would pay
-- for a look at rows that are not there.
-- `page`: the rows that are shown; only for these the rest of the columns is read. There is always a row, for the counts in front.
WITH one AS (
    SELECT t.trace_id, t.trace_bucket, t.day, t.day AS last_day, false AS multi_day, t.start_ns, t.end_ns, t.last_received,
        coalesce(t.root_name, t.first_name) AS name, t.error_count::int8 AS error_count, t.roots_ended::int8 AS roots_ended,
        t.roots_failed::int8 AS roots_failed, t.roots_cancelled::int8 AS roots_cancelled, t.services, t.facets, t.session_id, t.cost_total, t.total_tokens,
        least(coalesce(t.cost_total, 0), 9223372036854775807)::int8 AS cost, least(coalesce(t.total_tokens, 0), 9223372036854775807)::int8 AS tokens
    FROM spanledger.trace AS t
    WHERE NOT t.multi_day AND t.day >= $2 AND t.day <= $3
--@range
--@look
),
several AS (
    SELECT t.trace_id, t.trace_bucket, t.day, w.last_day, true AS multi_day, t.start_ns, w.end_ns, w.last_received,
        coalesce(w.root_name, t.first_name) AS name, w.error_count, w.roots_ended, w.roots_failed, w.roots_cancelled, w.services, w.facets, w.session_id,
        w.cost_total, w.total_tokens,
        least(coalesce(w.cost_total, 0), 9223372036854775807)::int8 AS cost, least(coalesce(w.total_tokens, 0), 9223372036854775807)::int8 AS tokens
    FROM spanledger.trace AS t
    CROSS JOIN LATERAL (
        SELECT min(o.day) AS first_day, max(o.day) AS last_day, max(o.end_ns) AS end_ns, max(o.last_received) AS last_received,
            sum(o.error_count) AS error_count, sum(o.roots_ended) AS roots_ended, sum(o.roots_failed) AS roots_failed,
            sum(o.roots_cancelled) AS roots_cancelled, sum(o.cost_total) AS cost_total, sum(o.total_tokens) AS total_tokens,
            (array_agg(o.session_id ORDER BY o.session_rank, o.session_id COLLATE "C"))[1] AS session_id,
            (array_agg(o.root_name ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1] AS root_name,
            (SELECT array_agg(DISTINCT u.service)
                FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.services) AS u (service)
                WHERE p.tenant_id = $1 AND p.trace_bucket = t.trace_bucket AND p.trace_id = t.trace_id AND p.multi_day::int = 1) AS services,
            (SELECT array_agg(DISTINCT u.facet)
                FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.facets) AS u (facet)
                WHERE p.tenant_id = $1 AND p.trace_bucket = t.trace_bucket AND p.trace_id = t.trace_id AND p.multi_day::int = 1) AS facets
        FROM spanledger.trace AS o
        WHERE o.tenant_id = $1 AND o.trace_bucket = t.trace_bucket AND o.trace_id = t.trace_id AND o.multi_day::int = 1
    ) AS w
    WHERE t.multi_day
        AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
        AND t.day = w.first_day
),
matched AS (
    (SELECT v.trace_id, v.trace_bucket, v.day, v.multi_day, v.start_ns
--@key
    FROM one AS v
    WHERE true
--@filters
--@part
    )
    UNION ALL
    (SELECT v.trace_id, v.trace_bucket, v.day, v.multi_day, v.start_ns
--@key
    FROM several AS v
    WHERE true
--@frontier
--@filters
--@part
    )
),
page AS (
    SELECT v.* FROM matched AS v
--@order
    LIMIT $6
)
SELECT c.looked_at, c.matched, c.last_ns, c.last_id,
    v.trace_id, v.start_ns, x.end_ns, x.last_received, x.name, x.root_service, x.has_root, x.span_count, x.error_count,
    x.roots_ended, x.roots_failed, x.roots_cancelled, x.services, x.session_id, x.user_id, x.environment, x.project, x.trace_name,
    x.input_preview, x.output_preview, x.tags, x.models, x.providers, x.calls, x.unpriced, x.sums
FROM (
    SELECT 0::int8 AS looked_at, 0::int8 AS matched, NULL::int8 AS last_ns, NULL::uuid AS last_id WHERE true
--@counts
) AS c
LEFT JOIN page AS v ON true
LEFT JOIN LATERAL (
    SELECT o.end_ns, o.last_received, coalesce(o.root_name, o.first_name) AS name, coalesce(o.root_service, o.first_service) AS root_service,
        o.root_start_ns IS NOT NULL AS has_root, o.span_count::int8 AS span_count, o.error_count::int8 AS error_count,
        o.roots_ended::int8 AS roots_ended, o.roots_failed::int8 AS roots_failed, o.roots_cancelled::int8 AS roots_cancelled, o.services,
        o.session_id, o.user_id, o.environment, o.project, o.trace_name, o.input_preview, o.output_preview, o.tags, o.models, o.providers,
        o.billable_calls::int8 AS calls, o.unpriced_calls::int8 AS unpriced,
        ARRAY[o.input_tokens, o.cache_read_tokens, o.cache_write_tokens, o.cache_write_1h_tokens, o.output_tokens, o.reasoning_tokens,
            o.audio_input_tokens, o.audio_output_tokens, o.image_tokens, o.total_tokens, o.input_cost, o.cache_read_cost, o.cache_write_cost,
            o.cache_write_1h_cost, o.output_cost, o.reasoning_cost, o.audio_input_cost, o.audio_output_cost, o.image_cost, o.request_cost,
            o.cost_total]::text[] AS sums
    FROM spanledger.trace AS o
    WHERE NOT v.multi_day AND o.tenant_id = $1 AND o.trace_bucket = v.trace_bucket AND o.trace_id = v.trace_id AND o.day = v.day
    UNION ALL
    SELECT max(o.end_ns), max(o.last_received),
        coalesce((array_agg(o.root_name ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1],
            (array_agg(o.first_name ORDER BY o.day))[1]),
        coalesce((array_agg(o.root_service ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1],
            (array_agg(o.first_service ORDER BY o.day))[1]),
        bool_or(o.root_start_ns IS NOT NULL), sum(o.span_count), sum(o.error_count), sum(o.roots_ended), sum(o.roots_failed),
        sum(o.roots_cancelled),
        (SELECT array_agg(DISTINCT u.service)
            FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.services) AS u (service)
            WHERE p.tenant_id = $1 AND p.trace_bucket = v.trace_bucket AND p.trace_id = v.trace_id AND p.multi_day::int = 1),
        (array_agg(o.session_id ORDER BY o.session_rank, o.session_id COLLATE "C"))[1],
        (array_agg(o.user_id ORDER BY o.user_rank, o.user_id COLLATE "C"))[1],
        (array_agg(o.environment ORDER BY o.environment_rank, o.environment COLLATE "C"))[1],
        (array_agg(o.project ORDER BY o.project_rank, o.project COLLATE "C"))[1],
        (array_agg(o.trace_name ORDER BY o.trace_name_rank, o.trace_name COLLATE "C"))[1],
        (array_agg(o.input_preview ORDER BY o.input_rank, o.input_preview COLLATE "C"))[1],
        (array_agg(o.output_preview ORDER BY o.output_rank, o.output_preview COLLATE "C"))[1],
        (SELECT array_agg(DISTINCT u.tag COLLATE "C")
            FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.tags) AS u (tag)
            WHERE p.tenant_id = $1 AND p.trace_bucket = v.trace_bucket AND p.trace_id = v.trace_id AND p.multi_day::int = 1),
        (SELECT array_agg(DISTINCT u.model COLLATE "C")
            FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.models) AS u (model)
            WHERE p.tenant_id = $1 AND p.trace_bucket = v.trace_bucket AND p.trace_id = v.trace_id AND p.multi_day::int = 1),
        (SELECT array_agg(DISTINCT u.provider COLLATE "C")
            FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.providers) AS u (provider)
            WHERE p.tenant_id = $1 AND p.trace_bucket = v.trace_bucket AND p.trace_id = v.trace_id AND p.multi_day::int = 1),
        sum(o.billable_calls), sum(o.unpriced_calls),
        ARRAY[sum(o.input_tokens), sum(o.cache_read_tokens), sum(o.cache_write_tokens), sum(o.cache_write_1h_tokens), sum(o.output_tokens),
            sum(o.reasoning_tokens), sum(o.audio_input_tokens), sum(o.audio_output_tokens), sum(o.image_tokens), sum(o.total_tokens),
            sum(o.input_cost), sum(o.cache_read_cost), sum(o.cache_write_cost), sum(o.cache_write_1h_cost), sum(o.output_cost),
            sum(o.reasoning_cost), sum(o.audio_input_cost), sum(o.audio_output_cost), sum(o.image_cost), sum(o.request_cost),
            sum(o.cost_total)]::text[]
    FROM spanledger.trace AS o
    WHERE v.multi_day AND o.tenant_id = $1 AND o.trace_bucket = v.trace_bucket AND o.trace_id = v.trace_id AND o.multi_day::int = 1
    HAVING count(*) > 0
) AS x ON true
--@order
