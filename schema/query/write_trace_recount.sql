-- Counts trace rows anew from their spans, where a version was replaced: what it had added cannot be taken back column by column.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]  $4 days date[]
--   $5 since, $6 until timestamptz: all of the days lie within (chunk exclusion)   $7 since date, $8 until date
UPDATE spanledger.trace AS t
SET start_ns = a.start_ns, end_ns = a.end_ns, last_received = GREATEST(t.last_received, a.last_received), span_count = a.span_count,
    error_count = a.error_count, roots_ended = a.roots_ended, roots_failed = a.roots_failed, roots_cancelled = a.roots_cancelled,
    roots_unfinished = a.roots_unfinished, services = a.services,
    first_span_id = f.span_id, first_name = f.name, first_service = f.service_name,
    root_start_ns = r.at, root_span_id = r.span_id, root_name = r.name, root_service = r.service_name
FROM unnest($1::int4[], $2::int2[], $3::uuid[], $4::date[]) AS k (tenant_id, trace_bucket, trace_id, day)
CROSS JOIN LATERAL (
    SELECT min(u.at) AS start_ns, max(u.at + s.duration_ns) AS end_ns, max(s.received_at) AS last_received,
           count(*)::int4 AS span_count, count(*) FILTER (WHERE s.status_code = 2)::int4 AS error_count,
           count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 0)::int4 AS roots_ended,
           count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 1)::int4 AS roots_failed,
           count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 2)::int4 AS roots_cancelled,
           count(*) FILTER (WHERE s.parent_span_id IS NULL AND s.outcome = 3)::int4 AS roots_unfinished,
           array_agg(DISTINCT s.service_name ORDER BY s.service_name) AS services
    FROM spanledger.span AS s
    CROSS JOIN LATERAL (SELECT (extract(epoch FROM s.start_time) * 1000000)::int8 * 1000 + s.start_ns AS at) AS u
    WHERE s.tenant_id = k.tenant_id AND s.trace_bucket = k.trace_bucket AND s.trace_id = k.trace_id
      AND s.start_time >= $5 AND s.start_time <= $6
      AND s.start_time >= k.day::timestamp AT TIME ZONE 'UTC' AND s.start_time < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
) AS a
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
WHERE t.tenant_id = k.tenant_id AND t.trace_bucket = k.trace_bucket AND t.trace_id = k.trace_id AND t.day = k.day
  AND t.day >= $7 AND t.day <= $8
