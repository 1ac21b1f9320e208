-- Sessions or users of the next traces, newest first, each with what all its traces of the range come to.
--   $1 tenant_id int4    $2 first_day date    $4 from_ns int8, inclusive    $6 what text: session or user
--                        $3 last_day date     $5 to_ns int8, exclusive      $7 most_rows int4: sessions or users
--   $8 before_ns int8    $9 before_id uuid: traces behind this one          $10 look int4: traces looked at
-- A session stands where its newest trace stands, so whoever is met again on a later page was shown already: the caller compares last_ns and
-- last_trace_id with newest_ns and newest_id. Traces of several days are few and stand beside the others (see trace_list).
-- There is always a row, for the count in front.
WITH one AS MATERIALIZED (
    SELECT t.trace_id, t.start_ns, CASE $6 WHEN 'session' THEN t.session_id ELSE t.user_id END AS key
    FROM spanledger.trace AS t
    WHERE NOT t.multi_day AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
        AND (t.start_ns, t.trace_id) < ($8, $9)
    ORDER BY t.start_ns DESC, t.trace_id DESC
    LIMIT $10
),
several AS (
    SELECT t.trace_id, t.start_ns, w.key
    FROM spanledger.trace AS t
    CROSS JOIN LATERAL (
        SELECT min(o.day) AS first_day,
            CASE $6 WHEN 'session' THEN (array_agg(o.session_id ORDER BY o.session_rank, o.session_id COLLATE "C"))[1]
                ELSE (array_agg(o.user_id ORDER BY o.user_rank, o.user_id COLLATE "C"))[1] END AS key
        FROM spanledger.trace AS o
        WHERE o.tenant_id = $1 AND o.trace_bucket = t.trace_bucket AND o.trace_id = t.trace_id AND o.multi_day::int = 1
    ) AS w
    WHERE t.multi_day AND t.tenant_id = $1 AND t.day >= $2 AND t.day <= $3 AND t.start_ns >= $4 AND t.start_ns < $5
        AND (t.start_ns, t.trace_id) < ($8, $9) AND t.day = w.first_day
        AND ((SELECT count(*) FROM one) < $10
            OR (t.start_ns, t.trace_id) >= (SELECT o.start_ns, o.trace_id FROM one AS o ORDER BY o.start_ns, o.trace_id LIMIT 1))
),
newest AS (
    SELECT DISTINCT ON (u.key) u.key, u.start_ns, u.trace_id
    FROM (SELECT o.key, o.start_ns, o.trace_id FROM one AS o UNION ALL SELECT s.key, s.start_ns, s.trace_id FROM several AS s) AS u
    WHERE u.key IS NOT NULL
    ORDER BY u.key, u.start_ns DESC, u.trace_id DESC
)
SELECT g.key, x.traces, x.first_ns, x.end_ns, x.last_ns, x.last_trace_id, x.errors, x.input_preview, x.users, x.environments, x.sessions, x.calls,
    x.unpriced, x.sums, g.start_ns AS newest_ns, g.trace_id AS newest_id, c.looked_at, c.before_ns, c.before_id
FROM (
    SELECT (SELECT count(*) FROM one) AS looked_at, (SELECT o.start_ns FROM one AS o ORDER BY o.start_ns, o.trace_id LIMIT 1) AS before_ns,
        (SELECT o.trace_id FROM one AS o ORDER BY o.start_ns, o.trace_id LIMIT 1) AS before_id
) AS c
LEFT JOIN (SELECT n.* FROM newest AS n ORDER BY n.start_ns DESC, n.trace_id DESC LIMIT $7) AS g ON true
LEFT JOIN LATERAL (
--@columns group_sums
) AS x ON g.key IS NOT NULL
ORDER BY g.start_ns DESC, g.trace_id DESC
