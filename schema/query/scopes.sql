-- Scopes by id.
--   $1 tenant_id int4    $2 scope_ids uuid[], distinct
SELECT s.scope_id, s.name, s.version, s.attributes, s.dropped_attributes, s.schema_url, s.exact
FROM spanledger.scope AS s
WHERE s.tenant_id = $1 AND s.scope_id = ANY ($2)
