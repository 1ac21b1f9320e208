-- The keys that are in force.
--   $1 most_rows int8
SELECT k.key_id, k.tenant_id, k.public, k.secret_digest, array_to_string(k.scopes, ',') AS scopes, k.project, k.expires_at, k.last_used
FROM spanledger.api_key AS k
JOIN spanledger.tenant AS t ON t.tenant_id = k.tenant_id
WHERE k.revoked_at IS NULL AND t.deleted_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
LIMIT $1
