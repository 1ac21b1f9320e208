-- Keys, newest last.
--   $1 tenant text, '': of all
SELECT k.key_id::text, k.public, t.name, array_to_string(k.scopes, ',') AS scopes, k.project, k.created_at, k.expires_at, k.revoked_at, k.last_used
FROM spanledger.api_key AS k
JOIN spanledger.tenant AS t ON t.tenant_id = k.tenant_id
WHERE $1 = '' OR (t.name = $1 AND t.deleted_at IS NULL)
ORDER BY k.created_at, k.key_id
