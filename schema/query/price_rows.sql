-- All own prices. No parameters: a list is made of all of them (store/price_rows bounds their number at the import).
SELECT coalesce(p.tenant_id, 0) AS tenant_id, p.provider, p.model, p.effective_from, p.prices::text AS prices, p.source
FROM spanledger.model_price AS p
ORDER BY p.price_id
