-- A re-pricing with this scope and these prices that was interrupted; else a new one. Dry runs that were interrupted are dropped.
--   $1 tenant_id int4, 0: all   $2 from, $3 to timestamptz   $4 provider text, $5 model text: '': any   $6 prices text   $7 changed_by text
--   $8 dry_run bool
-- Columns (no row: the tenant is not known): change_id int8, done_day date, done_trace_id uuid, done_tenant_id int4.
WITH there AS (
    SELECT c.change_id, c.done_day, c.done_trace_id, c.done_tenant_id
    FROM spanledger.price_change AS c
    WHERE NOT $8 AND NOT c.dry_run AND c.finished_at IS NULL AND coalesce(c.tenant_id, 0) = $1 AND c.from_time = $2 AND c.to_time = $3
        AND coalesce(c.provider, '') = $4 AND coalesce(c.model, '') = $5 AND c.prices = $6
    ORDER BY c.change_id DESC
    LIMIT 1
), made AS (
    INSERT INTO spanledger.price_change (tenant_id, from_time, to_time, provider, model, prices, changed_by, dry_run)
    SELECT nullif($1, 0), $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8
    WHERE NOT EXISTS (SELECT FROM there) AND ($1 = 0 OR EXISTS (SELECT FROM spanledger.tenant AS t WHERE t.tenant_id = $1))
    RETURNING change_id, done_day, done_trace_id, done_tenant_id
)
SELECT * FROM there UNION ALL SELECT * FROM made
