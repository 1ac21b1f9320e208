-- Traces of a time range with the values of the whole trace: a page of a list.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 most_rows int4
--                        $3 last_day date     $5 to_ns int8, exclusive
-- Lines that begin with --@ are places where store/list_sql.c puts fragments for filters, cursor and order; as it stands here the statement
-- lists without any. A filter has two fragments: `t.` sorts out rows early, before the lateral part, and must let multi_day rows pass;
-- `v.` judges by the values of the whole trace.
-- A trace whose spans start on several days has a row for each. It is shown by the row of its first day, for which its other rows are read;
-- the lateral part is not executed for all other traces (One-Time Filter).
SELECT v.trace_id, v.start_ns, v.end_ns, v.last_received, v.name, v.root_service, v.has_root, v.span_count, v.error_count,
    v.roots_ended, v.roots_failed, v.roots_cancelled, v.services
FROM (
    SELECT t.trace_id, t.start_ns,
        CASE WHEN t.multi_day THEN w.end_ns ELSE t.end_ns END AS end_ns,
        CASE WHEN t.multi_day THEN w.last_received ELSE t.last_received END AS last_received,
        coalesce(CASE WHEN t.multi_day THEN w.root_name ELSE t.root_name END, t.first_name) AS name,
        coalesce(CASE WHEN t.multi_day THEN w.root_service ELSE t.root_service END, t.first_service) AS root_service,
        CASE WHEN t.multi_day THEN w.has_root ELSE t.root_start_ns IS NOT NULL END AS has_root,
        CASE WHEN t.multi_day THEN w.span_count ELSE t.span_count END AS span_count,
        CASE WHEN t.multi_day THEN w.error_count ELSE t.error_count END AS error_count,
        CASE WHEN t.multi_day THEN w.roots_ended ELSE t.roots_ended END AS roots_ended,
        CASE WHEN t.multi_day THEN w.roots_failed ELSE t.roots_failed END AS roots_failed,
        CASE WHEN t.multi_day THEN w.roots_cancelled ELSE t.roots_cancelled END AS roots_cancelled,
        CASE WHEN t.multi_day THEN w.services ELSE t.services END AS services
    FROM spanledger.trace AS t
    CROSS JOIN LATERAL (
        SELECT min(o.day) AS first_day, max(o.end_ns) AS end_ns, max(o.last_received) AS last_received,
            sum(o.span_count) AS span_count, sum(o.error_count) AS error_count, sum(o.roots_ended) AS roots_ended,
            sum(o.roots_failed) AS roots_failed, sum(o.roots_cancelled) AS roots_cancelled,
            bool_or(o.root_start_ns IS NOT NULL) AS has_root,
            (array_agg(o.root_name ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1] AS root_name,
            (array_agg(o.root_service ORDER BY o.root_start_ns, o.root_span_id) FILTER (WHERE o.root_start_ns IS NOT NULL))[1] AS root_service,
            (SELECT array_agg(DISTINCT u.service ORDER BY u.service)
                FROM spanledger.trace AS p CROSS JOIN LATERAL unnest(p.services) AS u (service)
                WHERE t.multi_day AND p.tenant_id = $1 AND p.trace_bucket = t.trace_bucket AND p.trace_id = t.trace_id) AS services
        FROM spanledger.trace AS o
        WHERE t.multi_day AND o.tenant_id = $1 AND o.trace_bucket = t.trace_bucket AND o.trace_id = t.trace_id
    ) AS w
    WHERE t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
        AND (NOT t.multi_day OR t.day = w.first_day)
--@row
) AS v
WHERE true
--@whole
--@order
LIMIT $6
