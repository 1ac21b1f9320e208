-- Revokes a key by its public part or its id. One that was revoked stays as it was.
--   $1 name text    $2 actor text
-- Columns: public text, already bool; no row: there is none.
WITH found AS (
    SELECT k.key_id, k.tenant_id, k.public, k.revoked_at FROM spanledger.api_key AS k WHERE k.public = $1 OR k.key_id::text = $1 FOR UPDATE
), revoked AS (
    UPDATE spanledger.api_key AS k SET revoked_at = now() FROM found AS f WHERE k.key_id = f.key_id AND f.revoked_at IS NULL
    RETURNING k.key_id, k.tenant_id, k.public
), noted AS (
    INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
    SELECT $2, 'key revoked', r.tenant_id, jsonb_build_object('id', r.key_id, 'public', r.public) FROM revoked AS r
)
SELECT f.public, f.revoked_at IS NOT NULL AS already FROM found AS f
