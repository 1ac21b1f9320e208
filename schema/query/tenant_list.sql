-- All tenants, those that were deleted too, with the number of their keys that are in force.
SELECT t.tenant_id, t.name, t.created_at, t.deleted_at,
    (SELECT count(*) FROM spanledger.api_key AS k
     WHERE k.tenant_id = t.tenant_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())) AS keys
FROM spanledger.tenant AS t
ORDER BY t.tenant_id
