-- Adds the spans of a batch to their trace rows. Every column merges without order.
--   $1 day date[]  $2 tenant_id int4[]  $3 trace_bucket int2[]  $4 trace_id uuid[]  $5 start_ns int8[]  $6 end_ns int8[]
--   $7 last_received timestamptz[]  $8 first_span_id int8[]  $9 first_name text[]  $10 first_service text[]
--   $11 root_start_ns int8[]  $12 root_span_id int8[]  $13 root_name text[]  $14 root_service text[]   NULL: no root
--   $15 span_count int4[]  $16 error_count int4[]  $17 roots_ended int4[]  $18 roots_failed int4[]  $19 roots_cancelled int4[]
--   $20 roots_unfinished int4[]  $21 multi_day bool[]  $22 services text[]: each the text form of a text[]
INSERT INTO spanledger.trace AS t (day, tenant_id, trace_bucket, trace_id, start_ns, end_ns, last_received, first_span_id, first_name, first_service,
    root_start_ns, root_span_id, root_name, root_service, span_count, error_count, roots_ended, roots_failed, roots_cancelled,
    roots_unfinished, multi_day, services)
SELECT r.day, r.tenant_id, r.trace_bucket, r.trace_id, r.start_ns, r.end_ns, r.last_received, r.first_span_id, r.first_name, r.first_service,
    r.root_start_ns, r.root_span_id, r.root_name, r.root_service, r.span_count, r.error_count, r.roots_ended, r.roots_failed,
    r.roots_cancelled, r.roots_unfinished, r.multi_day, r.services::text[]
FROM unnest($1::date[], $2::int4[], $3::int2[], $4::uuid[], $5::int8[], $6::int8[], $7::timestamptz[], $8::int8[], $9::text[], $10::text[],
    $11::int8[], $12::int8[], $13::text[], $14::text[], $15::int4[], $16::int4[], $17::int4[], $18::int4[], $19::int4[], $20::int4[],
    $21::bool[], $22::text[])
  AS r (day, tenant_id, trace_bucket, trace_id, start_ns, end_ns, last_received, first_span_id, first_name, first_service,
    root_start_ns, root_span_id, root_name, root_service, span_count, error_count, roots_ended, roots_failed, roots_cancelled,
    roots_unfinished, multi_day, services)
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
                    ELSE ARRAY(SELECT DISTINCT s FROM unnest(t.services || excluded.services) AS s ORDER BY s) END
