-- Billed calls whose cost could not be computed, by provider and model, those with most calls first.
--   $1 since timestamptz, inclusive    $2 until timestamptz, exclusive    $3 most_rows int4
SELECT
    coalesce(s.provider, '') AS provider,
    coalesce(s.model, '') AS model,
    count(*) AS calls,
    count(*) FILTER (WHERE s.usage_rule IS NULL) AS calls_without_usage,
    count(s.cost_reported) AS calls_with_reported_cost,
    least(coalesce(sum(s.total_tokens), 0), 9223372036854775807)::int8 AS tokens,
    min(s.start_time) AS first_start,
    max(s.start_time) AS last_start
FROM spanledger.span AS s
WHERE s.start_time >= $1 AND s.start_time < $2 AND s.billable AND s.cost_computed IS NULL
GROUP BY s.provider, s.model
ORDER BY calls DESC, provider, model
LIMIT $3
