-- Distinct names of services in alphabetical order (of bytes) with the days of first and last use.
--   $1 tenant_id int4    $2 most_rows int4
-- A loose index scan: each step jumps to the next name, so that a service with 100,000 resources (one for each process that ever ran) costs
-- one row of the index and not all.
WITH RECURSIVE name_of AS (
    (SELECT r.service_name FROM spanledger.resource AS r WHERE r.tenant_id = $1 ORDER BY r.service_name LIMIT 1)
    UNION ALL
    SELECT (SELECT r.service_name FROM spanledger.resource AS r
            WHERE r.tenant_id = $1 AND r.service_name > n.service_name ORDER BY r.service_name LIMIT 1)
    FROM name_of AS n
    WHERE n.service_name IS NOT NULL
)
SELECT n.service_name, used.first_used, used.last_used
FROM name_of AS n
CROSS JOIN LATERAL (
    SELECT min(r.first_used) AS first_used, max(r.last_used) AS last_used
    FROM spanledger.resource AS r
    WHERE r.tenant_id = $1 AND r.service_name = n.service_name
) AS used
WHERE n.service_name IS NOT NULL
ORDER BY n.service_name
LIMIT $2
