-- What a re-pricing has done, those with the greatest difference first.
--   $1 change_id int8
-- Columns: tenant_id int4, provider text, model text, spans, changed, calls, unpriced_before, unpriced_after int8, cost_before text, cost_after text: USD.
SELECT s.tenant_id, s.provider, s.model, s.spans, s.changed, s.calls, s.unpriced_before, s.unpriced_after, api.usd(s.cost_before)::text AS cost_before,
    api.usd(s.cost_after)::text AS cost_after
FROM spanledger.price_change_sum AS s
WHERE s.change_id = $1
ORDER BY abs(s.cost_after - s.cost_before) DESC, s.tenant_id, s.provider, s.model
