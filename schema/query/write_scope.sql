-- Makes shared scopes, or refreshes the day of their last use. Arrays of equal length, in key order, keys distinct.
--   $1 tenant_id int4[]   $2 scope_id uuid[]   $3 name text[]   $4 version text[]   $5 attributes text[]   $6 dropped_attributes int8[]
--   $7 schema_url text[]  $8 exact bytea[]     $9 today date
INSERT INTO spanledger.scope AS s (tenant_id, scope_id, name, version, attributes, dropped_attributes, schema_url, exact, first_used, last_used)
SELECT w.*, $9, $9
FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::text[], $8::bytea[]) AS w
ON CONFLICT (tenant_id, scope_id) DO UPDATE SET last_used = excluded.last_used WHERE s.last_used < excluded.last_used
