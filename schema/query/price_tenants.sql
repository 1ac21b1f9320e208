-- Numbers of tenants by name.
--   $1 names text[]
SELECT t.name, t.tenant_id
FROM spanledger.tenant AS t
WHERE t.name = ANY ($1) AND t.deleted_at IS NULL
