-- The next traces of a day with spans that may have to be priced anew, in the order of the key.
--   $1 tenant_id int4, 0: all   $2 day date   $3 behind this trace_id uuid, $4 and this tenant_id int4   $5 most_rows int4
-- Columns: tenant_id int4, trace_bucket int2, trace_id uuid, counted_spans int4.
SELECT t.tenant_id, t.trace_bucket, t.trace_id, t.counted_spans
FROM spanledger.trace AS t
WHERE t.day = $2 AND t.counted_spans > 0 AND ($1 = 0 OR t.tenant_id = $1) AND t.trace_id >= $3 AND (t.trace_id, t.tenant_id) > ($3, $4)
ORDER BY t.trace_id, t.tenant_id
LIMIT $5
