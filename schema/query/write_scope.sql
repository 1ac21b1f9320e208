-- Makes a shared scope, or refreshes the day of its last use.
--   $1 tenant_id int4   $2 scope_id uuid   $3 name text   $4 version text   $5 attributes text   $6 dropped_attributes int8
--   $7 schema_url text  $8 exact bytea     $9 today date
INSERT INTO spanledger.scope AS s (tenant_id, scope_id, name, version, attributes, dropped_attributes, schema_url, exact, first_used, last_used)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
ON CONFLICT (tenant_id, scope_id) DO UPDATE SET last_used = excluded.last_used WHERE s.last_used < excluded.last_used
