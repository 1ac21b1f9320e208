-- Whether the scope under an id holds this content.
--   $1 tenant_id int4   $2 scope_id uuid   $3 name text   $4 version text   $5 attributes text   $6 dropped_attributes int8
--   $7 schema_url text  $8 exact bytea
-- Columns: same bool.
SELECT s.name = $3 AND s.version = $4 AND s.attributes = $5 AND s.dropped_attributes IS NOT DISTINCT FROM $6
       AND s.schema_url = $7 AND s.exact IS NOT DISTINCT FROM $8 AS same
FROM spanledger.scope AS s
WHERE s.tenant_id = $1 AND s.scope_id = $2
