-- Gives a tenant another name.
--   $1 name text    $2 new_name text    $3 actor text
-- Columns: tenant_id int4; no row: there is none of the name.
WITH found AS (
    SELECT t.tenant_id, t.name FROM spanledger.tenant AS t WHERE t.name = $1 AND t.deleted_at IS NULL FOR UPDATE
), changed AS (
    UPDATE spanledger.tenant AS t SET name = $2 FROM found AS f WHERE t.tenant_id = f.tenant_id RETURNING t.tenant_id, t.name
), noted AS (
    INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
    SELECT $3, 'tenant renamed', c.tenant_id, jsonb_build_object('from', $1::text, 'to', c.name) FROM changed AS c
)
SELECT c.tenant_id FROM changed AS c
