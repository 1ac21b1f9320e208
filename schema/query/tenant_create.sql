-- Makes a tenant.
--   $1 name text    $2 actor text
-- Columns: tenant_id int4; no row: there is one of this name.
WITH made AS (
    INSERT INTO spanledger.tenant (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING tenant_id, name
), noted AS (
    INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
    SELECT $2, 'tenant created', m.tenant_id, jsonb_build_object('name', m.name) FROM made AS m
)
SELECT m.tenant_id FROM made AS m
