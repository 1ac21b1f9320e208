-- Makes a key. The tenant's row is held, so that a tenant that is deleted meanwhile keeps no key.
--   $1 tenant text      $3 public text           $5 scopes text[]    $7 expires_at text, '': never
--   $2 key_id uuid      $4 secret_digest text    $6 project text     $8 actor text    $9 most_keys int8
--                       (hex)
-- Columns: tenant_id int4 (0: no such tenant), made bool (false: there are most_keys in force).
WITH found AS (
    SELECT t.tenant_id FROM spanledger.tenant AS t WHERE t.name = $1 AND t.deleted_at IS NULL FOR SHARE
), made AS (
    INSERT INTO spanledger.api_key (key_id, tenant_id, public, secret_digest, scopes, project, expires_at)
    SELECT $2, f.tenant_id, $3, decode($4, 'hex'), $5, $6, nullif($7, '')::timestamptz FROM found AS f
    WHERE (SELECT count(*) FROM spanledger.api_key AS k WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())) < $9
    RETURNING *
), named AS (
    INSERT INTO spanledger.project (tenant_id, name)
    SELECT m.tenant_id, m.project FROM made AS m WHERE m.project <> ''
    ON CONFLICT DO NOTHING
), noted AS (
    INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
    SELECT $8, 'key created', m.tenant_id,
        jsonb_build_object('id', m.key_id, 'public', m.public, 'scopes', m.scopes, 'project', m.project, 'expires_at', m.expires_at)
    FROM made AS m
)
SELECT coalesce((SELECT f.tenant_id FROM found AS f), 0) AS tenant_id, EXISTS (SELECT FROM made) AS made
