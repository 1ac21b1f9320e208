-- Which scopes hold the content that is wanted under their ids.
--   $1 tenant_id int4[]   $2 scope_id uuid[]   $3 name text[]   $4 version text[]   $5 attributes text[]   $6 dropped_attributes int8[]
--   $7 schema_url text[]  $8 exact bytea[]
-- Columns: ord int8 (1: the first element), for those that do.
SELECT w.ord
FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::text[], $8::bytea[]) WITH ORDINALITY
  AS w (tenant_id, scope_id, name, version, attributes, dropped_attributes, schema_url, exact, ord)
JOIN spanledger.scope AS s ON s.tenant_id = w.tenant_id AND s.scope_id = w.scope_id
WHERE s.name = w.name AND s.version = w.version AND s.attributes = w.attributes
  AND s.dropped_attributes IS NOT DISTINCT FROM w.dropped_attributes AND s.schema_url = w.schema_url AND s.exact IS NOT DISTINCT FROM w.exact
