-- Takes out own prices that another one of the same tenant, provider, model and date will take the place of, and records what they were.
-- A statement before price_insert, because a unique index does not see what the same statement deletes.
--   $1 tenant_id int4[] (0: everyone)    $4 effective_from timestamptz[]    $7 actor text
--   $2 provider text[]                   $5 prices text[]
--   $3 model text[]                      $6 source text[]
WITH gone AS (
    DELETE FROM spanledger.model_price AS p
    USING unnest($1::int4[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[]) AS i (tenant_id, provider, model, effective_from, prices, source)
    WHERE coalesce(p.tenant_id, 0) = i.tenant_id AND p.provider = i.provider AND p.model = i.model
        AND p.effective_from = i.effective_from AND (p.prices <> i.prices::jsonb OR p.source <> i.source)
    RETURNING p.*, i.prices::jsonb AS new_prices, i.source AS new_source
)
INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
SELECT $7, 'price replaced', g.tenant_id,
    jsonb_build_object('provider', g.provider, 'model', g.model, 'effective_from', g.effective_from, 'prices', g.prices, 'source', g.source,
        'imported_at', g.created_at, 'new_prices', g.new_prices, 'new_source', g.new_source)
FROM gone AS g
