-- Rows that the traces of a batch have already, on days near theirs.
--   $1 tenant_ids int4[]  $2 buckets int2[]  $3 trace_ids uuid[]   one element per distinct trace, ascending
--   $4 since date, $5 until date
-- Columns: place int4 (0-based, in the arrays), day date, counted_spans, plain_spans, span_count int4.
-- A day further than 31 days from all others of its trace is shown by itself in lists: looking into every chunk for each new trace would cost more
-- than all the rest.
-- tenant_id + 0, here and wherever rows of traces are looked up to be written: so no index but the key can be taken. All others begin with the
-- tenant, look as cheap while a chunk has not been analysed, and read it whole for each trace (seen on a young table: 70,000
-- entries read for the 200 traces of one batch).
-- OFFSET 0 keeps the planner from turning the join round: planned while the table is empty, it would scan all of trace for each batch for ever
-- (measured: 100 us a span instead of 18).
SELECT (k.place - 1)::int4 AS place, t.day, t.counted_spans, t.plain_spans, t.span_count
FROM unnest($1::int4[], $2::int2[], $3::uuid[]) WITH ORDINALITY AS k (tenant_id, trace_bucket, trace_id, place)
CROSS JOIN LATERAL (
    SELECT r.day, coalesce(r.counted_spans, 0) AS counted_spans, coalesce(r.plain_spans, 0) AS plain_spans, r.span_count
    FROM spanledger.trace AS r
    WHERE r.trace_id = k.trace_id AND r.tenant_id + 0 = k.tenant_id AND r.trace_bucket = k.trace_bucket
      AND r.day >= $4 AND r.day <= $5
    OFFSET 0
) AS t
