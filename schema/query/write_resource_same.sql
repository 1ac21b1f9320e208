-- Which resources hold the content that is wanted under their ids: a hash is never trusted alone.
--   $1 tenant_id int4[]   $2 resource_id uuid[]   $3 service_name text[]   $4 attributes text[]   $5 dropped_attributes int8[]
--   $6 schema_url text[]  $7 exact bytea[]
-- Columns: ord int8 (1: the first element), for those that do.
SELECT w.ord
FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::bytea[]) WITH ORDINALITY
  AS w (tenant_id, resource_id, service_name, attributes, dropped_attributes, schema_url, exact, ord)
JOIN spanledger.resource AS r ON r.tenant_id = w.tenant_id AND r.resource_id = w.resource_id
WHERE r.service_name = w.service_name AND r.attributes = w.attributes AND r.dropped_attributes IS NOT DISTINCT FROM w.dropped_attributes
  AND r.schema_url = w.schema_url AND r.exact IS NOT DISTINCT FROM w.exact
