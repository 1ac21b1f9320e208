-- What the traces of one session or user come to.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 what text: session or user
--                        $3 last_day date     $5 to_ns int8, exclusive      $7 id text
-- `+ 0`: only the index of facets shall seem good.
SELECT g.key, x.traces, x.first_ns, x.end_ns, x.last_ns, x.last_trace_id, x.errors, x.input_preview, x.users, x.environments, x.sessions, x.calls,
    x.unpriced, x.sums
FROM (SELECT $7::text AS key) AS g
CROSS JOIN LATERAL (
--@columns group_sums
) AS x
WHERE x.traces > 0
