-- Traces of a time range with the values of the whole trace: a page of a list.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 most_rows int4
--                        $3 last_day date     $5 to_ns int8, exclusive
-- Lines that begin with --@ are places where store/list_sql.c puts fragments for filters, cursor and order; as it stands here the statement
-- lists without any. Fragments speak of `v`, which each part has.
-- A trace whose spans start on several days has a row for each; it is shown by the row of its first day, for which its other rows are read.
-- Such traces are few and have an index of their own, so they are a part of their own: judged together with the others, each of 100,000
-- rows would pay for a look at rows that are not there. Each part has the order and the limit of the whole, so that it can follow an index
-- and stop.
SELECT v.trace_id, v.start_ns, v.end_ns, v.last_received, v.name, v.root_service, v.has_root, v.span_count, v.error_count,
    v.roots_ended, v.roots_failed, v.roots_cancelled, v.services
FROM (
    (SELECT v.*
    FROM (
        SELECT t.trace_id, t.start_ns, t.end_ns, t.last_received,
            coalesce(t.root_name, t.first_name) AS name, coalesce(t.root_service, t.first_service) AS root_service,
            t.root_start_ns IS NOT NULL AS has_root, t.span_count::int8 AS span_count, t.error_count::int8 AS error_count,
            t.roots_ended::int8 AS roots_ended, t.roots_failed::int8 AS roots_failed, t.roots_cancelled::int8 AS roots_cancelled, t.services
        FROM spanledger.trace AS t
        WHERE NOT t.multi_day
            AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
    ) AS v
    WHERE true
--@filters
--@order
    LIMIT $6)
    UNION ALL
    (SELECT v.*
    FROM (
        SELECT t.trace_id, t.start_ns, w.end_ns, w.last_received,
            coalesce(w.root_name, t.first_name) AS name, coalesce(w.root_service, t.first_service) AS root_service,
            w.has_root, w.span_count, w.error_count, w.roots_ended, w.roots_failed, w.roots_cancelled, w.services
        FROM spanledger.trace AS t
        CROSS JOIN LATERAL (
            SELECT min(o.day) AS first_day, max(o.end_ns) AS end_ns, max(o.last_received) AS last_received,
                sum(o.span_count) AS span_count, sum(o.error_count) AS error_count, sum(o.roots_ended) AS roots_ended,
                sum(o.roots_failed) AS roots_failed, sum(o.roots_cancelled) AS roots_cancelled,
                bool_or(o.root_start_ns IS NOT NULL) AS has_root,
                (array_agg(o.root_name ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1] AS root_name,
                (array_agg(o.root_service ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1]
                    AS root_service,
                (SELECT array_agg(DISTINCT u.service ORDER BY u.service)
                    FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.services) AS u (service)
                    WHERE p.tenant_id = $1 AND p.trace_bucket = t.trace_bucket AND p.trace_id = t.trace_id) AS services
            FROM spanledger.trace AS o
            WHERE o.tenant_id = $1 AND o.trace_bucket = t.trace_bucket AND o.trace_id = t.trace_id
        ) AS w
        WHERE t.multi_day
            AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
            AND t.day = w.first_day
    ) AS v
    WHERE true
--@filters
--@order
    LIMIT $6)
) AS v
--@order
LIMIT $6
