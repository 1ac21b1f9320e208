-- Distinct names of services in order with the days of first and last use.
--   $1 tenant_id int4    $2 most_rows int4
-- A loose index scan finds the names: each step jumps to the next one. The days are then read from each service's resources. The index holds
-- the first 512 characters; names that share them are told apart behind it.
WITH RECURSIVE prefix_of AS (
    (SELECT left(r.service_name, 512) AS prefix FROM spanledger.resource AS r WHERE r.tenant_id = $1 ORDER BY left(r.service_name, 512) LIMIT 1)
    UNION ALL
    SELECT (SELECT left(r.service_name, 512) FROM spanledger.resource AS r
            WHERE r.tenant_id = $1 AND left(r.service_name, 512) > p.prefix ORDER BY left(r.service_name, 512) LIMIT 1)
    FROM prefix_of AS p
    WHERE p.prefix IS NOT NULL
)
SELECT used.service_name, used.first_used, used.last_used
FROM prefix_of AS p
CROSS JOIN LATERAL (
    SELECT r.service_name, min(r.first_used) AS first_used, max(r.last_used) AS last_used
    FROM spanledger.resource AS r
    WHERE r.tenant_id = $1 AND left(r.service_name, 512) = p.prefix
    GROUP BY r.service_name
) AS used
WHERE p.prefix IS NOT NULL
ORDER BY used.service_name
LIMIT $2
