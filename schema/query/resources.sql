-- Resources by id.
--   $1 tenant_id int4    $2 resource_ids uuid[], distinct
SELECT r.resource_id, r.service_name, r.attributes, r.dropped_attributes, r.schema_url, r.exact
FROM spanledger.resource AS r
WHERE r.tenant_id = $1 AND r.resource_id = ANY ($2)
