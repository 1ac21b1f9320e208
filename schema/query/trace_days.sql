-- The days on which spans of one trace start, oldest first, and what each day's row says of the whole.
--   $1 tenant_id int4    $2 trace_bucket int2    $3 trace_id uuid
-- A trace is asked for without a time. This table has few chunks and few rows; what it answers bounds the search in spanledger.span,
-- which has a chunk for every day. No LIMIT: a trace has one row for each of its days.
SELECT t.day, t.span_count, ARRAY[t.session_rank, t.user_rank, t.environment_rank, t.project_rank, t.trace_name_rank, t.input_rank, t.output_rank] AS ranks,
    t.session_id, t.user_id, t.environment, t.project, t.trace_name, t.input_preview, t.output_preview,
    t.tags, t.models, t.providers
FROM spanledger.trace AS t
WHERE t.tenant_id = $1 AND t.trace_bucket = $2 AND t.trace_id = $3
ORDER BY t.day
