-- Adds own prices that are not there yet. Parameters $1 to $6 of price_replace.
INSERT INTO spanledger.model_price (tenant_id, provider, model, effective_from, prices, source)
SELECT nullif(i.tenant_id, 0), i.provider, i.model, i.effective_from, i.prices::jsonb, i.source
FROM unnest($1::int4[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[]) AS i (tenant_id, provider, model, effective_from, prices, source)
WHERE NOT EXISTS (
    SELECT FROM spanledger.model_price AS p
    WHERE coalesce(p.tenant_id, 0) = i.tenant_id AND p.provider = i.provider AND p.model = i.model AND p.effective_from = i.effective_from
)
