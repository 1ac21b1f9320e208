-- Deletes a tenant: its keys are revoked, its name is free again. Its spans stay.
--   $1 name text    $2 actor text
-- Columns: tenant_id int4, keys int8 that were revoked; no row: there is none of the name.
WITH gone AS (
    UPDATE spanledger.tenant AS t SET deleted_at = now() WHERE t.name = $1 AND t.deleted_at IS NULL RETURNING t.tenant_id, t.name
), revoked AS (
    UPDATE spanledger.api_key AS k SET revoked_at = now() FROM gone AS g WHERE k.tenant_id = g.tenant_id AND k.revoked_at IS NULL RETURNING k.public
), noted AS (
    INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
    SELECT $2, 'tenant deleted', g.tenant_id,
        jsonb_build_object('name', g.name, 'keys', (SELECT coalesce(jsonb_agg(r.public ORDER BY r.public), '[]') FROM revoked AS r))
    FROM gone AS g
)
SELECT g.tenant_id, (SELECT count(*) FROM revoked) AS keys FROM gone AS g
