-- Whether the resource under an id holds this content: a hash is never trusted alone.
--   $1 tenant_id int4   $2 resource_id uuid   $3 service_name text   $4 attributes text   $5 dropped_attributes int8
--   $6 schema_url text  $7 exact bytea
-- Columns: same bool.
SELECT r.service_name = $3 AND r.attributes = $4 AND r.dropped_attributes IS NOT DISTINCT FROM $5
       AND r.schema_url = $6 AND r.exact IS NOT DISTINCT FROM $7 AS same
FROM spanledger.resource AS r
WHERE r.tenant_id = $1 AND r.resource_id = $2
