-- What a part of a re-pricing did, added to what it has done so far, and how far it is. Arrays of equal length, an element for each span.
--   $1 change_id int8  $2 tenant_ids int4[]  $3 providers text[]  $4 models text[]  $5 changed bool[]  $6 billable bool[]
--   $7 before int8[], $8 after int8[]: pico-USD that count, NULL: unknown   $9 done_day date  $10 done_trace_id uuid  $11 done_tenant_id int4
WITH moved AS (
    UPDATE spanledger.price_change SET done_day = $9, done_trace_id = $10, done_tenant_id = $11 WHERE change_id = $1
)
INSERT INTO spanledger.price_change_sum AS s (change_id, tenant_id, provider, model, spans, changed, calls, unpriced_before, unpriced_after,
    cost_before, cost_after)
SELECT $1, k.tenant_id, k.provider, k.model, count(*), count(*) FILTER (WHERE k.changed), count(*) FILTER (WHERE k.billable),
    count(*) FILTER (WHERE k.billable AND k.before IS NULL), count(*) FILTER (WHERE k.billable AND k.after IS NULL),
    coalesce(sum(k.before) FILTER (WHERE k.billable), 0), coalesce(sum(k.after) FILTER (WHERE k.billable), 0)
FROM unnest($2::int4[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::int8[], $8::int8[])
    AS k (tenant_id, provider, model, changed, billable, before, after)
GROUP BY k.tenant_id, k.provider, k.model
ON CONFLICT (change_id, tenant_id, provider, model) DO UPDATE SET
    spans = s.spans + excluded.spans, changed = s.changed + excluded.changed, calls = s.calls + excluded.calls,
    unpriced_before = s.unpriced_before + excluded.unpriced_before, unpriced_after = s.unpriced_after + excluded.unpriced_after,
    cost_before = s.cost_before + excluded.cost_before, cost_after = s.cost_after + excluded.cost_after
