-- Makes shared resources, or refreshes the day of their last use. Arrays of equal length, in key order, keys distinct.
--   $1 tenant_id int4[]   $2 resource_id uuid[]   $3 service_name text[]   $4 attributes text[]   $5 dropped_attributes int8[]
--   $6 schema_url text[]  $7 exact bytea[]        $8 today date
INSERT INTO spanledger.resource AS r (tenant_id, resource_id, service_name, attributes, dropped_attributes, schema_url, exact, first_used, last_used)
SELECT w.*, $8, $8
FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::bytea[]) AS w
ON CONFLICT (tenant_id, resource_id) DO UPDATE SET last_used = excluded.last_used WHERE r.last_used < excluded.last_used
