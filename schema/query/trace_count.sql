-- How many traces match among the newest of a range, for the total of a list: exact where the range has no more of them.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 most_rows int4: traces looked at
--                        $3 last_day date     $5 to_ns int8, exclusive
-- The parts and their fragments are those of trace_list; here the limit stands before the filters, so that a filter that matches nothing costs
-- no more than one that matches all.
SELECT one.found + several.found AS found, greatest(one.looked_at, several.looked_at) AS looked_at
FROM (
    SELECT count(*) FILTER (WHERE true
--@filters
        ) AS found, count(*) AS looked_at
    FROM (
        SELECT t.trace_id, t.start_ns, t.end_ns, t.last_received,
            coalesce(t.root_name, t.first_name) AS name, t.error_count,
            t.roots_ended, t.roots_failed, t.roots_cancelled, t.services
        FROM spanledger.trace AS t
        WHERE NOT t.multi_day
            AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
        ORDER BY t.start_ns DESC, t.trace_id DESC
        LIMIT $6
    ) AS v
) AS one
CROSS JOIN (
    SELECT count(*) FILTER (WHERE true
--@filters
        ) AS found, count(*) AS looked_at
    FROM (
        SELECT t.trace_id, t.start_ns, w.end_ns, w.last_received,
            coalesce(w.root_name, t.first_name) AS name, w.error_count,
            w.roots_ended, w.roots_failed, w.roots_cancelled, w.services
        FROM spanledger.trace AS t
        CROSS JOIN LATERAL (
            SELECT min(o.day) AS first_day, max(o.end_ns) AS end_ns, max(o.last_received) AS last_received,
                sum(o.error_count) AS error_count, sum(o.roots_ended) AS roots_ended,
                sum(o.roots_failed) AS roots_failed, sum(o.roots_cancelled) AS roots_cancelled,
                (array_agg(o.root_name ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1] AS root_name,
                (SELECT array_agg(DISTINCT u.service ORDER BY u.service)
                    FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.services) AS u (service)
                    WHERE p.tenant_id = $1 AND p.trace_bucket = t.trace_bucket AND p.trace_id = t.trace_id) AS services
            FROM spanledger.trace AS o
            WHERE o.tenant_id = $1 AND o.trace_bucket = t.trace_bucket AND o.trace_id = t.trace_id
        ) AS w
        WHERE t.multi_day
            AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
            AND t.day = w.first_day
        ORDER BY t.start_ns DESC, t.trace_id DESC
        LIMIT $6
    ) AS v
) AS several
