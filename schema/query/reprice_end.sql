-- A re-pricing is done: it and its result are kept, with a row for whoever reads the audit.
--   $1 change_id int8
WITH done AS (
    UPDATE spanledger.price_change SET finished_at = clock_timestamp() WHERE change_id = $1 RETURNING *
)
INSERT INTO spanledger.admin_audit (actor, action, tenant_id, detail)
SELECT d.changed_by, 'reprice', d.tenant_id, jsonb_build_object('change_id', d.change_id, 'from', d.from_time, 'to', d.to_time,
    'provider', d.provider, 'model', d.model, 'spans', coalesce(s.spans, 0), 'changed', coalesce(s.changed, 0),
    'cost_before_pico_usd', coalesce(s.cost_before, 0)::text, 'cost_after_pico_usd', coalesce(s.cost_after, 0)::text)
FROM done AS d
CROSS JOIN (SELECT sum(spans) AS spans, sum(changed) AS changed, sum(cost_before) AS cost_before, sum(cost_after) AS cost_after
    FROM spanledger.price_change_sum WHERE change_id = $1) AS s
