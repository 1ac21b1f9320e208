-- Billable spans of the next trace rows, newest first, by provider and model.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 before_ns int8    $7 before_id uuid: rows behind this one
--                        $3 last_day date     $5 to_ns int8, exclusive      $8 look int4: rows looked at
-- A trace has a row for each day its spans start on, so a row's day is where its spans are; the range is that of the spans.
-- There is always a row, for the count in front.
WITH rows AS MATERIALIZED (
    SELECT t.trace_id, t.trace_bucket, t.day, t.start_ns, coalesce(t.billable_calls, 0) AS calls
    FROM spanledger.trace AS t
    WHERE t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns < $5 AND (t.start_ns, t.trace_id) < ($6, $7)
    ORDER BY t.start_ns DESC, t.trace_id DESC
    LIMIT $8
),
found AS (
    SELECT coalesce(m.provider, '') AS provider, coalesce(m.model, '') AS model, count(*) AS calls, sum(m.errors)::int8 AS errors,
        count(*) FILTER (WHERE m.cost_total IS NULL) AS unpriced,
        ARRAY[sum(m.input_tokens), sum(m.cache_read_tokens), sum(m.cache_write_tokens), sum(m.cache_write_1h_tokens), sum(m.output_tokens),
            sum(m.reasoning_tokens), sum(m.audio_input_tokens), sum(m.audio_output_tokens), sum(m.image_tokens), sum(m.total_tokens),
            sum(m.input_cost), sum(m.cache_read_cost), sum(m.cache_write_cost), sum(m.cache_write_1h_cost), sum(m.output_cost),
            sum(m.reasoning_cost), sum(m.audio_input_cost), sum(m.audio_output_cost), sum(m.image_cost), sum(m.request_cost),
            sum(m.cost_total)]::text[] AS sums,
        min(m.span_ns) AS first_ns, max(m.span_ns) AS last_ns
    FROM rows AS r
    CROSS JOIN LATERAL (
        SELECT s.*, (s.status_code = 2 OR s.outcome IN (1, 2))::int4 AS errors,
            (extract(epoch FROM s.start_time) * 1000000)::int8 * 1000 + s.start_ns AS span_ns
        FROM spanledger.span AS s
        WHERE s.tenant_id = $1 AND s.trace_bucket = r.trace_bucket AND s.trace_id = r.trace_id
            AND s.start_time >= r.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (r.day + 1)::timestamp AT TIME ZONE 'UTC' AND s.billable
    ) AS m
    WHERE r.calls > 0 AND m.span_ns >= $4 AND m.span_ns < $5
    GROUP BY coalesce(m.provider, ''), coalesce(m.model, '')
)
SELECT f.provider, f.model, f.calls, f.errors, f.unpriced, f.sums, f.first_ns, f.last_ns, c.looked_at, c.before_ns, c.before_id
FROM (
    SELECT (SELECT count(*) FROM rows) AS looked_at, (SELECT r.start_ns FROM rows AS r ORDER BY r.start_ns, r.trace_id LIMIT 1) AS before_ns,
        (SELECT r.trace_id FROM rows AS r ORDER BY r.start_ns, r.trace_id LIMIT 1) AS before_id
) AS c
LEFT JOIN found AS f ON true
